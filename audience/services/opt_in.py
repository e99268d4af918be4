"""Double opt-in: a yes that somebody must prove by a click waits here, and changes nothing until then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from audience.domain.incoming import email_address
from audience.models import (
    Consent,
    ConsentRequest,
    ConsentState,
    Contact,
    MessageChannel,
    OptIn,
    OptInSettings,
    Topic,
)
from audience.notices import ConsentRequested
from audience.services import survivors
from common import clock, outbox
from common.errors import Invalid

DAY = timedelta(days=1)
NOTICE_BLOCK = 1000


def current() -> OptInSettings:
    """The organisation's settings, or the defaults when it made none."""
    return OptInSettings.objects.first() or OptInSettings()


def save_opt_in(settings: OptInSettings) -> OptInSettings:
    """Set how subscriptions are confirmed; there is one row of it. Raises `Invalid`."""
    try:
        settings.clean_fields(exclude=["organization_id"])
    except ValidationError as error:
        details = {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
        raise Invalid("These settings cannot be used.", details=details) from error
    with transaction.atomic():
        if not settings._state.adding:
            with audit.changing(settings):
                settings.save()
            return settings
        if OptInSettings.objects.exists():
            raise Invalid("There are opt-in settings already; change those.", code="exists")
        settings.save()
        audit.created(settings)
    return settings


def is_double(settings: OptInSettings, channel: str, topic_id: int | None) -> bool:
    """Whether a yes on this channel and topic must be confirmed. Only e-mail can ask."""
    if channel != MessageChannel.EMAIL:
        return False
    own = Topic.objects.values_list("opt_in", flat=True).get(pk=topic_id) if topic_id is not None else OptIn.USUAL
    return settings.is_double if own == OptIn.USUAL else own == OptIn.DOUBLE


def ask(
    contact_ids: Sequence[int],
    channel: str,
    topic_id: int | None,
    how: str,
    wording: str,
    proof: dict[str, Any],
    *,
    is_claimed: bool = False,
) -> list[int]:
    """Open a request for each contact whose yes must be confirmed; returns those contacts, as they were named.

    Who agreed already is not asked again. An open request is kept, its words and its time are renewed, and the
    link goes out again as far as the limit allows. Without an address the yes waits unproved until it runs out.
    Of a yes that is only claimed, who said no before is asked also where others are not.
    """
    settings = current()
    everybody = is_double(settings, channel, topic_id)
    if not everybody and not (is_claimed and channel == MessageChannel.EMAIL):
        return []
    said = _said(survivors.hold(contact_ids), channel, topic_id)
    asked: list[int] = []
    fresh: list[int] = []
    for contact in Contact.objects.filter(pk__in=contact_ids).select_related("merged_into"):
        person = contact.merged_into or contact
        state = said.get(person.pk)
        if state == ConsentState.GRANTED or (not everybody and state != ConsentState.WITHDRAWN):
            continue
        asked.append(contact.pk)
        address = email_address(person.email) or ""
        fresh.append(_open(person.pk, channel, topic_id, how, wording, proof, address, settings).pk)
    announce(fresh)
    return asked


def remind(request: ConsentRequest) -> bool:
    """Send the link once more, also after it ran out; False when the limit of mails within a day is reached."""
    settings = current()
    with transaction.atomic():
        held = ConsentRequest.objects.select_for_update().get(pk=request.pk)
        if held.confirmed_at is not None or not may_mail(held, settings):
            return False
        held.expires_at = clock.now() + settings.expire_days * DAY
        held.save(update_fields=["expires_at"])
        announce([held.pk])
    return True


def may_mail(request: ConsentRequest, settings: OptInSettings) -> bool:
    """Whether another mail with the link is possible: there is an address, and so many within a day of the last."""
    if not request.address:
        return False
    is_new_day = request.mailed_at is None or request.mailed_at <= clock.now() - DAY
    return is_new_day or request.mail_count < settings.most_mails


def announce(request_ids: Sequence[int]) -> None:
    for start in range(0, len(request_ids), NOTICE_BLOCK):
        outbox.publish(ConsentRequested(list(request_ids[start : start + NOTICE_BLOCK])))


def note_mailed(request: ConsentRequest) -> None:
    """A mail with the link is on its way."""
    is_new_day = request.mailed_at is None or request.mailed_at <= clock.now() - DAY
    request.mail_count = 1 if is_new_day else request.mail_count + 1
    request.mailed_at = clock.now()
    request.save(update_fields=["mail_count", "mailed_at"])


def _said(contact_ids: Sequence[int], channel: str, topic_id: int | None) -> dict[int, str]:
    """What each said last, as it counts for this topic (selectors.LATEST_CONSENT)."""
    entries = Consent.objects.filter(contact_id__in=contact_ids, channel=channel)
    ranked = [entry for entry in entries if entry.topic_id in (None, topic_id)]
    ranked.sort(key=lambda entry: (entry.happened_at, entry.topic_id is not None, entry.pk))
    return {entry.contact_id: entry.state for entry in ranked}


def _open(
    contact_id: int,
    channel: str,
    topic_id: int | None,
    how: str,
    wording: str,
    proof: dict[str, Any],
    address: str,
    settings: OptInSettings,
) -> ConsentRequest:
    now = clock.now()
    values = {
        "how": how[:100], "wording": wording, "proof": proof, "address": address, "requested_at": now,
        "expires_at": now + settings.expire_days * DAY,
    }  # fmt: skip
    topic = Topic.objects.filter(pk=topic_id).first() if topic_id is not None else None
    return ConsentRequest.objects.update_or_create(
        contact_id=contact_id, channel=channel, topic=topic, confirmed_at=None, defaults=values
    )[0]
