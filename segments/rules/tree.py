"""A rule as frozen dataclasses: what the parser makes, and what everything else reads.

Every value is already of its Python type: text, Decimal, bool, date (a whole day), aware datetime (a moment),
timedelta (a span), or a tuple of these for operators that take several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """The type of a field or property; the same words as audience.AttributeType."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"
    OBJECT = "object"


class Match(StrEnum):
    ALL = "all"
    ANY = "any"
    NONE = "none"
    AT_LEAST = "at_least"


Single = str | int | Decimal | bool | date | datetime | timedelta
Value = Single | tuple[Single, ...] | None


@dataclass(frozen=True)
class AttributeRule:
    """`field` is a standard field of Contact or `attributes.<name>`."""

    field: str
    kind: Kind
    operator: str
    value: Value


@dataclass(frozen=True)
class PropertyFilter:
    """A condition on one property of an event."""

    property: str
    kind: Kind
    operator: str
    value: Value


@dataclass(frozen=True)
class Period:
    """A window whose ends stand still, as it was written: a whole day counts to its end, a moment stays outside.

    `zone` is where its days begin, for the sentence; the statement asks for it anew.
    """

    since: date | datetime | None
    until: date | datetime | None
    zone: str = field(default="UTC", compare=False)

    @property
    def has_days(self) -> bool:
        """Whether it begins or ends with a whole day."""
        return any(end is not None and not isinstance(end, datetime) for end in (self.since, self.until))


# A span counts back from now; None means ever.
Within = timedelta | Period | None


@dataclass(frozen=True)
class Following:
    """The event a sequence waits for. `definition_id` is None while nobody has ever sent such an event."""

    event: str
    definition_id: int | None
    where: tuple[PropertyFilter, ...] = ()


@dataclass(frozen=True)
class EventRule:
    """What a contact did or did not do. Which of the inputs after `where` are set depends on the behaviour.

    `definition_id` is None while nobody has ever sent such an event.
    """

    event: str
    definition_id: int | None
    operator: str
    count: int = 1
    within: Within = None
    where: tuple[PropertyFilter, ...] = ()
    then: Following | None = None
    gap: timedelta = timedelta()
    pause: timedelta = timedelta()
    more_than: timedelta = timedelta()
    property: str = ""
    compare: str = ""
    value: Decimal | tuple[Decimal, Decimal] = Decimal()
    periods: int = 0
    unit: str = ""
    at_least: int = 0
    times: int = 0


@dataclass(frozen=True)
class SegmentRule:
    """Stands, or does not stand, in another segment: its stored membership."""

    segment_id: int
    name: str
    operator: str


@dataclass(frozen=True)
class ConsentRule:
    """May be written to on a channel; `topic_id` None asks for all topics."""

    channel: str
    operator: str
    topic_id: int | None = None
    topic: str = ""


@dataclass(frozen=True)
class BucketRule:
    """One of a hundred equal parts of all contacts, drawn by a salt and the same for ever."""

    salt: str
    first: int
    last: int


@dataclass(frozen=True)
class NearRule:
    """Within so many kilometers of a place, or outside; the two fields hold degrees."""

    latitude: Decimal
    longitude: Decimal
    kilometers: Decimal
    operator: str
    latitude_field: str
    longitude_field: str


@dataclass(frozen=True)
class PredictionRule:
    """What a model expects of the contact, while that holds. `value` are bands, a number, or two of them."""

    name: str
    label: str
    operator: str
    value: tuple[str, ...] | Decimal | tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True)
class Group:
    """`count` is how many must be true; only `at_least` has one."""

    match: Match
    rules: tuple[Rule, ...]
    count: int = 0


OtherRule = SegmentRule | ConsentRule | BucketRule | NearRule | PredictionRule
Leaf = AttributeRule | EventRule | OtherRule
Rule = Group | Leaf


def leaves(rule: Rule) -> Iterator[Leaf]:
    """Every leaf of the tree, in the order it is written."""
    if not isinstance(rule, Group):
        yield rule
        return
    for child in rule.rules:
        yield from leaves(child)


def events(rule: Rule) -> set[str]:
    """Names of the events the rule reads."""
    read = [leaf for leaf in leaves(rule) if isinstance(leaf, EventRule)]
    return {leaf.event for leaf in read} | {leaf.then.event for leaf in read if leaf.then is not None}
