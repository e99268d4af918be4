"""A rule asked about many contacts, each at a moment of its own: what it would have said then."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Consent
from common import clock, moments
from segments import rules, selectors, services
from segments.models import Membership
from segments.past import Past
from segments.rules import Rule
from segments.tests import oracle, people, test_oracle
from segments.tests.people import NOON

CASES = int(os.environ.get("SEGMENT_CASES", "12"))
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
RULES = st.recursive(
    test_oracle.ATTRIBUTE | test_oracle.EVENT | test_oracle.EVENT,
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(test_oracle._group),
    max_leaves=5,
)


def test_random_rules_say_what_they_would_have_said_at_each_contact_s_own_moment(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(timezone=oracle.HOME.key)
    population, _ = test_oracle._population(4)
    drawn_moments = st.lists(test_oracle.MOMENT, min_size=len(population), max_size=len(population))

    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True)
    @given(rule=RULES, drawn=drawn_moments)
    def agree(rule: dict[str, Any], drawn: list[datetime]) -> None:
        asked = dict(zip(population, drawn, strict=True))
        with clock.freeze(NOON), transaction.atomic():
            parsed = rules.parse(json.loads(json.dumps(rule)))
            # Twice each: at the drawn moment, and at that of the next contact.
            pairs = [*asked, *asked], [*drawn, *drawn[1:], drawn[0]]
            twice = selectors.past_verdicts(parsed, *pairs)
            in_columns = _in_columns(parsed, *pairs)
        found = dict(zip(asked, twice[: len(asked)], strict=True))
        counted = dict(zip(asked, in_columns[: len(asked)], strict=True))
        assert [said for said, _ in in_columns] == [said for said, _ in twice]
        later = dict(zip(asked, zip([*drawn[1:], drawn[0]], twice[len(asked) :], strict=True), strict=True))
        for contact_id, person in population.items():
            truth = oracle.is_true(rule, person, asked[contact_id], test_oracle.KINDS)
            for is_match, flips_at in (found[contact_id], counted[contact_id]):
                assert is_match is truth, (rule, person, asked[contact_id])
                test_oracle._is_sound(rule, person, asked[contact_id], truth, flips_at)
            moment, (is_match, _) = later[contact_id]
            assert is_match is oracle.is_true(rule, person, moment, test_oracle.KINDS), (rule, person, moment)

    agree()


Said = list[tuple[bool, datetime | None]]


def _in_columns(rule: Rule, contact_ids: list[int], asked: list[datetime]) -> Said:
    """The same of `Past`, which reads events once and searches them in memory."""
    past = Past(contact_ids, min(asked))
    truth, flips = past.verdicts(rule, np.array(contact_ids), np.array([moments.micros(one) for one in asked]))
    told = [None if one == moments.NEVER else moments.moment(one) for one in flips.tolist()]
    return list(zip(truth.tolist(), told, strict=True))


def _said(rule: dict[str, Any], contact_id: int, asked: list[datetime]) -> Said:
    parsed, whom = rules.parse(rule), [contact_id] * len(asked)
    found = selectors.past_verdicts(parsed, whom, asked)
    assert _in_columns(parsed, whom, asked) == found
    return found


def test_memberships_are_those_of_the_moment(organization: Organization) -> None:
    contact_id = people.contact().pk
    segment_id = services.create_segment(name="Known").pk
    Membership.objects.create(segment_id=segment_id, contact_id=contact_id, entered_at=NOON, left_at=NOON + DAY)
    asked = [NOON - DAY, NOON, NOON + DAY]

    inside = _said({"segment": segment_id, "operator": "in"}, contact_id, asked)
    outside = _said({"segment": segment_id, "operator": "not_in"}, contact_id, asked)

    assert inside == [(False, NOON), (True, NOON + DAY), (False, None)]
    assert outside == [(True, NOON), (False, NOON + DAY), (True, None)]


def test_consents_are_those_of_the_moment(organization: Organization) -> None:
    contact_id = people.contact().pk
    for state, moment in (("granted", NOON), ("withdrawn", NOON + DAY)):
        Consent.objects.create(
            contact_id=contact_id, channel="email", state=state, how="form", happened_at=moment
        )  # fmt: skip
    asked = [NOON - DAY, NOON, NOON + DAY]

    granted = _said({"consent": "email", "operator": "granted"}, contact_id, asked)
    refused = _said({"consent": "email", "operator": "not_granted"}, contact_id, asked)

    assert granted == [(False, NOON), (True, NOON + DAY), (False, None)]
    assert refused == [(True, NOON), (False, NOON + DAY), (True, None)]


def test_what_counts_events_turns_to_the_microsecond(organization: Organization) -> None:
    contact_id = people.contact().pk
    people.definition("order")
    people.partitions.ensure_months([NOON, NOON + 3 * DAY])
    people.events([(contact_id, "order", NOON, {}), (contact_id, "order", NOON + DAY / 2, {})])
    end, second = NOON + DAY, NOON + DAY / 2
    asked = [NOON - TICK, NOON, end - TICK, end, second + DAY - TICK, second + DAY]
    rule = {"event": "order", "within": {"days": 1}}

    once = [
        (False, NOON),
        (True, end),
        (True, second + DAY),
        (True, second + DAY),
        (True, second + DAY),
        (False, None),
    ]
    twice = [(False, NOON), (False, second), (True, end), (False, None), (False, None), (False, None)]
    assert _said({**rule, "operator": "did"}, contact_id, asked) == once
    assert _said({**rule, "operator": "did", "count": 2}, contact_id, asked) == twice
    assert _said({**rule, "operator": "did_at_most"}, contact_id, asked) == [(not said, at) for said, at in twice]
    assert [said for said, _ in _said({**rule, "operator": "did_exactly"}, contact_id, asked)] == [
        False, True, False, True, True, False,
    ]  # fmt: skip
    assert [said for said, _ in _said({**rule, "operator": "first_time"}, contact_id, asked)] == [
        False, True, True, False, False, False,
    ]  # fmt: skip
    silent = {"event": "order", "operator": "last_time", "more_than": {"days": 1}}
    assert [said for said, _ in _said(silent, contact_id, asked)] == [False, False, False, False, False, True]
