"""The calendar: what went, goes and repeats, in the organisation's days; who would write to the same people."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from accounts.models import Organization
from campaigns.models import Campaign, Offer
from campaigns.selectors.calendar import calendar
from campaigns.tests import making
from common import clock
from common.errors import Invalid

pytestmark = pytest.mark.django_db
TODAY = clock.now().date()


@pytest.fixture(autouse=True)
def _open_doors(organization: Organization) -> None:
    making.open_doors()


def _planned(segment: Any, days: float, **fields: Any) -> Campaign:
    made = making.campaign([segment], **{"name": f"In {days}", **{k: v for k, v in fields.items() if k == "name"}})
    moment = datetime.combine(TODAY, time(12), UTC) + timedelta(days=days)
    Campaign.objects.filter(pk=made.pk).update(
        **{"starts_at": moment, "status": "scheduled", **{k: v for k, v in fields.items() if k != "name"}}
    )
    return Campaign.objects.get(pk=made.pk)


def test_sends_of_a_day_that_share_a_segment_name_each_other(organization: Organization) -> None:
    shared, other = making.segment(name="Shared"), making.segment(name="Other")
    _planned(shared, 1, name="First")
    _planned(shared, 1.1, name="Second")
    _planned(shared, 1.2, name="Off", status="cancelled")
    _planned(other, 1, name="Elsewhere")
    _planned(shared, 2, name="Next day", status="draft")

    found = calendar(TODAY, TODAY + timedelta(days=3))

    assert [(entry.campaign.name, entry.kind, entry.rivals) for entry in found] == [
        ("First", "send", ("Second",)), ("Elsewhere", "send", ()), ("Second", "send", ("First",)),
        ("Off", "send", ()), ("Next day", "plan", ()),
    ]  # fmt: skip


def test_repetitions_to_come_are_worked_out_and_end_when_they_should() -> None:
    rule = {"every": "day", "interval": 2, "time": "09:00", "zone": "organization", "most_runs": 3}
    campaign = making.campaign([making.segment()], timing="recurring", recurrence=rule)
    Campaign.objects.update(status="scheduled", starts_at=clock.now())

    found = calendar(TODAY, TODAY + timedelta(days=30))

    days = [entry.starts_at.date() for entry in found]
    assert len(days) == 3
    assert {(after - before).days for before, after in pairwise(days)} == {2}
    assert {(entry.kind, entry.starts_at.hour) for entry in found} == {("repeat", 9)}
    Campaign.objects.update(ends_at=found[1].starts_at)
    assert len(calendar(TODAY, TODAY + timedelta(days=30))) == 1
    assert campaign.runs.count() == 0


def test_an_offer_stands_on_all_its_days(admin: Any, organization: Organization) -> None:
    campaign = _planned(making.segment(), -2, name="Ten off", status="active",
                        ends_at=clock.now() + timedelta(days=2))  # fmt: skip
    Offer.objects.create(campaign=campaign, kind="discount", value=10)

    page = admin.get(reverse("campaign-calendar"), {"view": "month", "day": TODAY.isoformat()})

    standing = [day.date for day in page.context["days"] if day.running]
    assert TODAY in standing
    assert TODAY - timedelta(days=2) not in standing
    assert TODAY + timedelta(days=3) not in standing


def test_days_are_the_organisations(organization: Organization, admin: Any) -> None:
    organization.timezone = "Pacific/Auckland"
    organization.save()
    campaign = _planned(making.segment(), 1)  # noon in UTC is the next day there
    day = campaign.starts_at.astimezone(ZoneInfo("Pacific/Auckland")).date()  # type: ignore[union-attr]

    page = admin.get(reverse("campaign-calendar"), {"view": "week", "day": day.isoformat()})

    assert [one.date for one in page.context["days"] if one.entries] == [day]
    assert page.context["days"][0].date.weekday() == 0


@pytest.mark.parametrize("asked", [{}, {"view": "month", "day": "2026-02-30"}, {"view": "<b>", "day": "0001-01-01"}])
def test_nonsense_shows_this_month(admin: Any, asked: dict[str, str]) -> None:
    page = admin.get(reverse("campaign-calendar"), asked)

    assert page.status_code == 200
    assert any(day.is_today for day in page.context["days"])


def test_a_click_on_a_day_plans_a_draft_there(admin: Any) -> None:
    page = admin.get(reverse("campaign-calendar"))
    day = next(day for day in page.context["days"] if day.is_today)

    form = admin.get(day.new).content.decode()

    assert f'value="{TODAY:%d/%m/%Y}"' in form
    assert 'value="09:00:00"' in form
    for nonsense in ("0001-01-01", "9999-12-31", "<b>"):
        assert admin.get(reverse("admin:campaigns_campaign_add"), {"day": nonsense}).status_code == 200


def test_the_calendar_over_http(api: Any) -> None:
    campaign = _planned(making.segment(), 1)
    day = (TODAY + timedelta(days=1)).isoformat()

    answer = api.get("/api/v1/campaigns/calendar/", {"from": day, "to": day})

    assert answer.json()["results"] == [
        {
            "campaign_id": campaign.pk, "name": "In 1", "status": "scheduled", "kind": "send",
            "starts_at": campaign.starts_at.isoformat().replace("+00:00", "Z"), "ends_at": None, "rivals": [],  # type: ignore[union-attr]
        }
    ]  # fmt: skip
    assert api.get("/api/v1/campaigns/calendar/", {"from": "2026-01-01", "to": "2027-01-01"}).status_code == 400
    assert api.get("/api/v1/campaigns/calendar/", {"until": day}).status_code == 400
    with pytest.raises(Invalid):
        calendar(date(2026, 2, 1), date(2026, 1, 1))
