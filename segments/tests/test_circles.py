"""Two people close a circle from both sides at once: one of them is told so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts import services as accounts
from accounts.models import Organization
from common import tenancy
from common.errors import Conflict, Invalid
from segments import services
from segments.models import Segment, SegmentDependency
from segments.tests.people import city
from segments.tests.test_refreshers import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(transactional_db: None) -> Iterator[Organization]:
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        yield made


def standing(segment: Segment) -> dict[str, object]:
    return {"segment": segment.pk, "operator": "in"}


def test_two_halves_of_a_circle_never_slip_through(acme: Organization) -> None:
    for number in range(5):
        first = services.create_segment(name=f"First {number}", rule=city("Leeds"))
        second = services.create_segment(name=f"Second {number}", rule=city("York"))

        wrong = at_once(
            acme.pk,
            lambda first=first, second=second: services.update_segment(first, rule=standing(second)),
            lambda first=first, second=second: services.update_segment(second, rule=standing(first)),
        )

        assert [type(error) for error in wrong] == [Invalid]
        assert "round in a circle" in str(wrong[0])
    assert SegmentDependency.objects.filter(needed__isnull=False).count() == 5


def test_a_segment_is_not_deleted_under_the_hands_of_whoever_refers_to_it(acme: Organization) -> None:
    for number in range(5):
        inner = services.create_segment(name=f"Inner {number}")

        wrong = at_once(
            acme.pk,
            lambda inner=inner: services.delete_segment(inner),
            lambda inner=inner, number=number: services.create_segment(name=f"Outer {number}", rule=standing(inner)),
        )

        assert [type(error) for error in wrong] in ([Invalid], [Conflict])
    outer = Segment.objects.filter(name__startswith="Outer").count()
    assert Segment.objects.filter(name__startswith="Inner").count() == outer == SegmentDependency.objects.count()
