from __future__ import annotations

import sys

import pytest

from common.later import later


def test_a_module_is_loaded_when_something_of_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    colours = later("colorsys")
    assert "colorsys" not in sys.modules

    assert colours.rgb_to_hls(1.0, 1.0, 1.0) == (0.0, 1.0, 0.0)
    assert "colorsys" in sys.modules


def test_a_module_that_is_not_there_is_told_at_the_first_use() -> None:
    missing = later("no_such_module")

    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        missing.anything()
