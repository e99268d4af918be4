"""Set, clear or add to a field or custom attribute of a contact, and to what the contact is worth."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from audience import services as audience
from automations.configuration import Wrong, says
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import quoted

CUSTOM = "attributes."
VALUE_FIELD = "value_minor"
# What steps of their own write, or what names one person.
ELSEWHERE = {
    "tags": "use the steps add_tag and remove_tag",
    "status": "use the step update_status",
    "priority": "use the step update_priority",
    "assignee": "use the step assign",
    VALUE_FIELD: "use the step update_value",
    "email": "names one person and is not written by workflows",
    "phone": "names one person and is not written by workflows",
    "user_id": "names one person and is not written by workflows",
}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`attribute` is a standard field such as `city`, or `attributes.<name>`."""

    attribute: Annotated[str, says("Attribute", type="attribute", examples=["attributes.plan"])]
    change: Annotated[
        Literal["set", "clear", "add"],
        says(
            "What to do", labels={"set": "Set it to", "clear": "Take it away", "add": "Add to the number"},
            examples=["set"],
        ),
    ] = "set"  # fmt: skip
    value: Annotated[Any, says("Value", "Nothing when it is taken away.", examples=["pro"])] = None


class ValueConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minor units of the contact's currency."""

    amount: Annotated[int, says("Amount", "In minor units, such as cents.", examples=[50_000])]
    change: Annotated[
        Literal["set", "add"],
        says("What to do", labels={"set": "Set the value to", "add": "Add to the value"}, examples=["add"]),
    ] = "set"


def check(configuration: Configuration, wrong: Wrong) -> None:
    attribute, value = configuration.attribute.strip(), configuration.value
    if attribute in ELSEWHERE:
        wrong("attribute", f"{attribute}: {ELSEWHERE[attribute]}")
    elif configuration.change == "clear":
        if value is not None:
            wrong("value", "leave it empty: the attribute is taken away")
        elif refusal := audience.refusal_of(attribute, None):
            wrong("attribute", refusal)
    elif value is None:
        wrong("value", "is missing; to take the attribute away, choose clear")
    elif configuration.change == "add" and (isinstance(value, bool) or not isinstance(value, int | float)):
        wrong("value", "must be a number to add, such as 1 or -5")
    elif configuration.change == "add" and not attribute.startswith(CUSTOM):
        wrong("attribute", f"{quoted(attribute)} holds no number; name a custom attribute such as attributes.visits")
    elif refusal := audience.refusal_of(attribute, value):
        wrong("value" if audience.refusal_of(attribute, None) == "" else "attribute", refusal)


def execute(configuration: Configuration, group: Group) -> Results:
    """One update for the whole group."""
    attribute = configuration.attribute.strip()
    if configuration.change == "add":
        audience.add_to_contacts(group.contact_ids, attribute, configuration.value)
    else:
        audience.update_contacts(group.contact_ids, {attribute: configuration.value})
    return ALL_DONE


def sentence(configuration: Configuration) -> str:
    name = configuration.attribute.removeprefix(CUSTOM)
    if configuration.change == "clear":
        return f"Take {name} away"
    if configuration.change == "add":
        return f"Add {configuration.value} to {name}"
    return f"Set {name} to {quoted(str(configuration.value))}"


def check_value(configuration: ValueConfiguration, wrong: Wrong) -> None:
    if configuration.change == "set" and configuration.amount < 0:
        wrong("amount", "a contact is worth 0 or more")
    if not -(10**15) <= configuration.amount <= 10**15:
        wrong("amount", "is too large")


def update_value(configuration: ValueConfiguration, group: Group) -> Results:
    """One update for the whole group."""
    if configuration.change == "add":
        audience.add_to_contacts(group.contact_ids, VALUE_FIELD, configuration.amount)
    else:
        audience.update_contacts(group.contact_ids, {VALUE_FIELD: configuration.amount})
    return ALL_DONE


def _value_set(configuration: ValueConfiguration) -> str:
    amount = f"{abs(configuration.amount) / 100:,.2f}"
    if configuration.change == "set":
        return f"Set the value to {amount}"
    return f"Add {amount} to the value" if configuration.amount >= 0 else f"Take {amount} from the value"


STEP = StepKind(
    "Update attribute",
    "Sets a field or custom attribute, takes it away, or adds to its number.",
    Configuration,
    execute,
    sentence,
    check,
    group="Contact",
)
VALUE = StepKind(
    "Update value",
    "Sets what the contact is worth, or adds to it.",
    ValueConfiguration,
    update_value,
    _value_set,
    check_value,
    group="Contact",
)
