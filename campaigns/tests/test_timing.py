"""When messages go: by each contact's clock, and again and again."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience.notices import ContactsMerged
from campaigns import selectors, services
from campaigns.domain import slots
from campaigns.models import Campaign, CampaignRun, Target
from campaigns.services import targets
from campaigns.tests import making
from campaigns.tests.moments import DAILY, LUNCH, NINE, launched, moments_of, people_in, settle, work_at
from common import clock
from common.errors import Conflict, Invalid
from delivery.models import Message, MessageStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("doors_in_london")]


# --- by each contact's clock ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        # London 12:00, New York 08:00, Auckland 01:00 of the 29th, nonsense and nothing: the organisation's.
        ("tomorrow", ["29 08:00", "28 13:00", "28 20:00", "29 08:00", "29 08:00"]),
        ("now", ["28 12:00", "28 13:00", "28 20:00", "28 12:00", "28 12:00"]),
    ],
)
def test_nine_comes_when_each_clock_shows_it(passed: str, expected: list[str]) -> None:
    people = people_in("Europe/London", "America/New_York", "Pacific/Auckland", "Mars/Olympus", "")
    with clock.freeze(LUNCH):
        launched(people, timing="local", local_time=NINE, passed_zones=passed)
    work_at(LUNCH)
    assert moments_of(people) == [each if each == "28 12:00" else "–" for each in expected]

    work_at(LUNCH + timedelta(minutes=50))  # ten minutes before New York's nine: written, with its moment
    assert moments_of(people)[1] == "28 13:00"
    with clock.freeze(LUNCH + timedelta(minutes=50)):
        assert selectors.progress(Campaign.objects.get()).next_at == datetime(2026, 3, 28, 20, tzinfo=UTC)
    work_at(datetime(2026, 3, 28, 20, tzinfo=UTC))
    work_at(datetime(2026, 3, 29, 8, tzinfo=UTC))

    assert moments_of(people) == expected
    assert Message.objects.count() == 5


def test_a_paced_campaign_keeps_its_pace_at_each_clock() -> None:
    people = [
        *making.contacts(12, timezone="Europe/London"),
        *making.contacts(2, start=50, timezone="America/New_York"),
    ]
    with clock.freeze(LUNCH):
        launched(people, timing="local", local_time=time(12), messages_per_minute=120)
    written = []
    for seconds in (0, 5, 10, 4 * 3600, 4 * 3600 + 5):
        work_at(LUNCH + timedelta(seconds=seconds))
        written.append(Message.objects.count())

    assert written == [10, 12, 12, 14, 14]
    assert CampaignRun.objects.get().is_queued


def test_pause_and_cancel_stop_what_waits_for_its_moment() -> None:
    people = people_in("Europe/London", "America/New_York", "America/Los_Angeles")
    with clock.freeze(LUNCH):
        campaign = launched(people, timing="local", local_time=time(12))
    work_at(LUNCH)
    settle(LUNCH)
    services.pause(campaign)
    assert work_at(LUNCH + timedelta(hours=5)) == 0

    with clock.freeze(LUNCH + timedelta(hours=5)):
        services.resume(campaign)
    work_at(LUNCH + timedelta(hours=5))
    # New York's noon passed during the pause: its message goes at once. Los Angeles' is still to come.
    assert moments_of(people) == ["28 12:00", "28 17:00", "–"]
    services.cancel(campaign)
    assert work_at(LUNCH + timedelta(days=2)) == 0

    assert sorted(Message.objects.values_list("status", flat=True)) == ["cancelled", "sent"]


@pytest.mark.parametrize(
    ("zone", "wall", "earliest", "expected"),
    [
        # 01:30 does not exist on 29 March in London; it is when the clock has jumped, at 02:30 BST.
        (
            "Europe/London",
            time(1, 30),
            datetime(2026, 3, 29, 0, tzinfo=UTC),
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        ),
        # 01:30 comes twice on 25 October, and is the first: 00:30 UTC.
        (
            "Europe/London",
            time(1, 30),
            datetime(2026, 10, 25, 0, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),
        # Samoa left out the whole 30 December 2011.
        ("Pacific/Apia", NINE, datetime(2011, 12, 30, 5, tzinfo=UTC), datetime(2011, 12, 30, 19, tzinfo=UTC)),
    ],
)
def test_skipped_and_double_times(zone: str, wall: time, earliest: datetime, expected: datetime) -> None:
    assert slots.first_at(wall, zone, earliest) == expected


@given(st.times(), st.sampled_from(slots.zones()), st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)))
def test_every_clock_shows_every_time_within_a_day(wall: time, zone: str, earliest: datetime) -> None:
    moment = slots.first_at(wall, zone, earliest.replace(tzinfo=UTC))

    assert timedelta() <= moment - earliest.replace(tzinfo=UTC) <= timedelta(hours=26)


@pytest.mark.parametrize(
    "earliest", [LUNCH, datetime(2026, 10, 24, 23, 17, tzinfo=UTC), datetime(2011, 12, 29, 5, tzinfo=UTC)]
)
def test_zones_alike_show_nine_at_the_same_moment(earliest: datetime) -> None:
    like = slots.alike(earliest, earliest + timedelta(days=14))

    for later in (earliest, earliest + timedelta(days=14)):
        moments = {zone: slots.first_at(NINE, zone, later) for zone in slots.zones()}
        assert moments == {zone: moments[like[zone]] for zone in slots.zones()}
    assert len(set(like.values())) < len(like) // 2


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"timing": "local"}, "local_time"),
        ({"timing": "recurring"}, "recurrence"),
        ({"budget_minor": 100, "cost_minor": 100, "message_cost_minor": 1}, "budget_minor"),
        ({"timing": "recurring", "recurrence": DAILY, "ends_at": LUNCH + timedelta(hours=1)}, "ends_at"),
    ],
)
def test_what_is_missing_is_named_and_nothing_starts(fields: dict[str, Any], place: str) -> None:
    campaign = making.campaign([making.segment()], **fields)

    with clock.freeze(LUNCH), pytest.raises(Invalid) as refusal:
        services.launch(campaign)

    assert list(refusal.value.details) == [place]
    assert not CampaignRun.objects.exists()
    assert Campaign.objects.get().status == "draft"


# --- again and again --------------------------------------------------------------------------------------


def test_each_date_is_a_run_to_the_audience_of_that_day() -> None:
    first, second = making.contacts(2)
    segment = making.segment([first])
    with clock.freeze(LUNCH):
        campaign = services.launch(
            making.campaign([segment], timing="recurring", recurrence=DAILY | {"most_runs": 2})
        )
    assert work_at(LUNCH) == 0
    with clock.freeze(LUNCH):
        assert selectors.progress(campaign).next_at == datetime(2026, 3, 29, 8, tzinfo=UTC)

    work_at(datetime(2026, 3, 29, 8, tzinfo=UTC))
    settle(datetime(2026, 3, 29, 9, tzinfo=UTC))
    segment.memberships.create(contact=second)
    template = Campaign.objects.get().template
    assert template is not None
    services.update_template(template, {"subject": "News"})
    services.publish_template(template)
    assert Campaign.objects.get().status == "active"
    work_at(datetime(2026, 3, 30, 8, tzinfo=UTC))
    settle(datetime(2026, 3, 30, 9, tzinfo=UTC))

    assert Campaign.objects.get().status == "completed"
    assert list(Target.objects.order_by("pk").values_list("occurrence", "contact_id")) == [
        (1, first.pk), (2, first.pk), (2, second.pk),
    ]  # fmt: skip
    assert list(CampaignRun.objects.order_by("pk").values_list("number", "status", "target_count")) == [
        (1, "done", 1), (2, "done", 2),
    ]  # fmt: skip
    assert Message.objects.filter(content__subject="News").count() == 2
    progress = selectors.progress(campaign)
    assert (progress.run_count, progress.target_count, progress.sent_count, progress.next_at) == (2, 3, 3, None)


def test_after_days_without_a_worker_one_run_makes_up_for_all() -> None:
    with clock.freeze(LUNCH):
        launched(making.contacts(2), timing="recurring", recurrence=DAILY)
    late = LUNCH + timedelta(days=5)

    work_at(late)
    work_at(late)

    assert Message.objects.count() == 2
    assert list(CampaignRun.objects.order_by("pk").values_list("number", "planned_at")) == [
        (1, datetime(2026, 3, 29, 8, tzinfo=UTC)), (2, datetime(2026, 4, 3, 8, tzinfo=UTC)),
    ]  # fmt: skip


def test_dates_that_pass_during_a_pause_are_left_out() -> None:
    with clock.freeze(LUNCH):
        campaign = launched(making.contacts(1), timing="recurring", recurrence=DAILY)
    services.pause(campaign)
    with clock.freeze(LUNCH + timedelta(days=3)):
        services.resume(campaign)

    assert work_at(LUNCH + timedelta(days=3)) == 0
    assert CampaignRun.objects.get().run_at == datetime(2026, 4, 1, 8, tzinfo=UTC)


def test_contacts_own_clocks_make_a_date_last_longer_than_a_day_and_runs_may_overlap() -> None:
    people = people_in("Pacific/Kiritimati", "Pacific/Pago_Pago")  # 25 hours apart
    with clock.freeze(LUNCH):
        campaign = launched(people, timing="recurring", recurrence=DAILY | {"zone": "contact"})
    for hours in range(56):
        work_at(LUNCH + timedelta(hours=hours))

    assert list(Message.objects.order_by("run_at").values_list("contact_id", "run_at")) == [
        (people[0].pk, datetime(2026, 3, 28, 19, tzinfo=UTC)),
        (people[0].pk, datetime(2026, 3, 29, 19, tzinfo=UTC)),
        (people[1].pk, datetime(2026, 3, 29, 20, tzinfo=UTC)),
        (people[0].pk, datetime(2026, 3, 30, 19, tzinfo=UTC)),
    ]
    Message.objects.filter(idempotency_key__startswith=f"campaign:{CampaignRun.objects.earliest('pk').pk}:").update(
        status=MessageStatus.SENT
    )
    with clock.freeze(LUNCH + timedelta(hours=56)):
        services.settled(campaign.pk)
    # The first date is done although messages of the second wait.
    assert list(CampaignRun.objects.order_by("pk").values_list("status", flat=True)) == ["done"] + 3 * ["pending"]


def test_a_recurring_campaign_ends_at_its_end_or_by_hand() -> None:
    with clock.freeze(LUNCH):
        ended = launched(making.contacts(1), timing="recurring", recurrence=DAILY)
        work_at(LUNCH + timedelta(days=1))
        settle(LUNCH + timedelta(days=1))
        services.update_campaign(ended, {"ends_at": LUNCH + timedelta(days=1, hours=1)})
    work_at(LUNCH + timedelta(days=2))
    assert Campaign.objects.get().status == "completed"
    assert list(CampaignRun.objects.order_by("pk").values_list("status", flat=True)) == ["done", "cancelled"]

    with clock.freeze(LUNCH):
        other = services.launch(making.campaign([making.segment(name="None")], timing="recurring", recurrence=DAILY))
        with pytest.raises(Conflict):
            services.complete(other)  # nothing has gone out yet: that is a cancellation
    with clock.freeze(LUNCH + timedelta(days=1)):
        services.work(other.organization_id)
        assert services.complete(other).status == "completed"


def test_merged_contacts_keep_a_target_in_each_send() -> None:
    first, second = making.contacts(2)
    with clock.freeze(LUNCH):
        launched([first, second], timing="recurring", recurrence=DAILY)
    work_at(LUNCH + timedelta(days=1))
    work_at(LUNCH + timedelta(days=2))

    targets.follow_merges([ContactsMerged(second.pk, first.pk)])

    assert list(Target.objects.order_by("pk").values_list("occurrence", "contact_id")) == [
        (1, first.pk),
        (2, first.pk),
    ]
