"""The languages the assistant writes."""

from __future__ import annotations

from campaigns.copy.english import ENGLISH
from campaigns.copy.forms import Language
from campaigns.copy.german import GERMAN

NAMES = {"en": "English", "de": "German"}
LANGUAGES: dict[str, Language] = {"en": ENGLISH, "de": GERMAN}
