"""What every provider with an API owes, against a server that behaves like it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Organization
from delivery import links
from delivery.domain.mime import Letter
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers import PROVIDERS
from delivery.tests.fake_api import FAKES, FakeApi, Reply, Request, serving

WITH_MEMORY = ("resend", "brevo")


@pytest.fixture(params=sorted(FAKES))
def fake(request: Any, settings: Any, organization: Organization) -> Iterator[FakeApi]:
    """One provider after the other."""
    with serving(request.param) as api:
        settings.PROVIDER_API_URLS = {request.param: api.url}
        yield api


def envelope(message_id: int = 7, **changes: Any) -> Envelope:
    values: dict[str, Any] = {
        "message_id": "reference@groundswell.example",
        "sent_at": datetime(2026, 11, 18, 12, tzinfo=UTC),
        "sender_name": "Acme, Ltd",
        "sender_address": "hello@acme.example",
        "recipient_name": "Ada Łovelace",
        "recipient_address": "ada@example.com",
        "subject": "Grüße, Ada",
        "html": "<p>Hello Ada</p>",
        "text": "Hello Ada",
        "reply_to": "desk@acme.example",
        "headers": (("List-Unsubscribe", "<https://acme.example/u/x>"),),
    }
    letter = Letter(**(values | changes))
    return Envelope(message_id, "hello@acme.example", letter.recipient_address, b"", letter, f"1-{message_id}")


def deliver(api: FakeApi, *envelopes: Envelope) -> tuple[dict[int, Outcome], Any]:
    connection = PROVIDERS[api.fake.name].connect(api.fake.settings)
    given = {each.message_id: outcome for each, outcome in connection.deliver(iter(envelopes or (envelope(),)))}
    return given, connection


def one(api: FakeApi) -> Outcome:
    outcomes, connection = deliver(api)
    connection.close()
    return outcomes[7]


def test_a_message_is_taken_with_all_that_it_says_and_our_reference(
    fake: FakeApi, organization: Organization
) -> None:
    outcome = one(fake)

    assert outcome.kind == OutcomeKind.SENT
    assert outcome.answer
    assert fake.taken == {7: 1}
    (request,) = fake.requests
    assert fake.fake.reference(request) == links.reference(organization.pk, 7)
    said = _everything_said(request, fake.fake.name)
    for words in ("Hello Ada", "<p>Hello Ada</p>", "ada@example.com", "hello@acme.example", "desk@acme.example",
                  "List-Unsubscribe", "<https://acme.example/u/x>", "Grüße, Ada"):  # fmt: skip
        assert words in said, f"{words} is missing"


def _everything_said(request: Request, name: str) -> str:
    if name == "mailgun":
        return "\n".join(f"{key}: {value}" for key, value in request.form.items())
    if name == "amazon_ses":
        mail = request.mime
        bodies = [part.get_content() for part in mail.walk() if not part.is_multipart()]
        return "\n".join([*(f"{key}: {value}" for key, value in mail.items()), *bodies])
    return json.dumps(request.json, ensure_ascii=False)


def test_the_tracking_of_the_provider_is_switched_off_where_a_message_can_say_so(fake: FakeApi) -> None:
    one(fake)
    (request,) = fake.requests
    if fake.fake.name == "postmark":
        assert (request.json["TrackOpens"], request.json["TrackLinks"]) == (False, "None")
    elif fake.fake.name == "sendgrid":
        assert request.json["tracking_settings"]["open_tracking"]["enable"] is False
        assert request.json["tracking_settings"]["click_tracking"]["enable"] is False
    elif fake.fake.name == "mailgun":
        assert (request.form["o:tracking-opens"], request.form["o:tracking-clicks"]) == ("no", "no")
    elif fake.fake.name == "sparkpost":
        assert request.json["options"] == {"open_tracking": False, "click_tracking": False}


def test_a_no_for_good_fails_the_message_with_the_provider_s_sentence(fake: FakeApi) -> None:
    fake.behave = lambda request, nth: fake.fake.refusal(400, "The subject is too long")
    outcomes, connection = deliver(fake)
    assert outcomes[7].kind == OutcomeKind.FAILED
    assert "The subject is too long" in outcomes[7].answer
    assert connection.is_usable
    connection.close()


def test_a_refused_key_blames_the_account_and_not_the_message(fake: FakeApi) -> None:
    fake.behave = lambda request, nth: fake.fake.refusal(401, "Unauthorized")
    outcomes, connection = deliver(fake, *(envelope(number) for number in range(1, 40)))
    assert {(outcome.kind, outcome.is_account_refused) for outcome in outcomes.values()} == {
        (OutcomeKind.UNTRIED, True)
    }
    # Nothing more is taken once that is known.
    assert len(outcomes) <= 8
    assert not connection.is_usable
    connection.close()


def test_too_many_requests_cost_no_attempt_and_wait_as_long_as_asked(fake: FakeApi) -> None:
    refusal = fake.fake.refusal(429, "slow down")
    fake.behave = lambda request, nth: Reply(429, refusal.body, refusal.headers | {"Retry-After": "7"})
    outcomes, connection = deliver(fake, *(envelope(number) for number in range(1, 40)))
    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.UNTRIED}
    waits = {outcome.retry_after_seconds for outcome in outcomes.values()}
    assert waits == ({2.0} if fake.fake.name == "amazon_ses" else {7.0})
    assert len(outcomes) <= 8
    assert not connection.is_usable
    connection.close()


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_of_the_provider_is_tried_again_later(fake: FakeApi, status: int) -> None:
    fake.behave = lambda request, nth: fake.fake.refusal(status, "Internal error")
    outcome = one(fake)
    assert outcome.kind == OutcomeKind.RETRY
    assert str(status) in outcome.answer


@pytest.mark.parametrize("status", [502, 504])
def test_an_error_of_a_gateway_leaves_it_open_whether_the_message_was_taken(fake: FakeApi, status: int) -> None:
    fake.behave = lambda request, nth: Reply(status, "<html>Bad gateway</html>", {"Content-Type": "text/html"})
    assert one(fake).kind == OutcomeKind.UNCERTAIN


@pytest.mark.parametrize("body", ["<html>ok</html>", '"queued"', "[]", '{"unexpected": true}', "\u0000\ufffd"])
def test_a_yes_in_another_form_is_no_yes(fake: FakeApi, body: str) -> None:
    if fake.fake.name == "sendgrid":
        pytest.skip("Its yes is the status alone: a 202 without a body.")
    fake.behave = lambda request, nth: Reply(200, body)
    assert one(fake).kind == OutcomeKind.UNCERTAIN


def test_silence_after_the_message_was_taken_is_uncertain_and_never_sent_twice(fake: FakeApi, settings: Any) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 1

    def take_and_sleep(request: Request, nth: int) -> Reply | None:
        return Reply(body=fake.take(request).body, seconds=2.5) if nth == 1 else None

    fake.behave = take_and_sleep
    outcomes, connection = deliver(fake)
    if fake.fake.name in WITH_MEMORY:  # asked again with the same key, it knew the message
        assert outcomes[7].kind == OutcomeKind.SENT
    else:
        assert outcomes[7].kind == OutcomeKind.UNCERTAIN
        assert "no answer" in outcomes[7].answer
        assert not connection.is_usable
    assert fake.taken == {7: 1}
    connection.close()


def test_a_connection_that_is_closed_instead_of_an_answer_is_uncertain(fake: FakeApi) -> None:
    def take_and_close(request: Request, nth: int) -> Reply | None:
        fake.take(request)
        return Reply(hangs_up=True)

    fake.behave = take_and_close
    outcome = one(fake)
    assert outcome.kind == OutcomeKind.UNCERTAIN
    assert fake.taken == {7: 1}


def test_a_provider_that_cannot_be_reached_was_handed_nothing(fake: FakeApi, settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        settings.PROVIDER_API_URLS = {fake.fake.name: f"http://127.0.0.1:{taken.getsockname()[1]}/"}
        outcomes, connection = deliver(fake, *(envelope(number) for number in range(1, 30)))
    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.UNTRIED}
    assert not connection.is_usable
    connection.close()


def test_a_redirect_is_not_followed(fake: FakeApi) -> None:
    fake.behave = lambda request, nth: Reply(307, "", {"Location": f"{fake.url}elsewhere/"})
    outcome = one(fake)
    assert outcome.kind in (OutcomeKind.UNTRIED, OutcomeKind.UNCERTAIN)
    assert [request.path for request in fake.requests if "elsewhere" in request.path] == []


def test_hostile_words_stay_words(fake: FakeApi) -> None:
    letter = envelope(
        7, subject="Hi\r\nBcc: eve@example.com", recipient_name='Ada"\r\nX-Evil: 1', sender_name="A\x00b <x@y>"
    )
    outcomes, connection = deliver(fake, letter)
    connection.close()
    assert outcomes[7].kind == OutcomeKind.SENT
    said = _everything_said(fake.requests[0], fake.fake.name)
    assert "\nX-Evil" not in said.replace("\\n", "\n")
    assert "\nBcc" not in said.replace("\\n", "\n")


def test_many_messages_go_side_by_side_each_with_one_outcome(fake: FakeApi) -> None:
    fake.seconds = 0.02
    outcomes, connection = deliver(fake, *(envelope(number) for number in range(1, 60)))
    assert set(outcomes) == set(range(1, 60))
    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.SENT}
    assert fake.taken == dict.fromkeys(range(1, 60), 1)
    assert connection.is_alive()
    connection.close()
