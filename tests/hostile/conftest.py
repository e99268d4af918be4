"""Two organisations with one of everything, and a caller of the first who means harm."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization
from tests.hostile import town
from tests.hostile.snapshot import as_request
from tests.hostile.town import Town


class Attacker:
    """Calls the API with a good key and bad intentions; whatever is refused must have written nothing."""

    def __init__(self, client: APIClient) -> None:
        self.client = client

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return as_request(
            lambda: getattr(self.client, method)(f"/api/v1/{path}", body, format="json", headers=headers)
        )

    def ask_raw(self, method: str, path: str, body: bytes, content_type: str = "application/json") -> Any:
        return as_request(
            lambda: self.client.generic(method.upper(), f"/api/v1/{path}", body, content_type=content_type)
        )


@pytest.fixture
def home(organization: Organization) -> Town:
    return town.build(organization.pk, "home")


@pytest.fixture
def abroad(stranger: Organization, home: Town) -> Town:
    """The same in an organisation whose rows the caller must neither see nor touch."""
    return town.build(stranger.pk, "abroad")


@pytest.fixture
def attacker(api: APIClient) -> Attacker:
    return Attacker(api)


def refusal(answer: Any) -> dict[str, Any]:
    """The body of a refusal, which always says what was wrong."""
    assert 400 <= answer.status_code < 500, f"{answer.status_code}: {answer.content[:500]!r}"
    said: dict[str, Any] = answer.json()
    assert said["code"] and said["message"] and isinstance(said["details"], dict)
    return said
