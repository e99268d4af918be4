"""Turns the retail history into the calls an SDK would have made. Pure: same input, same calls, same message ids.

Orders, refunds and money are real. Visits, sign-ups and invitations are drawn from a seeded model and carry
`"simulated": true`.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from marketing_site.demo.retail import CURRENCY, Invoice

NAMESPACE = uuid.UUID("7a0e55d2-5f0c-5f6e-9f0e-0b5f3a1c2d4e")
SEED = 20_111_209
MOST_EVENT_BYTES = 30_000
PAST_CAMPAIGN = "autumn-catalogue"
# Where simulated visits come from: share, campaign context.
SOURCES: list[tuple[float, dict[str, str]]] = [
    (0.26, {"source": "google", "medium": "cpc", "name": "brand-search"}),
    (0.20, {"source": "newsletter", "medium": "email", "name": PAST_CAMPAIGN}),
    (0.16, {"source": "facebook", "medium": "paid_social", "name": "gift-ideas"}),
    (0.14, {"source": "google", "medium": "organic"}),
    (0.10, {"source": "instagram", "medium": "social"}),
    (0.14, {}),
]
VISITED_SHARE = 0.45
INVITED_SHARE = 0.06
FIRST_NAMES = [
    "Ada", "Amir", "Bea", "Ben", "Cara", "Chen", "Dina", "Eli", "Fay", "Finn", "Gus", "Hana",
    "Ida", "Ivan", "Jo", "Kai", "Lea", "Leo", "Mia", "Ned", "Noor", "Olga", "Pia", "Ravi",
]  # fmt: skip
LAST_NAMES = [
    "Abbot", "Baker", "Carter", "Dyer", "Fisher", "Glover", "Hunter", "Mason",
    "Miller", "Parker", "Potter", "Sawyer", "Smith", "Tanner", "Turner", "Weaver",
]  # fmt: skip
TIME_ZONES = {"United Kingdom": "Europe/London", "France": "Europe/Paris", "Germany": "Europe/Berlin",
              "EIRE": "Europe/Dublin", "Spain": "Europe/Madrid", "Australia": "Australia/Sydney"}  # fmt: skip


@dataclass
class Story:
    """The history split at the moments where the demo sets something up in between."""

    people: list[dict[str, Any]] = field(default_factory=list)
    inviters: list[str] = field(default_factory=list)
    invitations: dict[str, str] = field(default_factory=dict)  # invited user id → inviter's user id
    invoices: list[Invoice] = field(default_factory=list)


def tell(invoices: Iterable[Invoice]) -> Story:
    """Who the customers are and who invited whom."""
    story = Story(invoices=list(invoices))
    draw = random.Random(SEED)
    first: dict[int, Invoice] = {}
    count: dict[int, int] = defaultdict(int)
    for invoice in story.invoices:
        first.setdefault(invoice.customer, invoice)
        count[invoice.customer] += 1
    story.people = [_identify(invoice) for invoice in first.values()]
    # Loyal customers invite; those who came later were invited.
    story.inviters = [user_id(customer) for customer in first if count[customer] >= 12][:300]
    late = [customer for customer, invoice in first.items() if invoice is not story.invoices[0]][len(first) // 3 :]
    for customer in late:
        if draw.random() < INVITED_SHARE and user_id(customer) not in story.inviters:
            story.invitations[user_id(customer)] = draw.choice(story.inviters)
    return story


def user_id(customer: int) -> str:
    return f"customer-{customer}"


def message_id(*parts: object) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(str(part) for part in parts)))


def _identify(first: Invoice) -> dict[str, Any]:
    draw = random.Random(first.customer)
    name = f"{draw.choice(FIRST_NAMES)} {draw.choice(LAST_NAMES)}"
    address = f"{name.lower().replace(' ', '.')}.{first.customer}@shop.example"
    return {
        "type": "identify",
        "messageId": message_id("identify", first.customer),
        "userId": user_id(first.customer),
        "timestamp": first.happened_at.isoformat(),
        "traits": {
            "name": name,
            "email": address,
            "country": first.country,
            "timezone": TIME_ZONES.get(first.country, "Europe/London"),
            "source": "Online Retail history",
            "first_order_at": first.happened_at.isoformat(),
        },
    }


def newcomers(count: int, now: datetime) -> list[dict[str, Any]]:
    """Simulated sign-ups of the last hours; the same people every time."""
    draw = random.Random(SEED)
    calls = []
    for number in range(count):
        name = f"{draw.choice(FIRST_NAMES)} {draw.choice(LAST_NAMES)}"
        moment = now - timedelta(minutes=draw.randrange(5, 300))
        traits = {
            "name": name,
            "email": f"{name.lower().replace(' ', '.')}.new{number}@shop.example",
            "country": "United Kingdom",
            "timezone": "Europe/London",
            "source": "Simulated sign-up",
        }
        calls.append(
            {
                "type": "identify",
                "messageId": message_id("newcomer", number),
                "userId": f"newcomer-{number}",
                "timestamp": moment.isoformat(),
                "traits": traits,
            }
        )
    return calls


def events(story: Story, codes: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every visit, sign-up, order and refund, oldest first. `codes`: referral code by inviter's user id."""
    draw = random.Random(SEED)
    orders: dict[int, list[Invoice]] = defaultdict(list)
    found: list[tuple[datetime, dict[str, Any]]] = []
    for invoice in story.invoices:
        if not orders[invoice.customer]:
            found += _arrival(invoice, codes.get(story.invitations.get(user_id(invoice.customer), ""), ""))
        if invoice.is_cancellation:
            found.append((invoice.happened_at, _refund(invoice, orders[invoice.customer])))
        else:
            found += _visits(invoice, draw)
            found.append((invoice.happened_at, _order(invoice)))
        orders[invoice.customer].append(invoice)
    found.sort(key=lambda item: item[0])
    return (event for _, event in found)


def _order(invoice: Invoice) -> dict[str, Any]:
    return _track(invoice, "order_completed", "order", {
        "order_id": invoice.number,
        "total": invoice.total_minor / 100,
        "currency": CURRENCY,
        "item_count": sum(line.quantity for line in invoice.lines),
        "lines": _lines(invoice),
    })  # fmt: skip


def _refund(invoice: Invoice, earlier: list[Invoice]) -> dict[str, Any]:
    """A cancellation names no order in the data; it is matched with the latest one that holds its first product."""
    wanted = invoice.lines[0].sku
    order = next(
        (o for o in reversed(earlier) if not o.is_cancellation and wanted in {line.sku for line in o.lines}), None
    )
    properties: dict[str, Any] = {
        "refund_id": invoice.number,
        "total": abs(invoice.total_minor) / 100,
        "currency": CURRENCY,
        "lines": _lines(invoice),
    }
    return _track(invoice, "order_refunded", "refund", properties | ({"order_id": order.number} if order else {}))


def _lines(invoice: Invoice) -> list[dict[str, Any]]:
    lines = [
        {"sku": line.sku, "name": line.name, "quantity": line.quantity, "price": line.price_minor / 100}
        for line in invoice.lines
    ]
    if len(msgspec.json.encode(lines)) > MOST_EVENT_BYTES:
        for line in lines:
            del line["name"]
    return lines


def _arrival(first: Invoice, code: str) -> list[tuple[datetime, dict[str, Any]]]:
    """An invited customer's visit and sign-up, shortly before the first order."""
    if not code:
        return []
    visit_at, sign_up_at = first.happened_at - timedelta(hours=3), first.happened_at - timedelta(hours=1)
    campaign = {"source": "referral", "medium": "referral"}
    return [
        (visit_at, _page(first, visit_at, campaign, {"referral_code": code}, "invited")),
        (sign_up_at, _track(first, "signed_up", "signed-up", {"referral_code": code, "simulated": True}, sign_up_at)),
    ]


def _visits(invoice: Invoice, draw: random.Random) -> list[tuple[datetime, dict[str, Any]]]:
    if draw.random() > VISITED_SHARE:
        return []
    visits = []
    for number in range(draw.choice([1, 1, 2, 3])):
        moment = invoice.happened_at - timedelta(hours=draw.expovariate(1 / 60) + 0.2)
        campaign = draw.choices([source for _, source in SOURCES], [share for share, _ in SOURCES])[0]
        visits.append((moment, _page(invoice, moment, campaign, {}, f"visit-{number}")))
    return visits


def _page(
    invoice: Invoice, moment: datetime, campaign: dict[str, str], properties: dict[str, Any], kind: str
) -> dict[str, Any]:
    url = "https://shop.example/"
    return {
        "type": "page",
        "messageId": message_id(kind, invoice.number),
        "userId": user_id(invoice.customer),
        "timestamp": moment.isoformat(),
        "name": "Shop",
        "properties": {"url": url, "path": "/", "simulated": True} | properties,
        "context": {"page": {"url": url, "path": "/"}} | ({"campaign": campaign} if campaign else {}),
    }


def _track(
    invoice: Invoice, event: str, kind: str, properties: dict[str, Any], moment: datetime | None = None
) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": message_id(kind, invoice.number),
        "userId": user_id(invoice.customer),
        "timestamp": (moment or invoice.happened_at).isoformat(),
        "event": event,
        "properties": properties,
    }
