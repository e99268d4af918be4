"""The rules of warm-up, pauses and booking: pure, so proved over what hypothesis thinks of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from delivery.domain import booking, brakes, rates, warmup
from delivery.domain.booking import Opening
from delivery.domain.brakes import Tally
from delivery.domain.warmup import Record, Verdict

TIERS = st.integers(0, len(warmup.TIERS) - 1)
GOALS = st.integers(51, warmup.MOST_PER_DAY)
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


@st.composite
def records(draw: st.DrawFn) -> Record:
    sent = draw(st.integers(0, 200_000))
    return Record(draw(st.integers(0, 30)), sent, draw(st.integers(0, sent)), draw(st.integers(0, sent)))


def test_the_tiers_grow_and_never_by_more_than_two_and_a_half_times() -> None:
    amounts = [tier.per_day for tier in warmup.TIERS]

    assert amounts == sorted(amounts)
    assert amounts[0] == 50
    assert all(after <= 2 * before for before, after in pairwise(amounts))


@given(TIERS, GOALS, st.integers(0, 5))
def test_a_budget_never_exceeds_the_goal_nor_its_tier(tier: int, goal: int, reduction: int) -> None:
    amount = warmup.budget(tier, goal, reduction)

    assert 0 < amount <= min(goal, warmup.TIERS[tier].per_day)


@given(TIERS, GOALS, records())
def test_a_decision_moves_up_by_one_at_most_and_says_why(tier: int, goal: int, record: Record) -> None:
    decision = warmup.decide(tier, goal, record)

    assert max(0, tier - 2) <= decision.tier <= tier + 1
    assert decision.sentence.endswith(".")
    assert (decision.tier > tier) == (decision.verdict == Verdict.PROMOTE)
    assert (decision.tier < tier) == (decision.verdict == Verdict.DEMOTE)


@given(TIERS, GOALS, st.integers(0, 80), st.integers(0, 80))
def test_nobody_is_promoted_on_thin_data(tier: int, goal: int, sent: int, bad: int) -> None:
    record = Record(30, sent, min(bad, sent), 0)

    assert warmup.decide(tier, goal, record).verdict not in (Verdict.PROMOTE, Verdict.FINISH)


@given(TIERS, GOALS, records(), st.integers(1, 1000))
def test_more_bounces_or_complaints_never_help(tier: int, goal: int, record: Record, more: int) -> None:
    order = [Verdict.DEMOTE, Verdict.KEEP, Verdict.PROMOTE, Verdict.FINISH]
    worse = Record(record.days, record.sent, min(record.sent, record.bounced + more), record.complained)
    angrier = Record(record.days, record.sent, record.bounced, min(record.sent, record.complained + more))
    before = warmup.decide(tier, goal, record)

    for after in (warmup.decide(tier, goal, worse), warmup.decide(tier, goal, angrier)):
        assert after.tier <= before.tier
        assert order.index(after.verdict) <= order.index(before.verdict) or before.verdict == Verdict.DEMOTE


def test_each_verdict_has_its_sentence() -> None:
    assert warmup.decide(0, 5_000, Record(2, 100, 0, 0)).sentence == (
        "2 days kept with 0 % bounces and 0 % complaints among 100 mails: 100 a day from now on."
    )
    assert warmup.decide(3, 5_000, Record(1, 300, 0, 0)).sentence == (
        "It stays at 400 a day: the next step needs 1 day more that use half of the day's amount."
    )
    assert warmup.decide(0, 5_000, Record(2, 60, 0, 0)).needs == (
        "21 more mails without another bounce (to be sure that fewer than 2 % bounce)",
    )
    assert warmup.decide(4, 5_000, Record(2, 800, 40, 0)).sentence == (
        "40 of 800 mails bounced (5 %, limit 2 %), so it goes back to 400 a day."
    )
    assert warmup.decide(4, 5_000, Record(2, 800, 120, 0)).tier == 2
    assert warmup.decide(7, 5_000, Record(3, 15_000, 30, 3)).sentence == (
        "3 days kept with 0.2 % bounces and 0.02 % complaints among 15,000 mails: "
        "the warm-up is done, 5,000 a day and more may go."
    )
    assert warmup.decide(5, 50_000, Record(4, 900, 0, 1)).needs == ("101 more mails without another complaint",)


@given(st.integers(1, 100_000), st.data())
def test_bounds_hold_the_rate_between_them_and_close_in(sent: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, sent))

    assert 0 <= rates.lower(bad, sent) <= rates.rate(bad, sent) <= rates.upper(bad, sent) <= 1
    assert rates.upper(bad * 2, sent * 2) <= rates.upper(bad, sent) + 1e-12


def test_bounds_agree_with_published_values() -> None:
    # Wilson (1927) at 95 % two-sided: 10 of 100 → 5.52 % … 17.44 % (Newcombe 1998, table I's method 3).
    assert round(rates.lower(10, 100, 1.959964), 4) == 0.0552
    assert round(rates.upper(10, 100, 1.959964), 4) == 0.1744


@given(st.integers(0, 300), st.sampled_from([0.02, 0.001]))
def test_enough_is_the_fewest_that_keep_the_bound(bad: int, limit: float) -> None:
    count = rates.enough(bad, limit)

    assert rates.upper(bad, count) < limit
    assert count == bad + 1 or rates.upper(bad, count - 1) >= limit


@given(GOALS)
def test_a_plan_ends_at_its_goal_and_never_above(goal: int) -> None:
    days = warmup.plan(goal, date(2026, 12, 1))

    assert [day.number for day in days] == list(range(1, len(days) + 1))
    assert days[-1].mails == goal
    assert all(before.mails <= after.mails <= goal for before, after in pairwise(days))
    assert days[-1].day - days[0].day == timedelta(days=len(days) - 1)


# --- pauses ----------------------------------------------------------------------------------------------


def test_two_of_a_hundred_bounces_and_one_of_a_thousand_complaints_stop_a_sender() -> None:
    brake = brakes.judge(Tally(200, 4, 0), "news.acme.example")

    assert brake is not None
    assert brake.sentence == (
        "Marketing from news.acme.example is paused: 4 of 200 mails of the last 24 hours bounced "
        "(2 %; the limit is 2 %)."
    )
    assert brakes.judge(Tally(201, 4, 0), "x") is None
    assert brakes.judge(Tally(2_000, 0, 2), "x") is not None
    assert brakes.judge(Tally(2_001, 0, 2), "x") is None


def test_a_few_mails_stop_a_sender_only_when_it_is_surely_bad() -> None:
    assert brakes.judge(Tally(12, 1, 1), "x") is None
    assert brakes.judge(Tally(40, 3, 0), "x") is not None  # surely above 2 %
    assert brakes.judge(Tally(150, 4, 0), "x") is None  # 2.7 %, and it may be chance
    assert brakes.judge(Tally(50, 2, 0), "x") is None


@given(st.integers(0, 100_000), st.integers(0, 500), st.integers(0, 500), st.integers(1, 100))
def test_more_coming_back_never_lifts_a_pause(sent: int, bounced: int, complained: int, more: int) -> None:
    if brakes.judge(Tally(sent, bounced, complained), "x") is not None:
        assert brakes.judge(Tally(sent, bounced + more, complained), "x") is not None
        assert brakes.judge(Tally(sent, bounced, complained + more), "x") is not None


def test_the_first_pause_ends_by_itself_and_the_second_waits_for_a_person() -> None:
    assert brakes.recovers(NOW - timedelta(hours=47), 0, NOW) == ""
    assert brakes.recovers(NOW - timedelta(hours=48), 0, NOW).startswith("Resumed by itself after 48 hours")
    assert brakes.recovers(NOW - timedelta(days=20), 1, NOW) == ""


# --- places ----------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 60)), min_size=1, max_size=20),
    st.integers(0, 5_000),
)
def test_everybody_gets_one_place_and_no_opening_more_than_it_has(sizes: list[tuple[int, int]], waiting: int) -> None:
    openings = [Opening(NOW + timedelta(days=number), places, rate) for number, (places, rate) in enumerate(sizes)]
    stretches = booking.book(openings, waiting)

    seats = [place for stretch in stretches for place in range(stretch.first, stretch.last)]
    assert seats == list(range(waiting))
    for opening in openings:
        here = sum(each.last - each.first for each in stretches if each.starts_at == opening.starts_at)
        assert here <= opening.places
    assert [each.starts_at for each in stretches] == sorted(each.starts_at for each in stretches)


@given(st.integers(1, 1_000_000))
def test_a_day_fits_into_its_minutes(per_day: int) -> None:
    assert booking.pace(per_day) * booking.SPREAD_HOURS * 60 >= per_day
