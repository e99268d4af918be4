"""The state table and the pace, as pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain import pacing, states
from campaigns.domain.states import State
from campaigns.models import CampaignStatus
from common.errors import Conflict

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_the_table_knows_every_status_of_the_model() -> None:
    assert {state.value for state in State} == set(CampaignStatus.values)
    assert states.EDITABLE.keys() == set(State)


@pytest.mark.parametrize(("state", "action"), list(product(State, states.TRANSITIONS)))
def test_a_move_is_in_the_table_or_refused_by_naming_what_is_possible(state: State, action: str) -> None:
    target = states.TRANSITIONS[action].get(state)
    if target is not None:
        assert states.move(state, action) == target
        return
    with pytest.raises(Conflict) as refusal:
        states.move(state, action)
    assert refusal.value.details == {"status": state, "allowed": states.allowed(state)}
    assert all(name in refusal.value.message for name in states.allowed(state))


def test_what_is_over_stays_over() -> None:
    for state in (State.COMPLETED, State.CANCELLED):
        assert states.allowed(state) == ["archive"]
    assert states.allowed(State.ARCHIVED) == []


def test_who_and_what_are_settled_once_it_runs() -> None:
    states.check_editable("active", {"name", "messages_per_minute"})
    with pytest.raises(Conflict, match="template") as refusal:
        states.check_editable("active", {"name", "template_id", "audience"})
    assert set(refusal.value.details) == {"template_id", "audience"}


@given(st.integers(min_value=1, max_value=10_000_000))
def test_blocks_meet_any_pace_exactly(per_minute: int) -> None:
    block = pacing.block(per_minute)

    assert 1 <= block.size <= pacing.FULL_BLOCK
    assert block.size * 60 / block.seconds == pytest.approx(per_minute)


def test_without_a_pace_blocks_are_full_and_do_not_rest() -> None:
    assert pacing.block(None) == pacing.Block(pacing.FULL_BLOCK, 0.0)


def test_small_delays_do_not_add_up_and_long_ones_make_no_burst() -> None:
    five = timedelta(seconds=5)

    assert pacing.next_at(NOON, NOON + timedelta(seconds=2), 5.0) == NOON + five
    assert pacing.next_at(NOON, NOON + timedelta(hours=1), 5.0) == NOON + timedelta(hours=1) + five


def test_time_left_follows_the_measured_rate_then_the_pace() -> None:
    assert pacing.seconds_left(600, 1200.0, 60) == 30
    assert pacing.seconds_left(600, 0, 60) == 600
    assert pacing.seconds_left(600, 0, None) is None
    assert pacing.seconds_left(0, 0, None) == 0
