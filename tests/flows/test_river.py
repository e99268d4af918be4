"""The whole river over HTTP, SMTP and a real worker: from an SDK's event to the money on the page."""

from __future__ import annotations

import re
import time
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from audience import services as audience
from audience.models import Contact
from delivery.models import Message
from tests.flows.world import World, eventually

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
MODELS = {"first", "last", "linear", "time_decay", "position"}
CART = "https://shop.example/cart?step=1"
TEMPLATE = {
    "name": "Cart",
    "subject": "{{ contact.name }}, your cart waits",
    "html": f'<p>Hello {{{{ contact.name }}}}</p><p><a href="{CART}">To your cart</a></p>',
}


def test_an_event_becomes_a_mail_a_click_an_order_and_credited_money(world: World) -> None:
    world.start_worker()
    world.start_beat()
    automation = _a_workflow_for_full_carts_in_leeds(world)
    ada, bob = _people(world)

    world.send(
        {"type": "track", "event": "cart_filled", "userId": "ada", "properties": {"items": 3}},
        {"type": "track", "event": "cart_filled", "userId": "bob", "properties": {"items": 3}},
    )
    mail = eventually(lambda: world.inbox.to("ada@example.com"))[0]

    assert mail["Subject"] == "Ada, your cart waits"
    assert _members(world, "full-carts-in-leeds") == [ada]
    assert _runs(world, automation) == [(ada, "completed")]

    _read_and_click(mail)
    order = {"order_id": "A-1", "total": "129.99", "currency": "GBP"}
    world.send({"type": "track", "event": "order_completed", "userId": "ada", "properties": order})

    credits = eventually(lambda: _credits(world, ada))
    touchpoint = world.get(f"attribution/touchpoints/?contact={ada}")["results"][0]
    assert touchpoint["message_id"] == Message.objects.get(contact_id=ada).pk
    assert credits == {(model, touchpoint["id"], 12_999) for model in MODELS}
    compared = world.get("attribution/models/?days=2")
    assert compared["totals"]["revenue_minor"] == 12_999
    assert [line["channel"] for line in compared["channels"]] == ["email"]
    assert compared["channels"][0]["revenue_minor"] == dict.fromkeys(MODELS, 12_999)
    assert "129.99" in world.page("/dashboards/attribution/")
    assert "129.99" in world.page(f"/contacts/{ada}/")
    assert not world.inbox.to("bob@example.com"), "Bob is not in Leeds"

    _unsubscribe_by_one_click(mail)
    _another_mail(world, ada, bob)

    eventually(lambda: world.inbox.to("bob@example.com"))
    eventually(lambda: Message.objects.filter(contact_id=ada).latest("pk").status == "refused")
    assert Message.objects.filter(contact_id=ada).latest("pk").reason == "The contact unsubscribed."
    assert len(world.inbox.to("ada@example.com")) == 1


def test_a_friend_who_comes_by_a_link_and_buys_earns_a_reward(world: World) -> None:
    world.start_worker()
    world.start_beat()
    ada, _ = _people(world)
    program = world.post(
        "viral/programs/",
        {
            "name": "Friends",
            "slug": "friends",
            "landing_url": "https://shop.example/friends",
            "inviter_reward_kind": "points",
            "inviter_reward_amount": 500,
        },
        status=201,
    )
    code = world.post("viral/codes/", {"program_id": program["id"], "user_id": "ada"})

    visit = httpx.get(code["link"], headers=BROWSER)
    landing = visit.headers["Location"]
    assert visit.status_code == 302
    assert landing.startswith("https://shop.example/friends?")
    page = {"page": {"url": landing}}
    world.send({"type": "page", "anonymousId": "friend-browser", "context": page, "properties": {"url": landing}})
    eve = {"name": "Eve", "email": "eve@elsewhere.example"}
    world.send({"type": "identify", "userId": "eve", "anonymousId": "friend-browser", "traits": eve})
    world.send({"type": "track", "event": "signed_up", "userId": "eve", "anonymousId": "friend-browser"})
    referral = eventually(lambda: _referrals(world, "signed_up"))[0]
    assert referral["inviter_id"] == ada
    assert world.get("viral/rewards/")["results"] == []

    order = {"order_id": "E-1", "total": "20.00", "currency": "GBP"}
    world.send({"type": "track", "event": "order_completed", "userId": "eve", "properties": order})

    rewards = eventually(lambda: world.get("viral/rewards/")["results"])
    assert [(row["contact_id"], row["side"], row["amount"]) for row in rewards] == [(ada, "inviter", 500)]
    assert _referrals(world, "rewarded")[0]["invitee_id"] == Contact.objects.get(user_id="eve").pk
    assert world.get("viral/coefficient/?days=2")["coefficient"] == 1.0


def _a_workflow_for_full_carts_in_leeds(world: World) -> int:
    rule = {
        "match": "all",
        "rules": [
            {"field": "city", "operator": "equals", "value": "Leeds"},
            {
                "event": "cart_filled",
                "operator": "did",
                "count": 1,
                "within": {"days": 1},
                "where": [{"property": "items", "operator": "greater", "value": 2}],
            },
        ],
    }
    segment = world.post("segments/", {"name": "Full carts in Leeds", "rule": rule}, status=201)
    template = world.post("email-templates/", TEMPLATE, status=201)
    eventually(lambda: world.get(f"segments/{segment['id']}/")["status"] == "ready")
    automation = world.post(
        "automations/",
        {
            "name": "Full carts",
            "trigger_type": "segment_entered",
            "trigger_configuration": {"segment_id": segment["id"]},
            "is_active": True,
            "actions": [
                {"action_type": "add_tag", "action_order": 0, "configuration": {"tag": "cart"}},
                {"action_type": "send_email", "action_order": 1, "configuration": {"template_id": template["id"]}},
            ],
        },
        status=201,
    )
    return int(automation["id"])


def _people(world: World) -> tuple[int, int]:
    """Ada in Leeds and Bob in York, who agreed to mail; their ids."""
    for name, city in (("Ada", "Leeds"), ("Bob", "York")):
        traits = {"name": name, "email": f"{name.lower()}@example.com", "city": city}
        world.send({"type": "identify", "userId": name.lower(), "traits": traits})
    found = eventually(lambda: (rows := world.get("contacts/")["results"]) and len(rows) == 2 and rows)
    ids = {row["user_id"]: row["id"] for row in found}
    audience.grant_consent(list(ids.values()), "email", None, "sign-up form", "Send me offers")
    return ids["ada"], ids["bob"]


def _members(world: World, segment: str) -> list[int]:
    return [row["id"] for row in world.get(f"segments/{segment}/leads/")["results"]]


def _runs(world: World, automation: int) -> list[tuple[int, str]]:
    rows = world.get(f"automations/{automation}/runs/")["results"]
    return [(row["contact_id"], row["status"]) for row in rows]


def _credits(world: World, contact: int) -> set[tuple[str, int, int]]:
    rows = world.get(f"attribution/conversions/?contact={contact}")["results"]
    return {(each["model"], each["touchpoint_id"], each["amount_minor"]) for row in rows for each in row["credits"]}


def _referrals(world: World, status: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = world.get(f"viral/referrals/?status={status}")["results"]
    return rows


def _read_and_click(mail: EmailMessage) -> None:
    body = mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    pixel = re.search(r'src="([^"]+/t/o/[^"]+)"', html)
    link = re.search(r'href="([^"]+/t/c/[^"]+)"', html)
    assert pixel and link and "shop.example" not in html
    time.sleep(2.1)  # nobody clicks within two seconds: that would be a scanner
    assert httpx.get(pixel[1], headers=BROWSER).headers["Content-Type"] == "image/gif"
    answer = httpx.get(link[1], headers=BROWSER)
    there = urlsplit(answer.headers["Location"])
    query = parse_qs(there.query)
    assert answer.status_code == 302
    assert (there.netloc, there.path, query["step"]) == ("shop.example", "/cart", ["1"])
    assert query["utm_medium"] == ["email"]


def _unsubscribe_by_one_click(mail: EmailMessage) -> None:
    address = mail["List-Unsubscribe"].strip("<>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert httpx.get(address).status_code == 200
    assert Message.objects.get().unsubscribed_at is None, "a GET never unsubscribes"
    assert httpx.post(address, data={"List-Unsubscribe": "One-Click"}).status_code == 200


def _another_mail(world: World, *contact_ids: int) -> None:
    template = world.post("email-templates/", {**TEMPLATE, "name": "Again", "subject": "Again"}, status=201)
    world.post(
        "automations/scheduled-tasks/",
        {
            "name": "Again",
            "task_type": "send_template",
            "payload": {"template_id": template["id"], "contact_ids": list(contact_ids)},
            "schedule_type": "delayed",
            "delay_seconds": 0,
        },
        status=201,
    )
