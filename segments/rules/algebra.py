"""Truth and `flips_at` of groups from those of their children.

`flips_at` is sound: before it, time alone cannot change the truth. For `all`: a true group flips no earlier
than its first child; a false one no earlier than the last of the children that are false now (all of them must
change first). `any` and `none` are the mirror image; `at_least` waits for any child that can tip the balance.

A group needs each child's truth several times, so children become columns of an inner SELECT: the statement
grows with the size of the tree, never with a power of its depth. A tree without any time in it stays one
plain boolean expression, which the planner can match with indexes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from segments.rules.parameters import ONCE
from segments.rules.tree import Group, Leaf, Match, Rule


@dataclass(frozen=True)
class Verdict:
    """SQL of a node's truth (never NULL) and flips_at (None: time alone never changes it)."""

    truth: str
    flips_at: str | None
    height: int = 0


class Stages:
    """The columns of nested SELECTs, innermost first."""

    def __init__(self) -> None:
        self.columns: list[list[str]] = []

    def name(self, verdict: Verdict) -> Verdict:
        """The verdict as columns that every higher stage can read."""
        while len(self.columns) <= verdict.height:
            self.columns.append([])
        number = sum(len(stage) for stage in self.columns)
        stage = self.columns[verdict.height]
        stage.append(f"{verdict.truth} AS t{number}")
        if verdict.flips_at is None:
            return Verdict(f"t{number}", None, verdict.height)
        stage.append(f"{verdict.flips_at} AS f{number}")
        return Verdict(f"t{number}", f"f{number}", verdict.height)

    def select(self, root: Verdict, source: str, *, carried: str = "") -> str:
        """`SELECT carried, truth, flips_at` over `source` (a FROM clause, or nothing)."""
        carry = f"{carried}, " if carried else ""
        inner = source
        for number, stage in enumerate(self.columns):
            columns = f"{carry}{', '.join(stage)}" if number == 0 else f"*, {', '.join(stage)}"
            inner = f"FROM (SELECT {columns} {inner} {ONCE}) stage{number}"
        if self.columns:
            carry = f"{carried.rsplit(' ', 1)[-1]}, " if carried else ""
        flips_at = root.flips_at or "NULL::timestamptz"
        return f"SELECT {carry}{root.truth} AS truth, {flips_at} AS flips_at {inner}"


def judge(rule: Rule, leaf: Callable[[Leaf], Verdict], stages: Stages) -> Verdict:
    """The verdict of a rule, given the verdicts of its leaves."""
    if not isinstance(rule, Group):
        return leaf(rule)
    children = [judge(child, leaf, stages) for child in rule.rules]
    if all(child.flips_at is None for child in children):
        return Verdict(_truth(rule, children), None)
    named = [stages.name(child) for child in children]
    height = 1 + max(child.height for child in named)
    return Verdict(_truth(rule, named), _flips_at(rule, named), height)


def _truth(group: Group, children: Sequence[Verdict]) -> str:
    if group.match is Match.AT_LEAST:
        return f"({' + '.join(f'({child.truth})::int' for child in children)} >= {group.count})"
    joint = " AND " if group.match is Match.ALL else " OR "
    joined = joint.join(child.truth for child in children)
    return f"NOT ({joined})" if group.match is Match.NONE else f"({joined})"


def _flips_at(group: Group, children: Sequence[Verdict]) -> str:
    if group.match is Match.AT_LEAST:
        return _flips_of_count(_truth(group, children), children)
    return _flips_when_released(group.match, children)


def _flips_of_count(truth: str, children: Sequence[Verdict]) -> str:
    """Enough stay enough until one of the true ones changes, too few stay too few until a false one does."""
    timed = [child for child in children if child.flips_at is not None]
    losing = ", ".join(f"CASE WHEN {child.truth} THEN {child.flips_at} END" for child in timed)
    winning = ", ".join(f"CASE WHEN NOT {child.truth} THEN {child.flips_at} END" for child in timed)
    return f"CASE WHEN {truth} THEN least({losing}) ELSE least({winning}) END"


def _flips_when_released(match: Match, children: Sequence[Verdict]) -> str:
    """A group is pinned while at least one child holds it: a false one in `all`, a true one in the others."""
    pins = [f"NOT {child.truth}" if match is Match.ALL else child.truth for child in children]
    timed = [child.flips_at for child in children if child.flips_at is not None]
    timeless_pins = [pin for pin, child in zip(pins, children, strict=True) if child.flips_at is None]
    releases = [
        f"CASE WHEN {pin} THEN coalesce({child.flips_at}, 'infinity') ELSE '-infinity'::timestamptz END"
        for pin, child in zip(pins, children, strict=True)
        if child.flips_at is not None
    ]
    pinned_for_ever = f"WHEN {' OR '.join(timeless_pins)} THEN NULL " if timeless_pins else ""
    return (
        f"CASE WHEN NOT ({' OR '.join(pins)}) THEN least({', '.join(timed)}) "
        f"{pinned_for_ever}ELSE nullif(greatest({', '.join(releases)}), 'infinity') END"
    )
