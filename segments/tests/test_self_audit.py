"""The nightly comparison finds what is wrong, mends it, and is not fooled by what is still on its way."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Organization
from audience import services as audience
from audience.models import Contact
from common import clock, doorbell
from segments import services
from segments.models import Membership, Segment, SelfAudit
from segments.services import self_audit

pytestmark = pytest.mark.django_db

LEEDS = {"match": "all", "rules": [{"field": "city", "operator": "equals", "value": "Leeds"}]}


@pytest.fixture
def leeds(organization: Organization) -> Segment:
    for number in range(6):
        audience.create_contact(name=f"Person {number}", city="Leeds" if number % 2 else "York")
    segment = services.create_segment(name="Leeds", rule=LEEDS)
    doorbell.drain(organization.pk)
    return segment


def _inside(segment: Segment) -> set[str]:
    return set(Membership.objects.filter(segment=segment, left_at=None).values_list("contact__name", flat=True))


def test_a_right_membership_passes(organization: Organization, leeds: Segment) -> None:
    found = self_audit.run(organization.pk)

    assert (found.segment_count, found.contact_count, found.difference_count) == (1, 6, 0)


def test_what_was_written_behind_our_back_is_found_and_mended(organization: Organization, leeds: Segment) -> None:
    lost, intruder = Contact.objects.get(name="Person 1"), Contact.objects.get(name="Person 0")
    Membership.objects.filter(contact=lost).delete()
    Membership.objects.create(segment=leeds, contact=intruder)

    found = self_audit.run(organization.pk)

    assert found.difference_count == 2
    assert {row["contact"] for row in found.differences} == {lost.pk, intruder.pk}
    assert _inside(leeds) == {"Person 1", "Person 3", "Person 5"}
    assert self_audit.run(organization.pk).difference_count == 0


def test_what_is_still_on_its_way_is_no_fault(organization: Organization, leeds: Segment) -> None:
    Contact.objects.filter(name="Person 0").update(city="York")
    audience.update_contact(Contact.objects.get(name="Person 0"), city="Leeds")  # its notice waits

    assert self_audit.run(organization.pk).difference_count == 0
    assert "Person 0" in _inside(leeds)


def test_every_contact_has_its_night(organization: Organization, leeds: Segment, monkeypatch) -> None:
    monkeypatch.setattr(self_audit, "SLICE", 2)
    tonight = clock.now()
    seen: list[int] = []
    for night in range(3):
        seen += self_audit._slice(tonight + timedelta(days=night))

    assert sorted(seen) == sorted(Contact.objects.values_list("pk", flat=True))


def test_only_the_last_runs_are_kept(organization: Organization, leeds: Segment, monkeypatch) -> None:
    monkeypatch.setattr(self_audit, "KEEP_RUNS", 2)
    for _ in range(4):
        self_audit.run(organization.pk)

    assert SelfAudit.objects.count() == 2


def test_the_page_says_what_was_wrong_and_what_to_do(
    organization: Organization, leeds: Segment, admin: Client
) -> None:
    contact = Contact.objects.order_by("pk").first()
    assert contact
    fine = SelfAudit.objects.create(segment_count=3, contact_count=2_000)
    bad = SelfAudit.objects.create(
        segment_count=3, contact_count=2_000, difference_count=1_200,
        differences=[{"segment": leeds.pk, "contact": contact.pk}, {"segment": leeds.pk, "contact": 9_999_999}],
    )  # fmt: skip

    nights = admin.get("/admin/segments/selfaudit/").content.decode()
    assert "all as their rules say" in nights
    assert "1,200 wrong" in nights
    assert "2,000" in nights
    page = admin.get(f"/admin/segments/selfaudit/{bad.pk}/change/").content.decode()
    assert (
        f'<a href="/admin/segments/segment/{leeds.pk}/why/?contact={contact.pk}">{contact}</a> in “{leeds}”' in page
    )
    assert "everybody again” for the segment" in page
    assert "Nothing: every membership" in admin.get(f"/admin/segments/selfaudit/{fine.pk}/change/").content.decode()
