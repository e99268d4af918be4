"""Reports on e-mail by the providers that django-anymail knows: proven and read by its webhook views."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anymail.exceptions import AnymailError, AnymailNotSupportedWarning, AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason
from django.http import HttpRequest
from django.utils.module_loading import import_string

from common.errors import Invalid
from delivery.domain.reports import Finding, Report, ReportKind, key_of
from delivery.providers.contract import Settings
from delivery.providers.hooks import USER, Call, Forged
from delivery.providers.mail_api import REFERENCE

LONGEST_ANSWER = 1_000
LONGEST_URL = 2_000
KINDS = {
    EventType.QUEUED: ReportKind.ACCEPTED,
    EventType.SENT: ReportKind.ACCEPTED,
    EventType.REJECTED: ReportKind.REJECTED,
    EventType.FAILED: ReportKind.REJECTED,
    EventType.BOUNCED: ReportKind.BOUNCED,
    EventType.DEFERRED: ReportKind.DEFERRED,
    EventType.DELIVERED: ReportKind.DELIVERED,
    EventType.OPENED: ReportKind.OPENED,
    EventType.CLICKED: ReportKind.CLICKED,
    EventType.COMPLAINED: ReportKind.COMPLAINED,
    EventType.UNSUBSCRIBED: ReportKind.UNSUBSCRIBED,
}
# Why a provider would not send: what it remembers of the address.
REMEMBERED = {
    RejectReason.INVALID: Finding.DEAD,
    RejectReason.BOUNCED: Finding.DEAD,
    RejectReason.SPAM: Finding.COMPLAINED,
    RejectReason.UNSUBSCRIBED: Finding.UNSUBSCRIBED,
}


def never(event: Any) -> bool:
    return False


def its_own_id(event: Any) -> object:
    return event.event_id


def usual_kind(event: Any) -> ReportKind | None:
    return None


@dataclass(frozen=True)
class MailHooks:
    """What is particular to one provider's reports.

    `view`: anymail's. `key`: the setting that proves a request, and the name anymail's view has for it; without,
    the password in the address does. `is_dead(event)`: whether a bounce is of the address itself. `identity(event)`:
    what stays the same when the provider repeats itself; None takes all that it said. `kind(event)`: where anymail
    does not know the provider's word.
    """

    view: str
    key: tuple[str, str] | None = None
    is_dead: Callable[[Any], bool] = never
    identity: Callable[[Any], object] = its_own_id
    kind: Callable[[Any], ReportKind | None] = usual_kind
    headers: tuple[str, ...] = ()

    def verify(self, request: HttpRequest, settings: Settings) -> None:
        """Raises `Forged`; also while nothing is set that could prove a request."""
        proof = str(settings.get(self.key[0] if self.key else "hook_password") or "")
        if not proof:
            raise Forged("nothing is set up that could prove it")
        options = {self.key[1]: proof} if self.key else {"webhook_secret": f"{USER}:{proof}"}
        try:
            self._view(options).run_validators(request)
        except (AnymailWebhookValidationFailure, AnymailError, ValueError, TypeError) as error:
            asks = self.key is None and not request.headers.get("Authorization")
            raise Forged(str(error)[:200], asks=asks) from error

    def greet(self, request: HttpRequest, settings: Settings) -> None:
        """Nothing has to be said at once."""

    def read(self, call: Call) -> list[Report]:
        """Raises `Invalid`."""
        unproven = {self.key[1]: ""} if self.key and self.key[1] else {}
        try:
            events = self._view(unproven).parse_events(call.request())
            return [self._report(event, call.received_at) for event in events]
        except Invalid:
            raise
        except Exception as error:  # whatever somebody else's parser trips over
            raise Invalid(f"It cannot be read: {type(error).__name__}: {error}"[:500]) from error

    def _view(self, options: dict[str, str]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailNotSupportedWarning)
            warnings.filterwarnings("ignore", message="Your Anymail webhooks are insecure")
            return import_string(self.view)(**options)

    def _report(self, event: Any, received_at: datetime) -> Report:
        kind = self.kind(event) or KINDS.get(event.event_type, ReportKind.OTHER)
        happened_at = event.timestamp or received_at
        metadata = event.metadata if isinstance(event.metadata, dict) else {}
        identity = self.identity(event) or event.esp_event
        return Report(
            key=key_of(identity, kind, event.recipient),
            kind=kind,
            happened_at=min(happened_at, received_at),
            reference=_text(metadata.get(REFERENCE), 100),
            provider_message_id=_text(event.message_id, 200),
            address=_text(event.recipient, 320),
            finding=self._finding(kind, event),
            url=_text(event.click_url, LONGEST_URL),
            user_agent=_text(event.user_agent, 300),
            answer=_text(event.mta_response or event.description, LONGEST_ANSWER),
        )

    def _finding(self, kind: ReportKind, event: Any) -> Finding:
        if kind == ReportKind.COMPLAINED:
            return Finding.COMPLAINED
        if kind == ReportKind.UNSUBSCRIBED:
            return Finding.UNSUBSCRIBED
        if kind not in (ReportKind.BOUNCED, ReportKind.REJECTED):
            return Finding.NOTHING
        if self.is_dead(event):
            return Finding.DEAD
        return (
            REMEMBERED.get(event.reject_reason, Finding.NOTHING) if kind == ReportKind.REJECTED else Finding.NOTHING
        )


def _text(value: object, longest: int) -> str:
    return str(value).replace("\x00", "")[:longest] if value else ""
