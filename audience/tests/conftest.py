import pytest

from audience.services import ingest


@pytest.fixture(autouse=True)
def _fresh_keys() -> None:
    """No test remembers the keys of another."""
    ingest.forget_keys()
