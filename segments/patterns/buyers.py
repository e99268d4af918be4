"""Who spends much, and who comes often."""

from __future__ import annotations

from segments.patterns import leaves
from segments.patterns.facts import Facts, floored
from segments.patterns.found import Found, Missing, Outcome, percent

GROUP = "Best customers"
BUYERS_NEEDED = 20

SPENT_SQL = """
SELECT count(*), percentile_disc(%(share)s) WITHIN GROUP (ORDER BY spent),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY spent), min(spent), sum(spent) FROM buyer WHERE spent > 0"""
SPENT_ABOVE_SQL = "SELECT count(*), sum(spent) FROM buyer WHERE spent >= %(threshold)s::numeric"
OFTEN_SQL = """
SELECT percentile_disc(%(share)s) WITHIN GROUP (ORDER BY recent), percentile_disc(0.5) WITHIN GROUP (ORDER BY recent),
       max(recent) FROM buyer WHERE recent > 0"""


def high_spender(facts: Facts) -> Outcome:
    """The top x % by money in the window."""
    key, title, said = "high-spender", "High spenders", facts.meaning
    if not said.money_property:
        sentence = f"No property of “{said.purchase_event}” holds an amount of money; name one in the settings."
        return Missing(key, GROUP, title, sentence)
    share = 1 - said.top_percent / 100
    count, threshold, median, least, total = facts.one(SPENT_SQL, share=share)
    if count < BUYERS_NEEDED:
        return Missing(key, GROUP, title, _too_few(facts, count, "spent money"))
    if threshold == least:
        sentence = f"Most of the {count:,} people who bought spent the same {facts.amount(least)}: nobody stands out."
        return Missing(key, GROUP, title, sentence)
    bound = floored(threshold)
    above, spent_above = facts.one(SPENT_ABOVE_SQL, threshold=bound)
    reason = (
        f"The best {said.top_percent} % of the {count:,} people who bought in the last {said.window_days} days spent "
        f"{facts.amount(bound)} or more; half of the buyers spent {facts.amount(median)} or less. "
        f"These {above:,} bring {percent(spent_above / total)} of the money. {facts.currency.note}"
    )
    rule = leaves.summed(
        said.purchase_event, said.money_property, "greater_or_equal", bound, said.window_days, facts.currency.filters
    )
    evidence = {"threshold": bound, "median": float(median), "buyers": count,
                "share_of_money": round(float(spent_above / total), 4), "currency": facts.currency.code}  # fmt: skip
    return Found(key, GROUP, title, reason.strip(), rule, evidence)


def frequent_shopper(facts: Facts) -> Outcome:
    """The top x % by number of purchases in the window."""
    key, title, said = "frequent-shopper", "Frequent shoppers", facts.meaning
    if facts.recent_buyers < BUYERS_NEEDED:
        return Missing(key, GROUP, title, _too_few(facts, facts.recent_buyers, "bought"))
    often, median, most = facts.one(OFTEN_SQL, share=1 - said.top_percent / 100)
    count = max(2, often)
    if count > most:
        sentence = f"None of the {facts.recent_buyers:,} buyers of the last {said.window_days} days bought twice."
        return Missing(key, GROUP, title, sentence)
    reason = (
        f"The busiest {said.top_percent} % of the {facts.recent_buyers:,} people who bought in the last "
        f"{said.window_days} days did so {count:,} times or more; the middle buyer came {_times(median)}, "
        f"the busiest {_times(most)}."
    )
    rule = leaves.did(said.purchase_event, count, said.window_days)
    return Found(key, GROUP, title, reason, rule, {"count": count, "median": median, "most": most})


def _too_few(facts: Facts, count: int, what: str) -> str:
    people = "1 person" if count == 1 else f"{count:,} people"
    return f"Only {people} {what} in the last {facts.meaning.window_days} days; this pattern needs {BUYERS_NEEDED}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")
