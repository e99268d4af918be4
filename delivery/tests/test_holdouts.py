"""Who is held out of what: drawn in the claim, stable within a period, written down."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Organization
from common import clock
from common.errors import Conflict, Invalid
from delivery import services
from delivery.models import HeldOut, Holdout, Message
from delivery.services import policy
from delivery.tests.making import Sink, contact, content, queue, send

PEOPLE = 120


def holdout(**values: Any) -> Holdout:
    return services.save_holdout(Holdout(**({"name": "All", "percent": 25, "starts_at": clock.now()} | values)))


def held(rows: list[Message]) -> set[int]:
    refused = Message.objects.filter(pk__in=[row.pk for row in rows], status="refused", reason=policy.HELD_OUT)
    return set(refused.values_list("contact_id", flat=True))


def test_a_share_is_held_out_and_written_down_and_awaited_mail_goes(organization: Organization, sink: Sink) -> None:
    everything = holdout()
    people = [contact(f"p{n}@example.com") for n in range(PEOPLE)]
    rows = queue(*people, key="a", source_id=7)
    receipts = queue(*people, made=content(kind="transactional"), key="r")
    send(organization)
    out = held(rows)

    assert 0.10 < len(out) / PEOPLE < 0.42
    assert held(receipts) == set()
    assert Message.objects.filter(status="sent").count() == 2 * PEOPLE - len(out)
    told = HeldOut.objects.values_list("contact_id", "holdout_id", "period", "source_type", "source_id")
    assert set(told) == {(pk, everything.pk, 0, "campaign", 7) for pk in out}


def test_the_draw_is_stable_within_a_period_and_new_in_the_next(organization: Organization, sink: Sink) -> None:
    holdout(renew_days=30)
    people = [contact(f"p{n}@example.com", timezone="UTC") for n in range(PEOPLE)]
    groups = []
    for days in (0, 29, 30):
        with clock.travel(timedelta(days=days)):
            rows = queue(*people, key=f"d{days}")
            send(organization)
            groups.append(held(rows))

    assert groups[0] == groups[1] and groups[0]
    assert groups[2] and groups[2] != groups[0]
    assert sorted(set(HeldOut.objects.values_list("period", flat=True))) == [0, 1]


def test_a_source_holds_out_its_own_share_and_no_other(organization: Organization, sink: Sink) -> None:
    services.set_holdout("campaign", 1, "Spring", Decimal(50))
    services.set_holdout("campaign", 3, "None", Decimal(0))
    people = [contact(f"p{n}@example.com") for n in range(40)]
    spring, autumn = queue(*people, key="a", source_id=1), queue(*people, key="b", source_id=2)
    send(organization)
    salt = Holdout.objects.get().salt
    services.set_holdout("campaign", 1, "Spring", Decimal(10))

    assert held(spring) and not held(autumn)
    assert (Holdout.objects.get().percent, Holdout.objects.get().salt) == (10, salt)


def test_before_its_start_and_after_its_end_it_holds_nobody_out(organization: Organization, sink: Sink) -> None:
    now = clock.now()
    holdout(percent=50, starts_at=now + timedelta(hours=1))
    holdout(percent=50, starts_at=now - timedelta(hours=2), ends_at=now)
    rows = queue(*(contact(f"p{n}@example.com") for n in range(20)))
    send(organization)

    assert held(rows) == set()


def test_who_cannot_be_reached_is_not_counted_as_held_out(organization: Organization, sink: Sink) -> None:
    holdout(percent=50)
    queue(*(contact(f"p{n}@example.com", agreed=False) for n in range(20)))
    send(organization)

    assert HeldOut.objects.count() == 0


@pytest.mark.parametrize(
    ("values", "place"),
    [({"percent": 51}, "percent"), ({"percent": -1}, "percent"), ({"renew_days": 0}, "renew_days")],
)
def test_a_holdout_that_makes_no_sense_is_refused(
    organization: Organization, values: dict[str, Any], place: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        holdout(**values)

    assert place in refusal.value.details
    assert Holdout.objects.count() == 0


def test_evidence_is_not_deleted(organization: Organization, sink: Sink) -> None:
    used, idle = holdout(percent=50), holdout(percent=1, source_type="campaign", source_id=99)
    queue(*(contact(f"p{n}@example.com") for n in range(20)))
    send(organization)
    services.delete_holdout(idle)
    with pytest.raises(Conflict, match="has held people out"):
        services.delete_holdout(used)

    assert list(Holdout.objects.values_list("pk", flat=True)) == [used.pk]
