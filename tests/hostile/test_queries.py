"""Addresses: query parameters, cursors, ids and slugs that were never meant."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from tests.hostile.conftest import Attacker, refusal
from tests.hostile.snapshot import unchanged
from tests.hostile.town import Town

SQL = "x' OR 1=1; DROP TABLE audience_contact; --"
# list → the names it filters by
LISTS: dict[str, list[str]] = {
    "segments/": ["name", "kind", "status", "is_active", "tag"],
    "segments/{segment}/leads/": [],
    "contacts/": ["status", "priority", "email", "user_id", "tag", "search"],
    "contacts/{contact}/events/": [],
    "email-templates/": ["name", "slug", "kind", "is_archived"],
    "campaigns/": ["status", "name", "contact"],
    "automations/": ["name", "slug", "is_active", "trigger_type"],
    "automations/{automation}/runs/": ["status"],
    "automations/scheduled-tasks/": ["status", "schedule_type", "task_type", "is_active"],
    "tasks/": ["status", "task_type", "priority", "assignee_id", "contact_id", "due_before"],
    "attribution/conversions/": [
        "happened_after", "happened_before", "goal", "contact", "currency", "order_id", "model", "campaign",
        "channel", "campaign_name", "unattributed", "counted",
    ],
    "attribution/touchpoints/": ["happened_after", "contact", "campaign", "channel", "kind"],
    "attribution/costs/": ["campaign", "channel", "day_after"],
    "attribution/campaigns/": ["from", "until", "days", "model", "goal", "campaign"],
    "attribution/models/": ["from", "until", "days", "goal"],
    "viral/programs/": ["is_active", "slug"],
    "viral/codes/": ["program", "contact", "code"],
    "viral/referrals/": ["status", "program", "inviter", "code", "created_after"],
    "viral/rewards/": ["status", "side", "contact", "referral", "program"],
    "viral/coefficient/": ["from", "until", "days", "program"],
}  # fmt: skip
VALUES = [
    SQL, "\x00", "-1", "9" * 40, "NaN", "null", "{}", "a" * 20_000, "2026-02-30", "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00+14:00", "💥%(organization)s{{7*7}}", "٣", "²", "\ud7ff\ufffe",
]  # fmt: skip
PLACES = [
    "p=" + SQL, "p=\x00", "p=" + "9" * 5000, "p=nan", "p=1&p=2", "p=2026-01-01T00:00:00+99:99", "r=1&p=2026-99-99",
    "p=0001-01-01T00:00:00+14:00", "r=1", "o=abc", "o=-1&p=1", "o=9999999999&p=1",
]  # fmt: skip
CURSORS = ["x", "=" * 50, "💥", "\x00", "A" * 20_000, *(base64.b64encode(each.encode()).decode() for each in PLACES)]


@pytest.mark.parametrize("path", list(LISTS))
def test_hostile_query_parameters_are_refused_or_find_nothing(attacker: Attacker, home: Town, path: str) -> None:
    place = path.format(**home.__dict__)
    with unchanged():
        for name in [*LISTS[path], "unknown", "organization_id", "ordering"]:
            for value in VALUES:
                answer = attacker.ask("get", f"{place}?{urlencode({name: value})}")
                assert answer.status_code < 500, f"{name}={value!r:.60}: {answer.status_code}"
                if answer.status_code >= 400:
                    refusal(answer)


@pytest.mark.parametrize("path", [path for path in LISTS if not path.endswith(("models/", "coefficient/"))])
def test_absurd_pages_are_refused_or_small(attacker: Attacker, home: Town, path: str) -> None:
    place = path.format(**home.__dict__)
    with unchanged():
        for cursor in CURSORS:
            answer = attacker.ask("get", f"{place}?{urlencode({'cursor': cursor})}")
            assert answer.status_code < 500, f"{cursor!r:.60}: {answer.status_code}"
        for limit in ("0", "-1", "1e9", "9" * 30, "abc", "", "1.5", "\x00", "٣"):
            answer = attacker.ask("get", f"{place}?{urlencode({'limit': limit})}")
            assert answer.status_code < 500, f"limit={limit!r}: {answer.status_code}"


IDS = [
    "0",
    "-1",
    "9" * 18,
    "9" * 19,
    "9" * 400,
    "1.0",
    "1e3",
    "٣",
    "abc",
    "%00",
    "%2e%2e",
    quote(SQL),
    "1%0d%0aX-A: b",
]
ROWS = [
    "segments/{}/", "segments/{}/leads/", "contacts/{}/", "campaigns/{}/", "campaigns/{}/report/",
    "email-templates/{}/", "automations/{}/", "automations/{}/runs/", "automations/scheduled-tasks/{}/", "tasks/{}/",
    "attribution/costs/{}/", "attribution/conversions/{}/", "attribution/journeys/{}/", "viral/programs/{}/",
    "viral/rewards/{}/",
]  # fmt: skip


@pytest.mark.parametrize("path", ROWS)
def test_ids_that_are_none_are_not_found(attacker: Attacker, home: Town, path: str) -> None:
    with unchanged():
        for text in IDS:
            for method in ("get", "patch", "delete"):
                answer = attacker.ask(method, path.format(text))
                assert answer.status_code in (404, 405), f"{method} {text}: {answer.status_code}"
                assert "X-A" not in answer.headers


def test_pages_take_hostile_parameters_too(admin: Client, home: Town) -> None:
    names = ["from", "until", "days", "model", "goal", "campaign", "before", "format"]
    everywhere = [
        "/live/",
        "/health/",
        "/dashboards/attribution/",
        "/dashboards/viral/",
        f"/contacts/{home.contact}/",
    ]
    with unchanged():
        for value in [SQL, "\x00", "9" * 40, "9999-12-31T23:59:59+14:00", "csv"]:
            asked = [("/dashboards/campaigns/", {name: value}) for name in names]
            for path, query in [*asked, *((path, dict.fromkeys(names, value)) for path in everywhere)]:
                answer: Any = admin.get(path, query)
                assert answer.status_code < 500, f"{path}?{query!r:.80}"
