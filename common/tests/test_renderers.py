"""The quick renderer's JSON means what DRF's own does."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.functional import lazystr
from django.utils.safestring import SafeString
from rest_framework.exceptions import ErrorDetail
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList

from common.api.renderers import QuickJSONRenderer


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Ada “L” \u2028 ü \x00", "none": None, "yes": True, "deep": [{"a": [1, -2.5, 10**30]}]},
        ReturnDict({"a": ReturnList([1, 2], serializer=None)}, serializer=None),
        [lazystr("later"), SafeString("<b>"), ErrorDetail("wrong", code="invalid")],
        {"price": Decimal("12.50"), "id": uuid.UUID(int=7), "day": date(2026, 1, 31), 5: "five"},
        [datetime(2026, 1, 31, 9, 0, 0, 123, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)],
        "text",
        [],
    ],
)
def test_it_says_what_drf_says(value: Any) -> None:
    assert json.loads(QuickJSONRenderer().render(value)) == json.loads(JSONRenderer().render(value))


def test_no_answer_is_no_bytes_and_indent_is_kept() -> None:
    assert QuickJSONRenderer().render(None) == b""
    assert QuickJSONRenderer().render({"a": 1}, "application/json; indent=2") == b'{\n  "a": 1\n}'


def test_what_json_cannot_say_is_an_error() -> None:
    with pytest.raises(TypeError):
        QuickJSONRenderer().render({"o": object()})
    assert QuickJSONRenderer().render([float("nan"), timedelta(seconds=5)]) == b'[null,"PT5S"]'
