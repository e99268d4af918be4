"""The rewards ledger: approval and reversal by people."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts import audit
from common import clock
from common.errors import Conflict, Invalid
from viral.models import Reward, RewardStatus
from viral.services import qualifying


def approve(reward_ids: Sequence[int]) -> int:
    """Approve waiting rewards; others are left as they are. Returns how many were approved."""
    with transaction.atomic():
        waiting = Reward.objects.select_for_update().filter(pk__in=reward_ids, status=RewardStatus.PENDING)
        rewards = list(waiting.order_by("pk"))
        for reward in rewards:
            _decide(reward, RewardStatus.APPROVED, "", "approve")
        qualifying.settle_rewarded([reward.referral_id for reward in rewards if reward.referral_id is not None])
    return len(rewards)


def reverse(reward: Reward, reason: str) -> Reward:
    """Take a reward back; raises `Invalid` without a reason, `Conflict` when it is reversed already."""
    if not reason.strip():
        raise Invalid("Say why the reward is taken back.", details={"reason": "May not be empty."})
    with transaction.atomic():
        held = Reward.objects.select_for_update().get(pk=reward.pk)
        if held.status == RewardStatus.REVERSED:
            raise Conflict("This reward is reversed already.", code="reversed_already")
        _decide(held, RewardStatus.REVERSED, reason.strip()[:200], "reverse")
    return held


def _decide(reward: Reward, status: RewardStatus, reason: str, action: str) -> None:
    with audit.changing(reward, action):
        reward.status, reward.reason, reward.decided_at = status, reason, clock.now()
        reward.save(update_fields=["status", "reason", "decided_at"])
