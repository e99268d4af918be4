"""Random event rules of every behaviour, and a row for each so that none is forgotten."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

EVENTS = ["order_completed", "page_viewed", "Odd %s 'name'"]
NUMBERS = [-3, 0, 1, 5, 50, 50.5, 10**12]

NAME = st.sampled_from([*EVENTS, *EVENTS, "never seen"])
SPAN = st.sampled_from([{"days": 7}, {"days": 30}, {"hours": 1}, {"minutes": 10}, {"hours": 25}, 2])
SHORT = st.sampled_from([{"hours": 1}, {"hours": 24}, {"days": 7}])
LONG = st.sampled_from([{"days": 8}, {"days": 30}, {"days": 91}])
PERIOD = st.sampled_from(
    [
        {"from": "2026-06-08", "to": "2026-06-15"},
        {"from": "2026-06-08T12:00:00Z"},
        {"to": "2026-06-15T12:00:00Z"},
        {"from": "2026-05-16 12:00", "to": "2026-06-16"},
        {"from": "2026-06-16", "to": "2026-06-20"},
        {"from": "2026-04-05", "to": "2026-04-05"},  # 25 hours long where the organisation is
        {"from": "2026-06-13", "to": "2026-06-14T15:00:00Z"},
    ]
)
FROM = PERIOD.filter(lambda period: "from" in period)
COUNT = st.integers(1, 3)


def rules(where: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Event rules of any behaviour; `where` draws one property filter."""
    behaviours = by_operator(where)
    return st.sampled_from(sorted(behaviours)).flatmap(behaviours.__getitem__)


def by_operator(where: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[dict[str, Any]]]:
    """Event rules by behaviour."""
    filters = st.lists(where, max_size=2)
    counted = {"count": COUNT, "within": SPAN | PERIOD}
    amount = st.sampled_from(["greater", "greater_or_equal", "less", "less_or_equal", "equals"]).flatmap(
        lambda compare: st.fixed_dictionaries({"compare": st.just(compare), "value": st.sampled_from(NUMBERS)})
    ) | st.fixed_dictionaries(
        {"compare": st.just("between"), "value": st.sampled_from([[0, 5], [-3, -3], [1, 10**13]])}
    )
    number, anything = st.sampled_from(["total", "odd"]), st.sampled_from(["total", "sku", "gift", "odd"])
    then = st.fixed_dictionaries({"event": NAME}, optional={"where": filters})
    regular = st.integers(1, 5).flatmap(
        lambda periods: st.fixed_dictionaries({"periods": st.just(periods), "at_least": st.integers(1, periods)})
    )
    units = {"unit": st.sampled_from(["day", "week", "month"])}

    def leaf(operator: str, required: Any = None, **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {"event": NAME, "operator": st.just(operator), **(required or {})},
            optional={**optional, "where": filters},
        )

    behaviours = {name: leaf(name, **counted) for name in ("did", "did_not", "did_exactly", "did_at_most")}
    behaviours["first_time"] = leaf("first_time", {"within": SPAN | PERIOD})
    behaviours["last_time"] = leaf("last_time", {"more_than": SHORT}, within=LONG | PERIOD)
    for name in ("sum", "average", "smallest", "largest", "distinct"):
        property_name = anything if name == "distinct" else number
        behaviours[name] = _with(leaf(name, {"property": property_name}, within=SPAN | PERIOD), amount)
    behaviours["then"] = leaf("then", {"then": then, "gap": SPAN}, within=SPAN | PERIOD)
    behaviours["then_not"] = leaf("then_not", {"then": then, "gap": SHORT}, within=LONG | PERIOD)
    behaviours["regularly"] = _with(leaf("regularly", units), regular)
    behaviours["stopped"] = leaf("stopped", {"within": SPAN | FROM}, count=COUNT)
    behaviours["restarted"] = leaf("restarted", {"pause": SPAN}, within=SPAN | PERIOD)
    behaviours["overdue"] = leaf("overdue", count=COUNT, times=st.integers(1, 3))
    return behaviours


def _with(
    leaf: st.SearchStrategy[dict[str, Any]], more: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda first, second: first | second, leaf, more)
