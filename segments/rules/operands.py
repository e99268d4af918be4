"""Typed SQL expressions for the left side of a condition: a column, an attribute, a property.

Whatever hides in a jsonb document, an operand is of its kind or NULL: it never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from segments.rules.catalogue import CUSTOM, STANDARD_FIELDS
from segments.rules.parameters import Parameters
from segments.rules.predictions import Predictions
from segments.rules.tree import Kind
from segments.rules.values import DATE_PATTERN, LONGEST_NUMBER
from segments.rules.zones import HOME


@dataclass(frozen=True)
class Row:
    """A contact in a statement: the alias of its columns, SQL of its time zone, and of the contacts in question.

    `among` narrows a column of contact ids to those contacts (`contact_id = ANY(…)`); empty for everybody. `dates`
    are columns of the row that hold attributes already read as dates, by field. `predictions` are joined to the row.
    """

    alias: str
    zone: str
    among: str = ""
    dates: Mapping[str, str] = field(default_factory=dict)
    predictions: Predictions | None = None


CONTACT = Row("contact", HOME)


@dataclass(frozen=True)
class Operand:
    """`sql` is typed, NULL when not set; `presence` is a boolean: it has a value.

    `zone` is where a day begins and ends for it. `is_whole_day` is a boolean: it is a date without a time, which
    is the same day everywhere; empty when it never is.
    """

    kind: Kind
    sql: str
    presence: str
    is_nullable: bool = True
    is_array_column: bool = False
    zone: str = HOME
    is_whole_day: str = ""

    @property
    def day(self) -> str:
        """The date of this moment where the contact lives."""
        zone = f"CASE WHEN {self.is_whole_day} THEN 'UTC' ELSE {self.zone} END" if self.is_whole_day else self.zone
        return f"({self.sql} AT TIME ZONE {zone})::date"


# How "not set" looks in a column of each kind; columns are NOT NULL but for the assignee.
COLUMN_PRESENCE = {
    Kind.TEXT: "{column} <> ''",
    Kind.NUMBER: "coalesce({column}, 0) <> 0",
    Kind.LIST: "{column} <> '{{}}'",
}


def column_of(field: str) -> str:
    """The column of a contact that holds a field."""
    return "attributes" if field.startswith(CUSTOM) else STANDARD_FIELDS[field].column


def of_contact(name: str, kind: Kind, parameters: Parameters, row: Row = CONTACT) -> Operand:
    """The operand of a contact's field."""
    column = f"{row.alias}.{column_of(name)}"
    if name.startswith(CUSTOM):
        found = of_document(column, name.removeprefix(CUSTOM), kind, parameters)
        if kind is Kind.DATE and name in row.dates:
            return replace(found, sql=f"{row.alias}.{row.dates[name]}", zone=row.zone)
        return replace(found, zone=row.zone)
    presence = COLUMN_PRESENCE.get(kind, "{column} IS NOT NULL").format(column=column)
    is_list = STANDARD_FIELDS[name].kind is Kind.LIST
    return Operand(kind, column, presence, name == "assignee", is_array_column=is_list, zone=row.zone)


def of_document(document: str, name: str, kind: Kind, parameters: Parameters) -> Operand:
    """The operand of a key of a jsonb document."""
    key = parameters.bind(name, "text")
    value, text = f"({document} -> {key})", f"({document} ->> {key})"
    presence = f"coalesce({value}, 'null') NOT IN ('null', '\"\"', '[]', '{{}}')"
    return Operand(kind, _typed(kind, value, text, parameters), presence, is_whole_day=f"length({text}) = 10")


def of_property(name: str, kind: Kind, parameters: Parameters, document: str = "event.properties") -> Operand:
    """The operand of an event's property. Many clients send numbers as text, so as a number a plain one counts."""
    found = of_document(document, name, kind, parameters)
    if kind is not Kind.NUMBER:
        return found
    key = parameters.bind(name, "text")
    return replace(found, sql=number_of(f"({document} -> {key})", f"({document} ->> {key})"))


def number_of(value: str, text: str, number: str = "{value}::numeric") -> str:
    """A number of a document, or a text of it that is a plain decimal number; NULL for anything else, no error.

    A text without its digits is nothing, a point, or a minus in front of these: twice as quick as a pattern. What
    is a number is known by the first question, so it costs no more than without texts.
    """
    rest = f"translate({text}, '0123456789', '')"
    is_plain = (
        f"jsonb_typeof({value}) = 'string' AND length({text}) BETWEEN length({rest}) + 1 AND {LONGEST_NUMBER} "
        f"AND ({rest} IN ('', '.') OR left({text}, 1) = '-' AND {rest} IN ('-', '-.'))"
    )
    return (
        f"CASE WHEN jsonb_typeof({value}) = 'number' THEN {number.format(value=value)} "
        f"WHEN {is_plain} THEN {text}::numeric END"
    )


def _typed(kind: Kind, value: str, text: str, parameters: Parameters) -> str:
    if kind is Kind.NUMBER:
        return f"CASE WHEN jsonb_typeof({value}) = 'number' THEN {value}::numeric END"
    if kind is Kind.BOOLEAN:
        return f"CASE WHEN jsonb_typeof({value}) = 'boolean' THEN {value}::boolean END"
    if kind is Kind.LIST:
        return f"CASE WHEN jsonb_typeof({value}) = 'array' THEN {value} END"
    if kind is Kind.DATE:
        pattern = parameters.bind(DATE_PATTERN, "text")
        # The inner CASE keeps the cast from text that only looks like a date (2026-02-31); the cap keeps
        # "for ever" in a western zone inside the years Python knows.
        return (
            f"CASE WHEN {text} ~ {pattern} THEN CASE WHEN pg_input_is_valid({text}, 'timestamptz') "
            f"THEN least({text}::timestamptz, timestamptz '9999-12-31 23:59:59+00') END END"
        )
    return text
