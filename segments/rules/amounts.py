"""How a sum, an average, a smallest, a largest or a number of values is compared with the marketer's number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.registry import Registry
from segments.rules.tree import EventRule


@dataclass(frozen=True)
class Comparison:
    """`sql` has the placeholders left, low and high; `holds` says the same of numbers."""

    label: str
    sql: str
    holds: Callable[[Decimal, Decimal, Decimal], bool]
    words: str


COMPARISONS: Registry[Comparison] = Registry(
    "comparison",
    {
        "greater": Comparison("more than", "{left} > {low}", lambda left, low, _: left > low, "more than {low}"),
        "greater_or_equal": Comparison(
            "at least", "{left} >= {low}", lambda left, low, _: left >= low, "at least {low}"
        ),
        "less": Comparison("less than", "{left} < {low}", lambda left, low, _: left < low, "less than {low}"),
        "less_or_equal": Comparison("at most", "{left} <= {low}", lambda left, low, _: left <= low, "at most {low}"),
        "equals": Comparison("exactly", "{left} = {low}", lambda left, low, _: left == low, "exactly {low}"),
        "between": Comparison(
            "between",
            "{left} BETWEEN {low} AND {high}",
            lambda left, low, high: low <= left <= high,
            "between {low} and {high}",
        ),
    },
)


def bounds(rule: EventRule) -> tuple[Decimal, Decimal]:
    """The lower and the upper number of a rule; both the same where it has one."""
    return rule.value if isinstance(rule.value, tuple) else (rule.value, rule.value)


def holds_of_nothing(rule: EventRule) -> bool:
    """Whether the comparison is met by zero, which is what a contact without events adds up to."""
    return COMPARISONS[rule.compare].holds(Decimal(), *bounds(rule))


def compared(rule: EventRule, left: str, limits: Sequence[str]) -> str:
    """SQL of the comparison with the SQL of its lower and upper number."""
    low, high = limits
    return COMPARISONS[rule.compare].sql.format(left=left, low=low, high=high)
