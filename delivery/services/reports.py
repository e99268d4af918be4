"""Reports of providers: kept raw, read once, and what follows from them for messages, addresses and people.

What the ledger says follows from the whole set of reports of a message, never from the order in which they came.
Filing is serialised per organisation, so two workers cannot draw two conclusions from one report.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from audience.models import MessageChannel
from common import clock, doorbell, housekeeping, tenancy
from common.errors import Invalid
from common.models import WorkStatus
from delivery import links
from delivery.domain import bounces
from delivery.domain.reports import Finding, Report
from delivery.models import Provider, ProviderCall, ProviderReport
from delivery.providers import PROVIDERS
from delivery.providers.hooks import Call
from delivery.services import conclusions, engagement
from delivery.services.conclusions import Filed

WORK = "provider_calls"
BLOCK = 200
KEPT_DAYS, PURGE_BLOCK = 7, 5000
BY_PHONE = frozenset({MessageChannel.SMS.value, MessageChannel.WHATSAPP.value})
BOUNCE = "bounce"  # the kind of a call that is a mail: a bounce or a complaint by RFC 3464 or RFC 5965

# Plan: the primary key from its old end. Requests that could not be read stay.
PURGE_SQL = """
DELETE FROM delivery_providercall WHERE id IN (
    SELECT id FROM delivery_providercall WHERE status = 'done' AND received_at < %s ORDER BY id LIMIT %s)
"""

# Once per key, whoever says it again. Rows of other organisations fall out of the join, and so do deleted ones.
FILE_SQL = """
INSERT INTO delivery_providerreport AS report (
       organization_id, key, account_id, message_id, kind, finding, address, provider_message_id, url, user_agent,
       answer, happened_at, received_at)
SELECT %(organization)s, said.key, said.account_id, message.id, said.kind, said.finding, said.address,
       said.provider_message_id, said.url, said.user_agent, said.answer, said.happened_at, %(now)s
  FROM unnest(%(keys)s::text[], %(account_ids)s::bigint[], %(message_ids)s::bigint[], %(kinds)s::text[],
              %(findings)s::text[], %(addresses)s::text[], %(provider_ids)s::text[], %(urls)s::text[],
              %(agents)s::text[], %(answers)s::text[], %(moments)s::timestamptz[])
       AS said(key, account_id, message_id, kind, finding, address, provider_message_id, url, user_agent, answer,
               happened_at)
  LEFT JOIN delivery_message AS message
         ON message.id = said.message_id AND message.organization_id + 0 = %(organization)s
 ORDER BY said.key
    ON CONFLICT (organization_id, key) DO NOTHING
RETURNING id, message_id, kind, finding, url, user_agent, answer, happened_at
"""


@dataclass(frozen=True)
class Said:
    """A report and the account that it came to; none for a mail."""

    report: Report
    account_id: int | None


def accept(
    kind: str,
    account_id: int | None,
    body: bytes,
    *,
    content_type: str = "",
    headers: Mapping[str, str] | None = None,
) -> bool:
    """Keep one proven request durably and ring for a worker; False when it was here before."""
    digest = hashlib.sha256(kind.encode() + b"\0" + str(account_id).encode() + b"\0" + body).hexdigest()
    now = clock.now()
    with transaction.atomic():
        _, is_new = ProviderCall.objects.get_or_create(
            digest=digest,
            defaults={
                "kind": kind,
                "account_id": account_id,
                "content_type": content_type[:200],
                "headers": dict(headers or {}),
                "body": body,
                "received_at": now,
                "run_at": now,
            },
        )
        if is_new:
            doorbell.ring(WORK)
    return is_new


def work(organization_id: int) -> int:
    """Read what waits in one organisation; returns how many requests."""
    worked = 0
    with tenancy.organization(organization_id):
        while count := _work_block():
            worked += count
    return worked


def organizations_due() -> list[int]:
    """Organisations with requests that nobody has read."""
    condition = "status = 'pending' AND run_at <= %s"
    return doorbell.organizations_with("delivery_providercall", condition, [clock.now()])


def replay(call_ids: Sequence[int]) -> int:
    """Read requests again that could not be read; returns how many."""
    with transaction.atomic():
        rows = ProviderCall.objects.filter(pk__in=call_ids, status=WorkStatus.FAILED)
        count = rows.update(status=WorkStatus.PENDING, run_at=clock.now(), error="")
        if count:
            doorbell.ring(WORK)
    return count


def _work_block() -> int:
    with transaction.atomic():
        _one_at_a_time()
        waiting = ProviderCall.objects.filter(status=WorkStatus.PENDING, run_at__lte=clock.now())
        calls = list(waiting.select_for_update(skip_locked=True).order_by("run_at", "pk")[:BLOCK])
        said = [each for call in calls for each in _read(call)]
        ProviderCall.objects.bulk_update(calls, ["status", "attempts", "error", "report_count"])
        file(said)
    return len(calls)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('delivery.reports', %s))", [tenancy.required()])


def _read(call: ProviderCall) -> list[Said]:
    """What a request says; one that cannot be understood is kept with the reason."""
    kept = Call(bytes(call.body), call.received_at, call.content_type, call.headers)
    call.attempts += 1
    try:
        reports = bounces.read(kept.body, kept.received_at) if call.kind == BOUNCE else _hooks(call.kind).read(kept)
    except Invalid as error:
        call.status, call.error = WorkStatus.FAILED, error.message[:1000]
        return []
    call.status, call.error, call.report_count = WorkStatus.DONE, "", len(reports)
    return [Said(report, call.account_id) for report in reports]


def _hooks(kind: str) -> Any:
    found = PROVIDERS.find(kind, "kind").hooks
    if found is None:
        raise Invalid(f"{kind} does not report.")
    return found


def file(said: Sequence[Said]) -> int:
    """File reports in the caller's transaction and draw the conclusions; returns how many were new."""
    if not said:
        return 0
    unique = {each.report.key: each for each in said}
    _take_replies(list(unique.values()))
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FILE_SQL, _columns(list(unique.values())))
        rows = [Filed(*row) for row in cursor.fetchall()]
    conclusions.draw([row for row in rows if row.message_id is not None])
    return len(rows)


def _take_replies(said: Sequence[Said]) -> None:
    """Somebody answered with STOP: no message of ours is named, so the address says who it is. Once per answer."""
    replies = [each for each in said if each.report.finding == Finding.UNSUBSCRIBED and not each.report.reference]
    if not replies:
        return
    keys = [each.report.key for each in replies]
    there = set(ProviderReport.objects.filter(key__in=keys).values_list("key", flat=True))
    accounts = Provider.objects.in_bulk({each.account_id for each in replies if each.account_id})
    for each in replies:
        account = accounts.get(each.account_id or 0)
        if account is not None and each.report.key not in there and account.channel in BY_PHONE:
            proof: dict[str, object] = {"provider_message_id": each.report.provider_message_id}
            engagement.unsubscribe_address(account.channel, each.report.address, how="STOP reply", proof=proof)


def _columns(said: Sequence[Said]) -> dict[str, Any]:
    columns: dict[str, list[Any]] = defaultdict(list)
    for each in said:
        report = each.report
        columns["keys"].append(report.key)
        columns["account_ids"].append(each.account_id)
        columns["message_ids"].append(message_of(report.reference))
        columns["kinds"].append(report.kind.value)
        columns["findings"].append(report.finding.value)
        columns["addresses"].append(_storable(report.address))
        columns["provider_ids"].append(_storable(report.provider_message_id))
        columns["urls"].append(_storable(report.url))
        columns["agents"].append(_storable(report.user_agent))
        columns["answers"].append(_storable(report.answer))
        columns["moments"].append(report.happened_at)
    return {**columns, "organization": tenancy.required(), "now": clock.now()}


def message_of(reference: str) -> int | None:
    """The message of the current organisation that a signed reference names; None for anybody else's."""
    known = links.read(links.REPORT, reference) if reference else None
    return known.message_id if known is not None and known.organization_id == tenancy.required() else None


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def purge() -> int:
    """Forget requests that were read a week ago, in every organisation; what they said stays. Returns how many."""
    return housekeeping.delete_in_blocks(PURGE_SQL, clock.now() - timedelta(days=KEPT_DAYS), PURGE_BLOCK)
