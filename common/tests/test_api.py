"""What every API endpoint has by default: errors, limits, idempotency keys, throttles."""

from __future__ import annotations

import pytest
from django.test import override_settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import Organization
from audience.models import Topic
from common import clock
from common.api.throttling import CallerThrottle
from common.api.views import ApiView
from common.errors import Conflict, TooMany
from common.models import IdempotentAnswer


class Topics(ApiView):
    """A small endpoint of its own, so that the defaults are tested apart from any room."""

    resource = "audience"

    def post(self, request: Request) -> Response:
        name = request.data.get("name", "News")
        topic = Topic.objects.create(name=name, slug=f"{name}-{Topic.objects.count()}".lower())
        if name == "Taken":
            raise Conflict("There is such a topic already.", details={"name": "taken"})
        if name == "Busy":
            raise TooMany("Slow down.", retry_after_seconds=7)
        return Response({"id": topic.pk, "at": clock.now()}, status=201)


urlpatterns = [path("topics/", Topics.as_view())]
here = override_settings(ROOT_URLCONF=__name__)


@pytest.fixture(autouse=True)
def _urls():
    with here:
        yield


def test_a_stranger_is_told_to_identify_himself(organization: Organization) -> None:
    answer = APIClient().post("/topics/", {})

    assert answer.status_code == 401
    assert answer.json().keys() == {"code", "message", "details"}


def test_an_unknown_secret_key_is_refused(organization: Organization) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer sk_wrong")

    assert client.post("/topics/", {}).status_code == 401


def test_a_refusal_has_code_message_and_details(api: APIClient) -> None:
    answer = api.post("/topics/", {"name": "Taken"})

    assert answer.status_code == 409
    assert answer.json() == {
        "code": "conflict",
        "message": "There is such a topic already.",
        "details": {"name": "taken"},
    }


def test_a_wait_is_said_in_the_header(api: APIClient) -> None:
    assert api.post("/topics/", {"name": "Busy"})["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b'{"name": "\\u0000"}', 400, "nul_character"),
        (b'{"name":' + b"[" * 100 + b"]" * 100 + b"}", 400, "too_deep"),
        (b'{"name": "' + b"x" * (3 * 1024 * 1024) + b'"}', 413, "too_large"),
        (b"\xff\xfe", 400, "malformed_json"),
    ],
)
def test_hostile_bodies_are_refused_and_write_nothing(api: APIClient, body: bytes, status: int, code: str) -> None:
    answer = api.post("/topics/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Topic.objects.exists()


def test_a_repeat_with_the_same_key_gets_the_first_answer(api: APIClient) -> None:
    first = api.post("/topics/", {"name": "News"}, headers={"Idempotency-Key": "abc"})
    second = api.post("/topics/", {"name": "News"}, headers={"Idempotency-Key": "abc"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Topic.objects.count() == 1


def test_the_key_of_another_request_is_refused(api: APIClient) -> None:
    api.post("/topics/", {"name": "News"}, headers={"Idempotency-Key": "abc"})

    answer = api.post("/topics/", {"name": "Offers"}, headers={"Idempotency-Key": "abc"})

    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert Topic.objects.count() == 1


def test_a_refused_request_keeps_neither_key_nor_effect(api: APIClient) -> None:
    api.post("/topics/", {"name": "Taken"}, headers={"Idempotency-Key": "abc"})

    assert not IdempotentAnswer.objects.exists()
    assert not Topic.objects.exists()


def test_too_many_requests_are_told_when_to_come_back(api: APIClient, monkeypatch) -> None:
    monkeypatch.setattr(CallerThrottle, "rate", "2/min", raising=False)

    answers = [api.post("/topics/", {}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 61
    assert answers[2].json()["code"] == "too_many_requests"
