"""An organisation that PostgreSQL has no statistics of yet is served as fast as an old one."""

from __future__ import annotations

import time
from typing import Any

from audience.models import Consent, Contact
from delivery.services import claiming
from delivery.tests.making import content, queue

PEOPLE = 1_000


def test_a_first_block_is_claimed_at_once_although_nothing_was_analyzed(organization: Any, noon: Any) -> None:
    people = Contact.objects.bulk_create(Contact(email=f"person{n}@crowd.example") for n in range(PEOPLE))
    Consent.objects.bulk_create(Consent(contact=row, channel="email", state="granted", how="test") for row in people)
    queue(*people, made=content())

    started = time.monotonic()
    block = claiming.claim(500)

    assert len(block.recipients) == 500
    assert time.monotonic() - started < 10, "each message walked all contacts: look at the plan of policy.JUDGE_SQL"
