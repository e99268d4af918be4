"""Groups of people who behave alike, each described by a rule: what the clusters' tree says, in our language."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from segments import selectors
from segments.domain import clustering, statistics
from segments.domain.clustering import Bound, Cluster
from segments.patterns import facts, leaves, portraits
from segments.patterns.contrasts import Compared
from segments.patterns.facts import YEAR, Facts
from segments.patterns.found import Found, Missing, Outcome, key_of, percent
from segments.patterns.meaning import OURS, Meaning
from segments.patterns.portraits import AGE, BASIC, RECENCY, SPEND, Feature, Sample
from segments.rules.catalogue import Catalogue

GROUP = "People who behave alike"
PEOPLE_NEEDED = 200
MOST_SAMPLED = 20_000
MOST_BEHAVIOURS = 6
LEAST_SHARE = 0.1  # a behaviour of few makes a group of them and says nothing of the others
LEAST_SILHOUETTE = 0.25  # below it there is no structure (Kaufman & Rousseeuw 1990)
LEAST_PRECISION = 0.6
MakesLeaf = Callable[[int], dict[str, Any]]  # of a number of days
NEVER_DAYS = YEAR + 1  # stands for a last purchase longer ago than a year, or none

# The kinds of event that tell most people apart: those that most have done, but for the purchase itself.
BEHAVIOURS_SQL = """
SELECT definition.name, definition.id FROM audience_event event
JOIN audience_eventdefinition definition ON definition.id = event.definition_id
WHERE event.organization_id = %(organization)s AND event.happened_at > %(now)s - interval '365 days'
  AND event.happened_at <= %(now)s AND event.definition_id IS DISTINCT FROM %(definition)s
  AND definition.name <> ALL(%(ours)s::text[])
GROUP BY 1, 2 HAVING count(DISTINCT event.contact_id) >= %(needed)s
ORDER BY count(DISTINCT event.contact_id) DESC, 1 LIMIT %(most)s"""
# A sample by the hash of the id is the same every time. One pass over the year's events of the sampled.
FEATURES_SQL = """
WITH sampled AS (
  SELECT contact.id, contact.first_seen_at FROM audience_contact contact
  WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL AND EXISTS (
    SELECT 1 FROM audience_event event WHERE event.organization_id = %(organization)s
      AND event.contact_id = contact.id AND event.definition_id = ANY(%(definitions)s::bigint[])
      AND event.happened_at > %(now)s - interval '365 days' AND event.happened_at <= %(now)s)
  ORDER BY hashint8extended(contact.id, %(seed)s) LIMIT %(most)s),
done AS (
  SELECT event.contact_id, {counts} FROM audience_event event
  WHERE event.organization_id = %(organization)s AND event.contact_id IN (SELECT id FROM sampled)
    AND event.definition_id = ANY(%(definitions)s::bigint[])
    AND event.happened_at > %(now)s - interval '365 days' AND event.happened_at <= %(now)s
  GROUP BY event.contact_id)
SELECT sampled.id, least(coalesce(extract(epoch FROM %(now)s - buyer.last_at) / 86400, %(never)s), %(never)s)::float8,
       coalesce(buyer.year, 0)::float8, coalesce(buyer.spent_year, 0)::float8,
       greatest(0, extract(epoch FROM %(now)s - sampled.first_seen_at) / 86400)::float8, {names}
FROM sampled JOIN done ON done.contact_id = sampled.id
LEFT JOIN buyer ON buyer.contact_id = sampled.id ORDER BY sampled.id"""


def find(said: Meaning, known: Catalogue) -> Compared:
    """Clusters as rules, the largest first, or why there are none; inside a transaction."""
    if said.definition_id is None:
        sentence = "Say in the settings which event is a purchase: groups are told apart by it."
        return Compared([Missing("groups", GROUP, GROUP, sentence)])
    gathered = facts.gather(said)
    sample = _sample(gathered)
    summary: dict[str, Any] = {"people": len(sample.ids), "features": [feature.name for feature in sample.features]}
    if len(sample.ids) < PEOPLE_NEEDED:
        sentence = f"{len(sample.ids):,} people did something in the last year; {PEOPLE_NEEDED} are needed."
        return Compared([Missing("groups", GROUP, GROUP, sentence)], summary)
    answer = clustering.cluster_apart(clustering.Request(sample.rows))
    best = max(answer.silhouettes.values(), default=0.0)
    summary |= {"silhouettes": {str(count): score for count, score in answer.silhouettes.items()}}
    if best < LEAST_SILHOUETTE:
        sentence = (
            f"{len(sample.ids):,} people were compared by {len(sample.features)} figures and form no groups: the "
            f"best silhouette is {best:.2f}, and {LEAST_SILHOUETTE} is the least that means something."
        )
        return Compared([Missing("groups", GROUP, GROUP, sentence)], summary)
    clusters = sorted(answer.clusters, key=lambda cluster: (-len(cluster.members), cluster.members[:1]))
    titles = portraits.titles(clusters, sample)
    outcomes = [
        _told(title, cluster, sample, gathered, best) for title, cluster in zip(titles, clusters, strict=True)
    ]
    return Compared(outcomes, summary | {"clusters": len(clusters), "silhouette": best})


def _sample(gathered: Facts) -> Sample:
    needed = math.ceil(LEAST_SHARE * gathered.contacts)
    events = gathered.all(BEHAVIOURS_SQL, needed=needed, most=MOST_BEHAVIOURS, ours=list(OURS))
    counts = {f"count{number}": pk for number, (_, pk) in enumerate(events)}
    # Names and numbers of columns are ours; ids are whole numbers from the database.
    counted = [f"count(*) FILTER (WHERE event.definition_id = {int(pk)}) AS {name}" for name, pk in counts.items()]
    sql = FEATURES_SQL.format(
        counts=", ".join([*counted, "count(*) AS everything"]),
        names=", ".join([f"done.{name}::float8" for name in counts] or ["done.everything::float8"]),
    )
    definitions = [gathered.meaning.definition_id, *counts.values()]
    rows = gathered.all(sql, definitions=definitions, seed=clustering.SEED, most=MOST_SAMPLED, never=NEVER_DAYS)
    features = (
        *BASIC,
        *(Feature(f"{name} in a year", f"often {name}", f"seldom {name}", name) for name, _ in events),
    )
    return Sample(features, [row[0] for row in rows], [list(row[1 : len(features) + 1]) for row in rows])


def _told(title: str, cluster: Cluster, sample: Sample, gathered: Facts, silhouette: float) -> Outcome:
    key = key_of("group", title.lower())
    rule = _rule(cluster, sample.features, gathered)
    if rule is None:
        sentence = f"{len(cluster.members):,} people are alike, and no short rule describes them."
        return Missing(key, GROUP, title, sentence)
    members = {sample.ids[row] for row in cluster.members}
    matched = selectors.matching(rule, sample.ids)
    hits = len(members & matched)
    precision, recall = hits / max(1, len(matched)), hits / len(members)
    if precision < LEAST_PRECISION:
        sentence = (
            f"{len(members):,} people are alike; of those the best short rule finds only {percent(precision)} are."
        )
        return Missing(key, GROUP, title, sentence)
    reason = (
        f"{len(members):,} of {len(sample.ids):,} people compared behave alike (the groups are "
        f"{statistics.silhouette_words(silhouette)}, silhouette {silhouette:.2f}). Of those the rule finds, "
        f"{percent(precision)} belong to the group, and it finds {percent(recall)} of the group."
    )
    evidence = {"precision": round(precision, 4), "recall": round(recall, 4), "people": len(members),
                "middle": portraits.middles(cluster, sample)} | portraits.spending(cluster, sample)  # fmt: skip
    return Found(key, GROUP, title, reason + portraits.spending_words(evidence), rule, evidence)


def _rule(cluster: Cluster, features: Sequence[Feature], gathered: Facts) -> dict[str, Any] | None:
    """The boxes as a rule; None where a box has no bound, which is everybody, or there is no box."""
    if not cluster.boxes or not all(cluster.boxes):
        return None
    boxes = [
        leaves.every(*(leaf for bound in box for leaf in _leaves(bound, features, gathered))) for box in cluster.boxes
    ]
    return boxes[0] if len(boxes) == 1 else leaves.either(*boxes)


def _leaves(bound: Bound, features: Sequence[Feature], gathered: Facts) -> list[dict[str, Any]]:
    """`low < figure ≤ high` in whole days, whole counts and money of three digits: what people would write."""
    event = gathered.meaning.purchase_event
    if bound.feature == RECENCY:
        return _days(bound, lambda days: leaves.did(event, 1, days), lambda days: leaves.did_not(event, 1, days))
    if bound.feature == AGE:
        return _days(bound, _seen("in_last"), _seen("more_than_ago"))
    if bound.feature == SPEND:
        return _amounts(bound, gathered)
    name = features[bound.feature].event or event
    at_least = [] if bound.low is None else [leaves.did(name, math.floor(bound.low) + 1, YEAR)]
    at_most = [] if bound.high is None else [leaves.did_not(name, math.floor(bound.high) + 1, YEAR)]
    return at_least + at_most


def _seen(operator: str) -> MakesLeaf:
    return lambda days: leaves.on("first_seen_at", operator, {"days": days})


def _days(bound: Bound, inside: MakesLeaf, outside: MakesLeaf) -> list[dict[str, Any]]:
    lately = [] if bound.high is None else [inside(max(1, round(bound.high)))]
    return lately + ([] if bound.low is None else [outside(max(1, round(bound.low)))])


def _amounts(bound: Bound, gathered: Facts) -> list[dict[str, Any]]:
    said = gathered.meaning

    def above(amount: float) -> dict[str, Any]:
        plain = float(f"{amount:.3g}")
        return leaves.summed(
            said.purchase_event, said.money_property, "greater", plain, YEAR, gathered.currency.filters
        )

    more = [] if bound.low is None else [above(bound.low)]
    return more + ([] if bound.high is None else [leaves.none(above(bound.high))])
