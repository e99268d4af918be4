"""Accounts at providers: set up, paused, tried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import audit
from audience.models import DeviceKind, MessageChannel
from common import clock, doorbell, sealing
from common.errors import Invalid
from delivery.models import Provider
from delivery.providers import PROVIDERS, contract, site, webpush
from delivery.services.queue import WORK
from delivery.services.routing import Routes

LONGEST_VALUE = 20_000


def save_provider(row: Provider, values: Mapping[str, Any]) -> Provider:
    """Create or change an account. `values` are its fields by name; a secret left empty stays as it is.

    The first account of a channel, and one marked so, becomes its default. Raises `Invalid` by field.
    """
    is_site = row.kind == site.PROVIDER.name and not row._state.adding  # only the send loop makes that one
    kind = site.PROVIDER if is_site else PROVIDERS.find(row.kind, "kind")
    if row.channel not in kind.channels:
        sentence = f"{kind.label} is for {' and '.join(kind.channels)}."
        raise Invalid(sentence, details={"channel": sentence})
    if not row.name.strip():
        raise Invalid("An account needs a name.", details={"name": "Name it, so that people can tell it apart."})
    if row.name.strip() == site.PROVIDER.label and not is_site:
        raise Invalid("That name is taken.", details={"name": "Mail that goes by EMAIL_URL is called so."})
    known: dict[str, str] = {}
    if not row._state.adding:
        stored = Provider.objects.get(pk=row.pk)
        if (stored.kind, stored.channel) != (row.kind, row.channel):
            raise Invalid("An account keeps its kind and channel; add another account instead.")
        known = sealing.unseal(stored.sealed_secrets)
    plain, secrets = checked(kind, values, known)
    kind.check(plain | secrets)
    row.settings, row.sealed_secrets, row.updated_at = plain, sealing.seal(secrets), clock.now()
    row.revision += not row._state.adding
    with transaction.atomic():
        _be_only_default(row)
        if row._state.adding:
            row.save()
            audit.created(row)
        else:
            with audit.changing(row):
                row.save()
        doorbell.ring(WORK)
    return row


def checked(
    kind: contract.Provider, values: Mapping[str, Any], known_secrets: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings as they are stored: plain ones, secret ones. Raises `Invalid` with a sentence by field."""
    wrong = dict.fromkeys(values.keys() - {field.name for field in kind.fields}, "Unknown field.")
    plain: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for field in kind.fields:
        value = values.get(field.name, "" if field.is_secret else field.default)
        value = value.strip() if isinstance(value, str) and field.type != "lines" else value
        if field.is_secret and not value:
            value = known_secrets.get(field.name, "") or (field.make() if field.make else "")
        if field.is_required and value in ("", None):
            wrong[field.name] = "This is needed."
        elif sentence := _fault(field, value):
            wrong[field.name] = sentence
        elif field.is_secret and value:
            secrets[field.name] = value
        elif not field.is_secret:
            plain[field.name] = value
    if wrong:
        raise Invalid(f"{kind.label} cannot be used like this.", details=wrong)
    return plain, secrets


def _fault(field: contract.Field, value: Any) -> str:
    if value in ("", None):
        return ""
    if field.type == "flag":
        return "" if isinstance(value, bool) else "Yes or no."
    if field.type == "number":
        return "" if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else "A whole number."
    if not isinstance(value, str) or len(value) > LONGEST_VALUE or "\x00" in value:
        return f"A text of at most {LONGEST_VALUE:,} characters."
    if field.type in ("text", "secret") and not value.isprintable():
        return "One line of text."
    if field.type == "choice" and value not in {name for name, _ in field.choices}:
        return f"One of {', '.join(name for name, _ in field.choices)}."
    return ""


def _be_only_default(row: Provider) -> None:
    others = Provider.objects.select_for_update().filter(channel=row.channel).exclude(pk=row.pk)
    if row.channel == MessageChannel.PUSH:
        others = others.filter(kind=row.kind)
    chosen = others.filter(is_default=True).exclude(kind=site.PROVIDER.name)
    row.is_default = row.is_default or not chosen.exists()
    if row.is_default:
        for other in others.filter(is_default=True):
            with audit.changing(other):
                other.is_default = False
                other.save(update_fields=["is_default"])


def pause_provider(row: Provider, reason: str) -> None:
    """Let what goes by this account wait. A paused one keeps its first reason."""
    with transaction.atomic():
        held = Provider.objects.select_for_update().get(pk=row.pk)
        if held.paused_at is None:
            with audit.changing(held, "pause"):
                held.paused_at, held.paused_reason = clock.now(), reason[:300]
                held.paused_because, held.probe_at = "", None
                held.save(update_fields=["paused_at", "paused_reason", "paused_because", "probe_at"])


def resume_provider(row: Provider) -> None:
    """Let what waited go on. Doing it again changes nothing."""
    with transaction.atomic():
        held = Provider.objects.select_for_update().get(pk=row.pk)
        if held.paused_at is not None:
            with audit.changing(held, "resume"):
                held.paused_at, held.paused_reason = None, ""
                held.paused_because, held.probe_at = "", None
                held.save(update_fields=["paused_at", "paused_reason", "paused_because", "probe_at"])
            doorbell.ring(WORK)


def delete_provider(row: Provider) -> None:
    """What waits for it goes by another account of the channel, or waits for one. Its secrets are gone."""
    with transaction.atomic():
        audit.deleted(row)
        row.delete()


def push_public_key() -> str | None:
    """The key with which browsers subscribe to push messages; None when that is not set up."""
    route = Routes().of(MessageChannel.PUSH)
    way = route.by_device.get(DeviceKind.WEB_PUSH) if route is not None else None
    if way is None:
        return None
    try:
        return webpush.public_key(str(way.settings()["private_key"]))
    except contract.ProviderUnavailable:
        return None


def no_way_for(channel: str) -> str:
    """Why messages of a channel could not leave now, as a sentence; nothing when they can."""
    if Routes().of(channel) is not None:
        return ""
    return f"No provider for {MessageChannel(channel).label} is set up yet; add one under Providers."
