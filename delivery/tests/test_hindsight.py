"""What other caps would have done to what went, and the forms that show it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Organization
from common import clock
from delivery.domain.caps import Cap
from delivery.models import CapRule, Holdout, Message, QuietHours
from delivery.services.policy import hindsight
from delivery.services.policy.hindsight import Hindsight
from delivery.tests.making import contact, content


@pytest.fixture
def history(organization: Organization) -> None:
    """Ada got four messages within a day, Bob two within a month, and one 31 days ago."""
    ada, bob, made, now = contact(), contact("bob@example.com"), content(), clock.now()
    went = [(ada, hours) for hours in (1, 2, 10, 20)] + [(bob, 48), (bob, 700), (bob, 31 * 24)]
    Message.objects.bulk_create(
        Message(
            idempotency_key=f"h{number}", contact=who, content=made, source_type="campaign", status="sent",
            handed_at=now - timedelta(hours=hours), claimed_at=now - timedelta(hours=hours),
        )
        for number, (who, hours) in enumerate(went)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("caps", "refused"),
    [
        ([], 0),
        ([Cap("marketing", most=2)], 2),
        ([Cap("marketing", most=2), Cap("marketing", hours_between=9)], 2),
        ([Cap("marketing", hours_between=9)], 1),
        ([Cap("marketing", most=1, per_hours=24 * 30)], 4),
        ([Cap("notification", most=0), Cap("marketing", "sms", most=0)], 0),
        ([Cap("marketing", most=0)], 6),
    ],
)
@pytest.mark.usefixtures("history")
def test_caps_are_replayed_on_what_went(caps: list[Cap], refused: int) -> None:
    assert hindsight.look_back(caps) == Hindsight(6, refused, is_sampled=False)


@pytest.mark.usefixtures("history")
def test_of_more_than_can_be_read_contacts_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hindsight, "MOST_READ", 3)
    found = hindsight.look_back([Cap("marketing", most=0)])

    assert found.is_sampled
    assert found.message_count == 6 and found.refused_count in (0, 6)


@pytest.fixture
def marketer(organization: Organization, client: Client) -> Client:
    user = accounts.ensure_user("max@acme.example")
    accounts.add_member(user, Role.OWNER)
    client.force_login(user)
    return client


@pytest.mark.usefixtures("history")
def test_the_form_of_a_cap_says_what_it_would_have_done_and_saves_it(marketer: Client) -> None:
    form = {"kind": "marketing", "channel": "", "topic": "", "most": "1", "per_hours": "720", "hours_between": "0"}
    told = marketer.get("/admin/delivery/caprule/preview/", form).content.decode()
    saved = marketer.post("/admin/delivery/caprule/add/", form)
    again = marketer.post("/admin/delivery/caprule/add/", form)

    assert "<strong>4</strong> of the last 30 days’ 6 messages" in told
    assert saved.status_code == 302
    assert "There is a cap of 720 hours for just these messages" in again.content.decode()
    assert CapRule.objects.count() == 1


@pytest.mark.parametrize("query", [{}, {"kind": "x", "per_hours": "1"}, {"kind": "marketing", "per_hours": "-1"}])
def test_a_half_filled_form_is_told_so(marketer: Client, query: dict[str, str]) -> None:
    assert "Fill in the caps" in marketer.get("/admin/delivery/caprule/preview/", query).content.decode()


def test_quiet_days_and_holdouts_are_saved_by_their_forms(marketer: Client) -> None:
    weekend = {"channel": "sms", "quiet_from": "00:00", "quiet_until": "00:00", "weekdays": ["5", "6"]}
    always = weekend | {"weekdays": ["0", "1", "2", "3", "4", "5", "6"]}
    refused = marketer.post("/admin/delivery/quiethours/add/", always).content.decode()
    marketer.post("/admin/delivery/quiethours/add/", weekend)
    holdout = {"name": "All", "percent": "5", "starts_at_0": "2026-11-01", "starts_at_1": "00:00", "renew_days": "90"}
    marketer.post("/admin/delivery/holdout/add/", holdout)

    assert "quiet all week" in refused
    assert list(QuietHours.objects.values_list("channel", "weekdays")) == [("sms", [5, 6])]
    assert list(Holdout.objects.values_list("name", "percent", "renew_days")) == [("All", 5, 90)]
