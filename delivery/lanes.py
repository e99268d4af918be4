"""Lanes: from which sending domain, to which mailbox provider, on which day. Names and days that pacing goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings

from accounts.models import Organization
from common import tenancy
from delivery.domain import mailboxes, quiet
from delivery.models import MailboxDomain, Sender

START_OF_SENDING = time(8)

# Which domain a message comes from; joined to a table called `message`.
SENDER_JOIN = """
  LEFT JOIN unnest(%(sender_ids)s::bigint[], %(sender_domains)s::text[]) AS sender(id, domain)
         ON sender.id = message.sender_id
"""
SENDER_DOMAIN = "coalesce(sender.domain, %(home_domain)s)"


@dataclass(frozen=True)
class Senders:
    """Sender id → domain of its address; `home` for messages that name none."""

    home: str
    by_id: dict[int, str]

    def domain(self, sender_id: int | None) -> str:
        return self.home if sender_id is None else self.by_id.get(sender_id, self.home)

    def parameters(self) -> dict[str, Any]:
        """What SENDER_JOIN binds."""
        return {
            "sender_ids": list(self.by_id),
            "sender_domains": list(self.by_id.values()),
            "home_domain": self.home,
        }

    def domains(self) -> set[str]:
        return {self.home, *self.by_id.values()}


def senders() -> Senders:
    """The senders of the current organisation; without a default one the house's own address."""
    home = mailboxes.domain_of(settings.DEFAULT_FROM_EMAIL)
    by_id: dict[int, str] = {}
    for pk, address, is_default in Sender.objects.values_list("pk", "address", "is_default"):
        by_id[pk] = mailboxes.domain_of(address)
        if is_default:
            home = by_id[pk]
    return Senders(home, by_id)


def providers_of(domains: set[str]) -> dict[str, str]:
    """Recipient domain → mailbox provider, by the table and what was looked up before; never by a look-up now."""
    unknown = [domain for domain in domains if domain not in mailboxes.BY_DOMAIN]
    found = dict(MailboxDomain.objects.filter(name__in=unknown).values_list("name", "provider")) if unknown else {}
    return {domain: mailboxes.by_domain(domain, found) for domain in domains}


def provider_arrays() -> dict[str, list[str]]:
    """Every known recipient domain and its provider, for set statements (`mailbox_domains`, `mailbox_providers`)."""
    known = dict(MailboxDomain.objects.exclude(provider=mailboxes.OTHER).values_list("name", "provider"))
    known |= mailboxes.BY_DOMAIN
    return {"mailbox_domains": list(known), "mailbox_providers": list(known.values())}


@dataclass(frozen=True)
class Day:
    """A sending day in the organisation's own zone. Waiting mail begins at 8:00 of it, so nobody is woken."""

    starts_at: datetime

    @property
    def date(self) -> date:
        return self.starts_at.date()

    @property
    def opens_at(self) -> datetime:
        return datetime.combine(self.date, START_OF_SENDING, self.starts_at.tzinfo)

    def following(self) -> Day:
        return Day(datetime.combine(self.date + timedelta(days=1), time(), self.starts_at.tzinfo))


def today(now: datetime) -> Day:
    """The sending day that `now` falls into."""
    zone = quiet.zone(Organization.objects.get(pk=tenancy.required()).timezone) or UTC
    return Day(datetime.combine(now.astimezone(zone).date(), time(), zone))
