"""What an organisation set: caps, quiet hours, holdouts, as the judge binds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from accounts.models import Organization
from common import tenancy
from delivery.domain import quiet
from delivery.domain.caps import SILENT, Cap
from delivery.domain.quiet import Window
from delivery.models import CapRule, DeliveryPolicy, Frequency, Holdout, MessageKind, QuietHours
from delivery.services.policy import sentences

OWN_CAPS = {Frequency.DAILY: 24, Frequency.WEEKLY: 7 * 24, Frequency.MONTHLY: 30 * 24}
SPANS = {1: "an hour", 24: "a day", 168: "a week"}

ZONES_SQL = """
SELECT DISTINCT contact.timezone, message.channel
  FROM ({messages}) AS message
  JOIN audience_contact AS contact
    ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
 WHERE message.kind <> 'transactional'
"""


def current() -> DeliveryPolicy:
    """The organisation's policy, or the defaults when it set none."""
    policy = DeliveryPolicy.objects.first()
    if policy is None:
        policy = DeliveryPolicy()
        policy.clean_fields(exclude=["organization_id"])  # turns the default times from text into times
    return policy


def caps(policy: DeliveryPolicy) -> list[Cap]:
    """Every cap that holds: the policy's own for marketing, and the rules beside it."""
    general = Cap(MessageKind.MARKETING, most=policy.most_per_day, per_hours=24, hours_between=policy.hours_between)
    return [general, *(rule_cap(rule) for rule in CapRule.objects.order_by("pk"))]


def rule_cap(rule: CapRule) -> Cap:
    return Cap(rule.kind, rule.channel, rule.topic_id, rule.most, rule.per_hours, rule.hours_between)


def windows(policy: DeliveryPolicy, channel: str, rows: Iterable[QuietHours]) -> list[Window]:
    """The quiet hours of a channel: its own rows when it has some, else the policy's, where it makes a sound."""
    own = [Window(row.quiet_from, row.quiet_until, frozenset(row.weekdays)) for row in rows if row.channel == channel]
    if own or channel in SILENT:
        return own
    return [Window(policy.quiet_from, policy.quiet_until)]


def home() -> str:
    """The zone that counts for contacts whose own is not known."""
    name = Organization.objects.get(pk=tenancy.required()).timezone
    return name if quiet.zone(name) else "UTC"


def resume_at(now: datetime, timezone: str, policy: DeliveryPolicy, channel: str) -> datetime | None:
    """When a message to somebody in this zone may go by this channel, or None when it may now."""
    where = quiet.zone(timezone) or quiet.zone(home())
    assert where is not None
    return quiet.resume_at(now, where, windows(policy, channel, QuietHours.objects.filter(channel=channel)))


def cap_parameters(found: Sequence[Cap], now: datetime) -> dict[str, Any]:
    """One column per property of the caps. The words take the name of what went instead (format's `%1$s`)."""
    reach = max((cap.reach for cap in found), default=timedelta())
    return {
        "silent": sorted(SILENT),
        "cap_kinds": [str(cap.kind) for cap in found],
        "cap_channels": [str(cap.channel) for cap in found],
        "cap_topics": [cap.topic_id or 0 for cap in found],
        "cap_mosts": [cap.most for cap in found],
        "cap_spans": [timedelta(hours=cap.per_hours) for cap in found],
        "cap_gaps": [timedelta(hours=cap.hours_between) for cap in found],
        "cap_over": [f"{sentences.OVER_CAP} ({_most_words(cap)}): “%1$s” went instead." for cap in found],
        "cap_soon": [f"{sentences.TOO_SOON} “%1$s”: {_gap_words(cap)} between two messages." for cap in found],
        "own_names": [str(name) for name in OWN_CAPS],
        "own_spans": [timedelta(hours=hours) for hours in OWN_CAPS.values()],
        "own_over": f"{sentences.OWN_CAP} (%2$s): “%1$s” went instead.",
        "own_words": [name.label.lower() for name in OWN_CAPS],
        "caps_since": now - max(reach, timedelta(hours=24)),
    }


def _most_words(cap: Cap) -> str:
    span = SPANS.get(cap.per_hours, f"{cap.per_hours} hours")
    return f"{cap.most} in {span}{_scope(cap)}"


def _gap_words(cap: Cap) -> str:
    return f"{cap.hours_between} {'hour' if cap.hours_between == 1 else 'hours'}{_scope(cap)}"


def _scope(cap: Cap) -> str:
    return (f" by {cap.channel.replace('_', '-')}" if cap.channel else "") + (" on the topic" if cap.topic_id else "")


def quiet_parameters(messages: str, values: dict[str, Any], policy: DeliveryPolicy, now: datetime) -> dict[str, Any]:
    """The zones and channels of the block in which it is quiet now, and when that ends.

    Computed in Python: a contact's zone is whatever a client sent, and PostgreSQL would refuse the statement.
    """
    own = list(QuietHours.objects.all())
    if not own and policy.quiet_from == policy.quiet_until:
        return {"zones": [], "zone_channels": [], "resumes": []}
    with connection.cursor() as cursor:
        cursor.execute(ZONES_SQL.format(messages=messages), values)
        pairs = cursor.fetchall()
    fallback = quiet.zone(home())
    assert fallback is not None
    ends = {
        (name, channel): quiet.resume_at(now, quiet.zone(name) or fallback, windows(policy, channel, own))
        for name, channel in pairs
    }
    known = [(name, channel, end) for (name, channel), end in ends.items() if end is not None]
    return {
        "zones": [name for name, _, _ in known],
        "zone_channels": [channel for _, channel, _ in known],
        "resumes": [end for _, _, end in known],
    }


def holdout_parameters(now: datetime) -> dict[str, Any]:
    """The holdouts that hold now. The draw hashes salt, period and contact; see judge.DRAW."""
    rows = Holdout.objects.filter(percent__gt=0, starts_at__lte=now)
    found = [(row, period(row, now)) for row in rows.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("pk")]
    return {
        "draw_ids": [row.pk for row, _ in found],
        "draw_periods": [number for _, number in found],
        "draw_types": [str(row.source_type) for row, _ in found],
        "draw_sources": [row.source_id for row, _ in found],
        "draw_salts": [f"{row.salt}:{number}:" for row, number in found],
        "draw_shares": [int(row.percent * 100) for row, _ in found],
    }


def period(holdout: Holdout, now: datetime) -> int:
    """Which draw holds at `now`, from 0."""
    if not holdout.renew_days:
        return 0
    return max(0, (now - holdout.starts_at) // timedelta(days=holdout.renew_days))
