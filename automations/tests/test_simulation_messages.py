"""What would keep rehearsed messages from going: quiet hours, shelf life, holdouts, and what they say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from audience import services as audience
from automations.models import AutomationRun
from automations.simulation import costs, replay, result
from automations.simulation import flow as flows
from automations.simulation.messages import MessageTally, Template
from automations.simulation.tally import Days
from automations.tests import making
from automations.tests.test_simulation import END, NOON
from common import clock, money
from delivery import services as delivery
from delivery.models import Content, Holdout, Message, MessagePrice
from delivery.services import policy
from delivery.tests.conftest import noon, sink
from delivery.tests.making import content, queue, send
from segments.tests import people

pytestmark = pytest.mark.django_db
__all__ = ["noon", "sink"]
HOUR = timedelta(hours=1)


def _signing_up(*hours: int, kind: str = "marketing", count: int = 1, **values: Any) -> dict[str, Any]:
    """What a mail on every sign-up would come to, of people in UTC who agreed and sign up so long after noon."""
    name = f"signup_{kind}"
    people.definition(name)
    people.partitions.ensure_months([NOON, END])
    template = making.template(kind=kind, slug=kind)
    mail = {"action_type": "send_email", "configuration": {"template_id": template.pk}}
    automation = making.automation(
        mail, name=kind, trigger_type="event", trigger_configuration={"name": name}, entry_rule="again"
    )
    automation.__class__.objects.filter(pk=automation.pk).update(**values)
    automation.refresh_from_db()
    for number in range(count):
        contact = making.contact(email=f"{kind}-{number}@example.org", timezone="UTC")
        audience.grant_consent([contact.pk], "email", None, how="form")
        people.events([(contact.pk, name, NOON + hour * HOUR, {}) for hour in hours])
    assert automation.current_version is not None
    with clock.freeze(END):
        return replay.replay(flows.read(automation.current_version.document, automation), NOON, END)


def _days(found: dict[str, Any]) -> dict[str, int]:
    return {day["day"]: day["messages"]["email"] for day in found["per_day"] if day["messages"].get("email")}


def test_quiet_hours_are_waited_out_until_the_next_morning(organization: Any) -> None:
    # 21:00 to 08:00 is quiet: 20:59 goes at once, 21:00 and 23:00 the next morning.
    evening = _signing_up(9)
    found = evening["messages"]
    assert (found["planned"], found["went"], found["quiet"], found["held_back"]) == (1, 1, 1, [])
    assert _days(evening) == {"2026-06-02": 1}

    afternoon = _signing_up(8, kind="notification")
    assert (afternoon["messages"]["quiet"], _days(afternoon)) == (0, {"2026-06-01": 1})


def test_what_is_awaited_goes_in_quiet_hours_too(organization: Any) -> None:
    found = _signing_up(11, kind="transactional")
    assert (found["messages"]["went"], found["messages"]["quiet"]) == (1, 0)
    assert _days(found) == {"2026-06-01": 1}


def test_a_message_whose_shelf_life_ends_in_quiet_hours_is_dropped(organization: Any) -> None:
    # Written at 23:00, it could go at 08:00: nine hours later, at the very end of a shelf life of nine hours.
    dropped = _signing_up(11, shelf_hours=9)
    assert dropped["messages"]["held_back"] == [{"reason": policy.EXPIRED, "count": 1}]
    assert (dropped["messages"]["planned"], dropped["messages"]["went"], _days(dropped)) == (1, 0, {})

    kept = _signing_up(11, kind="notification", shelf_hours=10)
    assert (kept["messages"]["went"], kept["messages"]["held_back"]) == (1, [])
    assert _days(kept) == {"2026-06-02": 1}


def test_a_message_waits_for_room_under_a_cap_only_within_its_shelf_life(organization: Any) -> None:
    # The policy leaves eight hours between two marketing messages; the second falls due four hours after the first.
    plain = _signing_up(0, 4)["messages"]
    assert (plain["planned"], plain["went"], plain["waited_for_room"]) == (2, 1, 0)


def test_a_message_with_a_shelf_life_goes_once_there_is_room(organization: Any) -> None:
    kept = _signing_up(0, 4, shelf_hours=5)["messages"]
    assert (kept["planned"], kept["went"], kept["waited_for_room"], kept["held_back"]) == (2, 2, 1, [])


def test_the_same_people_are_held_out_as_by_delivery(organization: Any, sink: Any) -> None:
    delivery.save_holdout(Holdout(name="All", percent=Decimal(50), starts_at=NOON - HOUR))
    found = _signing_up(0, count=12)["messages"]
    with clock.freeze(NOON):
        queue(*making.Contact.objects.all(), made=content(kind="marketing"), key="live")
        send(organization)
    out = Message.objects.filter(status="refused", reason=policy.HELD_OUT).count()

    assert 0 < out < 12
    assert (found["went"], found["held_back"]) == (12 - out, [{"reason": policy.HELD_OUT, "count": out}])


def test_a_walk_leads_to_the_words_that_the_contact_would_read(client: Any, owner: Any) -> None:
    client.force_login(owner.user)
    people.definition("order", total="number")
    people.partitions.ensure_months([NOON, END])
    template = making.template(html="<p>Dear {{ contact.name }}, thank you for {{ event.total }}.</p>")
    mail = {"id": "mail", "action_type": "send_email",
            "configuration": {"template_id": template.pk, "subject": "Only for {{ contact.name }}"}}  # fmt: skip
    automation = making.automation(mail, trigger_type="event", trigger_configuration={"name": "order"})
    ada, bob = making.contact(), making.contact(name="Bob", email="bob@example.org")
    people.events([(ada.pk, "order", NOON, {"total": 41}), (ada.pk, "order", NOON + HOUR, {"total": 99})])
    asked = {"contact": ada.pk, "at": NOON.isoformat()}

    way = client.get(reverse("automation-walk", args=[automation.pk]), asked).content.decode()
    address = reverse("automation-walk-message", args=[automation.pk])
    assert f"{address}?contact={ada.pk}&amp;step=mail&amp;at=2026-06-01T12%3A00%3A00%2B00%3A00" in way
    rows = Content.objects.count()
    page = client.get(address, asked | {"step": "mail"}).content.decode()
    assert "Only for Ada" in page and "Dear Ada, thank you for 41." in page

    lacking = client.get(address, {"contact": bob.pk, "step": "mail", "at": NOON.isoformat()}).content.decode()
    assert "event.total is empty and has no default" in lacking
    assert "writes no message" in client.get(address, asked | {"step": "none"}).content.decode()
    assert client.get(address, {"contact": "x"})["Location"] == reverse("automation-walk", args=[automation.pk])
    assert client.get(address, {"contact": 10**9}).status_code == 404
    assert (Content.objects.count(), Message.objects.count(), AutomationRun.objects.count()) == (rows, 0, 0)


def test_money_is_told_by_channel_and_step_where_prices_are_set(organization: Any) -> None:
    delivery.save_price(MessagePrice(channel="email", price_minor=Decimal("0.4")))
    found = _signing_up(0, kind="transactional", count=3)
    cost = found["cost"]
    assert (cost["total_minor"], cost["without_price"], cost["steps"]) == (1, [], {"send_email_1": 1})
    assert cost["by_channel"]["email"] == {"count": 3, "price": f"0.004 {cost['currency']}", "cost_minor": 1}
    assert result.step_counts(found)["steps"]["send_email_1"]["cost"] == money.show(1, cost["currency"])

    MessagePrice.objects.all().delete()
    unknown = _signing_up(0, kind="notification")["cost"]
    assert (unknown["total_minor"], unknown["without_price"], unknown["steps"]) == (None, ["email"], {})


def test_of_sms_each_segment_of_the_text_is_counted(organization: Any) -> None:
    delivery.save_price(MessagePrice(channel="sms", price_minor=Decimal(7)))
    template = making.template(slug="sms", channel="sms", html="", subject="", fields={"text": "x" * 200})
    days = Days(NOON, END, ZoneInfo("UTC"))
    post = MessageTally(days, by_step={"text": Counter({"went": 3, "refused": 2})})
    told = costs.told(post, {"text": Template(template.pk, "Text", "sms", "transactional")})
    assert (told["by_channel"]["sms"]["count"], told["total_minor"], told["steps"]) == (6, 42, {"text": 42})
