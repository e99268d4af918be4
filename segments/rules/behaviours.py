"""The table of behaviours: what a contact did or did not do, told from the facts of its events.

A fact has two columns: `nth_at`, NULL when fewer than n events lie inside the window, else the moment of the nth
most recent one or an earlier one; and `next_at`, the first matching event still to come (a client may date one
ahead) or an earlier moment.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.registry import Registry
from segments.rules.inputs import Input
from segments.rules.parameters import Parameters
from segments.rules.tree import EventRule


@dataclass(frozen=True)
class Fact:
    """SQL of a fact's two columns."""

    nth_at: str
    next_at: str


@dataclass(frozen=True)
class Behaviour:
    """`inputs` are what stands beside `event` and `operator` in the JSON; forms are made from them."""

    label: str
    once: str
    often: str
    inputs: tuple[Input, ...] = ()
    is_negated: bool = False

    def truth(self, fact: Fact) -> str:
        return f"{fact.nth_at} IS {'NULL' if self.is_negated else 'NOT NULL'}"

    def flips(self, rule: EventRule, fact: Fact, parameters: Parameters) -> str:
        """Did: until the nth event leaves the window. Did not: until one dated ahead comes true."""
        if rule.within is None:
            return f"CASE WHEN {fact.nth_at} IS NULL THEN {fact.next_at} END"
        window = parameters.bind(rule.within, "interval")
        return f"CASE WHEN {fact.nth_at} IS NULL THEN {fact.next_at} ELSE {fact.nth_at} + {window} END"


COUNT = Input("count", "whole", "Times", is_required=False, default=1)
WITHIN = Input("within", "window", "In the last", is_required=False)
WHERE = Input("where", "filters", "With", is_required=False)

BEHAVIOURS: Registry[Behaviour] = Registry(
    "behaviour",
    {
        "did": Behaviour(
            "Did at least", "happened", "happened at least {count:,} times", inputs=(COUNT, WITHIN, WHERE)
        ),
        "did_not": Behaviour(
            "Did fewer than",
            "did not happen",
            "happened fewer than {count:,} times",
            inputs=(COUNT, WITHIN, WHERE),
            is_negated=True,
        ),
    },
)
