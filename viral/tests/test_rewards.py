"""Rewards: given once, taken back, and as cheap for many as for few; and the codes they come by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.models import AuditEntry, Organization
from audience.models import Contact
from common import tenancy
from common.errors import Conflict, Invalid
from viral import services, subscribers
from viral.models import Referral, ReferralCode, Reward
from viral.tests.river import Happening, code_of, contact, order, program, sign_up, store
from viral.tests.standing import emitted, flow, rewards, states

pytestmark = pytest.mark.django_db


def test_a_refund_of_the_qualifying_order_takes_the_rewards_back(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))
    flow(sign_up(ben, code.code), order(ben, 5000))

    refund = Happening(ben, "order_refunded", 0, {"order_id": "A1"}, value_minor=5000)
    for _ in range(2):
        flow(refund)

    assert states() == [("rejected", "refunded")]
    assert {reward[3] for reward in rewards()} == {"reversed"}


@pytest.mark.parametrize(
    ("refund", "kept"),
    [
        ({"properties": {"order_id": "A1"}, "value_minor": 100}, True),  # a part of it
        ({"properties": {"order_id": "Z9"}, "value_minor": 5000}, True),  # another order
        ({"properties": {"order_id": "A1"}}, False),  # the whole order, no amount said
        ({"name": "order_completed", "properties": {"order_id": "A1"}, "value_minor": -5000}, False),
    ],
)
def test_only_a_whole_refund_of_that_order_takes_rewards_back(
    organization: Organization, refund: dict[str, Any], kept: bool
) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))
    flow(sign_up(ben, code.code), order(ben, 5000))

    flow(Happening(ben, **{"name": "order_refunded", "hours_ago": 0, **refund}))

    assert (states() == [("rewarded", "")]) is kept


def test_rewards_wait_for_approval_where_the_programme_says_so(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(requires_approval=True), contact("Ada"))
    flow(sign_up(ben, code.code), order(ben))
    assert states() == [("qualified", "")]
    first, second = Reward.objects.order_by("pk")

    assert services.approve([first.pk]) == 1
    assert states() == [("qualified", "")]
    assert services.approve([first.pk, second.pk]) == 1

    assert states() == [("rewarded", "")]
    assert AuditEntry.objects.filter(action="approve").count() == 2


def test_a_reward_is_taken_back_once_and_with_a_reason(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))
    flow(sign_up(ben, code.code), order(ben))
    reward = Reward.objects.first()

    with pytest.raises(Invalid):
        services.reverse(reward, " ")
    services.reverse(reward, "Fraud")
    with pytest.raises(Conflict):
        services.reverse(reward, "Fraud")

    assert list(Reward.objects.order_by("pk").values_list("status", "reason")) == [
        ("reversed", "Fraud"),
        ("approved", ""),
    ]


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_bind_and_reward_exactly_once() -> None:
    made = accounts.create_organization("Acme", "acme", currency="GBP")
    with tenancy.organization(made.pk):
        friends = program()
        code = code_of(friends, contact("Ada"))
        people = [contact(f"P{index}") for index in range(8)]
        notice = store([item for who in people for item in (sign_up(who, code.code), order(who))])

    def worker(_: int) -> None:
        try:
            with tenancy.organization(made.pk):
                subscribers.on_events(notice)
                services.approve(list(Reward.objects.values_list("pk", flat=True)))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(8)))

    with tenancy.organization(made.pk):
        assert states() == [("rewarded", "")] * 8
        assert Reward.objects.count() == 16
        assert len(emitted()) == 32


def test_five_hundred_events_take_as_many_statements_as_ten(organization: Organization) -> None:
    friends = program()
    codes = [code_of(friends, contact(f"Inviter{index}")).code for index in range(5)]

    def statements(count: int, prefix: str) -> int:
        events = []
        for index in range(count // 2):
            who = Contact.objects.create(name=prefix, email=f"{prefix}{index}@example.com")
            events += [sign_up(who, codes[index % 5]), order(who)]
        notice = store(events)
        with CaptureQueriesContext(connection) as captured:
            subscribers.on_events(notice)
        return len(captured)

    few = statements(10, "a")
    many = statements(500, "b")

    # Our own events go to the audience 500 to a row; nothing else grows.
    assert many - few <= 4
    assert Referral.objects.filter(status="rewarded").count() == 255


def test_an_organisation_without_programmes_pays_one_query(organization: Organization) -> None:
    notice = store([order(contact("Ben"))])

    with CaptureQueriesContext(connection) as captured:
        subscribers.on_events(notice)

    assert len(captured) == 1


def test_codes_are_made_for_many_at_once_and_stay(organization: Organization) -> None:
    friends = program()
    people = [contact(f"Zoë{index} Müller", f"z{index}@example.com").pk for index in range(300)]

    with CaptureQueriesContext(connection) as captured:
        codes = services.ensure_codes(friends, [*people, 999_999_999])

    assert len(captured) < 10
    assert set(codes) == set(people)
    assert len(set(codes.values())) == 300
    assert all(code.startswith("ZOE-") and len(code) == 12 for code in codes.values())
    assert services.ensure_codes(friends, people) == codes


def test_a_code_that_is_taken_in_any_organisation_is_drawn_again(
    organization: Organization, stranger: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenancy.organization(stranger.pk):
        taken = code_of(program(), contact("Eve")).code
    drawn = iter([taken, "ADA-23456789"])
    monkeypatch.setattr("viral.domain.codes.make", lambda name: next(drawn))

    assert code_of(program(), contact("Ada")).code == "ADA-23456789"
    assert ReferralCode.objects.count() == 1


def test_an_invitation_by_mail_becomes_the_referral_of_that_person(organization: Organization) -> None:
    code = code_of(program(), contact("Ada"))
    for _ in range(2):
        invited = services.note_invitations(code, ["Ben+x@example.com", "cid@example.com"])

    flow(sign_up(contact("Ben"), code.code))

    assert states() == [("signed_up", ""), ("invited", "")]
    assert Referral.objects.get(status="signed_up").pk == invited[0].pk


@pytest.mark.parametrize("emails", [[], ["nobody"], ["a@b"] * 101])
def test_wrong_invitations_note_nothing(organization: Organization, emails: list[str]) -> None:
    code = code_of(program(), contact("Ada"))

    with pytest.raises(Invalid):
        services.note_invitations(code, emails)
    assert states() == []
