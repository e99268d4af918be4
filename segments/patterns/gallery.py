"""The ready patterns: one visible table of who finds what, and the size of each by the rule compiler itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from common.errors import Invalid
from segments import selectors
from segments.patterns.buyers import frequent_shopper, high_spender
from segments.patterns.connectors import super_connectors
from segments.patterns.facts import Facts
from segments.patterns.favourites import category_fans
from segments.patterns.found import Found, Missing, Outcome
from segments.patterns.places import location_clusters
from segments.patterns.rhythm import inactive, lapsing_regulars, new, overdue, rising, seasonal
from segments.patterns.stages import lifecycle
from segments.patterns.surroundings import surroundings
from segments.rules import parser
from segments.rules.catalogue import Catalogue

# In the order of the page. To add one: a function of the facts that answers with what it found, or why not.
PATTERNS: tuple[Callable[[Facts], Outcome | Iterable[Outcome]], ...] = (
    high_spender,
    frequent_shopper,
    super_connectors,
    new,
    rising,
    inactive,
    lapsing_regulars,
    overdue,
    seasonal,
    category_fans,
    location_clusters,
    surroundings,
    lifecycle,
)


def outcomes(facts: Facts, known: Catalogue) -> Iterator[Outcome]:
    """Every pattern with its size now, or why there is none."""
    for pattern in PATTERNS:
        answer = pattern(facts)
        for outcome in [answer] if isinstance(answer, Found | Missing) else answer:
            yield sized(outcome, known)


def sized(outcome: Outcome, known: Catalogue) -> Outcome:
    """The same with the number of people its rule finds now; missing when the language cannot take the rule."""
    if isinstance(outcome, Missing) or outcome.rule is None:
        return outcome
    try:
        size = selectors.preview(parser.parse(outcome.rule, known), sample=0).size
    except Invalid as problem:
        # Names and values come from what clients sent: one that no rule can hold must not stop the others.
        return Missing(outcome.key, outcome.group, outcome.title, f"No rule can say it: {problem.message}")
    return Found(outcome.key, outcome.group, outcome.title, outcome.reason, outcome.rule, outcome.evidence, size)
