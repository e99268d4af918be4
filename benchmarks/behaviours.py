"""(h) Full build of segments by what people did, over 1 M contacts and 20 M events, beside hand-written SQL.

The same comparison as in `segments`, for one shape of each kind: an amount, a number of values, a sequence, regular
periods and people who stopped.
"""

from __future__ import annotations

from typing import Any

from benchmarks import report
from benchmarks.segments import Case, build_and_compare, fill

MOST_RATIO = 1.3
ORDERS = "FROM audience_event WHERE organization_id = %(organization)s AND definition_id = %(order)s"
IN_MONTH = f"{ORDERS} AND happened_at > %(month)s AND happened_at <= %(now)s GROUP BY contact_id"
EVER = f"{ORDERS} AND happened_at <= %(now)s GROUP BY contact_id"
LEAVES = "min(happened_at) + interval '30 days'"
WEEK = "floor(extract(epoch FROM %(now)s::timestamptz - happened_at) / 604800)"
IN_FOUR_WEEKS = (
    f"{ORDERS} AND happened_at > %(now)s::timestamptz - interval '28 days' AND happened_at <= %(now)s"
    " GROUP BY contact_id"
)
ANSWERED = """FROM audience_event first WHERE organization_id = %(organization)s AND definition_id = %(order)s
    AND happened_at > %(month)s AND happened_at <= %(now)s
    AND EXISTS (SELECT 1 FROM audience_event next WHERE next.organization_id = %(organization)s
                AND next.contact_id = first.contact_id AND next.definition_id = %(page)s
                AND next.happened_at > first.happened_at AND next.happened_at <= %(now)s
                AND next.happened_at <= first.happened_at + interval '1 day') GROUP BY contact_id"""


def _case(name: str, rule: dict[str, Any], members: str, moments: str) -> Case:
    """`members` selects contact ids; `moments` selects (contact id, is a member, changes at)."""
    living = "c.organization_id = %(organization)s AND c.merged_into_id IS NULL"
    return Case(
        name,
        {"event": "order_completed"} | rule,
        f"SELECT c.id FROM audience_contact c JOIN ({members}) AS found(id) ON found.id = c.id WHERE {living}",
        f"SELECT found.* FROM audience_contact c JOIN ({moments}) AS found(id, is_member, changes_at)"
        f" ON found.id = c.id WHERE {living}",
    )


MONTH = {"within": {"days": 30}}
CASES = (
    _case(
        "spent over 300 in 30 days",
        {"operator": "sum", "property": "total", "compare": "greater", "value": 300} | MONTH,
        f"SELECT contact_id {IN_MONTH} HAVING sum((properties->>'total')::numeric) > 300",
        f"SELECT contact_id, sum((properties->>'total')::numeric) > 300, {LEAVES} {IN_MONTH}",
    ),
    _case(
        "bought for three different totals in 30 days",
        {"operator": "distinct", "property": "total", "compare": "greater_or_equal", "value": 3} | MONTH,
        f"SELECT contact_id {IN_MONTH} HAVING count(DISTINCT properties->>'total') >= 3",
        f"SELECT contact_id, count(DISTINCT properties->>'total') >= 3, {LEAVES} {IN_MONTH}",
    ),
    _case(
        "bought, then viewed a page within a day",
        {"operator": "then", "then": {"event": "page_viewed"}, "gap": {"days": 1}} | MONTH,
        f"SELECT contact_id {ANSWERED}",
        f"SELECT contact_id, true, max(happened_at) + interval '30 days' {ANSWERED}",
    ),
    _case(
        "bought in three of the last four weeks",
        {"operator": "regularly", "periods": 4, "unit": "week", "at_least": 3},
        f"SELECT contact_id {IN_FOUR_WEEKS} HAVING count(DISTINCT {WEEK}) >= 3",
        f"SELECT contact_id, count(DISTINCT {WEEK}) >= 3, min(happened_at + interval '7 days' * ({WEEK} + 1))"
        f" {IN_FOUR_WEEKS}",
    ),
    _case(
        "bought three times, then not in 30 days",
        {"operator": "stopped", "count": 3} | MONTH,
        f"SELECT contact_id {EVER} HAVING count(*) >= 3 AND max(happened_at) <= %(month)s",
        f"SELECT contact_id, max(happened_at) <= %(month)s, CASE WHEN max(happened_at) > %(month)s"
        f" THEN max(happened_at) + interval '30 days' END {EVER} HAVING count(*) >= 3",
    ),
)


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    contacts, events = (500, 5_000) if smoke else (1_000_000, 20_000_000)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        parameters = fill(organization.pk, contacts, events)
        figures = [figure for case in CASES for figure in build_and_compare(case, parameters, MOST_RATIO)]
    report.publish("behaviours", figures, {"python": report.peak_megabytes()})
