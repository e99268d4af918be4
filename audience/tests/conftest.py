from typing import Any

import pytest

from accounts import selectors
from audience.tests.helpers import segment


@pytest.fixture(autouse=True)
def _fresh_keys() -> None:
    """No test remembers the keys of another."""
    selectors.forget_keys()


@pytest.fixture
def send(write_key: str, drain: Any) -> Any:
    """Call it with messages: they are accepted and applied."""

    def sent(*messages: dict[str, Any], **batch: Any) -> None:
        assert segment(write_key, *messages, **batch).status_code == 200
        drain()

    return sent
