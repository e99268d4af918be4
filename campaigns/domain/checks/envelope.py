"""Subject, preheader, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.domain.checks.base import Check, Mail
from campaigns.domain.checks.wording import is_shouting

CONDITION = re.compile(r"\{%.{0,200}?%\}")  # each reader gets one of the wordings between
LONG_SUBJECT = 60  # characters that a phone shows at most
LONG_PREHEADER = 110
SHORT_PREHEADER = 20


def envelope(mail: Mail) -> Iterator[Check]:
    """What an inbox shows, and whether readers of marketing can leave."""
    subject, preheader = " ".join(mail.subject.split()), " ".join(mail.preheader.split())
    if not subject:
        yield Check("error", "There is no subject.", fix="Say in a few words what the mail is about.", path="subject")
    elif (length := max(map(len, CONDITION.split(subject)))) > LONG_SUBJECT:
        sentence = f"The subject has {length} characters; phones show about {LONG_SUBJECT}."
        yield Check("warning", sentence, fix="Put what matters first, or shorten it.", path="subject")
    if is_shouting(subject):
        yield Check("warning", "The subject shouts.", fix="Write it in small letters.", path="subject")
    if subject.count("!") + subject.count("?") > 1 and ("!!" in subject or subject.count("!") > 1):
        yield Check(
            "warning", "The subject has more than one exclamation mark.", fix="One is enough.", path="subject"
        )
    yield from _preheader(subject, preheader)
    if mail.kind == "marketing" and "unsubscribe_url" not in mail.html:
        sentence = "There is no way to unsubscribe in the mail; a line for it is put below everything."
        yield Check("warning", sentence, fix="Add a footer.")


def _preheader(subject: str, preheader: str) -> Iterator[Check]:
    if not preheader:
        sentence = "There is no preheader: inboxes show the first words of the mail instead."
        yield Check("hint", sentence, fix="Go on where the subject ends.", path="preheader")
    elif len(preheader) > LONG_PREHEADER:
        sentence = f"The preheader has {len(preheader)} characters; inboxes show up to {LONG_PREHEADER}."
        yield Check("hint", sentence, fix="Shorten it.", path="preheader")
    elif preheader.casefold() == subject.casefold():
        yield Check(
            "hint", "The preheader repeats the subject.", fix="Go on where the subject ends.", path="preheader"
        )
    elif len(preheader) < SHORT_PREHEADER:
        sentence = "The preheader is short: inboxes fill the line with the first words of the mail."
        yield Check("hint", sentence, fix=f"Use {SHORT_PREHEADER} to {LONG_PREHEADER} characters.", path="preheader")
