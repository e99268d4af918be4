"""(j) Preview of an e-mail of 20 blocks: the whole request, from JSON to checks, beside its two bare parts.

The editor asks for it while somebody types. The yardstick does of the same mail what nobody can leave out: MJML to
HTML, and the HTML read and filled in by the sandbox.
"""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from benchmarks import report
from benchmarks.report import Figure

GOAL_MS = 50.0


def run(*, smoke: bool) -> None:
    from rest_framework.test import APIClient

    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from audience.models import Contact
    from common import tenancy

    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _, key = accounts.issue_key("bench", ApiKeyKind.SECRET)
        contact = Contact.objects.create(name="Ada Lovelace", email="ada@example.com", city="Leeds")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    body: dict[str, Any] = {"subject": "News", "blocks": {"blocks": twenty()}, "contact_id": contact.pk}

    rounds = count()

    def ask() -> None:
        # Somebody types: one block is another one each time.
        body["blocks"]["blocks"][1]["text"] = f"<p>Round {next(rounds)} for {{{{ contact.name }}}}</p>"
        answer = client.post("/api/v1/email-templates/render/", body, format="json")
        assert answer.status_code == 200 and not answer.json()["problems"], answer.content

    times = _times(ask, 5 if smoke else 200)
    bare = _times(_bare, 5 if smoke else 200)
    middle, slow = report.percentile(times, 0.5), report.percentile(times, 0.95)
    report.publish(
        "blocks",
        [
            Figure("preview of 20 blocks, p50", middle, "ms", "bare MJML and sandbox", report.percentile(bare, 0.5)),
            Figure("preview of 20 blocks, p95", slow, "ms", goal=f"≤ {GOAL_MS:.0f} ms", is_met=slow <= GOAL_MS),
        ],
        {"process": report.peak_megabytes()},
    )


def twenty() -> list[dict[str, Any]]:
    """A mail as people make them: words, pictures, buttons, products in columns, a condition, a footer."""
    product = {
        "type": "product", "src": "https://shop.example/a.png", "alt": "A boat", "title": "Boat", "price": "£12",
        "href": "https://shop.example/boat", "label": "Look",
    }  # fmt: skip
    words = "<p>Hello <b>{{ contact.name }}</b>, this is what happened in {{ contact.city }}.</p>" * 3
    return [
        {"type": "heading", "text": "News for {{ contact.first_name }}"},
        *({"type": "text", "text": words} for _ in range(6)),
        {"type": "image", "src": "https://shop.example/b.png", "alt": "The harbour"},
        {"type": "columns", "columns": [{"blocks": [product]}, {"blocks": [product]}]},
        *({"type": "button", "label": "Read on", "href": "https://shop.example/{{ contact.id }}"} for _ in range(3)),
        {
            "type": "text", "text": words,
            "show_when": {"variable": "contact.city", "operator": "equals", "value": "Leeds"},
        },
        {"type": "divider"},
        {"type": "menu", "items": [{"label": "Shop", "href": "https://shop.example"}]},
        {"type": "spacer"},
        {"type": "footer", "address": "Acme, London"},
    ]  # fmt: skip


def _bare() -> None:
    from campaigns.domain.blocks import compiler, parse
    from delivery.domain import sandbox
    from delivery.domain.sandbox import Values

    html = compiler.compiled(parse.parse({"blocks": twenty()}).tree).html
    contact = Values("contact", {"id": 1, "name": "Ada Lovelace", "first_name": "Ada", "city": "Leeds"}, {})
    sandbox.compiled(html, is_html=True)({"contact": contact, "unsubscribe_url": "#"})


def _times(ask: Any, rounds: int) -> list[float]:
    """Milliseconds of each round, the first left out."""
    ask()
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        found.append((time.perf_counter() - started) * 1000)
    return found
