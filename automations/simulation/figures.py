"""A simulation as a page shows it: words, tiles, charts, and each step with its people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from audience.models import Contact, MessageChannel
from automations.domain import tree
from automations.models import Simulation
from automations.simulation import result
from automations.words import counted
from common import charts
from common.charts import Cell, Chart, Column, Table

NOT_ENTERED = {
    "filter": "did not meet the filter of the trigger",
    "once": "had entered before, and it is once ever",
    "inside": "were inside already",
    "too_soon": "had left too short a while ago",
    "guard": "came so often within a day that the loop guard stopped them",
}
OUTCOMES = {
    "completed": "came to the end",
    "step": "left by an exit step",
    "goal": "reached the goal and left",
    "exit_rule": "met the exit rule and left",
    "inside": "would still be inside",
}
WAYS = {"goal": "goal reached", "exit_rule": "exit rule met", "out": "left"}


def told(row: Simulation, other: Simulation | None = None) -> dict[str, Any]:
    """Everything of the page but the charts."""
    found: dict[str, Any] = row.result
    return {
        "result": found,
        "tiles": _tiles(found, other.result if other else None),
        "not_entered": _words(found["not_entered"], NOT_ENTERED),
        "outcomes": _words(found["outcomes"], OUTCOMES),
        "steps": _steps(row, found, other.result if other else None),
    }


def _words(counts: Mapping[str, int], words: Mapping[str, str]) -> list[tuple[int, str]]:
    return [(count, words.get(name, name)) for name, count in counts.items()]


def _tiles(found: dict[str, Any], other: dict[str, Any] | None) -> list[dict[str, Any]]:
    def tile(name: str, value: Any, before: Any, note: str) -> dict[str, Any]:
        return {"name": name, "value": value, "before": before, "note": note}

    def of(result: dict[str, Any] | None, *path: str) -> Any:
        for part in path:
            result = result[part] if result is not None else None
        return result

    messages = found["messages"]
    held_back = messages["planned"] - messages["went"]
    return [
        tile("Entries", found["entries"], of(other, "entries"), f"of {counted(found['heard'], 'time')} it was heard"),
        tile("People", found["people"], of(other, "people"), "who would have entered at least once"),
        tile("Messages written", messages["planned"], of(other, "messages", "planned"), _channels(messages)),
        tile("Would have gone", messages["went"], of(other, "messages", "went"), f"{held_back:,} held back"),
        tile("Goal reached", found["goal"]["inside"], of(other, "goal", "inside"),
             f"and {found['goal']['at_entry']:,} had reached it before they entered"),
        *_cost_tile(found, other),
    ]  # fmt: skip


def _cost_tile(found: dict[str, Any], other: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the messages would have cost; without prices it says where they are set."""
    cost = found.get("cost")
    if not cost or not (cost["by_channel"] or cost["without_price"]):
        return []
    spent = [
        f"{one['count']:,} {'segments of SMS' if channel == 'sms' else f'by {MessageChannel(channel).label}'} "
        f"at {one['price']}"
        for channel, one in cost["by_channel"].items()
    ]
    unknown = [f"no price is set for {MessageChannel(channel).label}" for channel in cost["without_price"]]
    address = reverse("admin:delivery_messageprice_changelist")
    shown = result.cost_shown(found) or "–"
    told = {"name": "Cost", "value": shown, "before": result.cost_shown(other), "note": "; ".join([*spent, *unknown])}
    return [told | {"href": address, "link": "Message prices"}]


def _channels(messages: dict[str, Any]) -> str:
    planned = messages["planned_by_channel"].items()
    return ", ".join(f"{count:,} {MessageChannel(name).label}" for name, count in planned) or "none"


def _steps(row: Simulation, found: dict[str, Any], other: dict[str, Any] | None) -> list[dict[str, Any]]:
    people = _people(found)
    return [
        {
            **step,
            "id": step_id,
            "depth": min(step["path"].count(".") // 2, 8),
            "before": other["steps"].get(step_id, {}).get("reached") if other else None,
            "ways": [(WAYS.get(name, name), count) for name, count in step["ways"].items() if name != "on"],
            "messages": step["messages"],
            "cost": result.step_cost(found, step_id),
            "hours": round(step["mean_wait_seconds"] / 3600, 1),
            "people": [
                {"contact": people[one["contact_id"]], "walk": walk_link(row, one)}
                for one in step["sample"]
                if one["contact_id"] in people
            ],
        }
        for step_id, step in _in_order(row)
    ]


def _in_order(row: Simulation) -> list[tuple[str, dict[str, Any]]]:
    """The steps as people meet them; the database keeps keys in an order of its own."""
    told = row.result["steps"]
    steps = tree.walk(tree.read_steps(row.document["steps"]))
    return [(step.id, told[step.id]) for step in steps if step.id in told]


def _people(found: dict[str, Any]) -> dict[int, Contact]:
    wanted = {one["contact_id"] for step in found["steps"].values() for one in step["sample"]}
    return Contact.objects.in_bulk(wanted)


def walk_link(row: Simulation, one: Mapping[str, Any]) -> str:
    """Where one of the sample is walked through the same document."""
    query = {"contact": one["contact_id"], "at": one["entered_at"], "number": row.pk}
    return f"{reverse('automation-walk', args=[row.automation_id])}?{urlencode(query)}"


def drawn(row: Simulation, other: Simulation | None = None) -> list[Chart]:
    """Entries and messages by day, and how far people come."""
    found: dict[str, Any] = row.result
    return [
        _entries(found, other.result if other else None, other.name if other else ""),
        _messages(found),
        _funnel(row),
    ]


def _entries(found: dict[str, Any], other: dict[str, Any] | None, name: str) -> Chart:
    days = [day["day"] for day in found["per_day"]]
    series = {"Entries": [day["entries"] for day in found["per_day"]]}
    if other:
        before = {day["day"]: day["entries"] for day in other["per_day"]}
        series[f"Entries, {name}"] = [before.get(day, 0) for day in days]
    return _by_day("entries", "Entries per day", days, series, f"{found['entries']:,} entries in all.")


def _messages(found: dict[str, Any]) -> Chart:
    days = [day["day"] for day in found["per_day"]]
    names = sorted({name for day in found["per_day"] for name in day["messages"]})
    series = {
        str(MessageChannel(name).label): [day["messages"].get(name, 0) for day in found["per_day"]] for name in names
    }
    summary = f"{found['messages']['went']:,} messages would have gone, on the day on which each would have left."
    return _by_day("messages", "Messages per day", days, series, summary)


def _by_day(name: str, title: str, days: list[str], series: Mapping[str, list[int]], summary: str) -> Chart:
    columns = [Column("Day"), *(Column(each, "number") for each in series)]
    rows = [
        [Cell(day), *(Cell(f"{values[place]:,}", values[place]) for values in series.values())]
        for place, day in enumerate(days)
        if any(values[place] for values in series.values())
    ]
    empty = "Nothing of it in this time; choose more days."
    return Chart(name, title, summary, Table(columns, rows), charts.lines(days, series) if rows else {}, empty)


def _funnel(row: Simulation) -> Chart:
    found: dict[str, Any] = row.result
    steps = [("Entered", found["entries"])]
    steps += [(step["sentence"], step["reached"]) for _, step in _in_order(row) if step["is_active"]]
    rows = [[Cell(name), Cell(f"{count:,}", count)] for name, count in steps]
    names = [f"{place}. {name[:60]}" for place, (name, _) in enumerate(steps)]
    figure = charts.funnel(names, [count for _, count in steps])
    table = Table([Column("Step"), Column("Came here", "number")], rows if found["entries"] else [])
    return Chart("steps", "Who would come how far", "Each step with all who would come to it.", table, figure)
