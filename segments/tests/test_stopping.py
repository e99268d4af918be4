"""Stopping a build: what stood goes on serving, on real connections."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import ApiKeyKind, AuditEntry, Organization
from common import doorbell, tenancy
from common.errors import Conflict
from segments import services
from segments.models import Membership, Segment, SegmentStatus
from segments.services import build, progress
from segments.tests import people
from segments.tests.people import city

pytestmark = pytest.mark.django_db(transaction=True)
NAP = "(SELECT pg_sleep(30)::text) nap"
SLOW = f"CREATE TEMPORARY TABLE built ON COMMIT DROP AS SELECT rest.* FROM {NAP}, ({{select}}) rest"


@pytest.fixture
def acme(transactional_db: None) -> Iterator[Organization]:
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        yield made


@pytest.fixture
def leeds(acme: Organization) -> Segment:
    people.contact(city="Leeds")
    people.contact(city="York")
    segment = services.create_segment(name="Leeds", rule=city("Leeds"))
    doorbell.drain(acme.pk)
    return segment


def _names_inside(segment: Segment) -> set[str]:
    return set(Membership.objects.filter(segment=segment, left_at=None).values_list("contact__city", flat=True))


def _build_slowly(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> threading.Thread:
    """A worker that is in the middle of a long evaluation when this returns."""
    monkeypatch.setattr(build, "EVALUATE_SQL", SLOW)

    def work() -> None:
        try:
            build.run(acme.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def _wait_for_step(segment: Segment) -> progress.Progress:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (running := progress.of(segment.pk, segment.build_seconds)) is not None:
            time.sleep(0.2)  # the step is noted just before its statement
            return running
        time.sleep(0.02)
    raise TimeoutError("the build did not begin")


def test_an_edit_that_is_stopped_puts_the_earlier_rule_back(
    acme: Organization, leeds: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.update_segment(leeds, rule=city("York"))
    worker = _build_slowly(acme, monkeypatch)
    running = _wait_for_step(leeds)
    monkeypatch.setattr(build, "EVALUATE_SQL", SLOW.replace("pg_sleep(30)", "pg_sleep(0)"))

    services.cancel_build(leeds)
    worker.join(10)

    assert not worker.is_alive()
    assert running.step == progress.EVALUATING
    doorbell.drain(acme.pk)
    leeds.refresh_from_db()
    assert (leeds.rule, leeds.status, leeds.version_number) == (city("Leeds"), SegmentStatus.READY, 3)
    assert leeds.built_version == 3
    assert _names_inside(leeds) == {"Leeds"}
    assert AuditEntry.objects.filter(action="cancel_build", object_id=str(leeds.pk)).exists()


def test_a_rebuild_that_is_stopped_leaves_the_members(acme: Organization, leeds: Segment) -> None:
    services.request_rebuild(leeds)

    stopped = services.cancel_build(leeds)

    assert (stopped.status, stopped.version_number) == (SegmentStatus.READY, 1)
    assert _names_inside(leeds) == {"Leeds"}


def test_a_first_build_that_is_stopped_leaves_an_inactive_segment(acme: Organization) -> None:
    segment = services.create_segment(name="Leeds", rule=city("Leeds"))

    stopped = services.cancel_build(segment)

    assert (stopped.is_active, stopped.status) == (False, SegmentStatus.READY)
    services.update_segment(stopped, is_active=True)
    assert Segment.objects.get().status == SegmentStatus.BUILDING


def test_nothing_to_stop_is_said(acme: Organization, leeds: Segment) -> None:
    with pytest.raises(Conflict, match="not being built"):
        services.cancel_build(leeds)


def test_an_edit_stops_the_build_of_what_it_replaces(
    acme: Organization, leeds: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.request_rebuild(leeds)
    worker = _build_slowly(acme, monkeypatch)
    _wait_for_step(leeds)
    monkeypatch.setattr(build, "EVALUATE_SQL", SLOW.replace("pg_sleep(30)", "pg_sleep(0)"))

    services.update_segment(leeds, rule=city("York"))
    worker.join(10)

    assert not worker.is_alive()
    doorbell.drain(acme.pk)
    assert _names_inside(leeds) == {"York"}


def test_the_api_stops_a_build(acme: Organization, leeds: Segment) -> None:
    _, key = accounts.issue_key("test", ApiKeyKind.SECRET)
    api = APIClient(headers={"Authorization": f"Bearer {key}"})
    services.request_rebuild(leeds)

    assert api.post(f"/api/v1/segments/{leeds.pk}/cancel-build/").json()["status"] == "ready"
    again = api.post(f"/api/v1/segments/{leeds.pk}/cancel-build/")
    assert again.status_code == 409
