"""What this room does when others announce something. Each handler may run twice for one notice."""

from __future__ import annotations

from audience.notices import ContactsChanged
from campaigns import services
from campaigns.services import deciding, targets
from delivery.models import SourceType
from delivery.notices import MessagesSettled
from experiments.notices import ExperimentDecided


def messages_settled(notice: MessagesSettled) -> None:
    """A block of messages reached its end: the campaign may be complete."""
    if notice.source_type == SourceType.CAMPAIGN:
        services.settled(notice.source_id)


def experiment_decided(notice: ExperimentDecided) -> None:
    """Who waits for the winner of a first test gets it."""
    deciding.decided(notice.experiment_id)


def contacts_changed(notice: ContactsChanged) -> None:
    """Targets follow contacts that became one."""
    if notice.merged:
        targets.follow_merges(notice.merged)
