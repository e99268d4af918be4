"""What a campaign caused: treated beside held out, by the same events, against numbers worked out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Organization
from campaigns import selectors
from campaigns.models import Campaign, Target
from campaigns.tests import making
from common import clock, tenancy
from delivery.models import HeldOut, Message
from delivery.services.policy import sentences
from experiments.domain import comparison, estimates, moments
from segments.tests.people import NOON, definition, events

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _shop(organization: Organization) -> None:
    definition("order_completed", total="number")


def _campaign(**fields: object) -> Campaign:
    made = making.campaign(template_id=None, **fields)
    Campaign.objects.filter(pk=made.pk).update(status="active", starts_at=NOON, ends_at=NOON + 10 * DAY)
    return Campaign.objects.get(pk=made.pk)


def _buy(rows: list[tuple[int, datetime, int]]) -> None:
    recorded = events([(who, "order_completed", at, {"total": minor / 100}) for who, at, minor in rows])
    with tenancy.engine(), connection.cursor() as cursor:
        for one, (_, _, minor) in zip(recorded, rows, strict=True):
            cursor.execute(
                "UPDATE audience_event SET value_minor = %s, currency = 'GBP' WHERE id = %s", [minor, one.event_id]
            )


def test_lift_is_what_treated_spent_more_than_those_held_out() -> None:
    campaign = _campaign()
    people = making.contacts(80)
    Target.objects.bulk_create(
        Target(campaign=campaign, contact=who, is_held_out=index % 2 == 1) for index, who in enumerate(people)
    )
    treated, held = people[::2], people[1::2]
    spent = {who.pk: 5_000 + 10 * index for index, who in enumerate(treated)}
    spent |= {who.pk: 1_000 + 10 * index for index, who in enumerate(held[:20])}
    before = {who.pk: 700 + 13 * index for index, who in enumerate(people)}
    _buy([(pk, NOON + DAY, minor) for pk, minor in spent.items()])
    _buy([(pk, NOON - DAY, minor) for pk, minor in before.items()])
    _buy([(held[0].pk, NOON + 11 * DAY, 99_999), (held[0].pk, NOON - 91 * DAY, 99_999)])  # outside both spans

    with clock.freeze(NOON + 20 * DAY):
        found = selectors.lift(campaign)

    arms = [
        moments.of([spent.get(who.pk, 0) for who in group], [before[who.pk] for who in group])
        for group in (held, treated)
    ]
    wanted = comparison.absolute_at_any_time(*estimates.adjusted(arms))
    assert found.money == wanted
    assert (found.treated_count, found.held_out_count, found.until) == (40, 40, NOON + 10 * DAY)
    assert (found.treated_rate, found.held_out_rate) == (1.0, 0.5)
    assert found.treated_each_minor == 5_195
    assert found.incremental_minor == round(40 * wanted.value)
    assert (
        found.sentence.startswith("People it reached spent £") and "more each than those held out" in found.sentence
    )


def test_a_broadcast_is_measured_by_whom_delivery_held_out() -> None:
    campaign = _campaign(name="Broadcast")
    people = making.contacts(70)
    version = making.template().published
    assert version is not None
    for index, who in enumerate(people):
        held = index % 2 == 1
        Message.objects.create(
            contact=who, content=version.content, source_type="campaign", source_id=campaign.pk,
            idempotency_key=f"campaign:{index}",
            channel="email", kind="marketing", status="refused" if held or index == 0 else "sent",
            reason=sentences.HELD_OUT if held else sentences.NO_ADDRESS if index == 0 else "",
        )  # fmt: skip
    _buy([(who.pk, NOON + DAY, 100) for who in people[::2]])

    with clock.freeze(NOON + 2 * DAY):
        found = selectors.lift(campaign)

    assert (found.treated_count, found.held_out_count) == (34, 35)
    assert (found.treated_each_minor, found.held_out_each_minor) == (100, 0)
    assert not HeldOut.objects.exists()  # the ledger says it


@pytest.mark.parametrize(
    ("held", "count", "sentence"),
    [
        (0, 40, "Nobody was held out, so what the campaign caused cannot be told from what would have come."),
        (5, 40, "35 people beside 5 held out are too few to compare."),
    ],
)
def test_without_enough_people_it_says_so(held: int, count: int, sentence: str) -> None:
    campaign = _campaign()
    Target.objects.bulk_create(
        Target(campaign=campaign, contact=who, is_held_out=index < held)
        for index, who in enumerate(making.contacts(count))
    )

    with clock.freeze(NOON + DAY):
        found = selectors.lift(campaign)

    assert (found.sentence, found.money) == (sentence, None)


def test_chance_alone_is_not_called_an_effect() -> None:
    campaign = _campaign()
    people = making.contacts(80)
    Target.objects.bulk_create(
        Target(campaign=campaign, contact=who, is_held_out=index % 2 == 1) for index, who in enumerate(people)
    )
    _buy([(who.pk, NOON + DAY, 100 + index * 7 % 50) for index, who in enumerate(people)])

    with clock.freeze(NOON + 2 * DAY):
        found = selectors.lift(campaign)

    assert found.sentence.startswith("So far no difference can be told from chance")
    assert found.money is not None and found.money.low < 0 < found.money.high
