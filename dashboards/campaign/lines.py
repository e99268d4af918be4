"""The report as sections of lines: a number, its share, and the list behind it."""

from __future__ import annotations

from dataclasses import dataclass

from audience.models import MessageChannel
from campaigns.models import Campaign
from campaigns.selectors import Report
from common import money
from dashboards.links import listing
from delivery.models import SourceType


@dataclass(frozen=True)
class Line:
    label: str
    count: int
    address: str = ""
    rate: float | None = None
    hint: str = ""

    @property
    def rate_shown(self) -> str:
        return "" if self.rate is None else f"{self.rate:.1%}"


@dataclass(frozen=True)
class Section:
    title: str
    lines: list[Line]


def lines(campaign: Campaign, report: Report) -> list[Section]:
    """Sending, people, machines, offer: what this campaign has of them."""
    return _messages(campaign, report) + _offer(campaign, report)


def sends(campaign: Campaign, report: Report) -> bool:
    """Whether there are messages to speak of; offers alone are shown by apps."""
    return bool(report.message_count) or not campaign.offers.exists() or campaign.template_id is not None


def tells_opens(campaign: Campaign) -> bool:
    """Whether one hears of it when a message was opened; a text message (SMS) tells nobody."""
    return campaign.template is None or campaign.template.channel != MessageChannel.SMS


def _messages(campaign: Campaign, report: Report) -> list[Section]:
    if not sends(campaign, report):
        return []

    def messages(**filters: object) -> str:
        return listing("delivery.message", source_type=SourceType.CAMPAIGN.value, source_id=campaign.pk, **filters)

    is_told = tells_opens(campaign)
    opened = Line("Opened", report.open_count, messages(engaged="open"), report.open_rate)
    fetched = Line("Fetched by proxies", report.machine_open_count, messages(engaged="machine_open"))
    return [
        Section(
            "Sending",
            [
                Line("People addressed", report.target_count, people(campaign), hint="When the campaign started"),
                Line("Sent", report.sent_count, messages(status__exact="sent")),
                Line("Refused by policy", report.refused_count, messages(status__exact="refused")),
                Line("Failed", report.failed_count, messages(status__exact="failed")),
                Line("Uncertain", report.uncertain_count, messages(status__exact="uncertain"), hint="May have left"),
                Line("Bounced", report.bounce_count, messages(engaged="bounce"), report.bounce_rate),
                Line("Complained", report.complaint_count, messages(engaged="complaint")),
            ],
        ),
        Section(
            "What people did",
            [
                *([opened] if is_told else []),
                Line("Clicked", report.click_count, messages(engaged="click"), report.click_rate),
                Line(
                    "Unsubscribed", report.unsubscribe_count, messages(engaged="unsubscribe"), report.unsubscribe_rate
                ),
            ],
        ),
        Section(
            "What machines did",
            [
                *([fetched] if is_told else []),
                Line("Links checked by scanners", report.machine_click_count, messages(engaged="machine_click")),
            ],
        ),
    ]


def _offer(campaign: Campaign, report: Report) -> list[Section]:
    if not campaign.offers.exists():
        return []
    worth = ", ".join(money.show(value.value_minor, value.currency) for value in report.conversion_values)
    taken = people(campaign, did="converted")
    addressed = [] if sends(campaign, report) else [Line("People addressed", report.target_count, people(campaign))]
    return [
        Section(
            "Offer",
            [
                *addressed,
                Line("Seen", report.view_count, people(campaign, did="viewed"), report.view_rate),
                Line("Taken", report.conversion_count, taken, report.conversion_rate, worth),
            ],
        )
    ]


def people(campaign: Campaign, **filters: object) -> str:
    """The list of the campaign's people, e.g. those with `did="opened"`."""
    return listing("campaigns.target", campaign__id__exact=campaign.pk, is_held_out__exact=0, **filters)
