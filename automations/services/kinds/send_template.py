"""Send an e-mail template to contacts."""

from __future__ import annotations

from typing import Any

import msgspec

from automations.configuration import Wrong
from automations.services.kinds.base import TaskKind, check_contacts, present
from automations.steps import send_email
from delivery import services as delivery
from delivery.models import SourceType


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    template_id: int
    contact_ids: list[int]
    subject: str = ""

    @property
    def message(self) -> send_email.Configuration:
        return send_email.Configuration(self.template_id, self.subject)


def check(configuration: Configuration, wrong: Wrong) -> None:
    problems: list[str] = []

    def report(field: str, sentence: str) -> None:
        problems.append(field)
        wrong(field, sentence)

    send_email.check(configuration.message, report)
    check_contacts(configuration.contact_ids, report)
    if not problems:
        send_email.publish(configuration.message, wrong)


def execute(configuration: Configuration, key: str) -> dict[str, Any]:
    """One bulk insert of messages; the keys make a second try write nothing."""
    queued = delivery.queue(
        [
            delivery.Outgoing(contact_id, f"{key}:{contact_id}", {})
            for contact_id in present(configuration.contact_ids)
        ],
        content_id=send_email.content_id(configuration.message),
        source_type=SourceType.API,
        source_id=0,
    )
    return {"queued": queued}


KIND = TaskKind("Send a template", "Queues an e-mail template for the named contacts.", Configuration, execute, check)
