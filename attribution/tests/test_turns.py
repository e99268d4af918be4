"""Two workers at once: every conversion is credited, once, whoever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts import services as accounts
from attribution import services, subscribers
from attribution.models import Conversion, Credit, Goal, Touchpoint
from attribution.tests.river import contact, order, store, visit
from audience.notices import EventsRecorded
from common import tenancy


@pytest.mark.django_db(transaction=True)
def test_recording_and_crediting_at_once_loses_and_doubles_nothing() -> None:
    made = accounts.create_organization("Acme", "acme", currency="GBP")
    with tenancy.organization(made.pk):
        people = [contact(f"P{index}") for index in range(10)]
        orders = store([order(who, 100, 1) for who in people for _ in range(3)])
        visits = store([visit(who, days) for who in people for days in (2, 9)])
    halves = [EventsRecorded(notice.events[part::2]) for notice in (orders, visits) for part in (0, 1)]

    def worker(index: int) -> None:
        try:
            with tenancy.organization(made.pk):
                subscribers.on_events(halves[index % 4])
            services.work(made.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(8)))

    services.work(made.pk)
    with tenancy.organization(made.pk):
        assert (Goal.objects.count(), Conversion.objects.count(), Touchpoint.objects.count()) == (1, 30, 20)
        assert sorted(Credit.objects.filter(model="linear").values_list("amount_minor", flat=True)) == [50] * 60
        assert Credit.objects.filter(model="first").count() == 30
