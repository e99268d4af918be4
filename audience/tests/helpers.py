"""Shared by this room's tests: send as an SDK would, then let the river flow."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.test import Client

from audience.models import Event

T0 = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def post(path: str, body: Any, key: str = "", **headers: str) -> Any:
    """POST JSON (or bytes as they are) the way a server SDK does."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    if key:
        headers["HTTP_AUTHORIZATION"] = basic(key)
    return Client().post(path, content, content_type="application/json", **headers)


def segment(key: str, *messages: dict[str, Any], **batch: Any) -> Any:
    return post("/v1/batch", {"batch": list(messages), **batch}, key)


def posthog(key: str, *events: dict[str, Any], **batch: Any) -> Any:
    return post("/batch/", {"api_key": key, "batch": list(events), **batch})


def track(name: str = "Clicked", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "userId": "u1", **fields}


def identify(user_id: str | None = "u1", traits: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user_id, "traits": traits or {}, **fields}


def names(contact_id: int | None = None) -> Sequence[str]:
    """The names of stored events, in the order they were recorded."""
    events = Event.objects.order_by("id")
    if contact_id is not None:
        events = events.filter(contact_id=contact_id)
    return [event.definition.name for event in events.select_related("definition")]
