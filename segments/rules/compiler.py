"""Rules → one SELECT that answers, per contact, `truth` and `flips_at`. SQL is the only evaluator.

Two shapes: `everybody` for full builds, sizes and samples; `few` for live updates, previews and filters, which
takes many segments at once. Both are run as the tables' owner and name the organisation themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from segments.rules import needs
from segments.rules.algebra import Stages, Verdict, judge
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import CUSTOM
from segments.rules.conditions import condition_of
from segments.rules.conditions.prediction import is_negated
from segments.rules.facts import Everybody
from segments.rules.operands import Row, column_of, of_contact
from segments.rules.operators import OPERATORS
from segments.rules.parameters import NOW, ONCE, Parameters, RowParameters
from segments.rules.predictions import Predictions
from segments.rules.probes import Few
from segments.rules.readings import Reading
from segments.rules.remembered import CONTACTS, Was
from segments.rules.streams import ORGANIZATION
from segments.rules.tree import AttributeRule, EventRule, Group, Kind, Leaf, Match, PredictionRule, Rule, leaves
from segments.rules.zones import zone_of

LIVING = f"contact.organization_id = {ORGANIZATION} AND contact.merged_into_id IS NULL"


@dataclass(frozen=True)
class Query:
    """A statement and its bound values."""

    sql: str
    parameters: dict[str, Any]


def everybody(rule: Rule, organization_id: int, now: datetime) -> Query:
    """(contact_id, truth, flips_at) of every living contact that is true or has a flips_at."""
    parameters = Parameters(organization=organization_id, now=now)
    facts, stages = Everybody(parameters), Stages()
    predictions = Predictions(parameters, "contact")

    conditions, rest = _necessary(rule)
    zone = zone_of("contact", parameters) if needs.is_local(rule) else "NULL"
    dates = _dates(rest)

    def leaf(condition: Leaf) -> Verdict:
        row = Row("contact", "contact.zone", dates=dates, predictions=predictions)
        return _leaf(condition, facts.reading, parameters, row)

    def necessary_leaf(condition: Leaf) -> Verdict:
        return _leaf(condition, facts.reading, parameters, Row("contact", zone))

    necessary = [judge(condition, necessary_leaf, stages).truth for condition in conditions]
    for child in _musts(rest):
        if isinstance(child, EventRule) and not BEHAVIOURS[child.operator].holds_of_nothing(child):
            facts.require(child)
        if isinstance(child, PredictionRule) and not is_negated(child):
            predictions.require(child.name)
    root = judge(rest, leaf, stages) if rest is not None else Verdict("true", None)
    living = f"FROM audience_contact contact WHERE {' AND '.join([LIVING, *necessary])}"
    columns = [*_columns(rest), f"{zone} AS zone", *(_date(name, dates[name], parameters) for name in dates)]
    # What a date is, and where a contact lives, is found once, whatever asks for it how often.
    is_local = rest is not None and needs.is_local(rest)
    tables = [f"candidate AS (SELECT {', '.join(columns)} {living} {ONCE if dates or is_local else ''})"]
    tables += facts.tables("SELECT id FROM candidate" if necessary else "")
    source = f"FROM candidate contact {facts.joins()} {predictions.joins()}"
    select = stages.select(root, source, carried="contact.id AS contact_id")
    select += f" {ONCE}" if is_local else ""  # truth and flips_at are not cheap then
    sql = f"WITH {', '.join(tables)}\nSELECT * FROM ({select}) verdict WHERE truth OR flips_at IS NOT NULL"
    return Query(sql, parameters.values)


def _columns(rule: Rule | None) -> list[str]:
    """What a rule reads of a contact, by the alias `contact`."""
    fields = needs.contact_fields(rule) if rule is not None else set()
    return [f"contact.{column}" for column in sorted({"id", *map(column_of, fields)})]


def _dates(rule: Rule | None) -> dict[str, str]:
    """The columns under which attributes that are dates are handed on: reading one out of its text is not cheap."""
    found = leaves(rule) if rule is not None else ()
    names = {leaf.field for leaf in found if isinstance(leaf, AttributeRule) and leaf.kind is Kind.DATE}
    return {name: f"date{number}" for number, name in enumerate(sorted(names)) if name.startswith(CUSTOM)}


def _date(name: str, column: str, parameters: Parameters) -> str:
    return f"{of_contact(name, Kind.DATE, parameters).sql} AS {column}"


def _necessary(rule: Rule) -> tuple[list[Rule], Rule | None]:
    """Conditions without time that everybody must meet, to be filtered by first; and what remains."""
    musts = _musts(rule)
    timeless = [child for child in musts if _is_timeless(child)]
    rest = [child for child in musts if not _is_timeless(child)]
    if not rest:
        return timeless, None
    return timeless, rest[0] if len(rest) == 1 else Group(Match.ALL, tuple(rest))


def _musts(rule: Rule | None) -> tuple[Rule, ...]:
    if rule is None:
        return ()
    return rule.rules if isinstance(rule, Group) and rule.match is Match.ALL else (rule,)


def _is_timeless(rule: Rule) -> bool:
    return all(needs.is_timeless(leaf) for leaf in leaves(rule))


def few(
    rules: Mapping[int, Rule],
    segment_ids: Sequence[int],
    contact_ids: Sequence[int],
    organization_id: int,
    now: datetime,
) -> Query:
    """CTEs ending in `evaluated(segment_id, contact_id, truth, flips_at)` for pairs of segment and contact.

    `segment_ids` and `contact_ids` are the pairs, side by side and each once; `rules` has the rule of each
    segment. Pairs whose contact is gone or merged have no row. A statement that reads `evaluated` follows.
    """
    parameters = Parameters(
        organization=organization_id,
        now=now,
        pair_segments=list(segment_ids),
        pair_contacts=list(contact_ids),
        contacts=sorted(set(contact_ids)),
    )
    return Query(_few(rules, parameters, PAIRS), parameters.values)


def past(
    rules: Mapping[int, Rule],
    contact_ids: Sequence[int],
    moments: Sequence[datetime],
    organization_id: int,
    was: Was | None = None,
) -> Query:
    """As `few`, for every rule and pairs of a contact and a moment: what it would have said then.

    CTEs ending in `evaluated(pair, segment_id, contact_id, truth, flips_at)`; `pair` counts the given ones from 1.
    Events, memberships and consents are those of the moment; what contacts are, and what models expect of them, is
    not kept as it was and is taken as it is today, fields as `was` says. `flips_at` is the next moment at which
    anything that is kept may change the truth: events, memberships and consents that came later, too.
    """
    parameters = Parameters(
        organization=organization_id,
        now=max(moments),
        pair_contacts=list(contact_ids),
        pair_moments=list(moments),
        pair_segments=list(rules),
        contacts=sorted(set(contact_ids)),
    )
    parameters.moment = "touched.moment"
    asked = MOMENTS
    if was is not None:
        asked = replace(MOMENTS, contacts=CONTACTS)
        parameters.values.update(was.parameters)
    return Query(_few(rules, parameters, asked).replace(NOW, parameters.moment), parameters.values)


@dataclass(frozen=True)
class _Asked:
    """Who is asked about: the CTE `pairs`, a subselect of it by contact, its columns that `touched` carries on, and
    what tells the rows of `touched` apart; and whence the contacts' rows."""

    pairs: str
    wanted: str
    carried: str
    told: str = ""
    contacts: str = "audience_contact"


PAIRS = _Asked(
    """SELECT segment_id, contact_id
  FROM unnest(%(pair_segments)s::bigint[], %(pair_contacts)s::bigint[]) AS pair(segment_id, contact_id)""",
    "(SELECT contact_id, array_agg(segment_id) AS segments FROM pairs GROUP BY contact_id)",
    "wanted.segments",
)
MOMENTS = _Asked(
    """SELECT contact_id, moment, pair, %(pair_segments)s::bigint[] AS segments
  FROM unnest(%(pair_contacts)s::bigint[], %(pair_moments)s::timestamptz[])
       WITH ORDINALITY AS pair(contact_id, moment, pair)""",
    "pairs",
    "wanted.segments, wanted.moment, wanted.pair",
    "touched.pair, ",
)


def _few(rules: Mapping[int, Rule], parameters: Parameters, asked: _Asked) -> str:
    facts, predictions = Few(parameters), Predictions(parameters, "touched", is_probed=True)
    alike: dict[_Shape, list[str]] = {}
    for segment_id, rule in rules.items():
        shape, row = _shape(segment_id, rule, facts, predictions, parameters)
        alike.setdefault(shape, []).append(row)
    joined = "\n    UNION ALL ".join(_branch(shape, rows) for shape, rows in alike.items())
    zone = zone_of("contact", parameters) if any(map(needs.is_local, rules.values())) else "NULL"
    return f"""WITH pairs AS MATERIALIZED (
  {asked.pairs}
), touched AS MATERIALIZED (
  SELECT contact.*, {zone} AS zone, {asked.carried}
  FROM {asked.wanted} wanted
  JOIN {asked.contacts} contact ON contact.id = wanted.contact_id WHERE {LIVING}
){facts.tables()}, evaluated AS MATERIALIZED (
  SELECT {asked.told}verdict.segment_id, touched.id AS contact_id, verdict.truth, verdict.flips_at
  FROM touched {facts.join()} {predictions.joins()} CROSS JOIN LATERAL ({joined}) verdict
)"""


@dataclass(frozen=True)
class _Shape:
    """The SELECT of a verdict whose values are columns of `given`, and the types of these columns."""

    select: str
    types: tuple[str, ...]


def _shape(
    segment_id: int, rule: Rule, facts: Few, predictions: Predictions, parameters: Parameters
) -> tuple[_Shape, str]:
    """The shape of a rule, and its row of values."""
    stages, given = Stages(), RowParameters(parameters)

    def reading(leaf: EventRule) -> Reading:
        return facts.reading(leaf, segment_id, given)

    row = Row("touched", "touched.zone", "= ANY(%(contacts)s::bigint[])", predictions=predictions)
    root = judge(rule, lambda leaf: _leaf(leaf, reading, given, row), stages)
    values = [parameters.bind(segment_id, "bigint"), *given.row()]
    shape = _Shape(stages.select(root, ""), tuple(cast for _, cast in given.cells))
    return shape, f"({', '.join(values)})"


def _branch(shape: _Shape, rows: Sequence[str]) -> str:
    """The verdicts of all segments whose rules have one shape: planned once, however many they are."""
    columns = ", ".join(["segment_id", *(f"p{place + 1}" for place in range(len(shape.types)))])
    return (
        f"SELECT given.segment_id, rule.truth, rule.flips_at FROM (VALUES {', '.join(rows)}) given({columns}) "
        f"CROSS JOIN LATERAL ({shape.select}) rule WHERE given.segment_id = ANY(touched.segments)"
    )


def _leaf(leaf: Leaf, reading: Callable[[EventRule], Reading], parameters: Parameters, row: Row) -> Verdict:
    """The verdict of one condition, read from the contact's row or from its events."""
    if isinstance(leaf, AttributeRule):
        operand = of_contact(leaf.field, leaf.kind, parameters, row)
        operator = OPERATORS[leaf.operator]
        flips_at = operator.flips(operand, leaf.value, parameters) if operator.flips else None
        return Verdict(operator.truth(operand, leaf.value, parameters), flips_at)
    if isinstance(leaf, EventRule):
        return BEHAVIOURS[leaf.operator].judge(leaf, reading(leaf))
    condition = condition_of(leaf)
    flips = (parameters.moment and condition.turns) or condition.flips
    flips_at = flips(leaf, row, parameters) if flips else None
    return Verdict(condition.truth(leaf, row, parameters), flips_at)
