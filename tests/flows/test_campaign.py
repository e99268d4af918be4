"""A campaign from its first draft to the last number of its report, by the API alone."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

import httpx

from audience import services as audience
from audience.models import Contact
from delivery.models import DeliveryPolicy, Message
from tests.flows.test_river import BROWSER
from tests.flows.world import World, eventually

CROWD = 120
SILENT, WITHDRAWN, SUPPRESSED, CAPPED = "person-0", "person-1", "person-2", "person-3"
REASONS = {
    SILENT: "The contact has not agreed to marketing e-mail.",
    WITHDRAWN: "The contact unsubscribed.",
    SUPPRESSED: "The address is on the suppression list.",
    CAPPED: "The contact has had as many messages as allowed (1 in a day): “Sale” went instead.",
}


def test_a_campaign_is_launched_paused_resumed_and_reaches_everybody_once(world: World) -> None:
    world.inbox.seconds = 0.02
    world.start_worker()
    world.start_beat()
    people = _a_crowd(world)
    template = world.post(
        "email-templates/",
        {
            "name": "Sale",
            "subject": "Sale for {{ contact.name }}",
            "html": '<p>Hello</p><a href="https://shop.example/sale">Sale</a>',
        },
        status=201,
    )
    world.post(f"email-templates/{template['id']}/publish/", status=201)
    _cap(world, people[CAPPED], template["id"])

    campaign = _launch(world, template["id"])
    path = f"campaigns/{campaign}"
    eventually(lambda: len(world.inbox.mails) > 10)
    paused = world.post(f"{path}/pause/")
    assert paused["status"] == "paused"
    held = eventually(lambda: _at_rest(world, path))
    assert held["held_count"] > 0
    so_far = len(world.inbox.mails)
    time.sleep(2.5)  # two sweeps
    assert len(world.inbox.mails) == so_far, "nothing leaves while it is paused"
    world.post(f"{path}/resume/")
    eventually(lambda: world.get(f"{path}/")["status"] == "completed")

    expected = Counter({f"{person}@crowd.example": 1 for person in people if person not in REASONS})
    assert Counter(world.inbox.recipients) == expected + Counter({f"{CAPPED}@crowd.example": 1})
    refused = Message.objects.filter(source_type="campaign", status="refused")
    assert dict(refused.values_list("contact__user_id", "reason")) == REASONS
    _click_and_buy(world, "person-10")
    eventually(lambda: world.get(f"{path}/report/")["click_count"] == 1)
    report = world.get(f"{path}/report/")
    sent = CROWD - len(REASONS)
    assert {name: report[name] for name in COUNTS} == COUNTS | {"sent_count": sent}
    assert report["click_rate"] == report["open_rate"] == round(1 / sent, 4)
    _returns_are_exact(world, campaign, sent)


COUNTS = {
    "target_count": CROWD,
    "message_count": CROWD,
    "sent_count": 0,
    "refused_count": len(REASONS),
    "failed_count": 0,
    "uncertain_count": 0,
    "open_count": 1,
    "click_count": 1,
    "unsubscribe_count": 0,
}


def _a_crowd(world: World) -> dict[str, int]:
    """People in Leeds, and one elsewhere; ids by user id of those in Leeds."""
    cities = ["Leeds"] * CROWD + ["York"]
    world.send(
        *(
            {
                "type": "identify",
                "userId": f"person-{number}",
                "traits": {"name": f"Person {number}", "email": f"person-{number}@crowd.example", "city": city},
            }
            for number, city in enumerate(cities)
        )
    )
    eventually(lambda: Contact.objects.count() == len(cities))
    ids = dict(Contact.objects.filter(city="Leeds").values_list("user_id", "pk"))
    audience.grant_consent([pk for name, pk in ids.items() if name != SILENT], "email", None, "sign-up form")
    audience.withdraw_consent([ids[WITHDRAWN]], "email", None, "by telephone")
    audience.suppress("email", f"{SUPPRESSED}@crowd.example", "hard bounce")
    return ids


def _cap(world: World, contact: int, template: int) -> None:
    """One mail a day is enough, and this contact gets it now."""
    DeliveryPolicy.objects.update(most_per_day=1)
    world.post(
        "automations/scheduled-tasks/",
        {
            "name": "First",
            "task_type": "send_template",
            "payload": {"template_id": template, "contact_ids": [contact]},
            "schedule_type": "delayed",
            "delay_seconds": 0,
        },
        status=201,
    )
    eventually(lambda: world.inbox.to(f"{CAPPED}@crowd.example"))


def _launch(world: World, template: int) -> int:
    """Everybody in Leeds except those who bought already, which is nobody yet."""
    leeds = {"field": "city", "operator": "equals", "value": "Leeds"}
    bought = {"event": "order_completed", "operator": "did", "count": 1}
    include = world.post("segments/", {"name": "Leeds", "rule": leeds}, status=201)
    exclude = world.post("segments/", {"name": "Bought", "rule": bought}, status=201)
    campaign = world.post(
        "campaigns/",
        {
            "name": "Summer sale",
            "template_id": template,
            "audience": {"include": [include["id"]], "exclude": [exclude["id"]]},
            "cost_minor": 2_000,
        },
        status=201,
    )
    world.post(f"campaigns/{campaign['id']}/launch/")
    return int(campaign["id"])


def _at_rest(world: World, path: str) -> dict[str, Any] | None:
    """The progress once no message is on its way."""
    progress: dict[str, Any] = world.get(f"{path}/progress/")
    return None if progress["sending_count"] or progress["queued_count"] else progress


def _click_and_buy(world: World, person: str) -> None:
    body = world.inbox.to(f"{person}@crowd.example")[0].get_body(("html",))
    assert body is not None
    pixel = re.search(r'src="([^"]+/t/o/[^"]+)"', body.get_content())
    link = re.search(r'href="([^"]+/t/c/[^"]+)"', body.get_content())
    assert pixel is not None and link is not None
    time.sleep(2.1)  # nobody clicks within two seconds: that would be a scanner
    httpx.get(pixel[1], headers=BROWSER)
    assert httpx.get(link[1], headers=BROWSER).headers["Location"].startswith("https://shop.example/sale?")
    order = {"order_id": "C-1", "total": "99.95", "currency": "GBP"}
    world.send({"type": "track", "event": "order_completed", "userId": person, "properties": order})


def _returns_are_exact(world: World, campaign: int, sent: int) -> None:
    """£99.95 for £20: the API and the page say the same."""
    returns = eventually(
        lambda: (
            (found := world.get("attribution/campaigns/?days=2&model=last")["campaigns"])
            and found[0]["revenue_minor"]
            and found[0]
        )
    )
    assert returns["campaign_id"] == campaign
    assert (returns["sends"], returns["opened"], returns["clicked"]) == (sent, 1, 1)
    assert (returns["revenue_minor"], returns["cost_minor"], returns["conversions"]) == (9_995, 2_000, 1.0)
    assert (returns["roas"], returns["roi_percent"], returns["tier"]) == (4.9975, 399.75, "good")
    page = world.page("/dashboards/campaigns/")
    assert "99.95" in page and "20.00" in page
