"""An invitation's life: bound once, refused with a reason, rewarded exactly once, taken back."""

from __future__ import annotations

import pytest

from accounts.models import Organization
from audience.notices import ContactsChanged, ContactsMerged
from common import tenancy
from common.errors import Conflict
from viral import services, subscribers
from viral.models import CodeVisit, Referral, Reward
from viral.tests.river import Happening, code_of, contact, device, order, program, sign_up, store
from viral.tests.standing import emitted, flow, rewards, states

pytestmark = pytest.mark.django_db


def test_a_friend_who_signs_up_and_buys_earns_both_sides_their_reward(organization: Organization) -> None:
    ada, ben = contact("Ada"), contact("Ben")
    code = code_of(program(), ada)

    flow(sign_up(ben, code.code))
    assert states() == [("signed_up", "")]
    flow(order(ben))

    referral = Referral.objects.get()
    assert (referral.inviter, referral.invitee, referral.status, referral.order_id) == (ada, ben, "rewarded", "A1")
    assert rewards() == [("inviter", "credit", 1000, "approved"), ("invitee", "points", 50, "approved")]
    assert list(Reward.objects.order_by("pk").values_list("contact_id", "currency")) == [
        (ada.pk, "GBP"),
        (ben.pk, ""),
    ]
    assert emitted() == [
        ("referral_signed_up", ben.pk, "invitee"),
        ("referral_signed_up", ada.pk, "inviter"),
        ("referral_qualified", ben.pk, "invitee"),
        ("referral_qualified", ada.pk, "inviter"),
    ]


def test_the_order_may_arrive_before_the_sign_up(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))

    flow(order(ben, hours_ago=1))
    flow(sign_up(ben, code.code, hours_ago=2))

    assert states() == [("rewarded", "")]


def test_one_event_may_sign_up_and_qualify(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))

    flow(Happening(ben, "Order Completed", 1, {"referral_code": code.code.lower()}, value_minor=100))

    assert states() == [("rewarded", "")]


def test_a_one_sided_programme_rewards_the_inviter_alone(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(invitee_reward_kind="none"), contact("Ada"))

    flow(sign_up(ben, code.code), order(ben))

    assert rewards() == [("inviter", "credit", 1000, "approved")]


def test_the_same_notice_again_changes_nothing(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))
    notice = store([sign_up(ben, code.code), order(ben)])

    for _ in range(3):
        subscribers.on_events(notice)

    assert states() == [("rewarded", "")]
    assert len(rewards()) == 2
    assert len(emitted()) == 4


def test_an_invitee_is_bound_once_to_the_first_code(organization: Organization) -> None:
    friends = program()
    first, second = code_of(friends, contact("Ada")), code_of(friends, contact("Cid"))
    ben = contact("Ben")

    flow(sign_up(ben, second.code, 1), sign_up(ben, first.code, 2))
    flow(sign_up(ben, second.code, 0))

    assert list(Referral.objects.values_list("code__code", "status")) == [(first.code, "signed_up")]


def test_a_visit_by_a_link_binds_the_later_sign_up_that_names_no_code(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))
    visit = Happening(
        ben,
        "page",
        5,
        context={"page": {"url": f"https://shop.example/?referral_code={code.code}&utm_source=referral"}},
    )

    flow(visit)
    assert (states(), CodeVisit.objects.count()) == ([], 1)
    flow(Happening(ben, "Signed Up", 2))

    assert states() == [("signed_up", "")]


def test_the_sign_up_may_arrive_before_the_visit(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))

    flow(Happening(ben, "signed_up", 2))
    flow(Happening(ben, "page", 5, {"referral_code": code.code}))

    assert states() == [("signed_up", "")]


def test_a_sign_up_long_after_the_visit_is_nobodys(organization: Organization) -> None:
    ben, code = contact("Ben"), code_of(program(), contact("Ada"))

    flow(Happening(ben, "page", 24 * 40, {"referral_code": code.code}), Happening(ben, "signed_up", 2))

    assert states() == []


def test_an_anonymous_visit_binds_once_we_know_who_it_was(organization: Organization) -> None:
    anonymous, ben, code = contact("", ""), contact("Ben"), code_of(program(), contact("Ada"))
    flow(Happening(anonymous, "page", 5, {"referral_code": code.code}))
    flow(Happening(ben, "signed_up", 2), order(ben))
    assert states() == []

    for _ in range(2):
        subscribers.on_contacts(ContactsChanged(merged=[ContactsMerged(anonymous.pk, ben.pk)]))

    assert states() == [("rewarded", "")]
    assert len(rewards()) == 2


# --- nobody invites himself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("ada@example.com", "ADA@example.com "),
        ("ada@example.com", "ada+friend@example.com"),
        ("ada.lovelace@gmail.com", "adalovelace+2@googlemail.com"),
    ],
)
def test_the_same_mailbox_under_another_name_is_refused(organization: Organization, mine: str, theirs: str) -> None:
    ada, ben = contact("Ada", mine), contact("Ben", theirs)
    code = code_of(program(), ada)

    flow(sign_up(ben, code.code), order(ben))

    assert states() == [("rejected", "same_email")]
    assert (rewards(), emitted()) == ([], [])


def test_dots_matter_outside_gmail(organization: Organization) -> None:
    ada, ben = contact("Ada", "a.da@example.com"), contact("Ben", "ada@example.com")
    code = code_of(program(), ada)

    flow(sign_up(ben, code.code))

    assert states() == [("signed_up", "")]


def test_ones_own_code_is_refused_and_kept_once(organization: Organization) -> None:
    ada = contact("Ada")
    code = code_of(program(), ada)

    flow(sign_up(ada, code.code, 2), sign_up(ada, code.code, 1))
    flow(sign_up(ada, code.code, 0), order(ada))

    assert states() == [("rejected", "same_contact")]
    assert rewards() == []


def test_the_same_phone_or_device_is_refused(organization: Organization) -> None:
    friends = program()
    ada = contact("Ada", phone="+44 7700 900123")
    device(ada, "phone-1")
    device(ada, "browser-1", "anonymous_id")
    code = code_of(friends, ada)
    ben, cid, dan, eve = contact("Ben", phone="07700900123"), contact("Cid"), contact("Dan"), contact("Eve")

    flow(
        sign_up(ben, code.code, 4),
        sign_up(cid, code.code, 3, context={"device": {"id": "phone-1"}}),
        Happening(dan, "signed_up", 2, {"referral_code": code.code, "$device_id": "browser-1"}),
        sign_up(eve, code.code, 1, context={"device": {"id": "phone-2"}}),
    )

    assert states() == [
        ("rejected", "same_phone"), ("rejected", "same_device"), ("rejected", "same_device"), ("signed_up", ""),
    ]  # fmt: skip


def test_who_turns_out_to_be_the_inviter_loses_the_rewards(organization: Organization) -> None:
    ada, ben = contact("Ada"), contact("Ben")
    code = code_of(program(), ada)
    flow(sign_up(ben, code.code), order(ben))

    subscribers.on_contacts(ContactsChanged(merged=[ContactsMerged(ben.pk, ada.pk)]))

    assert states() == [("rejected", "same_contact")]
    assert {reward[3] for reward in rewards()} == {"reversed"}


def test_two_invitees_who_are_one_count_once_and_codes_go_on(organization: Organization) -> None:
    friends = program()
    ada, ben, cid = contact("Ada"), contact("Ben"), contact("Cid")
    code, bens = code_of(friends, ada), code_of(friends, ben)
    cids = code_of(friends, cid)
    flow(sign_up(ben, code.code, 5), sign_up(cid, code.code, 4))

    subscribers.on_contacts(ContactsChanged(merged=[ContactsMerged(cid.pk, ben.pk)]))
    flow(sign_up(contact("Eve"), cids.code, 1))

    assert states() == [("signed_up", ""), ("rejected", "duplicate"), ("signed_up", "")]
    assert Referral.objects.last().inviter == ben
    assert services.ensure_codes(friends, [ben.pk]) == {ben.pk: bens.code}


def test_a_customer_of_before_is_no_referral_unless_the_programme_says_so(organization: Organization) -> None:
    strict, open_to_all = program(), program(slug="all", only_new_customers=False)
    ada, ben = contact("Ada"), contact("Ben")
    one, other = code_of(strict, ada), code_of(open_to_all, ada)

    flow(order(ben, hours_ago=30), sign_up(ben, one.code, 2), sign_up(ben, other.code, 1))

    assert states() == [("rejected", "existing_customer"), ("signed_up", "")]


# --- forged ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["NOBODY-22222222", "", "'; DROP TABLE viral_referral; --", "x" * 5000, "ADA\x01"])
def test_a_forged_code_makes_nothing(organization: Organization, code: str) -> None:
    code_of(program(), contact("Ada"))

    flow(sign_up(contact("Ben"), code))

    assert (states(), CodeVisit.objects.count()) == ([], 0)


def test_a_code_that_is_no_text_makes_nothing(organization: Organization) -> None:
    code_of(program(), contact("Ada"))

    flow(Happening(contact("Ben"), "signed_up", 1, {"referral_code": {"a": [1]}}))

    assert states() == []


def test_another_organisations_code_makes_nothing(organization: Organization, stranger: Organization) -> None:
    program()
    with tenancy.organization(stranger.pk):
        theirs = code_of(program(), contact("Eve"))

    flow(sign_up(contact("Ben"), theirs.code))
    with tenancy.organization(stranger.pk):
        assert states() == []

    assert states() == []


def test_a_programme_that_is_off_binds_nobody(organization: Organization) -> None:
    friends, ben = program(), contact("Ben")
    code = code_of(friends, contact("Ada"))
    services.update_program(friends, {"is_active": False})

    flow(sign_up(ben, code.code), order(ben))

    assert states() == []
    with pytest.raises(Conflict):
        services.code_of(friends, ben)


def test_our_own_events_do_not_feed_themselves(organization: Organization) -> None:
    ada, code = contact("Ada"), code_of(program(), contact("Cid"))

    flow(Happening(ada, "referral_signed_up", 1, {"referral_code": code.code}))

    assert states() == []
