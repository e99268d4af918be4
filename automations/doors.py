"""Addresses by which the outside starts workflows: signed, so that knowing one is the right to use it.

An address names its organisation, its kind and the key that a trigger chose. It works as long as a workflow, on or
off, starts by it; another key is another address.
"""

from __future__ import annotations

import logging
import re
import time

import redis
from django.conf import settings
from django.core.signing import BadSignature, Signer

from automations.models import Automation
from common import doorbell, tenancy

logger = logging.getLogger(__name__)

WEBHOOK, FORM = "webhook", "form"
PATHS = {WEBHOOK: "/webhooks/workflows/", FORM: "/forms/"}
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
# What one address of a webhook, or one visitor of a form, may send in a minute.
MOST_PER_MINUTE = {WEBHOOK: 600, FORM: 20}


def address(kind: str, key: str) -> str:
    """The whole address of a door of the current organisation."""
    return f"{settings.PUBLIC_URL}{PATHS[kind]}{_signer(kind).sign(f'{tenancy.required()}-{key}')}/"


def read(kind: str, token: str) -> tuple[int, str] | None:
    """The organisation and the key that an address names; None for one that is not ours."""
    try:
        organization, _, key = _signer(kind).unsign(token).partition("-")
    except BadSignature:
        return None
    return int(organization), key


def listening(kind: str, key: str) -> list[Automation]:
    """The workflows that start by this door, those that are on first."""
    rows = Automation.objects.filter(trigger_type=kind, trigger_configuration__key=key)
    return list(rows.order_by("-is_active", "pk"))


def is_flood(kind: str, who: str) -> bool:
    """Whether this sender has sent too much within the minute. Nobody has while Redis is away."""
    place = f"door:{kind}:{who}:{int(time.time() // 60)}"
    try:
        pipeline = doorbell.client().pipeline()
        pipeline.incr(place)
        pipeline.expire(place, 61)
        count = int(pipeline.execute()[0])
    except redis.RedisError as error:
        logger.warning("What comes through doors is not counted while Redis is away: %s", error)
        return False
    return count > MOST_PER_MINUTE[kind]


def _signer(kind: str) -> Signer:
    return Signer(salt=f"automations.doors.{kind}", sep=".")
