"""What events say about a few contacts: probes of event_by_contact, shared by every leaf of every segment.

Two kinds of probe. The latest moments of one kind of event are read once, and every leaf that counts takes its nth
from them. Everything else is an aggregate over the contact's events; leaves of the same kind of event are columns of
one pass, each with its window and property filters. A contact is probed only for the segments it is wanted for
(`touched.segments`).

Plans (tests/test_plans.py holds them): two things keep the planner on event_by_contact, also while the statistics
of the youngest partition are stale: what is sought are columns of `leaf`, whose values it does not know, and the
upper bound is written so that it does not pair with the lower one into "a very short range".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from segments.rules import windows
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.operators import NOW
from segments.rules.parameters import Parameters
from segments.rules.readings import NeverSent, Reading
from segments.rules.streams import ORGANIZATION, Rows, Stream, filters, rows_of, stream_of
from segments.rules.tree import EventRule, Period, PropertyFilter, Within

# Up to so many latest moments are read for all leaves alike; a leaf that counts further has a probe of its own.
MOST_SHARED = 20
EVER = "'-infinity'::timestamptz"
# A row of PostgreSQL holds 1,664 columns, and many segments ask for more: measures come as short arrays of a kind.
ARRAYS = {"timestamptz": "moments", "numeric": "numbers", "bigint": "counts"}
LONGEST_ARRAY = 64
MOST_VALUES = 1_000
UP_TO_NOW = f"event.happened_at - interval '0' <= {NOW}"


@dataclass
class _Latest:
    """One probe per contact: the latest moments of one kind of event."""

    number: int
    definition_id: int
    count: int = 0
    within: timedelta | None = timedelta()
    segments: set[int] = field(default_factory=set)

    def widen(self, count: int, within: timedelta | None, segment_id: int) -> None:
        self.count = max(self.count, count)
        unbounded = self.within is None or within is None
        self.within = None if unbounded else max(self.within or timedelta(), within or timedelta())
        self.segments.add(segment_id)


@dataclass
class _Pass:
    """One probe per contact: aggregates over the rows of a stream."""

    number: int
    stream: Stream
    measures: dict[str, dict[str, int]] = field(default_factory=lambda: {kind: {} for kind in ARRAYS})
    values: dict[str, str] = field(default_factory=dict)
    since: set[str] = field(default_factory=set)
    segments: set[int] = field(default_factory=set)

    @property
    def name(self) -> str:
        return f"measured{self.number}"

    def measure(self, sql: str, kind: str) -> str:
        """The element that holds an aggregate."""
        found = self.measures[kind]
        array, place = divmod(found.setdefault(sql, len(found)), LONGEST_ARRAY)
        return f"{self.name}.{ARRAYS[kind]}{array}[{place + 1}]"

    def value(self, sql: str) -> str:
        """A column of the rows; beyond a number of them the expression itself, which is then worked out each time."""
        if sql not in self.values and len(self.values) >= MOST_VALUES:
            self.values["event.properties"] = "properties"
            return f"({sql})"
        return f"event.{self.values.setdefault(sql, f'value{len(self.values)}')}"

    def arrays(self) -> str:
        """The arrays as a list of columns."""
        found = []
        for kind, measures in self.measures.items():
            aggregates = list(measures)
            for start in range(0, len(aggregates), LONGEST_ARRAY):
                part = ", ".join(aggregates[start : start + LONGEST_ARRAY])
                found.append(f"ARRAY[{part}]::{kind}[] AS {ARRAYS[kind]}{start // LONGEST_ARRAY}")
        return ", ".join(found)


class Few:
    """Facts about the contacts in the CTE `touched`."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        # What tells the rows of `touched` apart: the contact, or its number where a contact has many moments.
        self._key = "touched.pair" if parameters.moment else "touched.id"
        self._shared: dict[int, _Latest] = {}
        self._own: dict[tuple[int, int, timedelta | None], _Latest] = {}
        self._passes: dict[Stream, _Pass] = {}

    def reading(self, rule: EventRule, segment_id: int, given: Parameters) -> Reading:
        """`given` holds the values of the rule; what is measured in a pass of its own is bound to the statement."""
        behaviour = BEHAVIOURS[rule.operator]
        stream = stream_of(rule, behaviour.rows)
        if stream is None:
            return NeverSent(self.parameters)
        if stream.rows is Rows.RESUMED:
            return _Reading(self, stream, (), segment_id, self.parameters)
        only_counts = behaviour.only_counts and not stream.where and not isinstance(rule.within, Period)
        values = given if only_counts else self.parameters
        return _Reading(self, replace(stream, where=()), stream.where, segment_id, values)

    def latest(self, stream: Stream, count: int, within: timedelta | None, segment_id: int) -> _Latest:
        """The probe that reads the nth latest moment of a kind of event."""
        fresh = _Latest(len(self._shared) + len(self._own) + 1, stream.definition_id)
        if count > MOST_SHARED:
            found = self._own.setdefault((stream.definition_id, count, within), fresh)
        else:
            found = self._shared.setdefault(stream.definition_id, fresh)
        found.widen(count, within, segment_id)
        return found

    def pass_over(self, stream: Stream, segment_id: int) -> _Pass:
        """The pass over a stream."""
        found = self._passes.setdefault(stream, _Pass(len(self._passes) + 1, stream))
        found.segments.add(segment_id)
        return found

    def join(self) -> str:
        joins = [f"LEFT JOIN facts ON facts.contact_id = {self._key}"] if self._shared or self._own else []
        joins += [f"LEFT JOIN {made.name} ON {made.name}.contact_id = {self._key}" for made in self._passes.values()]
        return "\n  ".join(joins)

    def tables(self) -> str:
        """The CTEs to follow `touched`; empty without behavioural leaves.

        Events dated ahead are rare: one scan of the partitions from now on serves every fact. It leaves property
        filters aside, which can only make the next check early, never late.
        """
        if not self._shared and not self._own and not self._passes:
            return ""
        counted = [self._counted()] if self._shared or self._own else []
        return ", " + ", ".join([self._ahead(), *counted, *(self._measured(made) for made in self._passes.values())])

    def _ahead(self) -> str:
        """The next moment of each kind of event that is asked about, by contact."""
        if self.parameters.moment:
            return self._ahead_of_moments()
        return f"""ahead AS MATERIALIZED (
  SELECT event.contact_id, event.definition_id, min(event.happened_at) AS next_at FROM audience_event event
  WHERE event.organization_id = {ORGANIZATION} AND event.contact_id = ANY(%(contacts)s::bigint[])
    AND event.happened_at > {NOW} GROUP BY event.contact_id, event.definition_id
)"""

    def _ahead_of_moments(self) -> str:
        """What came after the moment of each row. Plan: one probe of event_by_contact per row and kind."""
        sources = {source.definition_id for source in [*self._shared.values(), *self._own.values()]}
        passed = {number for made in self._passes.values() for number in made.stream.definition_ids}
        return f"""ahead AS MATERIALIZED (
  SELECT {self._key} AS contact_id, kind.definition_id, coming.next_at
  FROM touched CROSS JOIN unnest({self.parameters.bind(sorted(sources | passed), "bigint[]")}) kind(definition_id)
  CROSS JOIN LATERAL (
    SELECT event.happened_at AS next_at FROM audience_event event
    WHERE event.organization_id = {ORGANIZATION} AND event.contact_id = touched.id
      AND event.definition_id = kind.definition_id AND event.happened_at > {NOW}
    ORDER BY event.happened_at LIMIT 1) coming
)"""

    def _counted(self) -> str:
        """`facts.recent[probe][n]` and `facts.next[probe]` per contact."""
        width = max((source.count for source in self._shared.values()), default=1)
        padding = f"array_fill(NULL::timestamptz, ARRAY[{width}])"
        latest = "array_agg(recent.happened_at ORDER BY recent.happened_at DESC)"
        oldest = "ARRAY[CASE WHEN count(*) >= leaf.count THEN min(recent.happened_at) END]"
        probes = [
            self._probes(sources, f"({moments} || {padding})[1:{width}]")
            for moments, sources in ((latest, self._shared.values()), (oldest, self._own.values()))
            if sources
        ]
        return f"""facts AS MATERIALIZED (
  SELECT probed.contact_id, array_agg(probed.recent ORDER BY probed.number) AS recent,
         array_agg(ahead.next_at ORDER BY probed.number) AS next
  FROM ({" UNION ALL ".join(probes)}) probed(contact_id, number, definition_id, recent)
  LEFT JOIN ahead ON ahead.contact_id = probed.contact_id AND ahead.definition_id = probed.definition_id
  GROUP BY probed.contact_id)"""

    def _probes(self, sources: Iterable[_Latest], moments: str) -> str:
        rows = ", ".join(self._row(source) for source in sources)
        return f"""
  SELECT {self._key}, leaf.number, leaf.definition_id, probe.recent
  FROM touched CROSS JOIN LATERAL (VALUES {rows}) leaf(number, definition_id, since, count, segments)
  LEFT JOIN LATERAL (
    SELECT {moments} AS recent FROM (
      SELECT event.happened_at FROM audience_event event
      WHERE touched.segments && leaf.segments AND event.organization_id = {ORGANIZATION}
        AND event.contact_id = touched.id AND event.definition_id = leaf.definition_id
        AND event.happened_at > leaf.since AND {UP_TO_NOW}
      ORDER BY event.happened_at DESC LIMIT leaf.count) recent) probe ON true"""

    def _row(self, source: _Latest) -> str:
        bind = self.parameters.bind
        since = windows.ago(source.within, self.parameters) if source.within else EVER
        segments = bind(sorted(source.segments), "bigint[]")
        return (
            f"({source.number}, {bind(source.definition_id, 'bigint')}, {since}, "
            f"{bind(source.count, 'int')}, {segments})"
        )

    def _measured(self, made: _Pass) -> str:
        """One row per contact with the aggregates of a stream."""
        bind = self.parameters.bind
        ids, segments = bind(made.stream.definition_ids, "bigint[]"), bind(sorted(made.segments), "bigint[]")
        since = EVER if EVER in made.since else f"least({', '.join(sorted(made.since))})"
        scan = [
            "touched.segments && leaf.segments", f"event.organization_id = {ORGANIZATION}",
            "event.contact_id = touched.id", "event.definition_id = ANY(leaf.definition_ids)",
            "event.happened_at >= leaf.since", UP_TO_NOW,
        ]  # fmt: skip
        values = {name: sql for sql, name in made.values.items()}
        sought = f"SELECT {ids} AS definition_ids, {since} AS since, {segments} AS segments"
        head, leaf = f"WITH leaf AS MATERIALIZED ({sought})", "leaf"
        if self.parameters.moment:  # the window begins elsewhere for each contact
            head, leaf = "", f"LATERAL ({sought} OFFSET 0) leaf"
        return f"""{made.name} AS MATERIALIZED (
  {head}
  SELECT {self._key} AS contact_id, probe.*, coming.next_at
  FROM touched CROSS JOIN {leaf}
  LEFT JOIN LATERAL (
    SELECT {made.arrays()} {rows_of(made.stream, scan, values, self.parameters)}) probe ON true
  LEFT JOIN (
    SELECT contact_id, min(next_at) AS next_at FROM ahead WHERE definition_id = ANY({ids}) GROUP BY contact_id) coming
    ON coming.contact_id = {self._key})"""


class _Reading:
    """The reading of one leaf of one segment; `where` is left out of its stream, which leaves share."""

    def __init__(
        self, few: Few, stream: Stream, where: tuple[PropertyFilter, ...], segment_id: int, parameters: Parameters
    ) -> None:
        self.parameters = parameters
        self._few, self._stream, self._where, self._segment_id = few, stream, where, segment_id
        self._next_at = windows.NOTHING

    def nth(self, count: int, within: Within) -> str:
        if self._where or isinstance(within, Period):
            return self._measured_nth(count, within)
        source = self._few.latest(self._stream, count, within, self._segment_id)
        number = self.parameters.bind(source.number, "int")
        place = self.parameters.bind(count, "int") if count <= MOST_SHARED else "1"
        self._next_at = f"facts.next[{number}]"
        at = f"facts.recent[{number}][{place}]"
        if within is None or count > MOST_SHARED:
            return at
        return f"CASE WHEN {at} > {windows.beginning(within, self.parameters)} THEN {at} END"

    def _measured_nth(self, count: int, within: Within) -> str:
        if count == 1:
            return self.measure("max(event.happened_at)", within)
        if count <= MOST_SHARED:
            return self._measure("array_agg(event.happened_at ORDER BY event.happened_at DESC)", within, place=count)
        first = self.measure("min(event.happened_at)", within)
        return f"CASE WHEN {self.measure('count(*)', within, kind='bigint')} >= {count} THEN {first} END"

    def measure(self, call: str, within: Within, only: str = "", kind: str = "timestamptz") -> str:
        return self._measure(call, within, only, kind)

    def _measure(
        self, call: str, within: Within, only: str = "", kind: str = "timestamptz", place: int | None = None
    ) -> str:
        """`place`: of the aggregate, an array, only this element."""
        made = self._pass()
        self._next_at = f"{made.name}.next_at"
        looks_back = self._stream.rows is Rows.RESUMED
        made.since.add(EVER if looks_back else windows.beginning(within, self.parameters) or EVER)
        is_meant = [self.value(" AND ".join(filters(self._where, self.parameters)))] if self._where else []
        conditions = [*windows.inside(within, self.parameters), *is_meant, *([only] if only else [])]
        measure = f"{call} FILTER (WHERE {' AND '.join(conditions)})" if conditions else call
        return made.measure(f"({measure})[{place}]" if place else measure, kind)

    def value(self, sql: str) -> str:
        return self._pass().value(sql)

    @property
    def next_at(self) -> str:
        return self._next_at

    def _pass(self) -> _Pass:
        return self._few.pass_over(self._stream, self._segment_id)
