"""What messages cost: the channel's price, and an SMS for each of its segments."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Organization
from campaigns import selectors, services
from campaigns.models import Campaign, EmailTemplate
from campaigns.selectors import launching
from campaigns.tests import making
from common import clock
from common.errors import Invalid
from delivery import services as delivery
from delivery.models import Message, MessagePrice, Provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _doors(organization: Organization) -> None:
    making.open_doors()
    Organization.objects.update(currency="GBP")
    Provider.objects.create(channel="sms", kind="twilio", name="Texts", is_default=True)


def _priced(channel: str, price: str) -> MessagePrice:
    return delivery.save_price(MessagePrice(channel=channel, price_minor=Decimal(price)))


def _texts(people: int, text: str, **fields: Any) -> Campaign:
    template = making.template(name="Text", channel="sms", html="", subject="", fields={"text": text})
    segment = making.segment(making.contacts(people))
    return making.campaign([segment], name="Texts", template_id=template.pk, **fields)


def test_a_campaign_pays_what_its_channel_costs_at_launch_each_segment_of_a_text() -> None:
    _priced("sms", "4")
    campaign = _texts(10, "x" * 200, budget_minor=40)
    assert selectors.expected_parts(campaign) == 2
    plan = launching.plan(campaign, 10)
    assert plan.cost.startswith(
        "£0.80 if everybody reachable gets it, each message about 2 segments. The budget is £0.40"
    )
    assert plan.over_budget

    campaign = services.launch(campaign)
    services.work(campaign.organization_id)

    assert Campaign.objects.get().message_cost_minor == 4
    assert Message.objects.count() == 5  # two segments each
    Message.objects.update(status="sent", sent_at=clock.now(), parts=1)
    assert selectors.progress(campaign).spent_minor == 20
    with clock.travel(timedelta(hours=2)):
        services.work(campaign.organization_id)
    assert Message.objects.count() == 7  # 20 are left for texts of 8
    Message.objects.filter(status="queued").update(status="sent", sent_at=clock.now(), parts=3)
    assert selectors.progress(campaign).spent_minor == 20 + 2 * 3 * 4


def test_a_price_of_its_own_stays_and_other_channels_count_a_message_once() -> None:
    _priced("sms", "4")
    _priced("email", "0.04")
    own = _texts(1, "x", message_cost_minor=7)
    mail = making.campaign([own.audience.get().segment], name="Mail", template_id=making.template().pk)

    for campaign in (own, mail):
        services.launch(campaign)

    assert dict(Campaign.objects.values_list("name", "message_cost_minor")) == {
        "Texts": Decimal(7), "Mail": Decimal("0.04"),
    }  # fmt: skip
    assert selectors.expected_parts(mail) == 1
    assert selectors.message_cost_shown(Campaign.objects.get(name="Mail")) == "0.0004 GBP"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello {{ contact.first_name }}", 1),
        ("Привет " * 12, 2),
        ("{% if contact.city == 'Leeds' %}" + "x" * 300 + "{% endif %}short", 1),
        ("See https://shop.example/" + "y" * 150, 1),  # its link is short
    ],
)
def test_the_segments_of_a_typical_text(text: str, parts: int) -> None:
    assert delivery.expected_parts("sms", {"text": text}, {}) == parts
    assert EmailTemplate.objects.count() == 0


def test_a_channel_has_one_price_and_no_negative_one() -> None:
    _priced("sms", "4")

    for channel, price in (("sms", "5"), ("push", "-1"), ("pigeon", "1")):
        with pytest.raises(Invalid):
            _priced(channel, price)

    assert list(MessagePrice.objects.values_list("channel", "price_minor")) == [("sms", Decimal(4))]
    assert AuditEntry.objects.filter(action="create", object_type__icontains="price").count() == 1


def test_prices_are_written_on_their_page_in_the_organisations_currency(admin: Any) -> None:
    place = "admin:delivery_messageprice_"
    added = admin.post(reverse(place + "add"), {"channel": "sms", "price": "0.0425"})
    again = admin.post(reverse(place + "add"), {"channel": "sms", "price": "1"})
    row = MessagePrice.objects.get()
    form = admin.get(reverse(place + "change", args=[row.pk]))

    assert added.status_code == 302 and row.price_minor == Decimal("4.25")
    assert "SMS has a price already; change that one." in again.content.decode()
    assert form.context["adminform"].form["price"].value() == "0.0425"
    assert "0.0425 GBP" in admin.get(reverse(place + "changelist")).content.decode()
