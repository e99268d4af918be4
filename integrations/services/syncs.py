"""Segments that are kept at a destination: begun, paused, sent anew, ended."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts import audit
from audience.models import MessageChannel
from common import clock, doorbell
from common.errors import Conflict, Invalid
from integrations.models import AudienceSync, Destination, SyncStatus
from integrations.services import planning
from segments.models import Segment


def start_sync(
    destination: Destination,
    segment: Segment,
    *,
    channel: str = MessageChannel.EMAIL,
    audience_name: str = "",
    audience_id: str = "",
) -> AudienceSync:
    """Keep a segment at a destination; the first push tells it of all members who agreed to the channel.

    Raises `Invalid` for a channel that does not exist, `Conflict` when the segment is kept there already.
    """
    if channel not in MessageChannel.values:
        known = ", ".join(MessageChannel.values)
        raise Invalid(f'Unknown channel "{channel}"; known: {known}.', details={"channel": f"One of {known}."})
    name = audience_name.strip() or segment.name
    sync = AudienceSync(
        destination=destination, segment=segment, channel=channel, audience_name=name[:120],
        audience_id=audience_id.strip(),
    )  # fmt: skip
    _check_id(sync.audience_id)
    try:
        with transaction.atomic():
            sync.save()
            audit.created(sync)
            doorbell.ring("audience_pushes")
    except IntegrityError as error:
        sentence = f"“{segment.name}” is kept at “{destination.name}” already."
        raise Conflict(sentence, details={"segment": sentence}) from error
    return sync


def pause_sync(sync: AudienceSync, reason: str = "Paused by hand.") -> None:
    """Tell the platform nothing for now; changes are still noted."""
    _refuse_when_ending(sync)
    _change(sync, status=SyncStatus.PAUSED, reason=reason[:300])


def resume_sync(sync: AudienceSync, audience_id: str | None = None) -> None:
    """Go on, at once; `audience_id` where the audience was made by hand."""
    _refuse_when_ending(sync)
    if audience_id is not None and audience_id.strip():
        _check_id(audience_id.strip())
        _change(sync, audience_id=audience_id.strip())
    _change(sync, status=SyncStatus.ACTIVE, reason="", failures=0, run_at=clock.now())
    doorbell.ring("audience_pushes")


def resend_all(sync: AudienceSync) -> None:
    """Compare everybody and tell the platform of all of them again."""
    _refuse_when_ending(sync)
    with transaction.atomic():
        audit.record("resend", sync)
        planning.send_again(sync)
        planning.plan(sync.pk)
        doorbell.ring("audience_pushes")


def end_sync(sync: AudienceSync) -> None:
    """Take everybody away from the platform's audience; the sync is gone when that is done."""
    _change(sync, status=SyncStatus.ENDING, reason="", failures=0, run_at=clock.now())
    planning.plan(sync.pk)
    doorbell.ring("audience_pushes")


def forget_sync(sync: AudienceSync) -> None:
    """Drop the sync as it is: whoever is in the platform's audience stays there."""
    with transaction.atomic():
        audit.deleted(sync)
        sync.delete()


def _change(sync: AudienceSync, **values: object) -> None:
    with transaction.atomic(), audit.changing(sync):
        for name, value in values.items():
            setattr(sync, name, value)
        sync.save(update_fields=list(values))


def _refuse_when_ending(sync: AudienceSync) -> None:
    if sync.status == SyncStatus.ENDING:
        raise Conflict("This sync is being taken away; it ends by itself when everybody is.", code="ending")


def _check_id(audience_id: str) -> None:
    """It becomes part of addresses at the platform."""
    if (
        len(audience_id) > 200
        or any(sign.isspace() or sign in "?#&\\" for sign in audience_id)
        or ".." in audience_id
    ):
        raise Invalid("This is no id of an audience.", details={"audience_id": "This is no id of an audience."})
