"""Rules asked about the past of a block of contacts, as columns: a hundred thousand pairs of contact and moment.

A rule comes apart into what counts events (judged over `timelines`, read once), what is the same at every moment
(asked once per contact) and the rest, which the compiler's statement answers pair by pair. Groups put the parts
together as `algebra` does in SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from common import clock, columns, tenancy
from common.later import later
from common.moments import NEVER, column, moments
from segments import selectors
from segments.rules import catalogue, needs, parser, timelines
from segments.rules.conditions import condition_of
from segments.rules.parameters import Parameters
from segments.rules.streams import filters
from segments.rules.timelines import Timeline
from segments.rules.tree import AttributeRule, EventRule, Group, Match, PropertyFilter, Rule, leaves

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from common.moments import Ids, Moments, Truths

    Verdicts = tuple[Truths, Moments]
else:
    np = later("numpy")

MOST_EVENTS = 2_000_000  # of one kind in memory; what has more of them is probed for each pair
LIVING_SQL = """
SELECT contact.id FROM audience_contact AS contact
 WHERE contact.organization_id = %(organization)s AND contact.id = ANY(%(contacts)s::bigint[])
   AND contact.merged_into_id IS NULL
"""
# Plan: as the contacts are many or few, a range of event_by_definition or a range of event_by_contact for each.
EVENTS_SQL = """
SELECT event.contact_id, event.happened_at FROM audience_event AS event
 WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
   AND event.contact_id = ANY(%(contacts)s::bigint[]){since}{where} LIMIT %(most)s
"""
Kind = tuple[int | None, tuple[PropertyFilter, ...]]


@dataclass
class _Known:
    """A timeline, and from when on it is whole (None: from the first event). No timeline: too many events."""

    since: datetime | None
    timeline: Timeline | None


class Past:
    """What rules would have said about these contacts at moments from `since` on. `contacts` are those who live,
    sorted; nobody else meets any rule, not even one that asks for what is not so."""

    def __init__(self, contact_ids: Sequence[int], since: datetime) -> None:
        self.since = since
        self._catalogue = catalogue.load()
        self._timelines: dict[Kind, _Known] = {}
        self._steady: dict[Rule, NDArray[np.int8]] = {}
        values = {"organization": tenancy.required(), "contacts": list(contact_ids)}
        with tenancy.engine(), connection.cursor() as cursor:
            self.contacts = np.sort(columns.read(cursor, LIVING_SQL, values, contact=columns.NUMBER)[0])

    def rule(self, stored: Any) -> Rule:
        """A rule as it is stored. Raises `Invalid` when it cannot be read any more."""
        return parser.parse(stored, self._catalogue, is_stored=True)

    def verdicts(self, rule: Rule, contacts: Ids, at: Moments) -> Verdicts:
        """Of each contact at the moment beside it whether it met the rule, and before when that cannot change."""
        truth = np.zeros(len(contacts), dtype=np.bool_)
        flips = np.full(len(contacts), NEVER, dtype=np.int64)
        if len(self.contacts):
            who = np.minimum(np.searchsorted(self.contacts, contacts), len(self.contacts) - 1)
            lives = self.contacts[who] == contacts
            truth[lives], flips[lives] = self._judge(rule, who[lives], at[lives])
        return truth, flips

    def _judge(self, rule: Rule, who: NDArray[np.int64], at: Moments) -> Verdicts:
        """`who` are places among the contacts."""
        if _is_steady(rule):
            return self._always(rule, who), np.full(len(who), NEVER, dtype=np.int64)
        if isinstance(rule, EventRule) and timelines.is_counted(rule):
            timeline = self._timeline(rule)
            if timeline is not None:
                return timelines.judge(rule, timeline, who, at)
        if isinstance(rule, Group) and any(map(timelines.is_counted, leaves(rule))):
            return _together(rule, [self._judge(child, who, at) for child in rule.rules])
        return self._asked(rule, who, at)

    def _asked(self, rule: Rule, who: NDArray[np.int64], at: Moments) -> Verdicts:
        """The compiler's word. Nobody is asked about twice for one moment."""
        pairs, places = np.unique(np.stack([self.contacts[who], at]), axis=1, return_inverse=True)
        found = selectors.past_verdicts(rule, pairs[0].tolist(), moments(pairs[1]))
        truth = np.array([is_match for is_match, _ in found], dtype=np.bool_)
        flips = column([flips_at for _, flips_at in found])
        places = places.reshape(-1)
        return truth[places], flips[places]

    def _always(self, rule: Rule, who: NDArray[np.int64]) -> Truths:
        """What is so at every moment; each contact is asked about once."""
        known = self._steady.setdefault(rule, np.full(len(self.contacts), -1, dtype=np.int8))
        new = np.unique(who[known[who] < 0])
        found = selectors.past_verdicts(rule, self.contacts[new].tolist(), [self.since] * len(new))
        known[new] = [is_match for is_match, _ in found]
        return known[who] == 1

    def _timeline(self, rule: EventRule) -> Timeline | None:
        """The events that a condition counts, of all contacts; read once, and again only for a longer window."""
        span = timelines.looks_back(rule)
        since = None if span is None else self.since - span
        kind = (rule.definition_id, rule.where)
        known = self._timelines.get(kind)
        if known is None or (known.since is not None and (since is None or since < known.since)):
            known = self._timelines[kind] = _Known(since, self._read(rule, since))
        return known.timeline

    def _read(self, rule: EventRule, since: datetime | None) -> Timeline | None:
        if rule.definition_id is None:
            return Timeline.of(self.contacts, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        parameters = Parameters(organization=tenancy.required(), now=clock.now())
        conditions = ["", *filters(rule.where, parameters)]
        values = parameters.values | {
            "definition": rule.definition_id, "contacts": self.contacts.tolist(), "since": since,
            "most": MOST_EVENTS + 1,
        }  # fmt: skip
        lower = "" if since is None else " AND event.happened_at >= %(since)s"
        statement = EVENTS_SQL.format(since=lower, where=" AND ".join(conditions))
        with tenancy.engine(), connection.cursor() as cursor:
            who, at = columns.read(cursor, statement, values, contact=columns.NUMBER, at=columns.MOMENT)
        return Timeline.of(self.contacts, who, at) if len(at) <= MOST_EVENTS else None


def _is_steady(rule: Rule) -> bool:
    """Whether the answer is the same at every moment of the past."""
    return all(
        needs.is_timeless(leaf)
        and not isinstance(leaf, EventRule)
        and (isinstance(leaf, AttributeRule) or condition_of(leaf).turns is None)
        for leaf in leaves(rule)
    )


def _together(group: Group, children: Sequence[Verdicts]) -> Verdicts:
    """A group of what its children say (algebra.py): it cannot change before enough of those who hold it do."""
    truths: Truths = np.stack([truth for truth, _ in children])
    flips = np.stack([flip for _, flip in children])
    if group.match is Match.AT_LEAST:
        truth = truths.sum(axis=0) >= group.count
        tips = np.where(truths == truth, flips, NEVER)
        return truth, tips.min(axis=0)
    pins = ~truths if group.match is Match.ALL else truths
    is_pinned: Truths = np.any(pins, axis=0)
    released = np.where(pins, flips, 0).max(axis=0)
    return is_pinned if group.match is Match.ANY else ~is_pinned, np.where(is_pinned, released, flips.min(axis=0))
