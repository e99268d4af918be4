"""Campaigns with arms, to test them by."""

from __future__ import annotations

from typing import Any

from audience.models import Contact
from campaigns import services
from campaigns.models import Campaign, EmailTemplate
from campaigns.tests import making
from campaigns.tests.moments import LUNCH, work_at
from common import clock
from experiments.models import Arm
from experiments.services import ArmDraft


def arm_drafts(*payloads: dict[str, Any]) -> list[ArmDraft]:
    keys = "abcdef"
    return [ArmDraft(keys[place], keys[place].upper(), 1.0, place == 0, each) for place, each in enumerate(payloads)]


def with_arms(people: list[Contact], *payloads: dict[str, Any], **fields: Any) -> Campaign:
    made = making.campaign([making.segment(people)], **fields)
    return services.update_campaign(made, {}, arms=arm_drafts(*payloads))


def two_templates() -> tuple[EmailTemplate, EmailTemplate]:
    return making.template(name="One", subject="One"), making.template(name="Two", subject="Two")


def arm_of(key: str) -> Arm:
    return Arm.objects.get(key=key)


def in_test(people: list[Contact], **fields: Any) -> Campaign:
    one, two = two_templates()
    given = {"template_id": one.pk, "test_percent": 50, "test_hours": 4} | fields
    campaign = with_arms(people, {}, {"template_id": two.pk}, **given)
    with clock.freeze(LUNCH):
        services.launch(campaign)
    work_at(LUNCH)
    return campaign
