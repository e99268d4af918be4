"""Mails that come back: what could not be delivered (RFC 3464), and who complained (RFC 5965).

Whose message it is says the Message-ID of the returned mail: its first half is our signed reference, so a forged
return is about nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime

from common.errors import Invalid
from delivery.domain.reports import Finding, Report, ReportKind, is_about_the_address, key_of

REFERENCE = re.compile(r"<([A-Za-z0-9_-]{43})@")
ACTIONS = {"failed": ReportKind.BOUNCED, "delayed": ReportKind.DEFERRED, "delivered": ReportKind.DELIVERED}
FEEDBACK = {
    "abuse": (ReportKind.COMPLAINED, Finding.COMPLAINED),
    "fraud": (ReportKind.COMPLAINED, Finding.COMPLAINED),
    "opt-out": (ReportKind.UNSUBSCRIBED, Finding.UNSUBSCRIBED),
}
LONGEST_ANSWER = 1_000
MOST_RECIPIENTS = 100


def read(mail: bytes, received_at: datetime) -> list[Report]:
    """What a returned mail says, one report per recipient. Raises `Invalid` for a mail that is no such report."""
    message = message_from_bytes(mail, policy=policy.compat32)
    parts = list(message.walk())
    reference = _reference(parts, mail)
    made = [*_delivery_status(parts), *_feedback(parts)][:MOST_RECIPIENTS]
    if not made:
        raise Invalid("This mail is no report on a message: neither a bounce (RFC 3464) nor a complaint (RFC 5965).")
    if not reference:
        raise Invalid("This report does not return the Message-ID of the mail that it is about.")
    happened_at = min(_date(message) or received_at, received_at)
    name = _value(message, "Message-ID") or happened_at.isoformat()
    return [
        Report(
            key=key_of("bounce", reference, name, kind, address),
            kind=kind,
            happened_at=happened_at,
            reference=reference,
            address=address[:320],
            finding=finding,
            answer=answer[:LONGEST_ANSWER],
        )
        for kind, finding, address, answer in made
    ]


def _reference(parts: list[Message], mail: bytes) -> str:
    """The reference in the Message-ID of the returned mail, or wherever else it is quoted."""
    for part in parts[1:]:
        if match := REFERENCE.match(_value(part, "Message-ID")):
            return match[1]
        if part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
            text = _text(part)
            if match := re.search(r"^message-id:\s*" + REFERENCE.pattern, text, re.IGNORECASE | re.MULTILINE):
                return match[1]
    match = REFERENCE.search(mail.decode("latin-1"))
    return match[1] if match else ""


Made = tuple[ReportKind, Finding, str, str]


def _delivery_status(parts: list[Message]) -> Iterator[Made]:
    for part in parts:
        if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
            continue
        for fields in part.get_payload():
            if not isinstance(fields, Message) or "Action" not in fields:
                continue
            kind = ACTIONS.get(_value(fields, "Action").lower(), ReportKind.OTHER)
            status, said = _value(fields, "Status"), _after_type(_value(fields, "Diagnostic-Code"))
            is_dead = kind == ReportKind.BOUNCED and is_about_the_address(status, said)
            address = _after_type(_value(fields, "Original-Recipient") or _value(fields, "Final-Recipient"))
            yield kind, Finding.DEAD if is_dead else Finding.NOTHING, address, f"{status} {said}".strip()


def _feedback(parts: list[Message]) -> Iterator[Made]:
    for part in parts:
        if part.get_content_type() != "message/feedback-report":
            continue
        inner = part.get_payload()
        fields = inner[0] if isinstance(inner, list) and inner else message_from_bytes(_text(part).encode())
        if isinstance(fields, Message):
            said = _value(fields, "Feedback-Type").lower()
            kind, finding = FEEDBACK.get(said, (ReportKind.OTHER, Finding.NOTHING))
            yield kind, finding, _value(fields, "Original-Rcpt-To").strip("<>"), said


def _after_type(text: str) -> str:
    """`rfc822; ada@example.com` without its type."""
    return text.split(";", 1)[-1].strip().strip("<>")


def _value(message: Message, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(part.get_payload())


def _date(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(_value(message, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
