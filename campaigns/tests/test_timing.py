"""When messages go: by each contact's clock, again and again, when each contact reads, and within a budget."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry, Organization
from audience.models import Contact
from audience.notices import ContactsMerged
from campaigns import selectors, services
from campaigns.domain import budget, slots
from campaigns.models import Campaign, CampaignRun, ReadingHabit, ReadingHour, RunStatus, Target
from campaigns.services import habits, targets
from campaigns.tests import making
from common import clock
from common.errors import Conflict, Invalid
from delivery.models import Message, MessageStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("doors")]

LUNCH = datetime(2026, 3, 28, 12, tzinfo=UTC)  # Saturday; in the night London's clocks go forward
NINE = time(9)
DAILY = {"every": "day", "time": "09:00"}


@pytest.fixture
def doors(organization: Organization) -> None:
    making.open_doors()
    Organization.objects.update(timezone="Europe/London")


def _people(*zones: str) -> list[Contact]:
    return [making.contacts(1, start=number, timezone=zone)[0] for number, zone in enumerate(zones, start=1)]


def _launched(people: list[Contact], **fields: Any) -> Campaign:
    return services.launch(making.campaign([making.segment(people)], **fields))


def _moments(people: list[Contact]) -> list[str]:
    """When each contact's message goes, in UTC."""
    run_at = dict(Message.objects.exclude(source_id=0).values_list("contact_id", "run_at"))
    return [f"{run_at[person.pk]:%d %H:%M}" if person.pk in run_at else "–" for person in people]


def _work(moment: datetime) -> int:
    with clock.freeze(moment):
        return services.work(Organization.objects.get().pk)


def _settle(moment: datetime, status: str = MessageStatus.SENT) -> None:
    """What was written has left; the campaign hears of it."""
    Message.objects.filter(status=MessageStatus.QUEUED).update(status=status, sent_at=moment)
    with clock.freeze(moment):
        services.settled(Campaign.objects.get().pk)


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
    people = _people("Europe/London", "America/New_York", "Pacific/Auckland", "Mars/Olympus", "")
    with clock.freeze(LUNCH):
        _launched(people, timing="local", local_time=NINE, passed_zones=passed)
    _work(LUNCH)
    assert _moments(people) == [each if each == "28 12:00" else "–" for each in expected]

    _work(LUNCH + timedelta(minutes=50))  # ten minutes before New York's nine: written, with its moment
    assert _moments(people)[1] == "28 13:00"
    with clock.freeze(LUNCH + timedelta(minutes=50)):
        assert selectors.progress(Campaign.objects.get()).next_at == datetime(2026, 3, 28, 20, tzinfo=UTC)
    _work(datetime(2026, 3, 28, 20, tzinfo=UTC))
    _work(datetime(2026, 3, 29, 8, tzinfo=UTC))

    assert _moments(people) == expected
    assert Message.objects.count() == 5


def test_a_paced_campaign_keeps_its_pace_at_each_clock() -> None:
    people = [
        *making.contacts(12, timezone="Europe/London"),
        *making.contacts(2, start=50, timezone="America/New_York"),
    ]
    with clock.freeze(LUNCH):
        _launched(people, timing="local", local_time=time(12), messages_per_minute=120)
    written = []
    for seconds in (0, 5, 10, 4 * 3600, 4 * 3600 + 5):
        _work(LUNCH + timedelta(seconds=seconds))
        written.append(Message.objects.count())

    assert written == [10, 12, 12, 14, 14]
    assert CampaignRun.objects.get().is_queued


def test_pause_and_cancel_stop_what_waits_for_its_moment() -> None:
    people = _people("Europe/London", "America/New_York", "America/Los_Angeles")
    with clock.freeze(LUNCH):
        campaign = _launched(people, timing="local", local_time=time(12))
    _work(LUNCH)
    _settle(LUNCH)
    services.pause(campaign)
    assert _work(LUNCH + timedelta(hours=5)) == 0

    with clock.freeze(LUNCH + timedelta(hours=5)):
        services.resume(campaign)
    _work(LUNCH + timedelta(hours=5))
    # New York's noon passed during the pause: its message goes at once. Los Angeles' is still to come.
    assert _moments(people) == ["28 12:00", "28 17:00", "–"]
    services.cancel(campaign)
    assert _work(LUNCH + timedelta(days=2)) == 0

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
    assert _work(LUNCH) == 0
    with clock.freeze(LUNCH):
        assert selectors.progress(campaign).next_at == datetime(2026, 3, 29, 8, tzinfo=UTC)

    _work(datetime(2026, 3, 29, 8, tzinfo=UTC))
    _settle(datetime(2026, 3, 29, 9, tzinfo=UTC))
    segment.memberships.create(contact=second)
    template = Campaign.objects.get().template
    assert template is not None
    services.update_template(template, {"subject": "News"})
    services.publish_template(template)
    assert Campaign.objects.get().status == "active"
    _work(datetime(2026, 3, 30, 8, tzinfo=UTC))
    _settle(datetime(2026, 3, 30, 9, tzinfo=UTC))

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
        _launched(making.contacts(2), timing="recurring", recurrence=DAILY)
    late = LUNCH + timedelta(days=5)

    _work(late)
    _work(late)

    assert Message.objects.count() == 2
    assert list(CampaignRun.objects.order_by("pk").values_list("number", "planned_at")) == [
        (1, datetime(2026, 3, 29, 8, tzinfo=UTC)), (2, datetime(2026, 4, 3, 8, tzinfo=UTC)),
    ]  # fmt: skip


def test_dates_that_pass_during_a_pause_are_left_out() -> None:
    with clock.freeze(LUNCH):
        campaign = _launched(making.contacts(1), timing="recurring", recurrence=DAILY)
    services.pause(campaign)
    with clock.freeze(LUNCH + timedelta(days=3)):
        services.resume(campaign)

    assert _work(LUNCH + timedelta(days=3)) == 0
    assert CampaignRun.objects.get().run_at == datetime(2026, 4, 1, 8, tzinfo=UTC)


def test_contacts_own_clocks_make_a_date_last_longer_than_a_day_and_runs_may_overlap() -> None:
    people = _people("Pacific/Kiritimati", "Pacific/Pago_Pago")  # 25 hours apart
    with clock.freeze(LUNCH):
        campaign = _launched(people, timing="recurring", recurrence=DAILY | {"zone": "contact"})
    for hours in range(56):
        _work(LUNCH + timedelta(hours=hours))

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
        ended = _launched(making.contacts(1), timing="recurring", recurrence=DAILY)
        _work(LUNCH + timedelta(days=1))
        _settle(LUNCH + timedelta(days=1))
        services.update_campaign(ended, {"ends_at": LUNCH + timedelta(days=1, hours=1)})
    _work(LUNCH + timedelta(days=2))
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
        _launched([first, second], timing="recurring", recurrence=DAILY)
    _work(LUNCH + timedelta(days=1))
    _work(LUNCH + timedelta(days=2))

    targets.follow_merges([ContactsMerged(second.pk, first.pk)])

    assert list(Target.objects.order_by("pk").values_list("occurrence", "contact_id")) == [
        (1, first.pk),
        (2, first.pk),
    ]


# --- when each contact reads --------------------------------------------------------------------------------


def _read(contact: Contact, *moments: datetime) -> None:
    """Messages of long ago that the contact opened at these moments."""
    content_id = Campaign.objects.earliest("pk").template.published.content_id  # type: ignore[union-attr]
    Message.objects.bulk_create(
        Message(
            idempotency_key=f"old:{contact.pk}:{moment.isoformat()}", contact=contact, content_id=content_id,
            source_type="campaign", source_id=0, status=MessageStatus.SENT, handed_at=moment, opened_at=moment,
        )
        for moment in moments
    )  # fmt: skip


def test_each_contact_gets_it_when_they_read_within_a_day(client: Any) -> None:
    early, once, unknown, abroad = _people("Europe/London", "Europe/London", "", "Asia/Tokyo")
    crowd = making.contacts(60, start=100)
    campaign = making.campaign([making.segment([early, once, unknown, abroad])], timing="best")
    week = [LUNCH - timedelta(days=days) for days in range(1, 8)]
    _read(early, *[day.replace(hour=6, minute=40) for day in week])  # always at six
    _read(once, week[0].replace(hour=3))  # one open in the night says little
    _read(abroad, *[day.replace(hour=22) for day in week])  # seven in the morning in Tokyo
    for person in crowd:
        _read(person, week[0].replace(hour=18))  # everybody reads at six in the evening
    with clock.freeze(LUNCH):
        services.launch(campaign)
    _work(LUNCH)
    for hours in range(25):
        _work(LUNCH + timedelta(hours=hours))

    # London's clocks go forward in the night: six in the morning is 05:00 UTC. Tokyo's evening is 09:00 UTC.
    assert _moments([early, once, unknown, abroad]) == ["29 05:00", "28 18:00", "28 18:00", "28 22:00"]
    assert selectors.progress(campaign).timed_by == {"own": 2, "organization": 2}
    assert sum(ReadingHabit.objects.get().hours) == 75
    client.force_login(accounts.add_member(accounts.ensure_user("owner@acme.example"), Role.OWNER).user)
    page = client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
    rows = f"{reverse('admin:campaigns_target_changelist')}?campaign__id__exact={campaign.pk}&amp;timed_by__exact=own"
    assert f'<a href="{rows}">2 people</a> get it at the hour at which each of them usually reads' in page
    listed = client.get(rows.replace("&amp;", "&")).content.decode()
    assert early.name in listed
    assert once.name not in listed
    assert ReadingHour.objects.get(contact=once).hour_of_week == 4 * 24 + 3  # Friday


@pytest.mark.parametrize(("local_time", "expected"), [(None, "28 12:00"), (time(10), "29 09:00")])
def test_where_nothing_is_known_it_says_so_and_takes_the_time_it_was_given(
    local_time: time | None, expected: str
) -> None:
    people = making.contacts(2)
    with clock.freeze(LUNCH):
        campaign = _launched(people, timing="best", local_time=local_time)
    _work(LUNCH)
    _work(LUNCH + timedelta(hours=21))

    assert _moments(people) == [expected, expected]
    assert selectors.progress(campaign).timed_by == {"fallback": 2}


def test_habits_are_learned_once_a_day_and_follow_what_is_known_by_then() -> None:
    (person,) = making.contacts(1)
    campaign = making.campaign([making.segment([person])], timing="best")
    _read(person, LUNCH - timedelta(hours=3))
    for days, expected in ((0, 1), (0.5, 1), (1.1, 2)):
        moment = LUNCH + timedelta(days=days)
        _read(person, moment - timedelta(minutes=1))
        copy = services.duplicate_campaign(campaign)
        with clock.freeze(moment):
            services.launch(copy)
        _work(moment)
        assert sum(ReadingHabit.objects.get().hours) >= expected

    assert ReadingHabit.objects.get().learned_at == LUNCH + timedelta(days=1.1)
    assert sum(ReadingHour.objects.values_list("count", flat=True)) == 4


def test_habits_are_learned_before_they_are_stale_while_best_times_are_to_come() -> None:
    (person,) = making.contacts(1)
    making.campaign([making.segment([person])])
    _read(person, LUNCH - timedelta(hours=3))
    with clock.freeze(LUNCH):
        habits.refresh_everywhere()
        assert not ReadingHabit.objects.exists()
        habits.learn()
    learned = []
    for hours in (19, 20, 41):
        with clock.freeze(LUNCH + timedelta(hours=hours)):
            habits.refresh_everywhere()
            learned.append(ReadingHabit.objects.get().learned_at)
            if hours == 20:
                Campaign.objects.update(timing="best")

    assert learned == [LUNCH, LUNCH, LUNCH + timedelta(hours=41)]


# --- budget and cost ------------------------------------------------------------------------------------------


def test_sending_stops_before_the_budget_is_passed_and_goes_on_when_it_is_raised() -> None:
    campaign = _launched(making.contacts(10), cost_minor=100, message_cost_minor=Decimal("0.3"), budget_minor=101)
    now = clock.now()

    _work(now)
    assert Message.objects.count() == 3  # 100 + 3 × 0.3 is within 101, a fourth is not
    assert "budget is used up, unless" in selectors.progress(campaign).note
    _settle(now)
    _work(now + timedelta(minutes=2))
    progress = selectors.progress(Campaign.objects.get())
    assert (progress.status, progress.sent_count, progress.spent_minor, progress.budget_minor) == (
        "paused",
        3,
        101,
        101,
    )
    assert progress.note == (
        "The budget of £1.01 is used up; 7 people wait. Raise it and resume, or cancel the campaign."
    )
    assert AuditEntry.objects.filter(action="pause").exists()

    with pytest.raises(Conflict, match="Raise it"):
        services.resume(campaign)
    assert Campaign.objects.get().status == "paused"
    services.update_campaign(campaign, {"budget_minor": 103})
    services.resume(campaign)
    services.work(campaign.organization_id)

    assert Message.objects.count() == 10
    assert selectors.progress(campaign).note == ""


def test_what_is_refused_costs_nothing_and_leaves_room_for_others() -> None:
    campaign = _launched(making.contacts(5), message_cost_minor=Decimal(1), budget_minor=3)
    now = clock.now()
    _work(now)
    assert Message.objects.count() == 3

    _settle(now, MessageStatus.REFUSED)
    _work(now + timedelta(minutes=2))

    assert Message.objects.count() == 5
    assert CampaignRun.objects.get().status == RunStatus.PENDING
    assert selectors.progress(campaign).spent_minor == 0


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.decimals("0.000001", 1000, places=6), st.integers(0, 10**6))
def test_a_budget_is_never_passed_and_never_left_while_it_pays(
    whole: int, fixed: int, price: Decimal, committed: int
) -> None:
    room = budget.room(whole, fixed, price, committed)

    assert room is not None
    assert room == 0 or fixed + price * (committed + room) <= whole
    assert fixed + price * (committed + room + 1) > whole


def test_the_page_says_in_which_hours_people_get_it_and_which_sends_there_were(admin: Any) -> None:
    people = making.contacts(3)
    type(people[0]).objects.filter(pk=people[0].pk).update(timezone="Asia/Tokyo")
    campaign = making.campaign([making.segment(people)], timing="local", local_time=time(9), budget_minor=10_000,
                               message_cost_minor=1)  # fmt: skip
    services.launch(campaign)
    services.work(campaign.organization_id)

    page = admin.get(f"/admin/campaigns/campaign/{campaign.pk}/change/")

    spread = page.context["spread"]
    assert sorted(wave.people for wave in spread.waves) == [1, 2]
    assert "When they get it, by hour" in page.content.decode()
    assert "£0.00 of £100.00 spent" in page.content.decode()
    part = admin.get(f"/admin/campaigns/campaign/{campaign.pk}/progress/")
    assert "spread" not in part.context
