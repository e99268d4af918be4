"""Programmes: every write of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from audience.domain import event_names
from common.errors import Conflict, Invalid
from viral.domain.links import checked_url
from viral.models import Program, RewardKind

FIELDS = (
    "name", "slug", "landing_url", "link_base_url", "inviter_reward_kind", "inviter_reward_amount",
    "invitee_reward_kind", "invitee_reward_amount", "currency", "sign_up_event_name", "goal_event_name",
    "refund_event_name", "requires_approval", "only_new_customers", "share_subject", "share_text", "is_active",
)  # fmt: skip
MOST_REWARD = 10**12


def create_program(values: Mapping[str, Any]) -> Program:
    """Make a programme from fields of `Program`; raises `Invalid` naming the field, `Conflict` for a taken slug."""
    return save_program(_with(Program(), values))


def update_program(program: Program, values: Mapping[str, Any]) -> Program:
    """Change a programme. Links that were shared follow its new landing page; what was earned stays."""
    return save_program(_with(program, values))


def save_program(program: Program) -> Program:
    """Check and store a new or changed programme."""
    _check(program)
    try:
        with transaction.atomic():
            if program.pk is None:
                program.save()
                audit.created(program)
            else:
                with audit.changing(program):
                    program.save()
    except IntegrityError as error:
        raise Conflict(
            f'There is already a programme with the slug "{program.slug}".', details={"slug": "Is taken."}
        ) from error
    return program


def delete_program(program: Program) -> None:
    """Delete a programme nobody was invited by; raises `Conflict` for one that has referrals."""
    if program.referrals.exists():
        raise Conflict("People were invited by this programme. Switch it off instead of deleting it.")
    with transaction.atomic():
        audit.deleted(program)
        program.delete()


def _with(program: Program, values: Mapping[str, Any]) -> Program:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise Invalid(f'There is no field "{unknown[0]}".', details={unknown[0]: "There is no such field."})
    for name, value in values.items():
        setattr(program, name, value)
    return program


def _check(program: Program) -> None:
    program.landing_url = checked_url(program.landing_url, "landing_url")
    if program.link_base_url:
        program.link_base_url = checked_url(program.link_base_url, "link_base_url").rstrip("/")
    program.currency = program.currency.strip().upper()
    wrong = {}
    for field in ("name", "slug", "goal_event_name"):
        if not getattr(program, field).strip():
            wrong[field] = "May not be empty."
    if program.currency and not (
        program.currency.isascii() and program.currency.isalpha() and len(program.currency) == 3
    ):
        wrong["currency"] = "Three letters, like GBP."
    for side in ("inviter", "invitee"):
        amount, kind = getattr(program, f"{side}_reward_amount"), getattr(program, f"{side}_reward_kind")
        if not 0 <= amount <= MOST_REWARD:
            wrong[f"{side}_reward_amount"] = "An amount is zero or more."
        if kind not in RewardKind.values:
            wrong[f"{side}_reward_kind"] = f"One of {', '.join(RewardKind.values)}."
    if event_names.key(program.refund_event_name or " ") == event_names.key(program.goal_event_name):
        wrong["refund_event_name"] = "Must be another event than the one that qualifies."
    if wrong:
        raise Invalid("The programme is not complete.", details=wrong)
