"""What each mailbox provider did with our mail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from accounts.models import Organization
from common import charts, figures
from common.charts import Cell, Chart, Column, Table
from dashboards.boards.base import Board, Filled, Tile
from dashboards.cards.base import Reading
from dashboards.links import listing
from dashboards.periods import Picked
from delivery import deliverability
from delivery.deliverability import Traffic
from delivery.domain import brakes, mailboxes

DRAWN = 5
COUNTED = ("sent", "delivered", "deferred", "bounced", "complained", "opened", "clicked")
TITLES = ("Sent", "Delivered", "Deferred", "Bounced", "Complained", "Opened by people", "Clicked by people")
LIMITS = {"bounced": brakes.BY_NAME["bounces"].limit, "complained": brakes.BY_NAME["complaints"].limit}
ENOUGH = 50
DRAWN_FROM = 10  # a share of fewer mails is noise
EMPTY = "No e-mail left in this period. Send a campaign, or choose a longer period."


def fill(place: Organization, period: Picked) -> Filled:
    parts = deliverability.traffic(period.span.starts_at, period.span.ends_at, place.timezone)
    whole = sum(parts.values(), Traffic())
    return Filled(_tiles(whole, period), [_providers(parts, period), _trend(parts, period), _domains(parts, period)])


def _rows_behind(period: Picked, became: str, **more: str) -> str:
    """The messages that a number counts."""
    return listing("delivery.message", left=f"{period.first_day}_{period.last_day}", became=became, **more)


def _tiles(whole: Traffic, period: Picked) -> list[Tile]:
    def tile(title: str, name: str, note: str) -> Tile:
        value = figures.share(whole.share(name)).shown
        return Tile(title, Reading(value, note, link=_rows_behind(period, name)))

    return [
        Tile("Sent", Reading(f"{whole.sent:,}", "e-mails", link=_rows_behind(period, "sent"))),
        tile("Delivered", "delivered", "taken, and not sent back"),
        tile("Deferred", "deferred", "taken at a later try"),
        tile("Bounced", "bounced", "limit 2 %"),
        tile("Complained", "complained", "reported as spam; limit 0.1 %"),
        tile("Opened", "opened", "by people"),
    ]


def _cells(counts: Traffic, period: Picked, **more: str) -> list[Cell]:
    return [_cell(counts, name, _rows_behind(period, name, **more)) for name in COUNTED]


def _cell(counts: Traffic, name: str, link: str) -> Cell:
    number: int = getattr(counts, name)
    share = counts.share(name)
    shown = f"{number:,}" if name == "sent" or share is None else f"{number:,} ({share:.1%})"
    if name == "complained" and share:
        shown = f"{number:,} ({share:.2%})"
    limit = LIMITS.get(name)
    level = "critical" if limit and share and share >= limit and counts.sent >= ENOUGH else ""
    return Cell(shown, number, link if number else "", level)


def _table(first: str, names: Mapping[str, str], found: Mapping[Any, Traffic], period: Picked, word: str) -> Table:
    columns = [Column(first), *(Column(title, "number") for title in TITLES)]
    ordered = sorted(found.items(), key=lambda item: (-item[1].sent, item[0]))
    rows = [[Cell(names.get(key, key)), *_cells(counts, period, **{word: key})] for key, counts in ordered]
    return Table(columns, rows)


def _providers(parts: Mapping[deliverability.Key, Traffic], period: Picked) -> Chart:
    found = deliverability.add_up(parts, "provider")
    drawn = sorted(found, key=lambda name: -found[name].sent)[:DRAWN]
    labels = [figures.short(mailboxes.LABELS[name]) for name in drawn]
    series = {
        title: [round(100 * (found[name].share(part) or 0), 2) for name in drawn]
        for title, part in (("Delivered %", "delivered"), ("Opened %", "opened"), ("Bounced %", "bounced"))
    }
    table = _table("Mailbox provider", mailboxes.LABELS, found, period, "mailbox")
    figure = charts.bars(labels, series, sideways=True)
    return Chart("providers", "By mailbox provider", _summary(found), table, figure, EMPTY)


def _summary(found: Mapping[Any, Traffic]) -> str:
    if not found:
        return ""
    biggest = max(found, key=lambda name: found[name].sent)
    text = f"{mailboxes.LABELS[biggest]} took most: {found[biggest].sent:,} mails."
    known = {name: counts for name, counts in found.items() if counts.sent >= ENOUGH}
    if len(known) < 2:
        return text
    worst = min(known, key=lambda name: known[name].share("opened") or 0)
    best = max(known, key=lambda name: known[name].share("opened") or 0)
    opened = f"{known[worst].share('opened'):.1%} against {known[best].share('opened'):.1%}"
    return f"{text} People at {mailboxes.LABELS[worst]} open least, at {mailboxes.LABELS[best]} most: {opened}."


def _trend(parts: Mapping[deliverability.Key, Traffic], period: Picked) -> Chart:
    """The share opened by day and provider: the first thing to fall when mail lands in the spam folder."""
    found = deliverability.add_up(parts, "provider")
    drawn = sorted(found, key=lambda name: -found[name].sent)[:DRAWN]
    days = _days(period) if found else []
    by_day = {(key.day, key.provider): Traffic() for key in parts}
    for key, counts in parts.items():
        by_day[(key.day, key.provider)] += counts
    series = {mailboxes.LABELS[name]: [_share(by_day.get((day, name))) for day in days] for name in drawn}
    columns = [Column("Day"), *(Column(mailboxes.LABELS[name], "number") for name in drawn)]
    rows = [
        [Cell(day.isoformat()), *(_opened(by_day.get((day, name))) for name in drawn)]
        for day in days
        if any((day, name) in by_day for name in drawn)
    ]
    text = "Opened by people, of what was sent each day (from 10 mails on). A fall at one provider means its spam."
    figure = charts.lines([day.isoformat() for day in days], series)
    return Chart("trend", "Opened by day, in %", text if found else "", Table(columns, rows), figure, EMPTY)


def _days(period: Picked) -> list[date]:
    count = (period.last_day - period.first_day).days + 1
    return [period.first_day + timedelta(days=number) for number in range(count)]


def _share(counts: Traffic | None) -> Any:
    share = counts.share("opened") if counts and counts.sent >= DRAWN_FROM else None
    return None if share is None else round(100 * share, 2)


def _opened(counts: Traffic | None) -> Cell:
    return figures.share(counts.share("opened") if counts else None)


def _domains(parts: Mapping[deliverability.Key, Traffic], period: Picked) -> Chart:
    found = deliverability.add_up(parts, "domain")
    text = f"{len(found)} sending domain{'s' if len(found) != 1 else ''} in this period." if found else ""
    table = _table("Sending domain", {}, found, period, "from")
    return Chart("domains", "By sending domain", text, table, {}, EMPTY)


BOARD = Board(
    "deliverability", "By mailbox provider", "What did each mailbox provider do with our mail?", "delivery", fill
)
