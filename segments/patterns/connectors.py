"""Who brings friends: the few inviters most of the invited come through."""

from __future__ import annotations

from segments.patterns import leaves
from segments.patterns.facts import Facts
from segments.patterns.found import Found, Missing, Outcome, percent

GROUP = "Best customers"
INVITERS_NEEDED = 10
# What the referral programs record for both sides of a referral that has earned its reward.
BROUGHT, IS_INVITER = "referral_qualified", leaves.where("role", "equals", "inviter")

BROUGHT_SQL = """
WITH inviter AS (
  SELECT event.contact_id, count(*) AS brought
  FROM audience_event event JOIN audience_eventdefinition known
    ON known.id = event.definition_id AND known.organization_id = %(organization)s AND known.name = %(brought)s
  WHERE event.organization_id = %(organization)s AND event.properties->>'role' = 'inviter' GROUP BY 1)
SELECT count(*), percentile_disc(%(share)s) WITHIN GROUP (ORDER BY brought), max(brought), sum(brought)
FROM inviter"""
BROUGHT_ABOVE_SQL = BROUGHT_SQL + " WHERE brought >= %(least)s"


def super_connectors(facts: Facts) -> Outcome:
    """The top x % of those who ever brought a friend, and at least two friends each."""
    key, title, share = "super-connectors", "Super-connectors", 1 - facts.meaning.top_percent / 100
    count, often, most, friends = facts.one(BROUGHT_SQL, brought=BROUGHT, share=share)
    if count < INVITERS_NEEDED:
        people = "1 person has" if count == 1 else f"{count:,} people have"
        sentence = f"Only {people} brought a friend who qualified; this pattern needs {INVITERS_NEEDED}."
        return Missing(key, GROUP, title, sentence)
    least = max(2, often)
    if least > most:
        return Missing(key, GROUP, title, f"None of the {count:,} people who brought a friend brought a second one.")
    above, _, _, theirs = facts.one(BROUGHT_ABOVE_SQL, brought=BROUGHT, share=share, least=least)
    reason = (
        f"{count:,} people brought {friends:,} friends who qualified for a referral. The best "
        f"{facts.meaning.top_percent} % of them brought {least:,} or more each: {above:,} people, through whom "
        f"{percent(theirs / friends)} of the friends came."
    )
    evidence = {"count": least, "inviters": count, "share_of_friends": round(float(theirs / friends), 4)}
    return Found(key, GROUP, title, reason, leaves.did(BROUGHT, least, where=[IS_INVITER]), evidence)
