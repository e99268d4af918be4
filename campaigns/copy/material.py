"""What a message says, taken apart: the only source of what the assistant may claim.

Pure. Everything here is a piece of the message word for word; nothing is inferred, so nothing can be invented.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LONGEST_SENTENCE = 90
SHORTEST_SENTENCE = 14
LONGEST_LINE = 2_000  # nobody's sentence
MOST_TEXT = 20_000  # characters that are looked at
PLACEHOLDER = re.compile(r"\{[{%#].{0,200}?[}%#]\}", re.DOTALL)
AT_END = re.compile(r",?\s*\{\{\s*contact\.(?:first_)?name[^{}]{0,100}\}\}(?=[.!?]?\s*$)")
LISTED = re.compile(r"\d+[.)]\s|[-–•*]\s")
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[^a-zß-ÿ])|\n+")
ADDRESS = re.compile(r"\s{0,2}[(<]?https?://[^\s<>)]{1,2000}[)>]?")
LINKISH = re.compile(r"https?://|www\.|@\w|unsubscribe|abbestellen|abmelden|browser|impressum", re.IGNORECASE)

# Offers, word for word. The numbers among them are what a line may promise.
OFFER = re.compile(
    r"(?:(?:up to|save(?: up to)?|extra|bis zu|sparen sie(?: bis zu)?|spare(?: bis zu)?)\s+)?"
    r"(?:\d{1,3}(?:[.,]\d{1,4})?\s?%|[€$£]\s?\d[\d.,]{0,12}\d?|(?<![\d.,])\d[\d.,]{0,12}\s?(?:€|euro\b))"
    r"(?:\s+(?:off|discount|cashback|rabatt|nachlass|günstiger|less|gutschrift)\b)"
    r"|(?:save(?: up to)?|spare(?:n sie)?(?: bis zu)?)\s+(?:\d{1,3}\s?%|[€$£]\s?\d[\d.,]{0,12}\d?|\d[\d.,]{0,12}\s?€)"
    r"|free (?:shipping|delivery|returns|trial|gift)\b"
    r"|(?:kostenloser|gratis|kostenfreier)\s?(?:versand|lieferung|rückversand)\b|versandkostenfrei",
    re.IGNORECASE,
)
DAYS_EN = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
DAYS_DE = r"(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag)"
MONTHS = (
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|"
    r"sep(?:tember)?|oct(?:ober)?|okt(?:ober)?|nov(?:ember)?|dec(?:ember)?|dez(?:ember)?)"
)
DATE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\.?\s+{MONTHS}|{MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?"
    r"|\d{1,2}\.\d{1,2}\.(?:\d{2,4})?)"
)
# A moment by which something ends, as the message gives it. “Soon” and “hurry” are none.
DEADLINE = re.compile(
    rf"\b(?:only\s+)?(?:until|till|through|ends?|by|before)\s+(?:the end of\s+)?(?:this\s+|next\s+|on\s+)?"
    rf"(?P<en>{DAYS_EN}(?:\s+(?:night|evening|noon))?|midnight|tonight|tomorrow|{DATE})(?!\w)"
    rf"|\b(?:nur\s+)?(?:noch\s+)?bis\s+(?:zum\s+|einschließlich\s+)?"
    rf"(?P<de>(?:{DAYS_DE})(?:abend)?|mitternacht|morgen|heute abend|{DATE})(?!\w)"
    rf"|\b(?:endet|enden)\s+(?:am\s+)?(?P<de2>(?:{DAYS_DE})|heute|morgen|{DATE})(?!\w)",
    re.IGNORECASE,
)  # fmt: skip
COUNTED = re.compile(
    r"(?<![\w.,%€$£-])([2-9]|[1-9]\d{1,2})\s+([a-zäöüß-]{3,}(?:\s+[a-zäöüß-]{4,})?)(?![\w%])", re.IGNORECASE
)
NO_COUNT = frozenset(
    re.findall(
        r"\w+",
        "off percent euro euros dollars days hours minutes weeks months years tagen tage stunden minuten wochen "
        "monate jahre uhr for and the und der die das von with from",
    )
)
MONTH = re.compile(rf"{MONTHS}\b", re.IGNORECASE)
NEW = re.compile(r"\b(new|neu|neue[rsnm]?)\b", re.IGNORECASE)
CODE = re.compile(r"\bcode:?\s+([A-Z0-9][A-Z0-9-]{3,19})\b")


@dataclass(frozen=True)
class Material:
    """Pieces of one message. Empty where it has none."""

    headline: str = ""
    products: tuple[str, ...] = ()
    offer: str = ""
    deadline: str = ""  # the day or date alone: “Sunday”, “24 December”
    has_both: bool = False  # the same sentence holds offer and deadline
    counted: str = ""  # “12 recipes”
    sentences: tuple[str, ...] = ()
    asked: str = ""  # a question that the message asks itself
    action: str = ""
    code: str = ""
    is_new: bool = False
    text: str = ""  # all of it

    @property
    def is_empty(self) -> bool:
        return not (self.headline or self.products or self.sentences or self.asked)


def gather(
    *,
    headings: Sequence[str] = (),
    texts: Sequence[str] = (),
    products: Sequence[str] = (),
    buttons: Sequence[str] = (),
    subject: str = "",
) -> Material:
    """Take a message apart. Sentences with placeholders are left out: what they say differs from reader to reader."""
    heads = [clean(each) for each in headings]
    said = [*heads, *(sentence for text in texts for sentence in sentences(text))]
    whole = "\n".join(dict.fromkeys(filter(None, [*said, *map(clean, products), clean(subject)])))[:MOST_TEXT]
    lines = [
        each for each in [*heads, clean(subject)] if 3 <= len(each) <= LONGEST_SENTENCE and not LISTED.match(each)
    ]
    headline = next((each for each in lines if not each.endswith("?")), "")
    asked = [
        each for each in [*lines, *said] if each.endswith("?") and SHORTEST_SENTENCE <= len(each) <= LONGEST_SENTENCE
    ]
    offer, deadline = OFFER.search(whole), DEADLINE.search(whole)
    return Material(
        headline=headline.rstrip(".!?…: "),
        products=tuple(dict.fromkeys(each for each in map(clean, products) if 2 <= len(each) <= 60)),
        offer=_said(offer),
        deadline=_moment(deadline),
        has_both=any(OFFER.search(each) and DEADLINE.search(each) for each in said),
        counted=_counted(said),
        sentences=tuple(dict.fromkeys(_speaking(said[len(heads) :], headline))),
        asked=next(iter(asked), ""),
        action=next((each for each in map(clean, buttons) if each), ""),
        code=_said(CODE.search(whole), 1),
        is_new=bool(NEW.search(whole)),
        text=whole,
    )


def clean(text: str) -> str:
    """One line without placeholders; a reader's name at its end is taken off, with any other it is empty."""
    if len(text) > LONGEST_LINE:
        return ""
    text = AT_END.sub("", text)
    return "" if PLACEHOLDER.search(text) else " ".join(text.split())


def sentences(text: str) -> Iterator[str]:
    """Sentences and lines of a plain text that are the same for every reader."""
    for each in SENTENCE_END.split(text[:MOST_TEXT]):
        if (sentence := clean(each)) and not LINKISH.search(sentence):
            yield sentence


def _speaking(said: Iterable[str], headline: str) -> Iterator[str]:
    """Those that can stand alone in an inbox, in the order of the message."""
    fitting = [each for each in said if SHORTEST_SENTENCE <= len(each) <= LONGEST_SENTENCE and each != headline]
    yield from (LISTED.sub("", each).rstrip(".: ") for each in fitting if not _greets(each) and each[-1] != "?")


def _greets(sentence: str) -> bool:
    return sentence.lower().startswith(
        ("hello", "hi ", "dear", "hallo", "liebe", "guten tag", "best regards", "viele grüße", "©")
    )


def _said(found: re.Match[str] | None, group: int = 0) -> str:
    return " ".join(found[group].split()) if found else ""


def _moment(found: re.Match[str] | None) -> str:
    if found is None:
        return ""
    return " ".join(next(each for each in found.groupdict().values() if each).split()).rstrip(".,")


def _counted(said: Iterable[str]) -> str:
    for each in said:
        for found in COUNTED.finditer(each):
            words = found[2].split()
            if words[0].lower() not in NO_COUNT and not MONTH.match(words[0]):
                return f"{found[1]} {words[0]}"
    return ""
