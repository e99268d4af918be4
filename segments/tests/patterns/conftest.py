from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Organization
from common import clock
from segments.tests.people import NOON


@pytest.fixture
def at_noon(organization: Organization) -> Iterator[None]:
    """The clock stands at NOON, and the test works for `organization`, which counts in pounds."""
    with clock.freeze(NOON):
        yield
