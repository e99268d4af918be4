"""A standard field or custom attribute of a contact changed. Status and priority have names of their own."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from accounts.models import Member
from automations.configuration import Filter, Wrong, says
from automations.steps import members
from automations.triggers.base import Happening, TriggerKind
from automations.words import quoted

ANY = msgspec.UNSET


def key_of(attribute: str) -> str:
    """What a change of this attribute is listened to by."""
    return f"attribute:{attribute}"


class Configuration(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_value": "from", "to_value": "to"}
):
    """Without `from` or `to` any value before or after will do."""

    attribute: Annotated[str, says("Attribute", type="attribute", examples=["attributes.plan"])]
    from_value: Annotated[Any, says("From", "Left out: any value before.")] = ANY
    to_value: Annotated[Any, says("To", "Left out: any value after.", examples=["pro"])] = ANY
    filter: Filter = None


class FieldConfiguration(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_value": "from", "to_value": "to"}
):
    """As above for a field that the trigger's name says."""

    from_value: Annotated[Any, says("From", "Left out: any value before.")] = ANY
    to_value: Annotated[Any, says("To", "Left out: any value after.")] = ANY
    filter: Filter = None


def admits(configuration: Configuration | FieldConfiguration | AssigneeConfiguration, happening: Happening) -> bool:
    """Whether the values before and after are the wanted ones."""
    wanted = ((configuration.from_value, "before"), (configuration.to_value, "after"))
    return all(value is ANY or happening.facts.get(side) == value for value, side in wanted)


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not configuration.attribute.strip():
        wrong("attribute", "name the attribute, such as status or attributes.plan")


def _sentence(attribute: str, configuration: Configuration | FieldConfiguration) -> str:
    text = f"When {attribute.removeprefix('attributes.')} changes"
    if configuration.from_value is not ANY:
        text += f" from {quoted(str(configuration.from_value))}"
    if configuration.to_value is not ANY:
        text += f" to {quoted(str(configuration.to_value))}"
    return text


class AssigneeConfiguration(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_value": "from", "to_value": "to"}
):
    """Members by number; null is nobody."""

    from_value: Annotated[Any, says("From", "Left out: anybody before.", type="member")] = ANY
    to_value: Annotated[Any, says("To", "Left out: anybody after; null: nobody.", type="member", examples=[3])] = ANY
    filter: Filter = None


def _check_members(configuration: AssigneeConfiguration, wrong: Wrong) -> None:
    for place, value in (("from", configuration.from_value), ("to", configuration.to_value)):
        if value is ANY or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            wrong(place, "must be the number of a member, or null for nobody")
        elif not Member.objects.filter(pk=value).exists():
            wrong(place, f"there is no member {value}")


def _assigned(configuration: AssigneeConfiguration) -> str:
    text = "When a contact is handed over"
    for word, value in (("from", configuration.from_value), ("to", configuration.to_value)):
        if value is not ANY:
            text += f" {word} {members.name(value) if value else 'nobody'}"
    return text


def _for_field(field: str) -> TriggerKind[FieldConfiguration]:
    return TriggerKind(
        f"{field.capitalize()} changed",
        f"Starts when the {field} of a contact changes, if wanted only from or to a value.",
        FieldConfiguration,
        key=lambda configuration: key_of(field),
        sentence=lambda configuration: _sentence(field, configuration),
        admits=admits,
        group="Contact",
    )


TRIGGER = TriggerKind(
    "Attribute changed",
    "Starts when a field or custom attribute of a contact changes, if wanted only from or to a value.",
    Configuration,
    key=lambda configuration: key_of(configuration.attribute),
    sentence=lambda configuration: _sentence(configuration.attribute, configuration),
    admits=admits,
    check=check,
    group="Contact",
)
STATUS = _for_field("status")
PRIORITY = _for_field("priority")
ASSIGNEE = TriggerKind(
    "Assignee changed",
    "Starts when a contact is handed to a colleague, to another one, or to nobody.",
    AssigneeConfiguration,
    key=lambda configuration: key_of("assignee"),
    sentence=_assigned,
    admits=admits,
    check=_check_members,
    group="Contact",
)
