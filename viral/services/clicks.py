"""Somebody follows a share link."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from audience import services as audience
from audience.services import InternalEvent
from common import clock, tenancy
from viral.domain import codes as rules
from viral.domain import visitors
from viral.domain.links import landing
from viral.models import Referral, ReferralCode, ReferralStatus

MOST_CLICKS_A_DAY = 500  # per code; a flood leads on and is not counted

CLICKED = "referral_clicked"
SIGNED_UP = "referral_signed_up"
QUALIFIED = "referral_qualified"


def find(text: str) -> tuple[int, ReferralCode] | None:
    """The live code a link names, with its organisation; None when there is none. The code itself is the right."""
    code = rules.read(text)
    if not code:
        return None
    with tenancy.engine():
        found = ReferralCode.objects.select_related("program").filter(code=code, program__is_active=True).first()
    return (found.organization_id, found) if found is not None else None


def follow(organization_id: int, code: ReferralCode, *, address: str, user_agent: str, is_counted: bool) -> str:
    """Count the click, once per visitor and day and never a robot's, and return where the link leads."""
    if is_counted and not visitors.is_robot(user_agent):
        with tenancy.organization(organization_id), transaction.atomic():
            _count(code, address, user_agent)
    return landing(code.program.landing_url, code.code, code.program.slug)


def _count(code: ReferralCode, address: str, user_agent: str) -> None:
    now = clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if Referral.objects.filter(code=code, clicked_at__gte=today)[MOST_CLICKS_A_DAY - 1 : MOST_CLICKS_A_DAY].exists():
        return
    key = visitors.key(settings.SECRET_KEY, now.date(), code.code, address, user_agent)
    referral, is_new = Referral.objects.get_or_create(
        code=code,
        visitor_key=key,
        defaults={
            "program": code.program,
            "inviter_id": code.contact_id,
            "status": ReferralStatus.CLICKED,
            "clicked_at": now,
            "created_at": now,
        },
    )
    if is_new:
        audience.record([event(referral, code, CLICKED, code.contact_id, "inviter", now)])


def event(
    referral: Referral, code: ReferralCode, name: str, contact_id: int, role: str, happened_at: datetime
) -> InternalEvent:
    """What one side of a referral lived through, as an event. `role` says which side the contact is."""
    return InternalEvent(
        contact_id=contact_id,
        name=name,
        happened_at=happened_at,
        message_id=f"{name}:{referral.pk}:{role}",
        properties={
            "role": role,
            "referral_id": referral.pk,
            "program": code.program.slug,
            "campaign_name": code.program.slug,
            "code": code.code,
        },
    )
