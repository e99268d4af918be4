"""Two of every worker at once, on real connections that commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import services as accounts
from accounts.models import Organization
from audience.models import Contact
from common import tenancy
from segments import services
from segments.models import FlipCheck, Membership, Recheck, Segment, SegmentStatus
from segments.services import build, flips, refresh
from segments.tests import people
from segments.tests.people import DAY, NOON, city, did, everyone

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 20


@pytest.fixture
def acme(transactional_db: None) -> Iterator[Organization]:
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        yield made


def at_once(organization_id: int, *works: Callable[[], Any]) -> list[BaseException]:
    """Run each in its own thread and connection, started together; returns what went wrong."""
    barrier, wrong = threading.Barrier(len(works)), []

    def run(work: Callable[[], Any]) -> None:
        try:
            with tenancy.organization(organization_id):
                barrier.wait(SECONDS)
                work()
        except BaseException as error:  # noqa: BLE001 — handed to the test
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return wrong


def inside(segment: Segment) -> set[int]:
    return set(Membership.objects.filter(segment=segment, left_at=None).values_list("contact_id", flat=True))


def test_two_refreshers_let_everybody_in_once(acme: Organization) -> None:
    contacts = [people.contact() for _ in range(30)]
    segments = [services.create_segment(name=f"S{n}", rule=did("order", 1, 20_000)) for n in range(5)]
    build.run(acme.pk)
    people.events([(row.pk, "order", NOON - DAY, {}) for row in contacts])
    pairs = [(segment.pk, row.pk) for segment in segments for row in contacts]

    wrong = at_once(acme.pk, *[lambda: refresh.refresh(pairs), lambda: refresh.refresh(reversed(pairs))] * 2)

    assert wrong == []
    assert Membership.objects.count() == Membership.objects.filter(left_at=None).count() == 150
    assert FlipCheck.objects.count() == 150
    assert set(Segment.objects.values_list("member_count", flat=True)) == {30}


def test_a_refresher_that_saw_the_past_does_not_have_the_last_word(acme: Organization) -> None:
    """One evaluates a contact as it was and is held up before it writes; the other evaluates it as it is."""
    ada = people.contact(city="Leeds")
    segment = services.create_segment(name="Leeds", rule=city("Leeds"))
    build.run(acme.pk)
    Membership.objects.all().delete()
    written = threading.Event()

    def hold_up() -> None:
        """An open membership that is never committed: whoever wants to insert the same waits for us."""
        with transaction.atomic():
            Membership.objects.create(segment=segment, contact=ada)
            written.set()
            _wait_for_somebody_waiting(1)
            changed.set()
            # The second refresher waits too (for the first), or has finished by now.
            finished.wait(1)
            transaction.set_rollback(True)

    def past() -> None:
        written.wait(SECONDS)
        refresh.refresh([(segment.pk, ada.pk)])

    def present() -> None:
        changed.wait(SECONDS)
        Contact.objects.filter(pk=ada.pk).update(city="York")
        refresh.refresh([(segment.pk, ada.pk)])
        finished.set()

    changed, finished = threading.Event(), threading.Event()
    assert at_once(acme.pk, hold_up, past, present) == []
    assert inside(segment) == set()


def _wait_for_somebody_waiting(count: int) -> None:
    """Until so many other connections wait for a lock."""
    for _ in range(SECONDS * 50):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.02)
    raise AssertionError("nobody came to wait")


def test_a_build_and_refreshers_end_in_the_truth(acme: Organization) -> None:
    contacts = [people.contact(city="York") for _ in range(20)]
    segment = services.create_segment(name="Leeds", rule=everyone(city("Leeds")))

    def move() -> None:
        for row in contacts:
            with transaction.atomic():
                Contact.objects.filter(pk=row.pk).update(city="Leeds")
            refresh.refresh([(segment.pk, row.pk)])

    wrong = at_once(acme.pk, move, lambda: build.run(acme.pk), lambda: build.run(acme.pk))
    build.run(acme.pk)
    flips.run(acme.pk)

    assert wrong == []
    segment.refresh_from_db()
    assert inside(segment) == {row.pk for row in contacts}
    assert (segment.status, segment.member_count, Recheck.objects.count()) == (SegmentStatus.READY, 20, 0)


def test_two_sweepers_share_the_flips(acme: Organization) -> None:
    contacts = [people.contact() for _ in range(40)]
    segment = services.create_segment(name="Buyers", rule=did("order", 1, 20_000))
    people.events([(row.pk, "order", NOON - DAY, {}) for row in contacts])
    build.run(acme.pk)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audience_event")
        cursor.execute("UPDATE segments_flipcheck SET flips_at = flips_at - interval '30000 days'")

    assert at_once(acme.pk, lambda: flips.run(acme.pk), lambda: flips.run(acme.pk)) == []

    segment.refresh_from_db()
    assert (inside(segment), segment.member_count, FlipCheck.objects.count()) == (set(), 0, 0)
    assert Membership.objects.count() == 40


def test_an_edit_during_a_build_wins(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = people.contact(city="Leeds"), people.contact(city="York")
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    edits = iter([lambda: services.update_segment(segment, rule=city("York"))])
    evaluate = build._evaluate_and_write

    def and_then_edited(*arguments: Any) -> Any:
        """The edit commits while the build has evaluated and not yet looked at the version."""
        edit = next(edits, None)
        if edit is not None:
            assert at_once(acme.pk, edit) == []
        return evaluate(*arguments)

    monkeypatch.setattr(build, "_evaluate_and_write", and_then_edited)
    build.run(acme.pk)

    segment.refresh_from_db()
    assert (segment.version_number, segment.status, inside(segment)) == (2, SegmentStatus.READY, {bob.pk})
    assert ada.pk not in Membership.objects.values_list("contact_id", flat=True)
