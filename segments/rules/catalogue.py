"""What a rule may speak of: the fields of contacts, the attributes and events this organisation has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from audience.models import AttributeDefinition, EventDefinition
from segments.rules.tree import Kind

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
class Catalogue:
    """Custom attributes and events by name."""

    attributes: Mapping[str, Kind] = field(default_factory=dict)
    events: Mapping[str, KnownEvent] = field(default_factory=dict)

    def kind_of(self, name: str) -> Kind | None:
        """The type of a field as rules write it, or None when there is no such field."""
        if name.startswith(CUSTOM):
            return self.attributes.get(name.removeprefix(CUSTOM))
        standard = STANDARD_FIELDS.get(name)
        return standard.kind if standard else None

    def field_names(self) -> list[str]:
        return [*sorted(STANDARD_FIELDS), *sorted(f"{CUSTOM}{name}" for name in self.attributes)]


def load() -> Catalogue:
    """The catalogue of the current organisation: two queries."""
    attributes = {row.name: Kind(row.type) for row in AttributeDefinition.objects.all()}
    events = {row.name: KnownEvent(row.pk, _property_kinds(row.properties)) for row in EventDefinition.objects.all()}
    return Catalogue(attributes, events)


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
