from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

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
