"""A friend's way over HTTP: share link → landing page → sign-up → order → rewards for both and credit."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from accounts.models import Organization
from attribution import selectors as attribution
from attribution.models import Credit, Touchpoint
from audience.models import Contact
from common import clock
from common.periods import last_days
from viral import selectors as viral
from viral import services
from viral.models import Referral, Reward

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def test_an_invitation_is_rewarded_and_credited(
    organization: Organization, write_key: str, api: Any, drain: Any
) -> None:
    services.create_program(
        {
            "name": "Friends",
            "slug": "friends",
            "landing_url": "https://shop.example/friends",
            "inviter_reward_kind": "credit",
            "inviter_reward_amount": 1000,
            "invitee_reward_kind": "credit",
            "invitee_reward_amount": 500,
        }
    )
    now = clock.now()

    def send(*calls: dict[str, Any]) -> None:
        body = {"batch": list(calls), "sentAt": now.isoformat(), "writeKey": write_key}
        answer = Client().post("/v1/batch", json.dumps(body), content_type="application/json")
        assert answer.status_code == 200, answer.content
        drain()

    def at(minutes_ago: int) -> str:
        return (now - timedelta(minutes=minutes_ago)).isoformat()

    send(
        {"type": "identify", "userId": "ada", "traits": {"name": "Ada", "email": "ada@example.com"}, "messageId": "1"}
    )
    kit = api.post("/api/v1/viral/codes", {"user_id": "ada"}).json()
    with clock.freeze(now - timedelta(minutes=51)):
        landed = Client().get(urlsplit(kit["link"]).path, headers={"User-Agent": BROWSER})["Location"]
    page = {"page": {"url": landed, "referrer": ""}}
    ben = {"userId": "ben", "anonymousId": "browser-7"}
    send({"type": "page", "anonymousId": "browser-7", "context": page, "messageId": "2", "timestamp": at(50)})
    send({"type": "identify", **ben, "traits": {"email": "ben@example.com"}, "messageId": "3", "timestamp": at(40)})
    send({"type": "track", "event": "signed_up", **ben, "messageId": "4", "timestamp": at(39)})
    order = {"order_id": "A1", "total": 50, "currency": "GBP"}
    send(
        {
            "type": "track",
            "event": "order_completed",
            **ben,
            "properties": order,
            "messageId": "5",
            "timestamp": at(5),
        }
    )

    contacts = dict(Contact.objects.filter(merged_into=None).values_list("user_id", "pk"))
    referral = Referral.objects.get()
    assert (referral.inviter_id, referral.invitee_id, referral.status) == (
        contacts["ada"],
        contacts["ben"],
        "rewarded",
    )
    assert sorted(Reward.objects.values_list("contact_id", "amount")) == sorted(
        [(contacts["ada"], 1000), (contacts["ben"], 500)]
    )
    assert viral.coefficient(last_days(1)).coefficient == 1.0
    # The landing page and the sign-up are one coming by the same invitation.
    assert set(Touchpoint.objects.values_list("contact_id", "channel")) == {(contacts["ben"], "referral")}
    assert list(Credit.objects.filter(model="linear").values_list("amount_minor", flat=True)) == [5000]
    channels = attribution.revenue_by_model(last_days(1)).channels
    assert [(line.channel, line.revenue_minor["first"]) for line in channels] == [("referral", 5000)]


def test_ones_own_link_in_the_same_browser_is_refused(
    organization: Organization, write_key: str, api: Any, drain: Any
) -> None:
    services.create_program({"name": "Friends", "slug": "friends", "landing_url": "https://shop.example/friends"})

    def send(*calls: dict[str, Any]) -> None:
        body = {"batch": list(calls), "writeKey": write_key}
        assert Client().post("/v1/batch", json.dumps(body), content_type="application/json").status_code == 200
        drain()

    send({"type": "identify", "userId": "ada", "anonymousId": "browser-7", "messageId": "1"})
    code = api.post("/api/v1/viral/codes", {"user_id": "ada"}).json()["code"]
    again = {"userId": "ada-two", "anonymousId": "browser-7"}
    send({"type": "track", "event": "signed_up", **again, "properties": {"referral_code": code}, "messageId": "2"})

    assert list(Referral.objects.values_list("status", "reason")) == [("rejected", "same_device")]
