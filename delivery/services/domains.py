"""Sending domains: looking at their zones, their DKIM keys, and signing with them. No mail waits for the DNS."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from django.db import connection, transaction

from accounts import audit
from common import clock, doorbell, sealing, tenancy
from common.errors import Conflict, Invalid, NotFound
from delivery import lanes, resolver
from delivery.domain import checkup, dkim, mailboxes
from delivery.domain.checkup import Check, Selector, Status, Subject
from delivery.domain.zone import Unreachable, Zone
from delivery.models import DkimKey, MailboxDomain, SendingDomain
from delivery.services import warmups

logger = logging.getLogger(__name__)

SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LOOK_UP_AT_ONCE = 200
LOOK_UP_SECONDS = 600.0
LOOK_BACK = timedelta(days=2)
KNOWN_FOR = timedelta(days=30)
LOUD = (Status.FAIL,)

# Plan: messages_handed_over of two days, a group of their domains.
STRANGERS_SQL = """
SELECT split_part(message.address, '@', 2) AS domain FROM delivery_message AS message
 WHERE message.organization_id = %(organization)s AND message.handed_at >= %(since)s AND message.channel = 'email'
   AND split_part(message.address, '@', 2) <> '' AND split_part(message.address, '@', 2) <> ALL(%(known)s)
   AND NOT EXISTS (SELECT 1 FROM delivery_mailboxdomain AS seen
                    WHERE seen.organization_id = %(organization)s AND seen.name = split_part(message.address, '@', 2)
                      AND seen.looked_up_at >= %(fresh)s)
 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %(limit)s
"""


def all_domains() -> list[SendingDomain]:
    """A row for each domain that a sender uses, in order of name."""
    names = {name for name in lanes.senders().domains() if name}
    for name in names - set(SendingDomain.objects.values_list("name", flat=True)):
        warmups.domain_row(name)
    return list(SendingDomain.objects.filter(name__in=names).order_by("name"))


def check(domain: SendingDomain, zone: Zone | None = None) -> list[Check]:
    """Look at the domain's zone now and keep what was found. Raises `Unreachable` when nobody may be asked."""
    if zone is None and not resolver.is_configured():
        raise Unreachable("Looking at DNS zones is switched off (DNS_RESOLVER=off).")
    checks = checkup.examine(_subject(domain), zone or resolver.Resolver())
    with transaction.atomic():
        locked = SendingDomain.objects.select_for_update().get(pk=domain.pk)
        before = {line["name"]: line["status"] for line in locked.report}
        now = clock.now()
        # What nobody could tell stays as it was known, so that a deaf resolver neither breaks nor mends anything.
        locked.broken = [
            each.name
            for each in checks
            if (each.status in LOUD and (before.get(each.name) == Status.PASS or each.name in locked.broken))
            or (each.status == Status.SKIPPED and each.name in locked.broken)
        ]  # fmt: skip
        known = {line["name"]: line for line in locked.report}
        locked.report = [
            known[each.name] if _is_unknown(each) and each.name in known else each.plain() for each in checks
        ]
        locked.report_status, locked.checked_at = checkup.worst(checks), now
        locked.save(update_fields=["report", "report_status", "checked_at", "broken"])
        _verify_key(locked, checks)
    domain.refresh_from_db()
    return checks


def _is_unknown(check: Check) -> bool:
    return check.status == Status.SKIPPED and check.means == checkup.UNKNOWN


def _subject(domain: SendingDomain) -> Subject:
    key = DkimKey.objects.filter(domain=domain).first()
    selectors = [Selector(key.selector, key.public_key, dkim.record(key.public_key))] if key else []
    if domain.relay_selector:
        selectors.append(Selector(domain.relay_selector))
    return Subject(domain.name, tuple(selectors), settings.OUTGOING_HOST, settings.PUBLIC_URL)


def _verify_key(domain: SendingDomain, checks: Sequence[Check]) -> None:
    """Our key counts as verified while its record stands in the zone; signing stops when it is gone for good."""
    found = next(each for each in checks if each.name == "dkim")
    key = DkimKey.objects.filter(domain=domain).first()
    if key is None or found.status == Status.SKIPPED:
        return
    is_there = key.selector in found.proven
    if is_there != (key.verified_at is not None):
        key.verified_at = clock.now() if is_there else None
        key.save(update_fields=["verified_at"])
    if domain.signs and not is_there:
        with audit.changing(domain, "stop signing: the record is gone"):
            domain.signs = False
            domain.save(update_fields=["signs"])


def make_key(domain: SendingDomain) -> DkimKey:
    """A new key pair for the domain. An older one is replaced, and signing stops until the new one is verified."""
    private, public = dkim.new_key()
    with transaction.atomic():
        locked = SendingDomain.objects.select_for_update().get(pk=domain.pk)
        for old in DkimKey.objects.filter(domain=locked):
            audit.deleted(old)
            old.delete()
        # A new name, so that mails on their way can still be verified by the old record.
        key = DkimKey.objects.create(
            domain=locked,
            selector=f"gs{clock.now():%Y%m%d%H%M%S}",
            secret=sealing.seal({"private": private}),
            public_key=public,
        )
        audit.created(key)
        if locked.signs:
            with audit.changing(locked, "stop signing: new key"):
                locked.signs = False
                locked.save(update_fields=["signs"])
    return key


def set_signing(domain: SendingDomain, *, signs: bool) -> SendingDomain:
    """Sign the domain's mail with its key, or leave that to the relay. Raises `Conflict` for an unverified key."""
    with transaction.atomic():
        locked = SendingDomain.objects.select_for_update().get(pk=domain.pk)
        key = DkimKey.objects.filter(domain=locked).first()
        if signs and (key is None or key.verified_at is None):
            raise Conflict("Write the key's record into the zone and check again; then mail can be signed with it.")
        with audit.changing(locked, "start signing" if signs else "stop signing"):
            locked.signs = signs
            locked.save(update_fields=["signs"])
    return locked


def set_relay_selector(domain: SendingDomain, selector: str) -> SendingDomain:
    """Tell which DKIM selector the relay signs with; empty when it does not. Raises `Invalid`."""
    selector = selector.strip().lower()
    if selector and not SELECTOR.fullmatch(selector):
        sentence = "A selector has letters, digits and hyphens only, 63 at most."
        raise Invalid(sentence, details={"selector": sentence})
    with transaction.atomic(), audit.changing(domain):
        domain.relay_selector = selector
        domain.save(update_fields=["relay_selector"])
    return domain


def find(pk: int) -> SendingDomain:
    """A sending domain of the organisation. Raises `NotFound`."""
    domain = SendingDomain.objects.filter(pk=pk).first()
    if domain is None:
        raise NotFound(f"There is no sending domain {pk}.")
    return domain


def daily_round() -> int:
    """Look at every zone again, and whose servers new recipient domains use; returns how many names were asked."""
    if not resolver.is_configured():
        return 0
    domains = all_domains()
    for domain in domains:
        check(domain)
    return len(domains) + look_up_mailboxes(resolver.Resolver(LOOK_UP_SECONDS))


def look_up_mailboxes(zone: Zone) -> int:
    """Ask the MX of recipient domains that nobody knows yet, the busiest first. The silent are asked again."""
    now = clock.now()
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "since": now - LOOK_BACK,
        "fresh": now - KNOWN_FOR,
        "known": list(mailboxes.BY_DOMAIN),
        "limit": LOOK_UP_AT_ONCE,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(STRANGERS_SQL, parameters)
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        try:
            provider = mailboxes.by_mx(zone.mx(name))
        except Unreachable:
            continue
        MailboxDomain.objects.update_or_create(name=name, defaults={"provider": provider, "looked_up_at": now})
    return len(names)


def signers() -> dict[str, dkim.Signer]:
    """Sending domain → its signer, for those that sign; read once a block."""
    keys = DkimKey.objects.filter(domain__signs=True, verified_at__isnull=False).select_related("domain")
    return {key.domain.name: signer(key.domain.name, key.selector, key.secret) for key in keys}


def signer(domain: str, selector: str, secret: str) -> dkim.Signer:
    """The signer of a stored key."""
    return dkim.Signer(domain, selector, _private_key(secret))


@lru_cache(maxsize=64)
def _private_key(secret: str) -> RSAPrivateKey:
    return dkim.private_key(sealing.unseal(secret)["private"])


def run_everywhere() -> None:
    """The daily round of every organisation with a sender, one after another."""
    for organization_id in sorted(doorbell.organizations_with("delivery_sender", "TRUE")):
        with tenancy.organization(organization_id):
            try:
                daily_round()
            except Unreachable as error:
                logger.warning("Zones of organisation %s were not looked at: %s", organization_id, error)
