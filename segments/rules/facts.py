"""What events say about contacts, gathered for the leaves of rules: once for all contacts, or by probes for a few.

Plans (tests/test_plans.py holds them): for everybody, one aggregate per different leaf over the index
event_by_definition, of the contacts that can still matter. For a few contacts, one statement with a probe of
event_by_contact per contact and kind of event: it reads the latest moments once, and every leaf of every segment
that asks about them shares the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from segments.rules.behaviours import Fact
from segments.rules.operands import of_document
from segments.rules.operators import NOW, OPERATORS
from segments.rules.parameters import Parameters
from segments.rules.tree import EventRule, PropertyFilter

ORGANIZATION = "%(organization)s::bigint"
# Up to so many latest moments are read for all leaves alike; a leaf that counts further has a probe of its own.
MOST_SHARED = 20
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
    """Facts about all contacts of the organisation, as tables to join to the alias `contact`.

    Required facts come first, and each fact is gathered only for the contacts that the one before has left.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._numbers: dict[Wanted, int] = {}
        self._required: set[Wanted] = set()

    def fact(self, rule: EventRule) -> Fact:
        wanted = _wanted(rule)
        if wanted is None:
            return NEVER
        number = self._numbers.setdefault(wanted, len(self._numbers))
        return Fact(f"fact{number}.nth_at", f"fact{number}.next_at")

    def require(self, rule: EventRule) -> None:
        """Leave out contacts for whom this leaf is false and time alone will not make it true."""
        wanted = _wanted(rule)
        if wanted is not None:
            self._required.add(wanted)

    def tables(self, candidates: str = "") -> list[str]:
        """The CTEs; `candidates` selects the ids that matter, or is empty when that is everybody."""
        tables = []
        for wanted, number in self._in_order():
            tables.append(f"fact{number} AS ({self._gather(wanted, candidates)})")
            if wanted in self._required:
                candidates = f"SELECT contact_id FROM fact{number}"
        return tables

    def joins(self) -> str:
        joins = []
        for wanted, number in self._in_order():
            side = "JOIN" if wanted in self._required else "LEFT JOIN"
            joins.append(f"{side} fact{number} ON fact{number}.contact_id = contact.id")
        return "\n".join(joins)

    def _in_order(self) -> list[tuple[Wanted, int]]:
        return sorted(self._numbers.items(), key=lambda item: (item[0] not in self._required, item[1]))

    def _gather(self, wanted: Wanted, candidates: str) -> str:
        """One pass over the window and what lies ahead of it.

        For n > 1 the first moment stands for the nth latest: it is never later, costs nothing to find, and
        the check it leads to is a probe, which finds the exact one.
        """
        conditions = [*_matching(wanted, self.parameters), *_since(wanted, self.parameters)]
        if candidates:
            conditions.append(f"event.contact_id IN ({candidates})")
        past = f"FILTER (WHERE event.happened_at <= {NOW})"
        nth_at, having = f"max(event.happened_at) {past}", ""
        next_at = f"min(event.happened_at) FILTER (WHERE event.happened_at > {NOW})"
        if wanted.count > 1:
            is_enough = f"count(*) {past} >= {self.parameters.bind(wanted.count, 'int')}"
            nth_at = f"CASE WHEN {is_enough} THEN min(event.happened_at) END"
            having = f"HAVING {is_enough} OR {next_at} > {NOW}"
        return f"""
  SELECT event.contact_id, {nth_at} AS nth_at, {next_at} AS next_at
  FROM audience_event event WHERE {" AND ".join(conditions)} GROUP BY event.contact_id {having}"""


@dataclass
class _Source:
    """One probe per contact: the latest moments of one kind of event."""

    number: int
    definition_id: int
    where: tuple[PropertyFilter, ...]
    count: int = 0
    within: timedelta | None = timedelta()
    segments: set[int] = field(default_factory=set)

    def widen(self, wanted: Wanted, segment_id: int) -> None:
        self.count = max(self.count, wanted.count)
        unbounded = self.within is None or wanted.within is None
        self.within = None if unbounded else max(self.within or timedelta(), wanted.within or timedelta())
        self.segments.add(segment_id)


class Few:
    """Facts about the contacts in the CTE `touched`: `facts.recent[source][n]`, `facts.next[source]` per contact.

    A contact is probed only for the segments it is wanted for (`touched.segments`).
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._shared: dict[tuple[int, tuple[PropertyFilter, ...]], _Source] = {}
        self._own: dict[Wanted, _Source] = {}

    def fact(self, rule: EventRule, segment_id: int) -> Fact:
        wanted = _wanted(rule)
        if wanted is None:
            return NEVER
        source = self._source(wanted)
        source.widen(wanted, segment_id)
        next_at = f"facts.next[{source.number}]"
        if wanted.count > MOST_SHARED:
            return Fact(f"facts.recent[{source.number}][1]", next_at)
        at = f"facts.recent[{source.number}][{wanted.count}]"
        if wanted.within is None:
            return Fact(at, next_at)
        window = self.parameters.bind(wanted.within, "interval")
        return Fact(f"CASE WHEN {at} > {NOW} - {window} THEN {at} END", next_at)

    def _source(self, wanted: Wanted) -> _Source:
        fresh = _Source(len(self._shared) + len(self._own) + 1, wanted.definition_id, wanted.where)
        if wanted.count > MOST_SHARED:
            return self._own.setdefault(wanted, fresh)
        return self._shared.setdefault((wanted.definition_id, wanted.where), fresh)

    def join(self) -> str:
        return "LEFT JOIN facts ON facts.contact_id = touched.id" if self._shared or self._own else ""

    def tables(self) -> str:
        """The CTEs `ahead` and `facts`, to follow `touched`; empty without behavioural leaves."""
        if not self._shared and not self._own:
            return ""
        width = max((source.count for source in self._shared.values()), default=1)
        padding = f"array_fill(NULL::timestamptz, ARRAY[{width}])"
        latest = "array_agg(recent.happened_at ORDER BY recent.happened_at DESC)"
        oldest = "ARRAY[CASE WHEN count(*) >= leaf.count THEN min(recent.happened_at) END]"
        probes = [
            self._probes(where, alike, f"({moments} || {padding})[1:{width}]")
            for moments, sources in ((latest, self._shared.values()), (oldest, self._own.values()))
            for where, alike in _by_filter(sources).items()
        ]
        # Events dated ahead are rare: one scan of the partitions from now on serves every fact. It leaves
        # property filters aside, which can only make the next check early, never late.
        return f""", ahead AS MATERIALIZED (
  SELECT event.contact_id, event.definition_id, min(event.happened_at) AS next_at FROM audience_event event
  WHERE event.organization_id = {ORGANIZATION} AND event.contact_id = ANY(%(contacts)s::bigint[])
    AND event.happened_at > {NOW} GROUP BY event.contact_id, event.definition_id
), facts AS MATERIALIZED (
  SELECT probed.contact_id, array_agg(probed.recent ORDER BY probed.number) AS recent,
         array_agg(ahead.next_at ORDER BY probed.number) AS next
  FROM ({" UNION ALL ".join(probes)}) probed(contact_id, number, definition_id, recent)
  LEFT JOIN ahead ON ahead.contact_id = probed.contact_id AND ahead.definition_id = probed.definition_id
  GROUP BY probed.contact_id)"""

    def _probes(self, where: tuple[PropertyFilter, ...], alike: Iterable[_Source], moments: str) -> str:
        """One branch for all sources with the same property filters.

        Two things keep the planner on event_by_contact, also while the statistics of the youngest partition
        are stale: what is sought are columns of `leaf`, whose values it does not know, and the upper bound is
        written so that it does not pair with the lower one into "a very short range".
        """
        rows = ", ".join(self._row(source) for source in alike)
        filters = "".join(f" AND {condition}" for condition in _filters(where, self.parameters))
        return f"""
  SELECT touched.id, leaf.number, leaf.definition_id, probe.recent
  FROM touched CROSS JOIN (VALUES {rows}) leaf(number, definition_id, since, count, segments)
  LEFT JOIN LATERAL (
    SELECT {moments} AS recent FROM (
      SELECT event.happened_at FROM audience_event event
      WHERE touched.segments && leaf.segments AND event.organization_id = {ORGANIZATION}
        AND event.contact_id = touched.id AND event.definition_id = leaf.definition_id
        AND event.happened_at > leaf.since AND event.happened_at - interval '0' <= {NOW}{filters}
      ORDER BY event.happened_at DESC LIMIT leaf.count) recent) probe ON true"""

    def _row(self, source: _Source) -> str:
        bind = self.parameters.bind
        since = f"{NOW} - {bind(source.within, 'interval')}" if source.within else "'-infinity'::timestamptz"
        segments = bind(sorted(source.segments), "bigint[]")
        return (
            f"({source.number}, {bind(source.definition_id, 'bigint')}, {since}, "
            f"{bind(source.count, 'int')}, {segments})"
        )


def _by_filter(sources: Iterable[_Source]) -> dict[tuple[PropertyFilter, ...], list[_Source]]:
    alike: dict[tuple[PropertyFilter, ...], list[_Source]] = {}
    for source in sources:
        alike.setdefault(source.where, []).append(source)
    return alike


def _matching(wanted: Wanted, parameters: Parameters) -> list[str]:
    return [
        f"event.organization_id = {ORGANIZATION}",
        f"event.definition_id = {parameters.bind(wanted.definition_id, 'bigint')}",
        *_filters(wanted.where, parameters),
    ]


def _filters(where: tuple[PropertyFilter, ...], parameters: Parameters) -> list[str]:
    """Conditions on the properties of `event`."""
    conditions = []
    for item in where:
        operand = of_document("event.properties", item.property, item.kind, parameters)
        conditions.append(OPERATORS[item.operator].truth(operand, item.value, parameters))
    return conditions


def _since(wanted: Wanted, parameters: Parameters) -> list[str]:
    if wanted.within is None:
        return []
    return [f"event.happened_at > {NOW} - {parameters.bind(wanted.within, 'interval')}"]
