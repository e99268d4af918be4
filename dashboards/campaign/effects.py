"""What the campaign's test says, and what the campaign caused by those held out of it."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.models import Campaign, CampaignStatus
from campaigns.selectors.lift import Lift, lift
from common import figures, money
from common.charts import Cell, Column, Table
from dashboards.campaign.lines import people
from dashboards.links import row
from experiments.domain.read_outs import MetricReadOut
from experiments.domain.verdicts import Verdict
from experiments.selectors import ReadOut, read_out
from experiments.selectors.words import amount

ARMS = [
    Column("Arm"), *(Column(title, "number") for title in ("People", "Value", "95 % interval", "Chance to be best")),
    Column("Against control"),
]  # fmt: skip
BEGUN = (CampaignStatus.ACTIVE, CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED)


@dataclass(frozen=True)
class Arms:
    """The verdict in words, and one table for each metric."""

    verdict: Verdict
    tables: list[tuple[str, Table]]
    experiment: str
    address: str


@dataclass(frozen=True)
class Caused:
    """The lift by holdout: its sentence, what to do now, and its figures."""

    sentence: str
    what_now: str
    table: Table


def arms_of(campaign: Campaign) -> Arms | None:
    """The read-out of the campaign's experiment; None without one."""
    if campaign.experiment is None:
        return None
    made = read_out(campaign.experiment)
    tables = [(one.metric.name, _table(campaign, made, one)) for one in made.metrics]
    address = row("experiments.experiment", campaign.experiment_id)
    return Arms(made.verdict, tables, str(campaign.experiment), address)


def caused_by(campaign: Campaign) -> Caused | None:
    """The lift of a campaign that held people out; None for one that asks nobody to wait."""
    if campaign.status not in BEGUN or not campaign.holdout_percent:
        return None
    found = lift(campaign)
    return Caused(found.sentence, found.what_now, _lift_table(campaign, found))


def _table(campaign: Campaign, made: ReadOut, one: MetricReadOut) -> Table:
    rows = []
    for place, arm in enumerate(made.arms):
        name = Cell(arm.name, link=people(campaign, arm__id__exact=arm.pk))
        if one.is_empty:
            rows.append([name, Cell("–"), Cell("–"), Cell("–"), Cell("–"), Cell("Too few people yet")])
            continue
        figure = one.arms[place]
        low, high = (amount(one.metric, each, made.currency) for each in (figure.low, figure.high))
        rows.append([
            name, figures.count(figure.n), Cell(amount(one.metric, figure.value, made.currency), figure.value),
            Cell(f"{low} – {high}"), figures.share(figure.to_be_best), Cell(_against(made, one, place)),
        ])  # fmt: skip
    return Table(ARMS, rows)


def _against(made: ReadOut, one: MetricReadOut, place: int) -> str:
    """The lift that holds at any look, as shares of control."""
    if place == made.control:
        return "Control"
    other = one.against(place)
    if other is None:
        return "–"
    share = other.lift_at_any_time
    if share is None:
        return "Shown" if other.is_shown else "Not shown"
    span = f"{share.value:+.1%} ({share.low:+.1%} to {share.high:+.1%})".replace("-", "−")
    return f"{span}{', shown' if other.is_shown else ''}"


def _lift_table(campaign: Campaign, found: Lift) -> Table:
    columns = [Column("Group"), *(Column(title, "number") for title in ("People", "Bought", "Spent each"))]
    counts = {"Got it": found.treated_count, "Held out": found.held_out_count}
    rates = {"Got it": found.treated_rate, "Held out": found.held_out_rate}
    spent = {"Got it": found.treated_each_minor, "Held out": found.held_out_each_minor}
    rows = [
        [Cell(name), figures.count(counts[name]), figures.share(rates[name]), _money(spent[name], found.currency)]
        for name in counts
    ]
    if found.incremental_minor is not None:
        low, high = (_money(each, found.currency).shown for each in
                     (found.incremental_low_minor, found.incremental_high_minor))  # fmt: skip
        whole = _money(found.incremental_minor, found.currency)
        rows.append([Cell("Brought in all"), Cell(""), Cell(f"{low} to {high}"), whole])
    return Table(columns, rows)


def _money(minor: float | None, currency: str) -> Cell:
    return Cell("–", "") if minor is None else Cell(money.show(round(minor), currency), round(minor))
