"""The buttons of a campaign: one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.acts import Act
from campaigns import services
from campaigns.auto import decisions
from campaigns.domain import states
from campaigns.models import Campaign, Timing


def _plain(service: Callable[..., Campaign]) -> Callable[[Campaign, dict[str, Any]], Campaign]:
    return lambda campaign, data: service(campaign, expected_version=data["version"])


def _launch(campaign: Campaign, data: dict[str, Any]) -> Campaign:
    launched = services.launch(campaign, at=data["at"], expected_version=data["version"])
    services.keep_forecast(launched)
    return launched


def _approve(campaign: Campaign, data: dict[str, Any]) -> Campaign:
    begun = decisions.approve(campaign, expected_version=data["version"])
    services.keep_forecast(begun)
    return begun


def _decide(campaign: Campaign, data: dict[str, Any]) -> Campaign:
    return services.decide(campaign, data["arm"], expected_version=data["version"])


def _decline(campaign: Campaign, data: dict[str, Any]) -> Campaign:
    return decisions.decline(campaign, data["reason"], expected_version=data["version"])


ACTS: dict[str, Act[Campaign]] = {
    "approve": Act(
        "Approve",
        "It begins now, for exactly the people that the analysis found, and ends by itself.",
        "“{name}” has begun.",
        _approve,
        style="primary",
    ),
    "decline": Act(
        "Decline",
        "Nobody is offered anything. It is proposed again a week from now at the earliest.",
        "“{name}” is declined.",
        _decline,
    ),
    "launch": Act(
        "Launch",
        "Everybody below is addressed. Who they are is fixed at the moment it starts.",
        "“{name}” is on its way.",
        _launch,
        style="primary",
    ),
    "decide": Act(
        "Choose the winner",
        "The test ends. The rest of the audience, who have waited, get this arm now.",
        "“{name}” goes on with the winner.",
        _decide,
        style="primary",
    ),
    "pause": Act(
        "Pause",
        "Messages that have not left are held. Nothing is lost; resuming goes on where it stopped.",
        "“{name}” is paused.",
        _plain(services.pause),
    ),
    "resume": Act(
        "Resume",
        "Held messages go out again, and the rest of the audience follows.",
        "“{name}” goes on.",
        _plain(services.resume),
        style="primary",
    ),
    "complete": Act(
        "End",
        "No more sends follow, and apps stop showing its offers. Conversions that happened under them still count.",
        "“{name}” is complete.",
        _plain(services.complete),
    ),
    "unschedule": Act(
        "Back to draft",
        "The campaign does not start by itself any more. Nobody has received anything.",
        "“{name}” is a draft again.",
        _plain(services.unschedule),
    ),
    "cancel": Act(
        "Cancel campaign",
        "Messages that have not left are cancelled for good. What was sent stays in the report.",
        "“{name}” is cancelled.",
        _plain(services.cancel),
        style="danger",
    ),
    "duplicate": Act(
        "Duplicate",
        "Makes a new draft with the same words, audience, offers and test.",
        "This is the copy: “{name}”.",
        lambda campaign, data: services.duplicate_campaign(campaign),
    ),
    "archive": Act(
        "Archive",
        "The campaign leaves the daily lists. Its numbers stay.",
        "“{name}” is archived.",
        _plain(services.archive),
    ),
}


def is_allowed(campaign: Campaign, name: str) -> bool:
    """Whether the state allows the act; launching also covers choosing another moment."""
    if name == "decide":
        return services.waits_for_winner(campaign)
    possible = states.allowed(campaign.status)
    return name in possible or (name == "launch" and "schedule" in possible)


def offered(campaign: Campaign) -> list[tuple[str, Act[Campaign]]]:
    """The buttons to show. Only what stands or repeats can be ended."""
    stands = campaign.offers.exists() or campaign.timing == Timing.RECURRING
    return [
        (name, act)
        for name, act in ACTS.items()
        if name == "duplicate" or (is_allowed(campaign, name) and (name != "complete" or stands))
    ]
