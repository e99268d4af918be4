"""The value by which people are told apart inside a workflow with the entry rule "concurrent"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from audience.models import Event
from automations.models import Automation, EntryRule

if TYPE_CHECKING:
    from automations.services.entries import Entry

LONGEST = 300
OF_EVENT = "event.properties."


def of(entries: Sequence[Entry]) -> list[str]:
    """For each entry the value that its workflow's key has in its facts; empty without key or value."""
    rows = Automation.objects.filter(
        pk__in={entry.automation_id for entry in entries}, entry_rule=EntryRule.CONCURRENT
    )
    keys = dict(rows.values_list("pk", "entry_key"))
    if not keys:
        return [""] * len(entries)
    asking = [entry for entry in entries if keys.get(entry.automation_id, "").startswith(OF_EVENT)]
    properties = _properties(asking)
    return [_value(entry.facts, keys.get(entry.automation_id, ""), properties) for entry in entries]


def _properties(entries: Iterable[Entry]) -> dict[int, Any]:
    """Of the events that cause these entries. Plan: their ids, `happened_at` prunes the partitions."""
    events = [event for entry in entries if isinstance(event := entry.facts.get("event"), dict) and "id" in event]
    if not events:
        return {}
    moments = [datetime.fromisoformat(event["happened_at"]) for event in events]
    rows = Event.objects.filter(
        id__in={event["id"] for event in events}, happened_at__gte=min(moments), happened_at__lte=max(moments)
    )
    return dict(rows.values_list("id", "properties"))


def _value(facts: dict[str, Any], key: str, properties: dict[int, Any]) -> str:
    if not key:
        return ""
    found: Any = facts
    event = facts.get("event")
    if key.startswith(OF_EVENT) and isinstance(event, dict) and "properties" not in event:
        found, key = properties.get(event.get("id", 0), {}), key.removeprefix(OF_EVENT)
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return "" if found is None or isinstance(found, dict | list) else str(found)[:LONGEST]
