"""Clock, money, registry and doorbell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as some

from accounts import services as accounts
from accounts.models import Organization
from common import clock, doorbell, money
from common.doorbell import Work
from common.errors import Invalid
from common.registry import CATALOGUE, Registry
from marketing_site import wiring

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_the_clock_stops_and_travels() -> None:
    with clock.freeze(NOON):
        assert clock.now() == NOON
        with clock.travel(timedelta(hours=1)), clock.travel(timedelta(minutes=5)):
            assert clock.now() == NOON + timedelta(hours=1, minutes=5)
        assert clock.now() == NOON
    assert clock.now() > NOON


@given(
    some.integers(-(10**12), 10**12),
    some.lists(some.floats(0, 1000, allow_nan=False), min_size=1, max_size=30).filter(lambda w: sum(w) > 0),
)
def test_split_money_sums_to_the_cent(total: int, weights: list[float]) -> None:
    parts = money.split(total, weights)

    assert sum(parts) == total
    exact = [total * weight / sum(weights) for weight in weights]
    assert all(abs(part - share) <= 1 + abs(share) * 1e-9 for part, share in zip(parts, exact, strict=True))


def test_equal_weights_give_the_odd_penny_to_the_first() -> None:
    assert money.split(100, [1, 1, 1]) == [34, 33, 33]
    assert money.split(-100, [1, 1, 1]) == [-34, -33, -33]


def test_nothing_to_split_by_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one positive weight"):
        money.split(100, [0, 0])


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.34", "GBP", 1234), (12, "JPY", 12), (0.1 + 0.2, "USD", 30), ("1.2345", "KWD", 1234), (-5, "EUR", -500)],
)
def test_amounts_become_minor_units(amount: object, currency: str, minor: int) -> None:
    assert money.to_minor(amount, currency) == minor


@pytest.mark.parametrize("amount", ["twelve", None, float("nan"), float("inf"), [1]])
def test_what_is_no_amount_is_refused(amount: object) -> None:
    with pytest.raises(Invalid, match="is not an amount of GBP"):
        money.to_minor(amount, "GBP")


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (123456, "GBP", "£1,234.56"),
        (-50, "USD", "−$0.50"),
        (1000, "JPY", "¥1,000"),
        (5, "CHF", "0.05 CHF"),
        (None, "EUR", "–"),
    ],
)
def test_money_is_shown_as_people_write_it(minor: int | None, currency: str, shown: str) -> None:
    assert money.show(minor, currency) == shown


def test_a_registry_names_what_it_knows() -> None:
    registry = Registry("test fruit", {"apple": 1, "pear": 2})
    try:
        assert registry.find("pear") == 2
        with pytest.raises(Invalid, match=r'rules\[0\]: unknown test fruit "plum"; known: apple, pear'):
            registry.find("plum", "rules[0]")
    finally:
        del CATALOGUE["test fruit"]


def test_draining_stops_when_the_river_is_quiet(organization: Organization) -> None:
    left = [3]

    def run(_: int) -> int:
        left[0] = max(0, left[0] - 1)
        return left[0]

    doorbell.wire([Work("count", "river", run, list)])
    try:
        assert doorbell.drain(organization.pk) == 3
        doorbell.wire([Work("endless", "river", lambda _: 1, list)])
        with pytest.raises(RuntimeError, match="did not come to rest"):
            doorbell.drain(organization.pk, rounds=5)
    finally:
        doorbell.wire(wiring.WORK)


def test_rings_collapse_until_they_are_answered(organization: Organization, settings, monkeypatch) -> None:
    sent: list[tuple[str, int]] = []
    settings.DOORBELL_ENABLED = True
    monkeypatch.setattr(
        "celery.app.base.Celery.send_task", lambda self, name, args, **options: sent.append(tuple(args))
    )
    doorbell.client().delete(f"bell:notices:{organization.pk}")

    doorbell._ring_now("notices", organization.pk)
    doorbell._ring_now("notices", organization.pk)
    assert sent == [("notices", organization.pk)]

    doorbell.answer("notices", organization.pk)
    doorbell._ring_now("notices", organization.pk)
    assert len(sent) == 2


def test_a_dead_redis_is_no_error(organization: Organization, settings, monkeypatch, caplog) -> None:
    import redis

    settings.DOORBELL_ENABLED = True
    with monkeypatch.context() as patch:
        patch.setattr(doorbell, "_client", redis.Redis(host="127.0.0.1", port=1))
        doorbell._ring_now("notices", organization.pk)

    assert "did not ring" in caplog.text


def test_work_that_goes_on_gives_up_its_worker_after_a_turn_and_rings_again(
    organization: Organization, settings, monkeypatch
) -> None:
    sent: list[tuple[str, int]] = []
    settings.DOORBELL_ENABLED = True
    monkeypatch.setattr(doorbell, "_ring_now", lambda name, organization_id: sent.append((name, organization_id)))
    monkeypatch.setattr(doorbell.transaction, "on_commit", lambda call: call())
    steps = 0

    def endless(_: int) -> int:
        nonlocal steps
        while not doorbell.turn_is_over():
            steps += 1
        return steps

    doorbell.wire([Work("endless", "river", endless, list)])
    try:
        assert doorbell.answer("endless", organization.pk) == steps > 0
        assert sent == [("endless", organization.pk)]
        assert doorbell.turn_is_over() is False, "outside a turn nothing is over"
    finally:
        doorbell.wire(wiring.WORK)


def test_what_work_rings_for_on_its_queue_is_done_by_the_same_worker(
    organization: Organization, settings, monkeypatch
) -> None:
    sent: list[str] = []
    done: list[str] = []
    settings.DOORBELL_ENABLED = True
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda self, name, args, **options: sent.append(args[0]))
    monkeypatch.setattr(doorbell.transaction, "on_commit", lambda call: call())
    monkeypatch.setattr(doorbell, "ERRAND_SECONDS", 0)

    def work(name: str, *rings: str) -> Work:
        def run(organization_id: int) -> int:
            done.append(name)
            for ring in rings:
                doorbell.ring(ring, organization_id)
            return 1

        return Work(name, "delivery" if name == "mail" else "river", run, list, patience=name == "books")

    doorbell.wire(
        [work("in", "out", "between"), work("between", "in", "mail"), work("out"), work("mail"), work("books")]
    )
    for name in ("in", "between", "out", "mail", "books"):
        doorbell.client().delete(f"bell:{name}:{organization.pk}")
    try:
        assert doorbell.answer("in", organization.pk) == 3
        assert done == ["in", "between", "out"], "in the order of the wiring, each once"
        assert sent == ["in", "mail"], "what was done already, and what others do, goes through the queue"
    finally:
        doorbell.wire(wiring.WORK)


def test_a_short_errand_comes_back_to_what_it_did_after_all_else(
    organization: Organization, settings, monkeypatch
) -> None:
    done: list[str] = []
    settings.DOORBELL_ENABLED = True
    monkeypatch.setattr(doorbell.transaction, "on_commit", lambda call: call())
    monkeypatch.setattr(doorbell, "ERRAND_SECONDS", 60)

    def first(organization_id: int) -> int:
        done.append("first")
        for name in ("first", "second") if len(done) < 4 else ():
            doorbell.ring(name, organization_id)
        return 1

    def second(_: int) -> int:
        done.append("second")
        return 1

    doorbell.wire([Work("first", "river", first, list), Work("second", "river", second, list)])
    try:
        assert doorbell.answer("first", organization.pk) == 5
        assert done == ["first", "second", "first", "first", "second"]
    finally:
        doorbell.wire(wiring.WORK)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_repeatable", "waits"), [(True, "off"), (False, "on")])
def test_only_work_that_can_be_done_again_does_not_wait_for_the_disk(is_repeatable: bool, waits: str) -> None:
    company = accounts.create_organization("Acme", "acme")
    seen: list[str] = []

    def ask(_: int = 0) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            seen.append(cursor.fetchone()[0])
        return 0

    def fail(_: int) -> int:
        ask()
        raise RuntimeError("in the middle")

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
    works = [
        Work("asking", "river", ask, list, is_repeatable=is_repeatable),
        Work("failing", "river", fail, list, is_repeatable=is_repeatable),
    ]
    doorbell.wire(works)
    try:
        doorbell.answer("asking", company.pk)
        ask()
        with pytest.raises(RuntimeError):
            doorbell.answer("failing", company.pk)
        ask()
    finally:
        doorbell.wire(wiring.WORK)
        connection.close()

    assert seen == [waits, "on", waits, "on"]
