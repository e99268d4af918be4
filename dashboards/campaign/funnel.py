"""From everybody addressed to those who bought, as a funnel; and the whole report as one table for a file."""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.models import Campaign, CampaignOutcome
from campaigns.selectors import Report
from common import charts, figures
from common.charts import Cell, Chart, Column, Table
from dashboards.campaign.lines import Section, people, tells_opens

STEPS = [Column("Step"), Column("People", "number"), Column("Of those addressed", "number"),
         Column("Of the step before", "number")]  # fmt: skip


def chart(campaign: Campaign, report: Report, outcome: CampaignOutcome | None) -> Chart:
    """Each step with its list of people."""
    steps = _steps(campaign, report, outcome)
    rows = [
        [
            Cell(name),
            figures.count(count, link),
            figures.share(count / steps[0][1] if steps[0][1] else None),
            figures.share(count / before if before else None),
        ]
        for (name, count, link), before in zip(steps, [0, *(step[1] for step in steps)], strict=False)
    ]
    figure = charts.funnel([step[0] for step in steps], [step[1] for step in steps])
    table = Table(STEPS, rows if report.target_count else [])
    return Chart("funnel", "From addressed to done", _summary(steps), table, figure, "Nobody was addressed yet.")


def whole(sections: Sequence[Section], forecast: Sequence[Sequence[str]]) -> Table:
    """Every figure of the report with its section."""
    columns = [Column("Part"), Column("What"), Column("Count", "number"), Column("Rate", "number"), Column("Note")]
    rows = [
        [Cell(section.title), Cell(line.label), figures.count(line.count), figures.share(line.rate), Cell(line.hint)]
        for section in sections
        for line in section.lines
    ]
    rows += [[Cell("Forecast"), Cell(name), Cell(actual), Cell(""), Cell(said)] for name, said, actual in forecast]
    return Table(columns, rows)


def _steps(campaign: Campaign, report: Report, outcome: CampaignOutcome | None) -> list[tuple[str, int, str]]:
    steps = [("Addressed", report.target_count, people(campaign))]
    if campaign.template_id is not None:
        opened = ("Opened", report.open_count, people(campaign, did="opened"))
        steps += [
            ("Sent", report.sent_count, people(campaign, did="sent")),
            ("Delivered", max(0, report.sent_count - report.bounce_count), people(campaign, did="delivered")),
            *([opened] if tells_opens(campaign) else []),
            ("Clicked", report.click_count, people(campaign, did="clicked")),
        ]
    if campaign.offers.exists():
        return [
            *steps,
            ("Saw the offer", report.view_count, people(campaign, did="viewed")),
            ("Took the offer", report.conversion_count, people(campaign, did="converted")),
        ]
    bought = outcome.conversion_count if outcome is not None else 0
    return [*steps, ("Bought within a week", bought, people(campaign, did="bought"))]


def _summary(steps: Sequence[tuple[str, int, str]]) -> str:
    first, last = steps[0], steps[-1]
    if not first[1]:
        return ""
    return f"Of {first[1]:,} people, {last[1]:,} ({last[1] / first[1]:.1%}) came to the end: {last[0].lower()}."
