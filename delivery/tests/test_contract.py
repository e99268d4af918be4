"""Every provider keeps the same contract, against a server that behaves and one that does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import Invalid
from delivery import providers
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers.contract import Connection, ProviderUnavailable
from delivery.providers.http import HttpConnection
from delivery.services.providers import checked
from delivery.tests.fake_http import HANG_SECONDS, KINDS, FakeServer, Kind, envelope, give_token, serving


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    settings.PRIVATE_HOSTS_ALLOWED = ["127.0.0.1"]
    monkeypatch.setattr(HttpConnection, "answer_seconds", 0.4)
    with serving() as fake:
        fake.routes["/token"] = give_token
        yield fake


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, server: FakeServer) -> Kind:
    found = KINDS[request.param]
    server.say = found.good
    return found


def connect(kind: Kind, url: str) -> Connection:
    provider = providers.PROVIDERS[kind.name]
    plain, secret = checked(provider, kind.values(url), {})
    provider.check(plain | secret)
    return provider.connect(plain | secret | {"channel": kind.channel})


def deliver(kind: Kind, server: FakeServer, count: int = 1) -> tuple[list[Outcome], Connection]:
    connection = connect(kind, server.url)
    sent = [envelope(kind, server.url, number) for number in range(2, 2 + count)]
    got = list(connection.deliver(iter(sent)))
    assert [each.message_id for each, _ in got] == [each.message_id for each in sent[: len(got)]]
    return [outcome for _, outcome in got], connection


def test_what_is_accepted_is_sent_and_keeps_the_providers_id(kind: Kind, server: FakeServer) -> None:
    outcomes, connection = deliver(kind, server, 3)

    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.SENT] * 3
    assert outcomes[0].answer == kind.provider_id
    assert len(server.messages()) == 3 and connection.is_usable


def test_a_refusal_is_final_and_says_what_the_provider_said(kind: Kind, server: FakeServer) -> None:
    server.say = kind.refusal
    (outcome,), _ = deliver(kind, server)

    # A receiver of webhooks may be broken for an hour; what it is owed waits.
    assert outcome.kind == (OutcomeKind.RETRY if kind.name == "webhook" else OutcomeKind.FAILED)
    assert outcome.answer.startswith("400") and not outcome.is_hard_bounce


def test_a_dead_address_is_told_apart(kind: Kind, server: FakeServer) -> None:
    if kind.dead is None:
        pytest.skip("has no addresses that die")
    server.say = kind.dead
    (outcome,), _ = deliver(kind, server)

    assert (outcome.kind, outcome.is_hard_bounce) == (OutcomeKind.FAILED, True)


def test_too_many_waits_as_long_as_asked(kind: Kind, server: FakeServer) -> None:
    server.say = (429, {"Retry-After": "17"}, b"slow down")
    outcomes, connection = deliver(kind, server, 3)

    assert (outcomes[0].kind, outcomes[0].retry_after_seconds) == (OutcomeKind.RETRY, 17.0)
    # The others would only hear the same; browsers have many services.
    assert (len(outcomes), connection.is_usable) == ((1, False) if kind.is_one_service else (3, True))


@pytest.mark.parametrize("status", [500, 503])
def test_a_broken_provider_is_tried_again(kind: Kind, server: FakeServer, status: int) -> None:
    server.say = (status, {}, b"oh no")
    outcomes, _ = deliver(kind, server)

    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.RETRY]


@pytest.mark.parametrize("say", ["hang", "drop", (504, {}, b"gateway timeout"), (200, {}, b"<html>?</html>")])
def test_without_a_clear_answer_nobody_knows(kind: Kind, server: FakeServer, say: Any) -> None:
    server.say = say
    started = time.monotonic()
    (outcome,), _ = deliver(kind, server)

    is_clear = isinstance(say, tuple) and say[0] == 200 and not kind.reads_answers
    assert outcome.kind == (OutcomeKind.SENT if is_clear else OutcomeKind.UNCERTAIN)
    assert len(server.messages()) == 1 and time.monotonic() - started < HANG_SECONDS / 2


def test_what_cannot_be_reached_has_sent_nothing(kind: Kind, server: FakeServer) -> None:
    if kind.name == "fcm":
        with pytest.raises(ProviderUnavailable):
            connect(kind, "http://127.0.0.1:9")
        return
    connection = connect(kind, "http://127.0.0.1:9")
    got = list(connection.deliver(iter([envelope(kind, "http://127.0.0.1:9", number) for number in (2, 3)])))

    if kind.is_one_service:
        assert [outcome.kind for _, outcome in got] == [OutcomeKind.UNTRIED] and not connection.is_usable
    else:
        assert [outcome.kind for _, outcome in got] == [OutcomeKind.RETRY] * 2 and connection.is_usable


def test_an_account_that_is_not_let_in_waits_and_blames_no_message(kind: Kind, server: FakeServer) -> None:
    server.say = (401, {}, b"who are you?")
    outcomes, connection = deliver(kind, server, 2)

    if kind.is_one_service:
        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.UNTRIED] and not connection.is_usable
    else:
        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.FAILED] * 2


def test_addresses_inside_the_network_are_not_called(kind: Kind, server: FakeServer, settings: Any) -> None:
    settings.PRIVATE_HOSTS_ALLOWED = []
    provider = providers.PROVIDERS[kind.name]
    plain, secret = checked(provider, kind.values(server.url), {})
    if kind.name != "web_push":  # there the browser tells the address, see test_devices
        with pytest.raises(Invalid, match="inside a network"):
            provider.check(plain | secret)
    try:
        list(provider.connect(plain | secret).deliver(_one(envelope(kind, server.url))))
    except ProviderUnavailable:
        assert kind.name == "fcm"
    assert server.asked == []


def test_closing_twice_and_asking_an_idle_connection_does_no_harm(kind: Kind, server: FakeServer) -> None:
    _, connection = deliver(kind, server)
    assert connection.is_alive()
    assert [outcome.kind for _, outcome in connection.deliver(_one(envelope(kind, server.url)))] == [OutcomeKind.SENT]
    connection.close()
    connection.close()


def _one(sent: Envelope) -> Iterator[Envelope]:
    yield sent
