"""What an organisation has at hand to choose from in a workflow: members, templates, offers, segments …"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from accounts.models import Member
from audience.models import PredictionDefinition, Topic
from automations.models import Automation
from campaigns.models import Campaign, EmailTemplate, Offer
from experiments.models import Experiment, ExperimentStatus
from segments.models import Segment

Plain = dict[str, Any]

# Choices of one kind; who has more names the others by their number.
MOST_CHOICES = 500


class Choices:
    """What this organisation has at hand, asked once each."""

    def of(self, told: str, extra: Plain) -> list[Plain]:
        """The choices of a field of this type; empty for what is not chosen from rows."""
        finder = FINDERS.get(told)
        return finder(self, extra) if finder else []

    @cached_property
    def members(self) -> list[Plain]:
        rows = Member.objects.filter(is_active=True).select_related("user").order_by("pk")[:MOST_CHOICES]
        return [{"value": row.pk, "label": str(row.user)} for row in rows]

    @cached_property
    def templates(self) -> list[Plain]:
        rows = EmailTemplate.objects.filter(is_archived=False).order_by("name", "pk")[:MOST_CHOICES]
        told = rows.values_list("pk", "name", "channel")
        return [{"value": pk, "label": name, "channel": channel} for pk, name, channel in told]

    @cached_property
    def segments(self) -> list[Plain]:
        rows = Segment.objects.order_by("name", "pk").values_list("pk", "name", "kind")[:MOST_CHOICES]
        return [{"value": pk, "label": name, "kind": kind} for pk, name, kind in rows]

    @cached_property
    def offers(self) -> list[Plain]:
        rows = Offer.objects.select_related("campaign").order_by("campaign__name", "pk")[:MOST_CHOICES]
        return [{"value": row.pk, "label": f"{row} ({row.campaign})"} for row in rows]

    @cached_property
    def automations(self) -> list[Plain]:
        rows = Automation.objects.order_by("name", "pk").values_list("pk", "name")[:MOST_CHOICES]
        return [{"value": pk, "label": name} for pk, name in rows]

    @cached_property
    def campaigns(self) -> list[Plain]:
        rows = Campaign.objects.order_by("-pk").values_list("pk", "name")[:MOST_CHOICES]
        return [{"value": pk, "label": name} for pk, name in rows]

    @cached_property
    def topics(self) -> list[Plain]:
        rows = Topic.objects.order_by("name", "pk").values_list("slug", "name")[:MOST_CHOICES]
        return [{"value": slug, "label": name} for slug, name in rows]

    @cached_property
    def predictions(self) -> list[Plain]:
        rows = PredictionDefinition.objects.order_by("label").values_list("name", "label")[:MOST_CHOICES]
        return [{"value": name, "label": label} for name, label in rows]

    @cached_property
    def experiments(self) -> list[Plain]:
        rows = Experiment.objects.exclude(status=ExperimentStatus.ARCHIVED).prefetch_related("arms")
        return [
            {
                "value": row.key,
                "label": str(row),
                "branches": [arm.key for arm in sorted(row.arms.all(), key=lambda arm: arm.position)],
            }
            for row in rows.order_by("name", "pk")[:MOST_CHOICES]
        ]


def _templates(choices: Choices, extra: Plain) -> list[Plain]:
    """Those of its channel, or of any; without one, all but e-mail."""
    channel = extra.get("channel")
    if channel == "any":
        return choices.templates
    return [one for one in choices.templates if (one["channel"] == channel if channel else one["channel"] != "email")]


def _segments(choices: Choices, extra: Plain) -> list[Plain]:
    return [one for one in choices.segments if extra.get("only") in (None, one["kind"])]


FINDERS: dict[str, Callable[[Choices, Plain], list[Plain]]] = {
    "member": lambda choices, extra: choices.members,
    "members": lambda choices, extra: choices.members,
    "template": _templates,
    "segment": _segments,
    "topic": lambda choices, extra: choices.topics,
    "campaign": lambda choices, extra: choices.campaigns,
    "prediction": lambda choices, extra: choices.predictions,
    "offer": lambda choices, extra: choices.offers,
    "experiment": lambda choices, extra: choices.experiments,
    "automation": lambda choices, extra: choices.automations,
}
