"""Where people are: the places with many of them."""

from __future__ import annotations

from collections.abc import Iterator

from common import tenancy
from segments.patterns import leaves
from segments.patterns.facts import Facts
from segments.patterns.found import Found, Missing, Outcome, key_of, percent
from segments.rules import catalogue
from segments.rules.operands import of_contact
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind

GROUP = "Places"
SHOWN = 5
PEOPLE_NEEDED = 20
PLACES_SQL = """
SELECT place, count(*), count(buyer.contact_id) FILTER (WHERE buyer.recent > 0), coalesce(avg(buyer.spent), 0)
FROM (SELECT contact.id, {operand} AS place FROM audience_contact contact
      WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL) person
LEFT JOIN buyer ON buyer.contact_id = person.id WHERE place <> '' GROUP BY place ORDER BY count(*) DESC, place"""


def location_clusters(facts: Facts) -> Iterator[Outcome]:
    """The places where most people are, each with what they spend beside the others."""
    key, title, field = "location", "People of one place", facts.meaning.location_field
    if not field:
        sentence = (
            "City, region and country are known of fewer than half of the contacts; name a field in the settings."
        )
        yield Missing(key, GROUP, title, sentence)
        return
    parameters = Parameters(organization=tenancy.required(), now=facts.now)
    operand = of_contact(field, Kind.TEXT, parameters)
    found = facts.all(PLACES_SQL.format(operand=operand.sql), **parameters.values)
    located = sum(row[1] for row in found)
    large = [row for row in found if row[1] >= PEOPLE_NEEDED]
    if not large or len(found) < 2:
        sentence = f"{located:,} contacts have a {catalogue.label(field)}, in {len(found):,} different ones; "
        yield Missing(
            key, GROUP, title, f"{sentence}a cluster needs {PEOPLE_NEEDED} people in one of several places."
        )
        return
    for place, count, buyers, spend in large[:SHOWN]:
        reason = (
            f"{count:,} of {located:,} people with a known {catalogue.label(field)} ({percent(count / located)}) are "
            f"in {place}; {buyers:,} of them bought in the last {facts.meaning.window_days} days"
        )
        if facts.meaning.money_property and buyers:
            reason += f", for {facts.amount(spend)} each on average"
        evidence = {"place": place, "people": count, "buyers": buyers, "located": located}
        yield Found(key_of("location", place), GROUP, f"In {place}"[:200], f"{reason}.",
                    leaves.on(field, "equals", place), evidence)  # fmt: skip
