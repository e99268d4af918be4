"""Words that mail filters and readers have learnt to distrust, and shouting."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from campaigns.domain.checks.base import Check, Mail
from delivery.domain.plaintext import SKIPPED, Closed, Opened

PHRASES = (
    "100% free", "act now", "apply now", "as seen on", "be your own boss", "cash bonus", "casino", "cheap meds",
    "click below", "click here", "congratulations you", "dear friend", "double your", "earn money", "extra cash",
    "extra income", "fast cash", "free money", "get paid", "get rich", "guaranteed income", "lose weight",
    "lowest price", "make money", "million dollars", "miracle", "no catch", "no credit check", "no obligation",
    "no strings attached", "once in a lifetime", "order now", "risk free", "risk-free", "this is not spam",
    "this isn't spam", "urgent", "viagra", "while supplies last", "winner", "work from home",
    "you have been selected", "you won",
)  # fmt: skip
FOUND = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, PHRASES)) + r")(?!\w)", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]{3,}")
SHOUTED_WORDS = 4
MARKS = re.compile(r"[!?]{3,}|(?:!\s*){3,}|[$€£]{3,}")


def wording(mail: Mail) -> Iterator[Check]:
    """Phrases of spam in subject and blocks, sentences in capitals, rows of exclamation marks."""
    yield from _about(mail.subject, "", "The subject says")
    yield from _about(mail.preheader, "", "The preheader says")
    for piece in mail.pieces:
        text = _text(piece.tokens)
        yield from _about(text, piece.block, "It says")
        if is_shouting(text):
            yield Check("warning", "A sentence is in capitals.", piece.block, "Capitals read as shouting.")
        if MARKS.search(text):
            yield Check("warning", "There are rows of “!”, “?” or “$”.", piece.block, "One is enough.")


def _about(text: str, block: str, begin: str) -> Iterator[Check]:
    phrases = dict.fromkeys(found.lower() for found in FOUND.findall(" ".join(text.split())))
    for phrase in phrases:
        yield Check("hint", f"{begin} “{phrase}”, which filters know from spam.", block, "Say what it is instead.")


def _text(tokens: tuple[Opened | Closed | str, ...]) -> str:
    words: list[str] = []
    skipped = ""
    for token in tokens:
        if isinstance(token, Opened):
            words.append(" " if token.tag in ("td", "tr", "p", "div", "br", "li") else "")
            skipped = skipped or (token.tag if token.tag in SKIPPED else "")
        elif isinstance(token, Closed):
            skipped = "" if token.tag == skipped else skipped
        elif not skipped:
            words.append(html.unescape(token))
    return "".join(words)


def is_shouting(text: str) -> bool:
    """Four long words in capitals one after the other, or a text of nothing else."""
    words = WORD.findall(text)
    row = longest = 0
    for word in words:
        row = row + 1 if word.isupper() else 0
        longest = max(longest, row)
    return longest >= SHOUTED_WORDS or (len(words) > 1 and longest == len(words))
