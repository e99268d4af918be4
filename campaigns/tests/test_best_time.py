"""When each contact reads, and how far a budget goes."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry
from audience.models import Contact
from campaigns import selectors, services
from campaigns.domain import budget
from campaigns.models import Campaign, CampaignRun, ReadingHabit, ReadingHour, RunStatus
from campaigns.services import habits
from campaigns.tests import making
from campaigns.tests.moments import LUNCH, launched, moments_of, people_in, settle, work_at
from common import clock
from common.errors import Conflict
from delivery.models import Message, MessageStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("doors_in_london")]


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
    early, once, unknown, abroad = people_in("Europe/London", "Europe/London", "", "Asia/Tokyo")
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
    work_at(LUNCH)
    for hours in range(25):
        work_at(LUNCH + timedelta(hours=hours))

    # London's clocks go forward in the night: six in the morning is 05:00 UTC. Tokyo's evening is 09:00 UTC.
    assert moments_of([early, once, unknown, abroad]) == ["29 05:00", "28 18:00", "28 18:00", "28 22:00"]
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
        campaign = launched(people, timing="best", local_time=local_time)
    work_at(LUNCH)
    work_at(LUNCH + timedelta(hours=21))

    assert moments_of(people) == [expected, expected]
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
        work_at(moment)
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


def test_sending_stops_before_the_budget_is_passed_and_goes_on_when_it_is_raised() -> None:
    campaign = launched(making.contacts(10), cost_minor=100, message_cost_minor=Decimal("0.3"), budget_minor=101)
    now = clock.now()

    work_at(now)
    assert Message.objects.count() == 3  # 100 + 3 × 0.3 is within 101, a fourth is not
    assert "budget is used up, unless" in selectors.progress(campaign).note
    settle(now)
    work_at(now + timedelta(minutes=2))
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
    campaign = launched(making.contacts(5), message_cost_minor=Decimal(1), budget_minor=3)
    now = clock.now()
    work_at(now)
    assert Message.objects.count() == 3

    settle(now, MessageStatus.REFUSED)
    work_at(now + timedelta(minutes=2))

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
