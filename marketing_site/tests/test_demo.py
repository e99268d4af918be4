"""The demo looks like a year that was, not like the day on which it was filled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audience import services as audience
from audience.models import Contact
from audience.services import InternalEvent
from common import clock
from marketing_site.demo import stage
from segments.models import Membership, Segment

pytestmark = pytest.mark.django_db


def test_who_reached_the_milestone_did_so_with_that_order(organization, drain) -> None:
    regular, newcomer = Contact.objects.create(name="Regular"), Contact.objects.create(name="Newcomer")
    days = [clock.now() - timedelta(days=100 - number) for number in range(12)]
    audience.record(
        [InternalEvent(regular.pk, "order_completed", day, f"regular {day}") for day in days]
        + [InternalEvent(newcomer.pk, "order_completed", days[0], "newcomer")]
    )
    drain()
    stage.prepare()
    drain()
    assert Membership.objects.get().entered_at > days[-1]

    stage.date_back()

    [membership] = Membership.objects.filter(segment=Segment.objects.get(slug="recipe-milestone-10"))
    assert (membership.contact_id, membership.entered_at) == (regular.pk, days[9])
