"""What events say about everybody: one aggregate per different leaf.

Plans (tests/test_plans.py holds them): each is one pass over the index event_by_definition, for the contacts that
can still matter; without property filters it reads the index alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from segments.rules import windows
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.operators import NOW
from segments.rules.parameters import Parameters
from segments.rules.readings import NeverSent, Reading
from segments.rules.streams import ORGANIZATION, Rows, Stream, rows_of, stream_of
from segments.rules.tree import EventRule, Within

PAST = f"event.happened_at <= {NOW}"
NEXT = f"min(event.happened_at) FILTER (WHERE event.happened_at > {NOW})"


@dataclass(frozen=True)
class _Nth:
    """Whether `count` events lie in the window. For n > 1 the first moment stands for the nth latest: it is never
    later, costs nothing to find, and the check it leads to is a probe, which finds the exact one."""

    count: int
    within: Within

    def sql(self, inside: list[str], parameters: Parameters) -> str:
        past = " AND ".join([PAST, *inside])
        if self.count == 1:
            return f"max(event.happened_at) FILTER (WHERE {past})"
        first = "min(event.happened_at)" + (f" FILTER (WHERE {past})" if inside else "")
        return f"CASE WHEN {self.is_enough(past, parameters)} THEN {first} END"

    def is_enough(self, past: str, parameters: Parameters) -> str:
        return f"count(*) FILTER (WHERE {past}) >= {parameters.bind(self.count, 'int')}"


@dataclass(frozen=True)
class _Measure:
    call: str
    within: Within
    only: str

    def sql(self, inside: list[str], parameters: Parameters) -> str:
        conditions = [PAST, *inside, *([self.only] if self.only else [])]
        return f"{self.call} FILTER (WHERE {' AND '.join(conditions)})"


@dataclass
class Table:
    """One pass over the events of a stream: the reading of every leaf that asks of the same window."""

    number: int
    stream: Stream
    parameters: Parameters
    columns: dict[_Nth | _Measure, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def nth(self, count: int, within: Within) -> str:
        return self._column(_Nth(count, within))

    def measure(self, call: str, within: Within, only: str = "", kind: str = "timestamptz") -> str:
        return self._column(_Measure(call, within, only))

    def value(self, sql: str) -> str:
        return f"event.{self.values.setdefault(sql, f'value{len(self.values)}')}"

    @property
    def next_at(self) -> str:
        return f"fact{self.number}.next_at"

    def _column(self, asked: _Nth | _Measure) -> str:
        return f"fact{self.number}.{self.columns.setdefault(asked, f'c{len(self.columns)}')}"

    def gather(self, candidates: str) -> str:
        """The aggregate over the window and what lies ahead of it."""
        scan, is_same_window = self._scan()
        if candidates:
            scan.append(f"event.contact_id IN ({candidates})")
        columns = []
        for asked, name in self.columns.items():
            inside = [] if is_same_window else windows.inside(asked.within, self.parameters)
            columns.append(f"{asked.sql(inside, self.parameters)} AS {name}")
        values = {name: sql for sql, name in self.values.items()}
        return f"""
  SELECT event.contact_id, {", ".join(columns)}, {NEXT} AS next_at
  {rows_of(self.stream, scan, values, self.parameters)} GROUP BY event.contact_id{self._having(is_same_window)}"""

    def _scan(self) -> tuple[list[str], bool]:
        """Conditions on the events that are read, and whether all columns ask of just these."""
        bind = self.parameters.bind
        ids = self.stream.definition_ids
        kinds = (
            f"= {bind(ids[0], 'bigint')}" if len(ids) == 1 else f"IN ({', '.join(bind(pk, 'bigint') for pk in ids)})"
        )
        scan = [f"event.organization_id = {ORGANIZATION}", f"event.definition_id {kinds}"]
        asked = {column.within for column in self.columns}
        if len(asked) != 1 or self.stream.rows is Rows.RESUMED:
            return scan, False
        within = asked.pop()
        if self.stream.rows is Rows.PLAIN:
            return scan + windows.inside(within, self.parameters), True
        # What answers may come after the window.
        start = windows.lower(within, self.parameters)
        return scan + ([start] if start else []), False

    def _having(self, is_same_window: bool) -> str:
        """Leaves out who has too few for every leaf, and nothing ahead."""
        least = min(self.columns, key=lambda asked: asked.count if isinstance(asked, _Nth) else 1)
        if not isinstance(least, _Nth) or least.count == 1 or not is_same_window:
            return ""
        return f" HAVING {least.is_enough(PAST, self.parameters)} OR {NEXT} > {NOW}"


class Everybody:
    """Facts about all contacts of the organisation, as tables to join to the alias `contact`.

    Required facts come first, and each fact is gathered only for the contacts that the one before has left.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._tables: dict[tuple[Stream, Within], Table] = {}
        self._required: set[int] = set()

    def reading(self, rule: EventRule) -> Reading:
        table = self._table(rule)
        return table if table is not None else NeverSent(self.parameters)

    def require(self, rule: EventRule) -> None:
        """Leave out contacts for whom this leaf is false and time alone will not make it true."""
        table = self._table(rule)
        if table is not None:
            self._required.add(table.number)

    def _table(self, rule: EventRule) -> Table | None:
        behaviour = BEHAVIOURS[rule.operator]
        stream = stream_of(rule, behaviour.rows)
        if stream is None:
            return None
        fresh = Table(len(self._tables), stream, self.parameters)
        return self._tables.setdefault((stream, None if behaviour.looks_back else rule.within), fresh)

    def tables(self, candidates: str = "") -> list[str]:
        """The CTEs; `candidates` selects the ids that matter, or is empty when that is everybody."""
        found = []
        for table in self._in_order():
            found.append(f"fact{table.number} AS ({table.gather(candidates)})")
            if table.number in self._required:
                candidates = f"SELECT contact_id FROM fact{table.number}"
        return found

    def joins(self) -> str:
        joins = []
        for table in self._in_order():
            side = "JOIN" if table.number in self._required else "LEFT JOIN"
            joins.append(f"{side} fact{table.number} ON fact{table.number}.contact_id = contact.id")
        return "\n".join(joins)

    def _in_order(self) -> list[Table]:
        return sorted(self._tables.values(), key=lambda table: (table.number not in self._required, table.number))
