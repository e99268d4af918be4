"""What a ranker sees of a line of text: traits that people can read, and the pieces it is made of.

Pure functions over text and numpy; the same code sees the tests one learns from and the lines one ranks.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

from common.later import later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = later("numpy")

BUCKETS = 1 << 17
CHARACTERS = (3, 4, 5)  # lengths of the pieces of letters
TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[?!.,:;\"$€£%*-]+")
QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"'})
# Beyond what was tested nothing is known of the length: shorter and longer lines count as these.
SHORTEST, LONGEST = 25, 110

GROUPS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "first_person": "i me my mine we us our i'm we're ich mich mir mein meine wir uns unser unsere",
        "second_person": "you your you're you'll yours you've du dich dir dein deine deinen sie ihr ihre ihnen",
        "man": "he him his man guy boy father dad husband son",
        "woman": "she her hers woman girl mom mother wife daughter",
        "others": "they them their",
        "this": "this these here dies diese dieser dieses hier",
        "that": "that those",
        "what": "what was",
        "why": "why warum weshalb",
        "how": "how wie",
        "who": "who wer",
        "when": "when wann",
        "condition": "if wenn falls",
        "contrast": "but aber doch",
        "denial": "not no never don't doesn't can't won't isn't didn't nothing nicht kein keine nie nichts",
        "superlative": "most best worst ever least only first every all always beste besten immer alle nur erste",
        "turn": "until then after before suddenly finally turns endlich bevor danach",
        "thought": "think thought know knew guess believe wonder realize imagine",
        "it": "it it's its",
        "be": "is are was were be been ist sind war",
        "have": "have has had haben hat",
        "and": "and und",
        "to": "to zu",
        "dark": "bad awful hate terrible wrong kill killed dead die death sad horrible shocking",
    }.items()
}


def _spoken(group: frozenset[str], _: str, words: list[str]) -> float:
    return sum(word in group for word in words)


def _begins(group: frozenset[str], _: str, words: list[str]) -> float:
    return bool(words) and words[0] in group


TRAITS: dict[str, Callable[[str, list[str]], float]] = {
    "characters": lambda line, _: _bounded(line) / 50,
    "characters_squared": lambda line, _: (_bounded(line) / 50) ** 2,
    "characters_to_40": lambda line, _: min(_bounded(line), 40) / 50,
    "characters_to_70": lambda line, _: min(_bounded(line), 70) / 50,
    "words": lambda _, words: len(words) / 10,
    "letters_per_word": lambda _, words: float(np.mean([len(word) for word in words])) if words else 0.0,
    "long_words": lambda _, words: float(np.mean([len(word) > 6 for word in words])) if words else 0.0,
    "question": lambda line, _: "?" in line,
    "exclamation": lambda line, _: "!" in line,
    "quotation": lambda line, _: '"' in line or " '" in line or line.startswith("'"),
    "sentences": lambda line, _: len(re.findall(r"[.?!]+(?=\s)", line)),
    "full_stop": lambda line, _: line.endswith("."),
    "dots": lambda line, _: "..." in line or "…" in line,
    "colon": lambda line, _: ":" in line,
    "comma": lambda line, _: "," in line,
    "brackets": lambda line, _: "(" in line or "[" in line,
    "stars": lambda line, _: "*" in line,
    "money": lambda line, _: bool(re.search(r"[$€£]", line)),
    "percent": lambda line, _: "%" in line,
    "number": lambda line, _: bool(re.search(r"\d", line)),
    "number_first": lambda line, _: line[:1].isdigit(),
    "capitals": lambda line, _: sum(map(str.isupper, line)) / max(1, len(line)),
    "small_words": lambda line, _: _share([word[0].islower() for word in line.split()]),
    "shouted": lambda line, _: sum(word.isupper() and len(word) > 2 for word in line.split()),
    **{name: partial(_spoken, group) for name, group in GROUPS.items()},
    **{f"{name}_first": partial(_begins, group) for name, group in GROUPS.items()},
}
NAMES = tuple(TRAITS)


def plain(line: str) -> str:
    """One line with straight quotes, as all of it is compared."""
    return " ".join(html.unescape(line).translate(QUOTES).split())


def _bounded(line: str) -> int:
    return min(max(len(line), SHORTEST), LONGEST)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / max(1, len(flags))


def tokens(line: str) -> list[str]:
    """Words and marks in small letters."""
    return TOKEN.findall(line.lower())


def traits(line: str) -> NDArray[np.float64]:
    """What can be said of a plain line in words; shape (len(NAMES),)."""
    words = [token for token in tokens(line) if token[0].isalnum()]
    return np.array([float(measure(line, words)) for measure in TRAITS.values()])


def pieces(line: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Buckets of words, pairs of words and runs of letters, and how much of each; both kinds have length 1.

    A sign from the hash keeps two pieces that meet in a bucket from always adding up (Weinberger et al. 2009).
    """
    words = ["<s>", *tokens(line), "</s>"]
    pairs = [" ".join(pair) for pair in pairwise(words)]
    found: dict[int, float] = {}
    for kind in ({f"w{each}" for each in (*words, *pairs)}, set(_letters(f" {line.lower()} "))):
        for place, value in _hashed(kind).items():
            found[place] = found.get(place, 0.0) + value
    return np.array(list(found), dtype=np.int64), np.array(list(found.values()))


def _letters(line: str) -> Iterator[str]:
    for length in CHARACTERS:
        for start in range(len(line) - length + 1):
            yield f"c{line[start : start + length]}"


def _hashed(kind: set[str]) -> dict[int, float]:
    """Each piece once, however often it occurs."""
    found: dict[int, int] = {}
    for piece in kind:
        number = zlib.crc32(piece.encode("utf-8", "replace"))
        found[number % BUCKETS] = found.get(number % BUCKETS, 0) + (1 if number >> 31 else -1)
    length = sqrt(sum(value * value for value in found.values())) or 1.0
    return {place: value / length for place, value in found.items()}
