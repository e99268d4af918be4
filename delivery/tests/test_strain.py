"""Accounts that fail are paused with a reason; one message tries whether they work again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditEntry, Organization
from common import clock
from dashboards import health
from delivery import services
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.domain.strain import LAST_PROBE, Strain, probe_after, what_now
from delivery.models import Message, Provider
from delivery.services import outgoing, straining
from delivery.tests.fake_api import FakeApi, Reply, serving
from delivery.tests.making import contact, queue, send

SENT, LATER = Outcome(OutcomeKind.SENT), Outcome(OutcomeKind.RETRY, "500 oops")
WAIT = Outcome(OutcomeKind.UNTRIED, "429", retry_after_seconds=5)
DEAD = Outcome(OutcomeKind.FAILED, "550", is_hard_bounce=True)
REFUSED = Outcome(OutcomeKind.UNTRIED, "401 no", is_account_refused=True)
UNREACHED = Outcome(OutcomeKind.UNTRIED, "refused")


@pytest.mark.parametrize(
    ("flights", "because"),
    [
        ([[SENT] * 50], ""),
        ([[LATER] * 19], ""),
        ([[LATER] * 20], "errors"),
        ([[LATER] * 9 + [SENT] * 11], ""),
        ([[LATER] * 10 + [SENT] * 10], "errors"),
        ([[SENT] * 40, [LATER] * 19], ""),
        ([[SENT] * 40, [LATER] * 20], "errors"),
        ([[DEAD] * 50], ""),
        ([[WAIT] * 50] * 10, ""),
        ([[SENT] * 49 + [REFUSED]], "account"),
        ([[UNREACHED]] * 4, ""),
        ([[UNREACHED]] * 5, "errors"),
        ([[UNREACHED]] * 4 + [[SENT]] + [[UNREACHED]] * 4, ""),
        ([[Outcome(OutcomeKind.REFUSED, "template")] * 50], ""),
    ],
)
def test_when_it_is_too_much(flights: list[list[Outcome]], because: str) -> None:
    strain = Strain()
    stops = [stop for flight in flights if (stop := strain.judge("Postmark", flight))]
    assert [stop.because for stop in stops] == ([because] if because else [])
    assert all(stop.reason and what_now(stop.because) for stop in stops)


def test_probes_come_ever_more_rarely() -> None:
    waits = [probe_after("errors", pauses) for pauses in range(1, 12)]
    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert waits == sorted(waits)
    assert waits[-1] == LAST_PROBE


@pytest.fixture
def api(settings: Any, noon: Any, organization: Organization) -> Iterator[FakeApi]:
    """Postmark is where messages go."""
    outgoing.reset()
    straining.reset()
    with serving("postmark") as made:
        settings.PROVIDER_API_URLS = {"postmark": made.url}
        services.save_provider(Provider(kind="postmark", channel="email", name="Postmark"), {"server_token": "t"})
        yield made
        outgoing.reset()


def people(count: int) -> list[Any]:
    return [contact(f"p{number}@example.com") for number in range(count)]


def test_a_refused_key_pauses_the_account_and_nothing_is_lost(api: FakeApi, organization: Organization) -> None:
    api.behave = lambda request, nth: api.fake.refusal(401, "The token is wrong")
    queue(*people(30))
    send(organization)

    row = Provider.objects.get()
    assert row.paused_because == "account"
    assert row.paused_reason.startswith("Postmark refuses this account: 401")
    assert row.probe_at == clock.now() + timedelta(minutes=15)
    assert len(api.requests) <= 8
    assert set(Message.objects.values_list("status", "attempts")) == {("queued", 0)}
    entry = AuditEntry.objects.get(object_type="delivery.provider", action="pause")
    assert entry.actor == "the send loop"
    check = next(each for each in health.machinery() if each.title == "Providers")
    assert check.status == "critical"
    assert "refuses this account" in check.measured
    assert "the key" in check.to_do


def test_one_message_tries_it_again_and_then_the_rest_goes(api: FakeApi, organization: Organization) -> None:
    api.behave = lambda request, nth: api.fake.refusal(401, "The token is wrong")
    queue(*people(30))
    send(organization)
    before = len(api.requests)

    with clock.travel(timedelta(minutes=16)):
        outgoing.reset()
        send(organization)
        assert len(api.requests) == before + 1
        row = Provider.objects.get()
        assert row.paused_reason.startswith("Postmark still fails: 401")
        assert row.probe_at == clock.now() + timedelta(minutes=30)
    api.behave = lambda request, nth: None
    with clock.travel(timedelta(minutes=50)):
        outgoing.reset()
        send(organization)
        row.refresh_from_db()
        assert (row.paused_at, row.paused_reason, row.pause_count) == (None, "", 0)
        send(organization)
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}
    assert sorted(api.taken.values()) == [1] * 30


def test_errors_over_the_threshold_pause_it_with_the_provider_s_words(
    api: FakeApi, organization: Organization
) -> None:
    api.behave = lambda request, nth: Reply(400, {"ErrorCode": 300, "Message": "Invalid 'From' address"})
    queue(*people(120))
    send(organization)
    row = Provider.objects.get()
    assert row.paused_because == "errors"
    assert "Invalid 'From' address" in row.paused_reason
    assert Message.objects.filter(status="failed").count() == 50  # a flight, and no more
    assert Message.objects.filter(status="queued").count() == 70


def test_a_pause_by_a_person_is_ended_by_a_person(api: FakeApi, organization: Organization) -> None:
    row = Provider.objects.get()
    services.pause_provider(row, "Paused by Olga.")
    queue(*people(3))
    with clock.travel(timedelta(days=1)):
        send(organization)
        assert api.requests == []
        services.resume_provider(row)
        send(organization)
    assert sorted(api.taken.values()) == [1, 1, 1]


def test_an_account_that_nobody_answers_for_is_paused_after_some_tries(
    api: FakeApi, organization: Organization, settings: Any
) -> None:
    settings.PROVIDER_API_URLS = {"postmark": "http://127.0.0.1:9/"}
    queue(*people(3))
    for minutes in range(1, 8):
        with clock.travel(timedelta(minutes=minutes)):
            outgoing.reset()
            send(organization)
    row = Provider.objects.get()
    assert row.paused_because == "errors"
    assert "cannot be reached" in row.paused_reason
    assert set(Message.objects.values_list("status", "attempts")) == {("queued", 0)}
