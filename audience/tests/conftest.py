import pytest

from accounts import selectors


@pytest.fixture(autouse=True)
def _fresh_keys() -> None:
    """No test remembers the keys of another."""
    selectors.forget_keys()
