"""May a message go, and why not: caps, consent, suppression, quiet hours, holdouts, priority."""

from delivery.services.policy.judge import JUDGE_SQL, verdict_sql
from delivery.services.policy.judge import parameters as judge_parameters
from delivery.services.policy.limits import caps, current, resume_at
from delivery.services.policy.sentences import (
    ERASED,
    EXPIRED,
    HELD_OUT,
    MERGED,
    NO_ADDRESS,
    NO_CONSENT,
    NO_DEVICE,
    NO_PHONE,
    OVER_CAP,
    OWN_CAP,
    PAUSED,
    QUIET,
    REFUSALS,
    SUPPRESSED,
    TOO_SOON,
    UNCONFIRMED,
    WAITS,
    WITHDRAWN,
)
from delivery.services.policy.standing import STANDING_SQL
from delivery.services.policy.standing import parameters as standing_parameters
from delivery.services.policy.standing import sql as standing_sql

__all__ = [
    "ERASED",
    "EXPIRED",
    "HELD_OUT",
    "JUDGE_SQL",
    "MERGED",
    "NO_ADDRESS",
    "NO_CONSENT",
    "NO_DEVICE",
    "NO_PHONE",
    "OVER_CAP",
    "OWN_CAP",
    "PAUSED",
    "QUIET",
    "REFUSALS",
    "STANDING_SQL",
    "SUPPRESSED",
    "TOO_SOON",
    "UNCONFIRMED",
    "WAITS",
    "WITHDRAWN",
    "caps",
    "current",
    "judge_parameters",
    "resume_at",
    "standing_parameters",
    "standing_sql",
    "verdict_sql",
]
