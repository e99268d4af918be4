from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from datetime import time as wall_time
from typing import Any

import pytest

from accounts import services as accounts
from accounts.models import Organization
from common import clock, tenancy
from delivery import services
from delivery.models import DeliveryPolicy
from delivery.providers.http import HttpConnection
from delivery.services import outgoing, straining
from delivery.tests.fake_http import FakeServer, give_token, serving
from delivery.tests.making import Sink, listening

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday, far from quiet hours in London


@pytest.fixture
def noon() -> Iterator[datetime]:
    """The clock stands at noon."""
    with clock.freeze(NOON):
        yield NOON


@pytest.fixture
def sink(settings: Any, noon: datetime) -> Iterator[Sink]:
    """A listening SMTP server to which everything goes."""
    made = Sink()
    outgoing.reset()
    straining.reset()
    with listening(made) as port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        yield made


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch, noon: datetime) -> Iterator[FakeServer]:
    """A server that behaves as providers over HTTP do."""
    settings.PRIVATE_HOSTS_ALLOWED = ["127.0.0.1"]
    monkeypatch.setattr(HttpConnection, "answer_seconds", 0.4)
    with serving() as fake:
        fake.routes["/token"] = give_token
        yield fake
        outgoing.reset()


@pytest.fixture
def company() -> Iterator[Organization]:
    """An organisation without quiet hours or caps, committed so that other processes see it."""
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        services.save_policy(
            DeliveryPolicy(most_per_day=50, hours_between=0, quiet_from=wall_time(0), quiet_until=wall_time(0))
        )
        yield made
    outgoing.reset()
