"""Browsers and apps of contacts that push messages can reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from audience.models import Contact, Device, DeviceKind
from common import clock
from common.errors import Invalid
from common.http import check_url

MOST_PER_CONTACT = 50
LONGEST_KEY = 200


def register_device(
    contact: Contact, kind: str, token: str, *, keys: Mapping[str, str] | None = None, platform: str = ""
) -> Device:
    """Let push messages for the contact reach this device. A device belongs to whoever signed in on it last.

    Registering again notes that it was seen. Raises `Invalid` by field.
    """
    wrong = _faults(kind, token, keys or {})
    if wrong:
        raise Invalid("This is no device that push messages can reach.", details=wrong)
    now = clock.now()
    with transaction.atomic():
        # Two registrations at once must not both find room.
        Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
        device, _ = Device.objects.update_or_create(
            kind=kind,
            token=token,
            defaults={
                "contact": contact,
                "keys": dict(keys or {}),
                "platform": platform[:60],
                "last_seen_at": now,
            },
        )
        oldest = Device.objects.filter(contact=contact).order_by("-last_seen_at", "-pk")[MOST_PER_CONTACT:]
        Device.objects.filter(pk__in=[each.pk for each in oldest]).delete()
    return device


def _faults(kind: str, token: str, keys: Mapping[str, str]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if kind not in DeviceKind.values:
        wrong["kind"] = f"One of {', '.join(DeviceKind.values)}."
    if not token or len(token) > 1000 or not token.isprintable() or " " in token:
        wrong["token"] = "A text of at most 1,000 characters without spaces."  # noqa: S105 — a sentence
    elif kind == DeviceKind.WEB_PUSH:
        wrong |= _browser_faults(token, keys)
    return wrong


def _browser_faults(endpoint: str, keys: Mapping[str, str]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    try:
        check_url(endpoint, "token")
    except Invalid as error:
        wrong |= error.details
    if set(keys) != {"p256dh", "auth"} or not all(_is_key(value) for value in keys.values()):
        wrong["keys"] = "The keys of the subscription: p256dh and auth, in base64url."
    return wrong


def _is_key(value: object) -> bool:
    return isinstance(value, str) and 16 <= len(value) <= LONGEST_KEY and value.isascii() and value.isprintable()


def forget_device(contact: Contact, kind: str, token: str) -> bool:
    """The contact switched push off on this device, or signed out; False when it was not theirs."""
    return bool(Device.objects.filter(contact=contact, kind=kind, token=token).delete()[0])


def forget_devices(device_ids: Sequence[int]) -> int:
    """Remove devices that a push service says are gone; returns how many there were."""
    return Device.objects.filter(pk__in=device_ids).delete()[0] if device_ids else 0
