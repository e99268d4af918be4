"""Which events a behaviour reads, as rows called `event` that aggregates run over.

Plain rows are the matching events themselves. Answered rows are those of two kinds of event, each with the next
moment of the second kind (`answered_at`) and the time until then (`waited`). Resumed rows know how long before them
the last matching event lies (`paused`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from segments.rules.operands import of_property
from segments.rules.operators import NOW, OPERATORS
from segments.rules.parameters import Parameters
from segments.rules.tree import EventRule, Following, PropertyFilter

ORGANIZATION = "%(organization)s::bigint"
NOBODY_SENT = 0  # no definition has this id


class Rows(StrEnum):
    PLAIN = "plain"
    ANSWERED = "answered"
    RESUMED = "resumed"


@dataclass(frozen=True)
class Stream:
    """Leaves that read the same stream share its pass over the events."""

    rows: Rows
    definition_id: int
    where: tuple[PropertyFilter, ...]
    then: Following | None = None

    @property
    def definition_ids(self) -> list[int]:
        """The definitions it reads, each once."""
        second = self.then.definition_id if self.then is not None else None
        return sorted({self.definition_id, second or self.definition_id})


def stream_of(rule: EventRule, rows: Rows) -> Stream | None:
    """None while nobody has ever sent the event."""
    if rule.definition_id is None:
        return None
    return Stream(rows, rule.definition_id, rule.where, rule.then if rows is Rows.ANSWERED else None)


def rows_of(stream: Stream, conditions: Sequence[str], values: Mapping[str, str], parameters: Parameters) -> str:
    """`FROM …` of the stream's rows that meet `conditions` on audience_event, with `values` as further columns."""
    if stream.rows is Rows.ANSWERED:
        return f"""FROM (
    SELECT event.*, event.answered_at - event.happened_at AS waited
    FROM ({_answered(stream, conditions, values, parameters)} OFFSET 0) event OFFSET 0) event"""
    matching = " AND ".join([*conditions, *filters(stream.where, parameters)])
    if stream.rows is Rows.RESUMED:
        before = "lag(event.happened_at) OVER (PARTITION BY event.contact_id ORDER BY event.happened_at)"
        return f"""FROM (
    SELECT event.contact_id, event.happened_at, event.happened_at - {before} AS paused
    FROM audience_event event WHERE {matching}) event"""
    if not values:
        return f"FROM audience_event event WHERE {matching}"
    columns = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
    # OFFSET 0: a value is taken out of its document once, whatever reads it.
    return f"""FROM (
    SELECT event.contact_id, event.happened_at, {columns}
    FROM audience_event event WHERE {matching} OFFSET 0) event"""


def _answered(stream: Stream, conditions: Sequence[str], values: Mapping[str, str], parameters: Parameters) -> str:
    """A row may be of both kinds; only what comes later answers it, and what lies ahead does not yet."""
    then = stream.then or Following("", None)
    first = _is(stream.definition_id, stream.where, parameters)
    second = _is(then.definition_id or NOBODY_SENT, then.where, parameters)
    columns = "".join(f", {sql} AS {name}" for name, sql in values.items())
    return f"""
    SELECT event.contact_id, event.happened_at, event.is_first{"".join(f", event.{name}" for name in values)},
           min(event.happened_at) FILTER (WHERE event.is_second AND event.happened_at <= {NOW}) OVER (
             PARTITION BY event.contact_id ORDER BY event.happened_at DESC
             RANGE BETWEEN UNBOUNDED PRECEDING AND interval '1 microsecond' PRECEDING) AS answered_at
    FROM (SELECT event.contact_id, event.happened_at, {first} AS is_first, {second} AS is_second{columns}
          FROM audience_event event WHERE {" AND ".join(conditions)}) event"""


def _is(definition_id: int, where: tuple[PropertyFilter, ...], parameters: Parameters) -> str:
    kind = f"event.definition_id = {parameters.bind(definition_id, 'bigint')}"
    return f"({' AND '.join([kind, *filters(where, parameters)])})"


def filters(where: tuple[PropertyFilter, ...], parameters: Parameters) -> list[str]:
    """Conditions on the properties of `event`."""
    conditions = []
    for item in where:
        operand = of_property(item.property, item.kind, parameters)
        conditions.append(OPERATORS[item.operator].truth(operand, item.value, parameters))
    return conditions
