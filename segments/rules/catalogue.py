"""What a rule may speak of: fields of contacts, attributes and events this organisation has seen, its segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from audience.models import AttributeDefinition, EventDefinition, PredictionDefinition, PredictionUnit, Topic
from common import tenancy
from segments.models import Segment
from segments.rules import references, zones
from segments.rules.tree import Kind

Value = TypeVar("Value")

CUSTOM = "attributes."


@dataclass(frozen=True)
class StandardField:
    kind: Kind
    column: str
    label: str


# Field name in a rule → its column of audience_contact. The only identifiers that ever reach SQL.
STANDARD_FIELDS: dict[str, StandardField] = {
    "name": StandardField(Kind.TEXT, "name", "name"),
    "email": StandardField(Kind.TEXT, "email", "e-mail"),
    "phone": StandardField(Kind.TEXT, "phone", "phone"),
    "user_id": StandardField(Kind.TEXT, "user_id", "user id"),
    "status": StandardField(Kind.TEXT, "status", "status"),
    "priority": StandardField(Kind.TEXT, "priority", "priority"),
    "source": StandardField(Kind.TEXT, "source", "source"),
    "value_minor": StandardField(Kind.NUMBER, "value_minor", "value estimate (minor units)"),
    "currency": StandardField(Kind.TEXT, "currency", "currency"),
    "city": StandardField(Kind.TEXT, "city", "city"),
    "region": StandardField(Kind.TEXT, "region", "region"),
    "country": StandardField(Kind.TEXT, "country", "country"),
    "timezone": StandardField(Kind.TEXT, "timezone", "time zone"),
    "locale": StandardField(Kind.TEXT, "locale", "locale"),
    "assignee": StandardField(Kind.NUMBER, "assignee_id", "assignee"),
    "tags": StandardField(Kind.LIST, "tags", "tags"),
    "first_seen_at": StandardField(Kind.DATE, "first_seen_at", "first seen"),
    "last_seen_at": StandardField(Kind.DATE, "last_seen_at", "last seen"),
    "created_at": StandardField(Kind.DATE, "created_at", "created"),
    "updated_at": StandardField(Kind.DATE, "updated_at", "updated"),
}


@dataclass(frozen=True)
class KnownEvent:
    definition_id: int
    properties: Mapping[str, Kind] = field(default_factory=dict)


@dataclass(frozen=True)
class KnownSegment:
    """`circle` names the segments on the way round when the rule being read may not refer to this one."""

    id: int
    slug: str
    name: str
    circle: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownTopic:
    id: int
    name: str


@dataclass(frozen=True)
class KnownPrediction:
    label: str
    is_score: bool


@dataclass(frozen=True)
class Catalogue:
    """Custom attributes, events and predictions by name, segments by id, topics of consent by slug.

    Two are equal when they read a stored rule alike: it names segments by id, and ids do not change.
    """

    attributes: Mapping[str, Kind] = field(default_factory=dict)
    events: Mapping[str, KnownEvent] = field(default_factory=dict)
    segments: Mapping[int, KnownSegment] = field(default_factory=dict, compare=False)
    topics: Mapping[str, KnownTopic] = field(default_factory=dict, compare=False)
    predictions: Mapping[str, KnownPrediction] = field(default_factory=dict, compare=False)
    # The organisation's time zone, asked for when a rule has whole days in a window.
    home: Callable[[], str] = field(default=lambda: "UTC", compare=False)

    def segment(self, reference: Any) -> KnownSegment | None:
        """The segment with this id, or this slug; digits in quotes may be either, the slug first."""
        if isinstance(reference, int) and not isinstance(reference, bool):
            return self.segments.get(reference)
        if not isinstance(reference, str):
            return None
        by_slug = next((row for row in self.segments.values() if row.slug == reference), None)
        is_id = reference.isascii() and reference.isdigit() and len(reference) < 19
        return by_slug or (self.segments.get(int(reference)) if is_id else None)

    def kind_of(self, name: str) -> Kind | None:
        """The type of a field as rules write it, or None when there is no such field."""
        if name.startswith(CUSTOM):
            return self.attributes.get(name.removeprefix(CUSTOM))
        standard = STANDARD_FIELDS.get(name)
        return standard.kind if standard else None

    def field_names(self) -> list[str]:
        return [*sorted(STANDARD_FIELDS), *sorted(f"{CUSTOM}{name}" for name in self.attributes)]


class _Later(Mapping[Any, Value], Generic[Value]):
    """A table that is read when somebody looks into it: few rules speak of segments, topics or predictions."""

    def __init__(self, read: Callable[[], dict[Any, Value]]) -> None:
        self._read = read

    @cached_property
    def _rows(self) -> dict[Any, Value]:
        return self._read()

    def __getitem__(self, key: Any) -> Value:
        return self._rows[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def load(segment_id: int | None = None) -> Catalogue:
    """The catalogue of the current organisation: two queries, more when a rule speaks of segments,
    topics or predictions.

    With `segment_id`, for that segment's own rule: it must not lead back to itself.
    """
    attributes = {row.name: Kind(row.type) for row in AttributeDefinition.objects.all()}
    events = {row.name: KnownEvent(row.pk, _property_kinds(row.properties)) for row in EventDefinition.objects.all()}
    segments = _Later(lambda: _segments(segment_id))
    home = cache(lambda: zones.name_of(tenancy.required()))
    return Catalogue(attributes, events, segments, _Later(_topics), _Later(_predictions), home)


def _segments(segment_id: int | None) -> dict[int, KnownSegment]:
    rows = list(Segment.objects.order_by("pk").values_list("pk", "slug", "name"))
    names = {pk: name for pk, _, name in rows}
    circles = references.circles(segment_id) if segment_id is not None else {}
    return {
        pk: KnownSegment(pk, slug, name, tuple(names.get(step, "?") for step in circles.get(pk, ())))
        for pk, slug, name in rows
    }


def _topics() -> dict[str, KnownTopic]:
    return {row.slug: KnownTopic(row.pk, row.name) for row in Topic.objects.all()}


def _predictions() -> dict[str, KnownPrediction]:
    rows = PredictionDefinition.objects.order_by("label", "name")
    return {row.name: KnownPrediction(row.label, row.unit == PredictionUnit.SCORE) for row in rows}


def _property_kinds(properties: Mapping[str, object]) -> dict[str, Kind]:
    """Properties whose type is settled; one that was seen with several types says something else."""
    known = {kind.value for kind in Kind}
    return {name: Kind(str(kind)) for name, kind in properties.items() if kind in known}


def label(name: str) -> str:
    """A field in a reader's words: `attributes.plan` → `plan`."""
    if name.startswith(CUSTOM):
        return name.removeprefix(CUSTOM)
    standard = STANDARD_FIELDS.get(name)
    return standard.label if standard else name
