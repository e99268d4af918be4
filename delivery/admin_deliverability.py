"""From a number of deliverability to its messages: filters that count exactly what the boards count."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from audience.models import MessageChannel
from common import clock
from delivery import lanes
from delivery.domain import mailboxes
from delivery.models import Message, MessageStatus, SendingPause, SourceType

Rows = QuerySet[Message]
LEFT_US = (MessageStatus.SENT, MessageStatus.FAILED, MessageStatus.UNCERTAIN)


def _left(rows: Rows) -> Rows:
    """E-mails that left the house, tests apart."""
    return rows.filter(handed_at__isnull=False, status__in=LEFT_US, channel=MessageChannel.EMAIL).exclude(
        source_type=SourceType.TEST
    )


class LeftFilter(admin.SimpleListFilter):
    """When it left, in whole days of the organisation's zone: `2026-11-01_2026-11-18`. Plan: messages_handed_over."""

    title = "left the house"
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        today = lanes.today(clock.now()).date
        spans = (("Today", 0), ("Last 7 days", 6), ("Last 30 days", 29))
        return [(f"{today - timedelta(days=days)}_{today}", title) for title, days in spans]

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        first, _, last = (self.value() or "").partition("_")
        try:
            days = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
        except (ValueError, OverflowError):
            return rows
        zone = lanes.today(clock.now()).starts_at.tzinfo
        since, until = (datetime.combine(day, time(), zone) for day in days)
        return _left(rows).filter(handed_at__gte=since, handed_at__lt=until)


class BecameFilter(admin.SimpleListFilter):
    """What became of what left, as the boards count it."""

    title = "what became of it"
    parameter_name = "became"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("sent", "Left the house"),
            ("delivered", "Delivered"),
            ("deferred", "Deferred at first"),
            ("bounced", "Bounced"),
            ("complained", "Reported as spam"),
            ("opened", "Opened by a person"),
            ("clicked", "Clicked by a person"),
        ]

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        wanted = self.value()
        if wanted not in dict(self.lookups(request, None)):
            return rows
        bounced = Q(status=MessageStatus.FAILED) | Q(bounced_at__isnull=False)
        conditions = {
            "sent": Q(),
            "delivered": Q(status=MessageStatus.SENT) & ~bounced,
            "deferred": Q(attempts__gt=1),
            "bounced": bounced,
            "complained": Q(complained_at__isnull=False),
            "opened": Q(opened_at__isnull=False),
            "clicked": Q(clicked_at__isnull=False),
        }
        return _left(rows).filter(conditions[wanted])


class MailboxFilter(admin.SimpleListFilter):
    """Who keeps the recipient's mailbox."""

    title = "mailbox provider"
    parameter_name = "mailbox"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(mailboxes.LABELS.items())

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        if self.value() not in mailboxes.LABELS:
            return rows
        known = lanes.provider_arrays()
        pairs = list(zip(known["mailbox_domains"], known["mailbox_providers"], strict=True))
        rows = rows.filter(channel=MessageChannel.EMAIL).alias(
            recipient_domain=Func(F("address"), Value("@"), Value(2), function="split_part", output_field=TextField())
        )
        if self.value() == mailboxes.OTHER:
            return rows.exclude(recipient_domain__in=[domain for domain, _ in pairs])
        return rows.filter(recipient_domain__in=[domain for domain, provider in pairs if provider == self.value()])


class FromFilter(admin.SimpleListFilter):
    """The sending domain."""

    title = "sending domain"
    parameter_name = "from"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(domain, domain) for domain in sorted(lanes.senders().domains()) if domain]

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        wanted = self.value()
        if not wanted:
            return rows
        senders = lanes.senders()
        others = [pk for pk, domain in senders.by_id.items() if domain != wanted]
        if senders.home == wanted:
            # Who names no sender, or one that is gone, goes out from home.
            return rows.filter(Q(sender_id=None) | ~Q(sender_id__in=others))
        return rows.filter(sender_id__in=[pk for pk, domain in senders.by_id.items() if domain == wanted])


FILTERS = [LeftFilter, BecameFilter, MailboxFilter, FromFilter]


@admin.register(SendingPause)
class SendingPauseAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Every pause there ever was; the page of deliverability ends one."""

    empty_hint = "Nothing was ever paused: too little came back."
    list_display = ["target", "scope", "shown_state", "reason", "paused_at", "resumed_at", "resumed_by"]
    list_filter = ["scope", "measure"]
    search_fields = ["target", "reason"]
    ordering = ["-pk"]

    @display(description="State", label={"Paused": "danger", "Ended": "success"})
    def shown_state(self, pause: SendingPause) -> str:
        return "Ended" if pause.resumed_at else "Paused"
