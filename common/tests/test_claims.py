"""A claimed row has one holder; a late holder cannot write."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts import services as accounts
from accounts.models import Organization
from campaigns.models import Campaign, CampaignRun
from common import claims, clock, tenancy
from common.errors import Conflict


def make_runs(count: int) -> list[CampaignRun]:
    campaign = Campaign.objects.create(name="Spring")
    return [CampaignRun.objects.create(campaign=campaign, number=number + 1) for number in range(count)]


def test_a_row_is_claimed_once(organization: Organization) -> None:
    make_runs(3)

    token, rows = claims.claim(CampaignRun, limit=2, lease_seconds=30)
    _, others = claims.claim(CampaignRun, limit=5, lease_seconds=30)

    assert [row.lease_token for row in rows] == [token, token]
    assert len(others) == 1
    assert {row.pk for row in rows}.isdisjoint({row.pk for row in others})
    assert {row.attempts for row in rows} == {1}


def test_rows_of_the_future_wait(organization: Organization) -> None:
    run = make_runs(1)[0]
    CampaignRun.objects.filter(pk=run.pk).update(run_at=clock.now() + timedelta(minutes=1))

    assert claims.claim(CampaignRun, limit=5, lease_seconds=30)[1] == []
    with clock.travel(timedelta(minutes=2)):
        assert len(claims.claim(CampaignRun, limit=5, lease_seconds=30)[1]) == 1


def test_a_lapsed_lease_is_taken_over_and_the_late_holder_is_fenced_off(organization: Organization) -> None:
    run = make_runs(1)[0]
    late, _ = claims.claim(CampaignRun, limit=1, lease_seconds=30)
    with clock.travel(timedelta(seconds=31)):
        fresh, rows = claims.claim(CampaignRun, limit=1, lease_seconds=30)
    assert [row.pk for row in rows] == [run.pk]

    with pytest.raises(Conflict, match="went to another worker"), transaction.atomic():
        claims.settle(CampaignRun, [run.pk], late, status="done")
    claims.settle(CampaignRun, [run.pk], fresh, status="done", finished_at=clock.now())

    run.refresh_from_db()
    assert (run.status, run.lease_token, run.attempts) == ("done", None, 2)


def test_a_lifecycle_can_forbid_taking_over(organization: Organization) -> None:
    make_runs(1)
    once = claims.Lifecycle(reclaim_expired=False)
    claims.claim(CampaignRun, limit=1, lease_seconds=30, lifecycle=once)

    with clock.travel(timedelta(days=1)):
        assert claims.claim(CampaignRun, limit=1, lease_seconds=30, lifecycle=once)[1] == []


def test_a_lease_can_be_extended_by_its_holder_only(organization: Organization) -> None:
    run = make_runs(1)[0]
    token, _ = claims.claim(CampaignRun, limit=1, lease_seconds=30)

    assert claims.extend(CampaignRun, [run.pk], token, 300) == 1
    with clock.travel(timedelta(seconds=100)):
        assert claims.claim(CampaignRun, limit=1, lease_seconds=30)[1] == []
    other = token.__class__(int=1)
    assert claims.extend(CampaignRun, [run.pk], other, 300) == 0


def test_claiming_needs_an_organisation(db: None) -> None:
    with pytest.raises(tenancy.NoOrganization):
        claims.claim(CampaignRun, limit=1, lease_seconds=30)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 10), (5, 80), (30, 3600)])
def test_backoff_doubles_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert claims.backoff(attempts) == timedelta(seconds=seconds)


@pytest.fixture
def committed(transactional_db: None) -> Iterator[Organization]:
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        yield made


def test_many_workers_claim_disjoint_rows(committed: Organization) -> None:
    make_runs(200)

    def work(_: int) -> list[int]:
        try:
            with tenancy.organization(committed.pk):
                return [row.pk for _ in range(10) for row in claims.claim(CampaignRun, limit=5, lease_seconds=60)[1]]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claimed = [pk for found in pool.map(work, range(4)) for pk in found]

    assert len(claimed) == len(set(claimed)) == 200
