"""A metric as SQL: one row (y, x) per person, from that person's own events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audience.domain import event_names
from audience.models import EventDefinition
from common.errors import Invalid
from experiments.domain.metrics import Kind, Metric
from segments import rules
from segments.rules import catalogue, parser
from segments.rules.operands import of_property
from segments.rules.parameters import Parameters
from segments.rules.streams import filters
from segments.rules.tree import EventRule
from segments.rules.tree import Kind as ValueKind

# What one person can add to a sum: beyond it numbers are mistakes, and squares would not fit their column.
LARGEST = "1e12"
AFTER = "event.happened_at >= person.exposed_at AND event.happened_at < person.exposed_at + {window}"
BEFORE = "event.happened_at < person.exposed_at AND event.happened_at >= person.exposed_at - {window}"


def check(metrics: Sequence[Metric]) -> None:
    """Raises `Invalid` naming the property filter that does not fit its event."""
    wrong: dict[str, str] = {}
    for place, metric in enumerate(metrics):
        for field, event, where in (
            ("where", metric.event, metric.where),
            ("per_where", metric.per_event, metric.per_where),
        ):
            wrong |= {f"metrics[{place}].{field}": sentence for sentence in _complaints(event, where)}
    if wrong:
        raise Invalid(next(iter(wrong.values())), details=wrong)


def definitions(metrics: Sequence[Metric]) -> dict[str, list[int]]:
    """Event name, as metrics spell it → the kinds of events that are meant."""
    names = {name for metric in metrics for name in (metric.event, metric.per_event) if name}
    keys: dict[str, list[int]] = {event_names.key(name): [] for name in names}
    for pk, name in EventDefinition.objects.values_list("pk", "name"):
        if event_names.key(name) in keys:
            keys[event_names.key(name)].append(pk)
    return {name: keys[event_names.key(name)] for name in names}


def lateral(metric: Metric, kinds: Mapping[str, list[int]], currency: str, parameters: Parameters) -> str:
    """A subquery with the columns y and x for `person` (contact_id, exposed_at).

    Plan: one range of event_by_contact per kind of event; a person's events, never everybody's.
    """
    amount = _amount(metric, currency, parameters)
    y = _folded(metric, amount, parameters)
    source = _source(metric.event, metric.where, kinds, parameters)
    after = AFTER.format(window=_days(metric.window_days, parameters))
    if metric.kind == Kind.MEAN:
        return f"(SELECT {y} AS y, count({amount})::numeric AS x {source} AND {after})"
    return f"(SELECT (SELECT {y} {source} AND {after}) AS y, {_companion(metric, kinds, y, source, parameters)} AS x)"


def _companion(metric: Metric, kinds: Mapping[str, list[int]], y: str, source: str, parameters: Parameters) -> str:
    """What stands beside y: the denominator of a ratio, or the same measure of the time before."""
    if metric.kind == Kind.RATIO:
        below = _source(metric.per_event, metric.per_where, kinds, parameters)
        return f"(SELECT count(*)::numeric {below} AND {AFTER.format(window=_days(metric.window_days, parameters))})"
    if metric.cuped_days:
        return f"(SELECT {y} {source} AND {BEFORE.format(window=_days(metric.cuped_days, parameters))})"
    return "0::numeric"


def _source(event: str, where: list[dict[str, Any]], kinds: Mapping[str, list[int]], parameters: Parameters) -> str:
    conditions = filters(_rule(event, where, is_stored=True).where, parameters) if where else []
    return (
        "FROM audience_event AS event WHERE event.organization_id = %(organization)s"
        " AND event.contact_id = person.contact_id"
        f" AND event.definition_id = ANY({parameters.bind(list(kinds.get(event, [])), 'bigint[]')})"
        + "".join(f" AND {condition}" for condition in conditions)
    )


def _amount(metric: Metric, currency: str, parameters: Parameters) -> str:
    if metric.measured:
        return of_property(metric.measured, ValueKind.NUMBER, parameters).sql
    return f"CASE WHEN event.currency = {parameters.bind(currency, 'text')} THEN event.value_minor END"


def _folded(metric: Metric, amount: str, parameters: Parameters) -> str:
    """The events of a person as one number."""
    if metric.kind == Kind.CONVERSION:
        return "least(count(*), 1)::numeric"
    counts = metric.kind == Kind.COUNT or (metric.kind == Kind.RATIO and not metric.measured)
    whole = "count(*)::numeric" if counts else f"coalesce(sum({amount}), 0)"
    capped = f"least({whole}, {parameters.bind(metric.cap, 'numeric')})" if metric.cap is not None else whole
    return f"round(greatest(least({capped}, {LARGEST}), -{LARGEST}), 3)"


def _days(count: int, parameters: Parameters) -> str:
    return f"make_interval(days => {parameters.bind(count, 'int')})"


def _rule(event: str, where: list[dict[str, Any]], *, is_stored: bool) -> EventRule:
    document = {"event": event, "operator": "did", "where": where}
    rule = parser.parse(document, catalogue.load(), is_stored=True) if is_stored else rules.parse(document)
    assert isinstance(rule, EventRule)
    return rule


def _complaints(event: str, where: list[dict[str, Any]]) -> list[str]:
    if not where:
        return []
    try:
        _rule(event, where, is_stored=False)
    except Invalid as error:
        return list(error.details.values()) or [error.message]
    return []
