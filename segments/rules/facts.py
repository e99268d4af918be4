"""What events say about contacts, gathered for the leaves of rules: once for all contacts, or by probes for a few.

Equal leaves share one fact, whichever segment they come from. Plans (tests/test_plans.py holds them):
for everybody, one aggregate per fact over the index event_by_definition, joined by hash; for a few contacts,
one statement with a probe of event_by_contact per contact and fact, which stops at the nth event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from segments.rules.behaviours import Fact
from segments.rules.operands import of_document
from segments.rules.operators import NOW, OPERATORS
from segments.rules.parameters import Parameters
from segments.rules.tree import EventRule, PropertyFilter

ORGANIZATION = "%(organization)s::bigint"
NEVER = Fact("NULL::timestamptz", "NULL::timestamptz")


@dataclass(frozen=True)
class Wanted:
    """What is asked of the events; leaves that ask the same share the answer."""

    definition_id: int
    count: int
    within: timedelta | None
    where: tuple[PropertyFilter, ...]


def _wanted(rule: EventRule) -> Wanted | None:
    if rule.definition_id is None:
        return None
    return Wanted(rule.definition_id, rule.count, rule.within, rule.where)


class Everybody:
    """Facts about all contacts of the organisation, as joins to the alias `contact`."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._numbers: dict[Wanted, int] = {}

    def fact(self, rule: EventRule) -> Fact:
        wanted = _wanted(rule)
        if wanted is None:
            return NEVER
        number = self._numbers.setdefault(wanted, len(self._numbers))
        return Fact(f"past{number}.nth_at", f"future{number}.next_at")

    def joins(self) -> str:
        return "\n".join(self._join(wanted, number) for wanted, number in self._numbers.items())

    def _join(self, wanted: Wanted, number: int) -> str:
        matching = _matching(wanted, self.parameters)
        having = f"HAVING count(*) >= {self.parameters.bind(wanted.count, 'int')}" if wanted.count > 1 else ""
        return f"""
LEFT JOIN (SELECT event.contact_id, {self._nth_at(wanted)} AS nth_at FROM audience_event event
           WHERE {matching} AND {_in_window(wanted, self.parameters)} GROUP BY event.contact_id {having}
          ) past{number} ON past{number}.contact_id = contact.id
LEFT JOIN (SELECT event.contact_id, min(event.happened_at) AS next_at FROM audience_event event
           WHERE {matching} AND event.happened_at > {NOW} GROUP BY event.contact_id
          ) future{number} ON future{number}.contact_id = contact.id"""

    def _nth_at(self, wanted: Wanted) -> str:
        if wanted.count == 1 or wanted.within is None:
            return "max(event.happened_at)"  # without a window only whether there are n matters
        offset = self.parameters.bind(wanted.count - 1, "int")
        # Collected unsorted, so that the aggregate hashes; only who has n of them is sorted.
        return (
            "(SELECT moment FROM unnest(array_agg(event.happened_at)) AS moment "
            f"ORDER BY moment DESC OFFSET {offset} LIMIT 1)"
        )


class Few:
    """Facts about the contacts in the CTE `touched`, as arrays `facts.nth` and `facts.next` per contact.

    A contact is probed only for the facts of the segments it is wanted for (`touched.segments`).
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._segments: dict[Wanted, set[int]] = {}
        self._numbers: dict[Wanted, int] = {}

    def fact(self, rule: EventRule, segment_id: int) -> Fact:
        wanted = _wanted(rule)
        if wanted is None:
            return NEVER
        number = self._numbers.setdefault(wanted, len(self._numbers) + 1)
        self._segments.setdefault(wanted, set()).add(segment_id)
        return Fact(f"facts.nth[{number}]", f"facts.next[{number}]")

    def join(self) -> str:
        return "LEFT JOIN facts ON facts.contact_id = touched.id" if self._numbers else ""

    def tables(self) -> str:
        """The CTEs `ahead` and `facts`, to follow `touched`; empty without behavioural leaves."""
        if not self._numbers:
            return ""
        by_filter: dict[tuple[PropertyFilter, ...], list[Wanted]] = {}
        for wanted in self._numbers:
            by_filter.setdefault(wanted.where, []).append(wanted)
        probes = [self._probes(where, alike) for where, alike in by_filter.items()]
        # Events dated ahead are rare: one scan of the partitions from now on serves every fact. It leaves
        # property filters aside, which can only make the next check early, never late.
        return f""", ahead AS MATERIALIZED (
  SELECT event.contact_id, event.definition_id, min(event.happened_at) AS next_at FROM audience_event event
  WHERE event.organization_id = {ORGANIZATION} AND event.contact_id = ANY(%(contacts)s::bigint[])
    AND event.happened_at > {NOW} GROUP BY event.contact_id, event.definition_id
), facts AS MATERIALIZED (
  SELECT probed.contact_id, array_agg(probed.nth_at ORDER BY probed.number) AS nth,
         array_agg(ahead.next_at ORDER BY probed.number) AS next
  FROM ({" UNION ALL ".join(probes)}) probed(contact_id, number, definition_id, nth_at)
  LEFT JOIN ahead ON ahead.contact_id = probed.contact_id AND ahead.definition_id = probed.definition_id
  GROUP BY probed.contact_id)"""

    def _probes(self, where: tuple[PropertyFilter, ...], alike: Iterable[Wanted]) -> str:
        """One branch for all facts with the same property filters.

        Two things keep the planner on event_by_contact, also while the statistics of the youngest partition
        are stale: what is sought are columns of `leaf`, whose values it does not know, and the upper bound is
        written so that it does not pair with the lower one into "a very short range".
        """
        rows = ", ".join(self._row(wanted) for wanted in alike)
        filters = "".join(f" AND {condition}" for condition in _filters(where, self.parameters))
        return f"""
  SELECT touched.id, leaf.number, leaf.definition_id, probe.nth_at
  FROM touched CROSS JOIN (VALUES {rows}) leaf(number, definition_id, since, count, segments)
  LEFT JOIN LATERAL (
    SELECT CASE WHEN count(*) >= leaf.count THEN min(recent.happened_at) END AS nth_at FROM (
      SELECT event.happened_at FROM audience_event event
      WHERE touched.segments && leaf.segments AND event.organization_id = {ORGANIZATION}
        AND event.contact_id = touched.id AND event.definition_id = leaf.definition_id
        AND event.happened_at > leaf.since AND event.happened_at - interval '0' <= {NOW}{filters}
      ORDER BY event.happened_at DESC LIMIT leaf.count) recent) probe ON true"""

    def _row(self, wanted: Wanted) -> str:
        bind = self.parameters.bind
        since = f"{NOW} - {bind(wanted.within, 'interval')}" if wanted.within else "'-infinity'::timestamptz"
        segments = bind(sorted(self._segments[wanted]), "bigint[]")
        return (
            f"({self._numbers[wanted]}, {bind(wanted.definition_id, 'bigint')}, {since}, "
            f"{bind(wanted.count, 'int')}, {segments})"
        )


def _matching(wanted: Wanted, parameters: Parameters) -> str:
    conditions = [
        f"event.organization_id = {ORGANIZATION}",
        f"event.definition_id = {parameters.bind(wanted.definition_id, 'bigint')}",
    ]
    return " AND ".join([*conditions, *_filters(wanted.where, parameters)])


def _filters(where: tuple[PropertyFilter, ...], parameters: Parameters) -> list[str]:
    """Conditions on the properties of `event`."""
    conditions = []
    for item in where:
        operand = of_document("event.properties", item.property, item.kind, parameters)
        conditions.append(OPERATORS[item.operator].truth(operand, item.value, parameters))
    return conditions


def _in_window(wanted: Wanted, parameters: Parameters) -> str:
    until = f"event.happened_at <= {NOW}"
    if wanted.within is None:
        return until
    return f"event.happened_at > {NOW} - {parameters.bind(wanted.within, 'interval')} AND {until}"
