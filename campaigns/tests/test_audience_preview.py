"""Whom a campaign would reach now, and why not the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Consent, ConsentState, Device, Suppression
from campaigns import selectors, services
from campaigns.tests import making
from common import clock
from delivery.models import Preference
from delivery.tests.making import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open_doors(organization: Organization) -> None:
    making.open_doors()


def test_the_preview_counts_who_can_be_reached_and_why_the_others_not() -> None:
    reached, suppressed, silent, withdrawn, nowhere = (
        *making.contacts(2),
        *making.contacts(1, start=3, consented=False),
        *making.contacts(1, start=4),
        *making.contacts(1, start=5, email=""),
    )
    Suppression.objects.create(channel="email", address=suppressed.email, reason="bounce")
    Consent.objects.create(contact=withdrawn, channel="email", state=ConsentState.WITHDRAWN, how="test")
    segment = making.segment([reached, suppressed, silent, withdrawn, nowhere])

    preview = selectors.audience_preview(making.campaign([segment]))

    assert preview.contact_count == 5
    assert (preview.reachable_count, preview.suppressed_count) == (1, 1)
    assert (preview.no_consent_count, preview.no_address_count) == (2, 1)
    assert len(preview.sample) == 5


@pytest.mark.parametrize(
    ("channel", "fields", "counts"),
    [
        ("sms", {"text": "Hi"}, (1, 2, 1, 1, 1)),
        ("push", {"title": "Hi", "body": "News"}, (2, 3, 0, 1, 0)),
        ("in_app", {"placement": "inbox", "title": "Hi"}, (4, 0, 0, 1, 1)),
    ],
)
def test_the_preview_counts_addresses_of_the_campaigns_own_channel(
    channel: str, fields: dict[str, Any], counts: tuple[int, ...]
) -> None:
    phones = ("+44 7700 900001", "07700 900002", "", "+447700900004", "+447700900005", "+447700900006")
    people = [making.contacts(1, start=at, phone=phone)[0] for at, phone in enumerate(phones)]
    for person in people:
        Consent.objects.create(contact=person, channel=channel, state=ConsentState.GRANTED, how="test")
    for person in (people[0], people[4], people[5]):
        Device.objects.create(contact=person, kind="fcm", token=f"t{person.pk}")
    Suppression.objects.create(channel="sms", address="+447700900004", reason="bounce")
    if channel != "push":
        Consent.objects.create(contact=people[4], channel=channel, state=ConsentState.WITHDRAWN, how="test")
    Preference.objects.create(contact=people[5], paused_until=clock.now() + timedelta(days=1))
    template = making.template(name="Hi", subject="", html="", channel=channel, fields=fields)

    preview = selectors.audience_preview(making.campaign([making.segment(people)], template_id=template.pk))

    assert preview.contact_count == 6
    assert (
        preview.reachable_count, preview.no_address_count, preview.suppressed_count, preview.paused_count,
        preview.no_consent_count,
    ) == counts  # fmt: skip


def test_the_preview_says_what_delivery_then_does(drain: Any, sink: Sink) -> None:
    making.contacts(2)
    people = [*making.contacts(3, start=10), *making.contacts(2, start=20, consented=False)]
    campaign = making.campaign([making.segment(people)])
    preview = selectors.audience_preview(campaign)

    campaign = services.launch(campaign)
    drain()

    progress = selectors.progress(campaign)
    assert progress.refused_count == preview.no_consent_count == 2
    assert progress.sent_count == len(sink.recipients) == preview.reachable_count == 3
