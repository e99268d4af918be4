"""Announcements that were given up can be handed over again by people who may."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Organization
from common.models import NoticeDelivery, OutboxNotice

pytestmark = pytest.mark.django_db
LIST = "admin:common_noticedelivery_changelist"


def dead_letter() -> NoticeDelivery:
    notice = OutboxNotice.objects.create(kind="EventsRecorded", payload={})
    return NoticeDelivery.objects.create(
        notice=notice, subscriber="segments:x", status="failed", attempts=10, error="boom"
    )


def replay(client: Client, letter: NoticeDelivery) -> None:
    client.post(reverse(LIST), {"action": "replay", "_selected_action": [letter.pk]})
    letter.refresh_from_db()


def test_an_owner_hands_a_dead_letter_over_again(admin: Client) -> None:
    letter = dead_letter()
    assert "boom" in admin.get(reverse(LIST)).content.decode()

    replay(admin, letter)

    assert (letter.status, letter.attempts, letter.error) == ("pending", 0, "")


def test_an_analyst_may_look_and_not_touch(organization: Organization) -> None:
    letter = dead_letter()
    user = accounts.ensure_user("ann@acme.example")
    accounts.add_member(user, Role.ANALYST)
    client = Client()
    client.force_login(user)

    assert client.get(reverse(LIST)).status_code == 200
    replay(client, letter)

    assert letter.status == "failed"


def test_what_was_handed_over_is_not_done_twice(admin: Client) -> None:
    letter = dead_letter()
    NoticeDelivery.objects.filter(pk=letter.pk).update(status="done")

    replay(admin, letter)

    assert letter.status == "done"
