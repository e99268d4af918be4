from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import CAPABILITIES, Role
from accounts.models import ApiKeyKind, Organization
from campaigns.tests import making
from delivery.services import outgoing
from delivery.tests.making import Sink, listening


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A listening SMTP server to which everything goes."""
    made = Sink()
    outgoing.reset()
    with listening(made) as port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        yield made


@pytest.fixture
def owner_api(organization: Organization) -> APIClient:
    """The API, with a key that may do everything."""
    _, key = accounts.issue_key("Owner", ApiKeyKind.SECRET, scopes=sorted(CAPABILITIES[Role.OWNER]))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def doors(organization: Organization) -> None:
    """Mail may go at any hour."""
    making.open_doors()


@pytest.fixture
def doors_in_london(doors: None) -> None:
    """The same, where London's clock counts."""
    Organization.objects.update(timezone="Europe/London")
