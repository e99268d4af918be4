"""Fans of a category, or of a product where there are no categories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from segments.patterns import leaves
from segments.patterns.buyers import BUYERS_NEEDED
from segments.patterns.facts import YEAR, Facts
from segments.patterns.found import Found, Missing, Outcome, key_of

GROUP = "Favourites"
SHOWN = 5
LEAST_TIMES = 2

# What was bought in each purchase, once: from the lines of a list, or from the event itself.
BOUGHT_IN_LINES = """
SELECT DISTINCT event.contact_id, event.id, line ->> %(name)s AS favourite
FROM audience_event event JOIN buyer USING (contact_id)
CROSS JOIN LATERAL (SELECT event.properties -> %(lines)s AS list) held
CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(list) = 'array' THEN list ELSE '[]' END) line
WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
  AND event.happened_at > %(now)s - interval '365 days' AND event.happened_at <= %(now)s
  AND jsonb_typeof(line) = 'object' AND jsonb_typeof(line -> %(name)s) = 'string'"""
BOUGHT_PLAINLY = """
SELECT event.contact_id, event.id, event.properties ->> %(name)s AS favourite
FROM audience_event event JOIN buyer USING (contact_id)
WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
  AND event.happened_at > %(now)s - interval '365 days' AND event.happened_at <= %(now)s
  AND jsonb_typeof(event.properties -> %(name)s) = 'string'"""
FANS_SQL = """
WITH times AS (SELECT contact_id, favourite, count(*) AS times FROM ({bought}) bought
               WHERE favourite <> '' GROUP BY 1, 2),
known AS (
  SELECT favourite, count(*) AS buyers, greatest(%(least)s, percentile_disc(%(share)s) WITHIN GROUP (ORDER BY times))
         AS often
  FROM times GROUP BY favourite HAVING count(*) >= %(needed)s)
SELECT known.favourite, known.buyers, known.often, count(*) AS fans
FROM known JOIN times ON times.favourite = known.favourite AND times.times >= known.often
GROUP BY 1, 2, 3 HAVING count(*) >= %(needed)s / 2 ORDER BY fans DESC, 1 LIMIT %(shown)s"""
MEMBERS_SQL = """
SELECT contact_id FROM ({bought}) bought WHERE favourite = %(favourite)s
GROUP BY contact_id HAVING count(*) >= %(often)s ORDER BY contact_id"""


def category_fans(facts: Facts) -> Iterator[Outcome]:
    """Of each favourite, the x % of its buyers who bought it most often in the last year."""
    said = facts.meaning
    name = said.category_property or said.product_property
    what = "category" if said.category_property else "product"
    key, title = "fans", f"Fans of a {what}"
    if not name:
        sentence = f"No property of “{said.purchase_event}” names a category or a product; name one in the settings."
        yield Missing(key, GROUP, title, sentence)
        return
    parameters = {"name": name, "lines": said.lines_property, "share": 1 - said.top_percent / 100,
                  "least": LEAST_TIMES, "needed": BUYERS_NEEDED, "shown": SHOWN}  # fmt: skip
    found = facts.all(FANS_SQL.format(bought=_bought(said.lines_property)), **parameters)
    if not found:
        sentence = (
            f"No {what} was bought by {BUYERS_NEEDED} people in the last year, {BUYERS_NEEDED // 2} of them twice."
        )
        yield Missing(key, GROUP, title, sentence)
    for favourite, buyers, often, fans in found:
        yield _fans(facts, name, what, (favourite, buyers, often, fans))


def _fans(facts: Facts, name: str, what: str, row: tuple[str, int, int, int]) -> Found:
    favourite, buyers, often, fans = row
    said = facts.meaning
    reason = (
        f"{buyers:,} people bought the {what} “{_short(favourite)}” in the last year; the busiest "
        f"{said.top_percent} % of them did so in {often:,} purchases or more."
    )
    evidence: dict[str, Any] = {"favourite": favourite, "often": often, "buyers": buyers}
    if said.lines_property:
        # No rule can look into a list of lines yet, so the draft is a list of people.
        reason += " A rule cannot look into the lines of a purchase, so the draft is a list of today's people."
        return Found(key_of("fans", favourite), GROUP, f"Fans of {_short(favourite)}", reason, None, evidence, fans)
    rule = leaves.did(said.purchase_event, often, YEAR, [leaves.where(name, "equals", favourite)])
    return Found(key_of("fans", favourite), GROUP, f"Fans of {_short(favourite)}", reason, rule, evidence)


def members(facts: Facts, evidence: dict[str, Any]) -> list[int]:
    """Whom a list of fans holds today, by id."""
    said = facts.meaning
    name = said.category_property or said.product_property
    parameters = {"name": name, "lines": said.lines_property, "favourite": evidence["favourite"],
                  "often": evidence["often"]}  # fmt: skip
    return [row[0] for row in facts.all(MEMBERS_SQL.format(bought=_bought(said.lines_property)), **parameters)]


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _bought(lines_property: str) -> str:
    return BOUGHT_IN_LINES if lines_property else BOUGHT_PLAINLY
