"""The real SDKs against a live server that fails now and then: nothing lost, nothing counted twice."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts import selectors
from audience.models import Contact, Event, Identity, RejectedEvent
from common import clock
from tests.clients import proxy

FOLDER = Path(__file__).parent
NODE_REASON = "the Node SDKs are not installed; run `npm ci` in tests/clients"
HAS_NODE = shutil.which("node") is not None and (FOLDER / "node_modules").is_dir()

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]
needs_node = pytest.mark.skipif(not HAS_NODE, reason=NODE_REASON)

CLICKS = {f"Clicked {number}": 1 for number in range(12)}
HOUR = 3_600_000


def segment_python(host: str, key: str) -> None:
    from segment.analytics.client import Client

    client = Client(write_key=key, host=host, max_retries=5, upload_size=5, gzip=True, timeout=60)
    client.log.setLevel(logging.CRITICAL)
    client.track(anonymous_id="visitor-1", event="Looked", properties={"sku": "s1"})
    client.identify("u1", {"email": "ada@example.com", "plan": "pro"}, anonymous_id="visitor-1")
    for number in range(12):
        client.track("u1", f"Clicked {number}", {"number": number})
    client.track("u1", "Order Completed", {"total": 12.34, "currency": "EUR"})
    client.page("u1", None, "Home", {"url": "https://shop.example/?utm_source=mail"})
    client.group("u1", "acme", {"size": 3})
    client.alias("legacy-7", "u1")
    client.track("legacy-7", "Old name")
    client.shutdown()


def posthog_python(host: str, key: str) -> None:
    from posthog import Posthog

    client = Posthog(key, host=host, flush_at=5, gzip=True, max_retries=5, timeout=60)
    client.capture("Looked", distinct_id="visitor-1", properties={"sku": "s1", "$process_person_profile": False})
    client.set(distinct_id="u1", properties={"email": "ada@example.com", "plan": "pro"})
    for number in range(12):
        client.capture(f"Clicked {number}", distinct_id="u1", properties={"number": number})
    client.capture("Order Completed", distinct_id="u1", properties={"total": 12.34, "currency": "EUR"})
    client.group_identify("company", "acme", {"size": 3}, distinct_id="u1")
    client.alias("legacy-7", "u1")
    client.capture("Old name", distinct_id="legacy-7")
    client.shutdown()


def node(library: str, skew: int = 0) -> Callable[[str, str], None]:
    def send(host: str, key: str) -> None:
        command = ["node", "send.mjs", library, host, key, *([str(skew)] if skew else [])]
        subprocess.run(command, cwd=FOLDER, check=True, timeout=180)

    return send


SEGMENT = [
    pytest.param(segment_python, id="segment-analytics-python"),
    pytest.param(node("segment"), id="@segment/analytics-node", marks=needs_node),
]
POSTHOG = [
    pytest.param(posthog_python, id="posthog"),
    pytest.param(node("posthog"), id="posthog-node", marks=needs_node),
]
FAILURES = [
    pytest.param({}, id="all is well"),
    pytest.param({"refuse": 2}, id="answers 500 first"),
    pytest.param({"forget": 2}, id="takes the batch and answers 500"),
]


@pytest.fixture(autouse=True)
def _fresh_keys() -> None:
    selectors.forget_keys()


def _counts() -> Counter[str]:
    return Counter(Event.objects.values_list("definition__name", flat=True))


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("send", SEGMENT)
def test_segment_sdks(live_server: Any, write_key: str, drain: Any, send: Any, failure: dict[str, int]) -> None:
    plan = proxy.Plan(**failure)
    with proxy.in_front_of(live_server.url, plan) as host:
        send(host, write_key)
    drain()

    assert _counts() == {"Looked": 1, "Order Completed": 1, "page": 1, "group": 1, "Old name": 1, **CLICKS}
    _check_ada(failure, plan)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("send", POSTHOG)
def test_posthog_sdks(live_server: Any, write_key: str, drain: Any, send: Any, failure: dict[str, int]) -> None:
    plan = proxy.Plan(**failure)
    with proxy.in_front_of(live_server.url, plan) as host:
        send(host, write_key)
    drain()

    assert _counts() == {"Looked": 1, "Order Completed": 1, "$groupidentify": 1, "Old name": 1, **CLICKS}
    _check_ada(failure, plan)


def _check_ada(failure: dict[str, int], plan: proxy.Plan) -> None:
    ada = Contact.objects.get(user_id="u1", merged_into=None)
    assert (ada.email, ada.attributes["plan"], ada.attributes["group_id"]) == ("ada@example.com", "pro", "acme")
    order = Event.objects.get(definition__name="Order Completed")
    assert (order.contact_id, order.value_minor, order.currency) == (ada.pk, 1234, "EUR")
    assert Event.objects.get(definition__name="Old name").contact_id == ada.pk
    assert Identity.objects.get(kind="user_id", value="legacy-7").contact_id == ada.pk
    assert not RejectedEvent.objects.exists()
    assert Counter(status for _, status in plan.seen)[500] == sum(failure.values())


@pytest.mark.parametrize("library", ["segment", "posthog"])
@needs_node
def test_a_client_whose_clock_is_an_hour_fast(live_server: Any, write_key: str, drain: Any, library: str) -> None:
    before = clock.now()
    node(library, HOUR)(live_server.url, write_key)
    drain()

    moments = list(Event.objects.values_list("happened_at", flat=True))
    assert moments
    assert all(before - timedelta(seconds=5) <= moment <= clock.now() for moment in moments)


@pytest.mark.parametrize("send", [*SEGMENT, *POSTHOG])
def test_a_wrong_key_does_not_hang_or_crash_the_client(live_server: Any, organization: Any, send: Any) -> None:
    send(live_server.url, "wk_wrong")

    assert not Event.objects.exists()
