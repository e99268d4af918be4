"""Writes lines from a message's own pieces: five that differ in form, none that claims more than it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from campaigns.copy import facts, features
from campaigns.copy.forms import FORMS, TACTLESS, Language
from campaigns.copy.languages import LANGUAGES
from campaigns.copy.material import OFFER, PLACEHOLDER, Material
from campaigns.domain.checks.wording import FOUND, MARKS, is_shouting

HOW_MANY = 5
NAME_LENGTH = 6  # letters of a first name, as lengths are counted
PHONE, INBOX = 50, 60  # letters of a subject that phones show, and most inboxes
PREHEADER = (30, 110)
ALIKE = 0.7  # share of words that two lines may have in common
CONDITION = re.compile(r"\{%.{0,100}?%\}")
ADDRESS = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")
PROMISES = frozenset({"offer", "urgency"})
CLAUSE = re.compile(r"\s[–—-]\s|[:;,.!?]\s")


@dataclass(frozen=True)
class Brief:
    """For whom and how lines are written. `longest` in letters; `avoided` words are in no line."""

    language: str = "en"
    state: str = ""
    is_formal: bool = False
    avoided: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()  # lines that were proposed before, or stand there now
    longest: int = INBOX
    takes_name: bool = True


@dataclass(frozen=True)
class Line:
    """A proposal. `text` is a template; `preheader` goes on where it ends."""

    text: str
    form: str
    preheader: str = ""

    @property
    def length(self) -> int:
        return shown_length(self.text)


def shown_length(text: str) -> int:
    """Letters as an inbox shows them, a placeholder as a first name."""
    return len(PLACEHOLDER.sub("x" * NAME_LENGTH, text))


def readable(text: str) -> str:
    """The line as one reader sees it, with a first name in the place of the placeholder."""
    return PLACEHOLDER.sub("Anna", CONDITION.sub(" / ", text)).strip(" /")


def plain(text: str) -> str:
    """The line without placeholders, as it is ranked."""
    return " ".join(PLACEHOLDER.sub("", text).replace(" ,", ",").replace(" :", ":").split())


def language_of(locale: str) -> str:
    """The language the assistant would write for a locale; empty when it does not know that language."""
    known = locale.lower().replace("_", "-").split("-")[0]
    return known if known in LANGUAGES else ("en" if not locale.strip() else "")


def subjects(material: Material, brief: Brief, rank: Callable[[Sequence[str]], Sequence[float]]) -> list[Line]:
    """Up to five subjects of different forms with their preheaders; of each form the wording that ranks best."""
    language = LANGUAGES[brief.language]
    wordings = dict(language.subjects) | {"state": language.states.get(brief.state, ())}
    chosen = _chosen(material, brief, wordings, rank)
    used: set[str] = set()
    return [Line(line.text, line.form, _preheader(line.text, material, brief, used)) for line in chosen]


def preheaders(material: Material, brief: Brief, subject: str) -> list[Line]:
    """Up to five lines that go on where the subject ends."""
    language = LANGUAGES[brief.language]
    found: list[str] = []
    for wording in language.preheaders:
        for text in _filled(wording, material, brief, language):
            if _is_preheader(text, subject) and is_fit(text, material, brief) and not is_like(text, found):
                found.append(text)
                break
    return [Line(text, _form_of_preheader(text, material)) for text in found[:HOW_MANY]]


def texts(material: Material, brief: Brief, tail: str = "") -> list[Line]:
    """Up to five short texts (SMS, push …) of different forms; `tail` is the link, kept as it is."""
    language = LANGUAGES[brief.language]
    wordings = dict(language.texts) | {"state": language.states.get(brief.state, ())}
    found = _chosen(material, brief, wordings, lambda lines: [0.0] * len(lines))
    return [Line(f"{_ended(line.text)} {tail}".strip() if tail else line.text, line.form) for line in found]


def _ended(text: str) -> str:
    return text if text[-1:] in ".!?" else f"{text}."


# --- choosing -------------------------------------------------------------------------------------------------


def _chosen(
    material: Material,
    brief: Brief,
    wordings: Mapping[str, Sequence[str]],
    rank: Callable[[Sequence[str]], Sequence[float]],
) -> list[Line]:
    """The best of each form, then second wordings, until there are five that are not alike.

    What speaks to their state, and one line with the offer or its end, are always among them.
    """
    rows = [list(_ranked(form, wordings.get(form, ()), material, brief, rank)) for form in FORMS]
    chosen: list[Line] = []
    for depth in range(max(map(len, rows), default=0)):
        level = [row[depth] for row in rows if depth < len(row)]
        level = sorted(level, key=lambda each: each[0], reverse=True)
        first = next((each for each in level if each[1].form in PROMISES), None)
        for _, line in sorted(level, key=lambda each: each[1].form != "state" and each is not first):
            if len(chosen) < HOW_MANY and not is_like(line.text, [each.text for each in chosen]):
                chosen.append(line)
    return chosen


def _ranked(
    form: str,
    wordings: Sequence[str],
    material: Material,
    brief: Brief,
    rank: Callable[[Sequence[str]], Sequence[float]],
) -> Iterator[tuple[float, Line]]:
    needs = FORMS[form].needs
    if form in TACTLESS.get(brief.state, ()) or (needs and not getattr(material, needs)):
        return
    language = LANGUAGES[brief.language]
    fitting = [
        text
        for wording in wordings
        for text in _filled(wording, material, brief, language)
        if is_fit(text, material, brief)
    ]
    scores = rank([plain(text) for text in fitting]) if fitting else []
    ordered = sorted(
        zip(scores, fitting, strict=True), key=lambda each: (shown_length(each[1]) <= PHONE, each[0]), reverse=True
    )
    yield from ((score, Line(text, form)) for score, text in ordered)


def is_fit(text: str, material: Material, brief: Brief) -> bool:
    """Short enough, true to the message, without words of spam, not shown before."""
    words = set(features.tokens(plain(text)))
    return bool(
        3 <= shown_length(text) <= brief.longest
        and features.plain(text).casefold() not in brief.shown
        and not FOUND.search(text)
        and not MARKS.search(text)
        and not is_shouting(plain(text))
        and not words & brief.avoided
        and not facts.inventions(text, material)
    )


def is_like(text: str, others: Collection[str]) -> bool:
    """Whether nearly the same words are there already."""
    words = set(features.tokens(plain(text)))
    for other in others:
        theirs = set(features.tokens(plain(other)))
        if not words | theirs or len(words & theirs) / len(words | theirs) > ALIKE:
            return True
    return False


# --- filling --------------------------------------------------------------------------------------------------


def _filled(wording: str, material: Material, brief: Brief, language: Language) -> Iterator[str]:
    """The wording with the message's pieces; once for each headline and sentence that may stand there."""
    wording = ADDRESS.sub(lambda found: found[2 if brief.is_formal else 1], wording)
    names = {name for _, name, _, _ in Formatter().parse(wording) if name}
    if ("name" in names and not brief.takes_name) or (
        # A deadline belongs to the offer beside it; without one, to what the message is about.
        "deadline" in names and material.offer and ("offer" in names) != material.has_both
    ):
        return
    for headline in _headlines(material) if "headline" in names else ("",):
        for sentence in material.sentences[:6] if "sentence" in names else ("",):
            values = _values(material, language) | {"headline": headline, "sentence": sentence}
            text = _upper(wording.format(**values)) if all(values[name] for name in names) else ""
            if text and text.count(": ") < 2 and not _repeats(names, values):
                yield text


def _repeats(names: Collection[str], values: Mapping[str, str]) -> bool:
    """Whether one piece holds another (“20 % off: 20 % off everything”), or a product gets an offer that may not be
    for it."""
    if "product" in names and "sentence" in names and OFFER.search(values["sentence"]):
        return True
    said = [values[name].casefold() for name in names if name != "name"]
    return any(one in other for place, one in enumerate(said) for other in said[:place] + said[place + 1 :])


def _values(material: Material, language: Language) -> dict[str, str]:
    products = material.products
    return {
        "product": products[0] if products else "",
        "other": products[1] if len(products) > 1 else "",
        "count": str(len(products)) if len(products) > 2 else "",
        "offer": _upper(material.offer),
        "deadline": material.deadline,
        "counted": _upper(material.counted),
        "asked": material.asked,
        "action": material.action,
        "code": material.code,
        "name": language.name_slot,
    }


def _headlines(material: Material) -> Iterator[str]:
    """The headline, and what stands before its first mark when that says enough; a product where there is neither."""
    headline = material.headline or (material.sentences[0] if material.sentences else "")
    if headline:
        yield headline
        first = CLAUSE.split(headline, maxsplit=1)[0].strip()
        if first != headline and len(first) >= 12:
            yield first
    elif material.products:
        yield material.products[0]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].isalpha() else text


# --- the line under it ------------------------------------------------------------------------------------------


def _preheader(subject: str, material: Material, brief: Brief, used: set[str]) -> str:
    """The first line that adds something and was not given to another subject; empty when there is none."""
    language = LANGUAGES[brief.language]
    found = [
        text
        for wording in language.preheaders
        for text in _filled(wording, material, brief, language)
        if _is_preheader(text, subject) and is_fit(text, material, _wide(brief))
    ]
    text = next((each for each in found if each not in used), found[0] if found else "")
    used.add(text)
    return text


def _wide(brief: Brief) -> Brief:
    return Brief(brief.language, brief.state, brief.is_formal, brief.avoided, longest=PREHEADER[1])


def _is_preheader(text: str, subject: str) -> bool:
    low, high = PREHEADER
    return low <= shown_length(text) <= high and not _overlaps(text, subject)


def _overlaps(text: str, subject: str) -> bool:
    words, said = set(features.tokens(plain(text))), set(features.tokens(plain(subject)))
    return bool(words) and len(words & said) / min(len(words), len(said) or 1) > 0.6


def _form_of_preheader(text: str, material: Material) -> str:
    if material.offer and material.offer.casefold() in text.casefold():
        return "offer"
    if any(text == sentence for sentence in material.sentences):
        return "benefit"
    return "curious"
