"""The versions of a rule and what changed from each to the next, condition by condition."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from common.errors import Invalid, NotFound
from segments import rules
from segments.models import Segment, SegmentVersion
from segments.rules import catalogue, parser, sentences
from segments.rules.catalogue import Catalogue
from segments.rules.explain import group_words, parts
from segments.rules.tree import Group, Leaf, Rule, leaves

MOST_VERSIONS = 100


@dataclass(frozen=True)
class Diff:
    """Conditions as people read them. `changed` are those that ask the same field or event something else."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    is_regrouped: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.is_regrouped)


@dataclass(frozen=True)
class Told:
    """A version, its sentence, and what changed since the one before (None: it is the first)."""

    version: SegmentVersion
    sentence: str
    diff: Diff | None
    is_current: bool


def versions(segment: Segment) -> list[Told]:
    """The latest versions, newest first."""
    known = catalogue.load()
    rows = list(segment.versions.order_by("-number")[: MOST_VERSIONS + 1])
    told = []
    for place, row in enumerate(rows[:MOST_VERSIONS]):
        earlier = rows[place + 1] if place + 1 < len(rows) else None
        change = diff(earlier.rule, row.rule, known) if earlier else None
        told.append(Told(row, rules.describe(row.rule, known), change, row.number == segment.version_number))
    return told


def find(segment: Segment, number: int) -> SegmentVersion:
    """One version; raises `NotFound`."""
    version = segment.versions.filter(number=number).first()
    if version is None:
        raise NotFound(f"“{segment}” has no version {number}.")
    return version


def diff(before: Any, after: Any, known: Catalogue | None = None) -> Diff:
    """What changed from one stored rule to another; empty when one of them cannot be read."""
    known = known or catalogue.load()
    try:
        old = parser.parse(before, known, is_stored=True)
        new = parser.parse(after, known, is_stored=True)
    except Invalid:
        return Diff()
    gone = list((Counter(leaves(old)) - Counter(leaves(new))).elements())
    come = list((Counter(leaves(new)) - Counter(leaves(old))).elements())
    changed = []
    for leaf in list(gone):
        match = next((other for other in come if _subject(other) == _subject(leaf)), None)
        if match is not None:
            changed.append((sentences.leaf_phrase(leaf), sentences.leaf_phrase(match)))
            gone.remove(leaf)
            come.remove(match)
    return Diff(_phrases(come), _phrases(gone), changed, _shape(old) != _shape(new))


def _phrases(found: list[Leaf]) -> list[str]:
    return [sentences.leaf_phrase(leaf) for leaf in found]


def _subject(leaf: Leaf) -> tuple[type, Any]:
    """What a condition is about: a field, an event, or whatever its first value names."""
    return type(leaf), getattr(leaf, next(iter(leaf.__dataclass_fields__)))


def _shape(rule: Rule) -> list[str]:
    """The groups of a rule, without what stands in them."""
    return [group_words(part) for part in parts(rule) if isinstance(part, Group)]
