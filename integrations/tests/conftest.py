"""A destination of every kind, connected to a platform that behaves like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Organization
from common import clock
from integrations import providers, services
from integrations.models import Destination
from integrations.tests.platform import Platform, serving

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS: dict[str, dict[str, str]] = {
    "meta": {"account_id": "act_55", "access_token": "token"},
    "google_ads": {
        "customer_id": "123", "client_id": "c", "client_secret": "s", "refresh_token": "r", "developer_token": "d",
        "login_customer_id": "999-1",
    },
    "tiktok": {"advertiser_id": "7", "access_token": "token"},
    "linkedin": {"account_id": "8", "access_token": "token"},
    "webhook": {"url": "https://example.com/hook", "secret": SECRET},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture(params=list(SETTINGS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def platform(kind: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Platform]:
    with serving(kind) as found:
        changed = replace(providers.PROVIDERS[kind], address=found.address)
        monkeypatch.setitem(providers.PROVIDERS._entries, kind, changed)
        monkeypatch.setattr("integrations.providers.google_ads.TOKEN_ADDRESS", found.address)
        settings.PRIVATE_HOSTS_ALLOWED = ["127.0.0.1"]
        yield found


@pytest.fixture
def destination(organization: Organization, kind: str, platform: Platform) -> Destination:
    said = dict(SETTINGS[kind])
    if kind == "webhook":
        said["url"] = f"{platform.address}/hook"
    return services.add_destination(name=f"My {kind}", kind=kind, settings=said)
