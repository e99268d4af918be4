"""From events to credits, as the river brings them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organization
from attribution import services, subscribers
from attribution.models import Conversion, Credit, Goal, Refund, Touchpoint
from attribution.tests.crediting import credits, flow
from attribution.tests.river import Happening, campaign, contact, message, order, store, visit
from audience.models import Contact
from audience.notices import ContactsChanged, ContactsMerged
from common import tenancy
from common.models import WorkStatus

pytestmark = pytest.mark.django_db


def test_a_conversion_is_credited_to_the_touchpoints_before_it(organization: Organization) -> None:
    ada = contact()

    flow(visit(ada, 14, "google"), visit(ada, 7, "bing"), visit(ada, 0.5, "facebook", "social"), order(ada, 10_000))

    assert credits("first") == {"google": 10_000}
    assert credits("last") == {"facebook": 10_000}
    assert credits("linear") == {"google": 3334, "bing": 3333, "facebook": 3333}
    assert credits("position") == {"google": 4000, "bing": 2000, "facebook": 4000}
    # 2^(−14/7), 2^(−7/7), 2^(−0.5/7) = 0.25, 0.5, 0.9517 of 1.7017
    assert credits("time_decay") == {"google": 1469, "bing": 2938, "facebook": 5593}


def test_a_click_is_credited_to_the_campaign_of_its_message(organization: Organization) -> None:
    ada, june = contact(), campaign("June")
    sent = message(ada, june)

    flow(
        Happening(ada, "email_clicked", 1, {"message_id": str(sent.pk), "url": "https://x.example"}), order(ada, 500)
    )

    touch = Touchpoint.objects.get()
    assert (touch.campaign, touch.message, touch.channel, touch.kind) == (june, sent, "email", "click")
    assert credits("last") == {"groundswell": 500}


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "push", "in_app"])
def test_a_click_in_a_message_of_any_channel_is_credited_to_its_campaign_and_channel(
    organization: Organization, channel: str
) -> None:
    ada, june = contact(), campaign("June")
    sent = message(ada, june)
    landing = visit(ada, 0.999, "groundswell", channel, "june")

    flow(Happening(ada, f"{channel}_clicked", 1, {"message_id": sent.pk}), landing, order(ada, 500))

    click, page = Touchpoint.objects.order_by("happened_at")
    assert (click.kind, click.channel, click.medium, click.campaign, click.message) == (
        "click", channel, channel, june, sent,
    )  # fmt: skip
    assert (page.kind, page.channel, page.campaign) == ("visit", channel, june)
    assert list(Credit.objects.filter(model="last").values_list("touchpoint__kind", "amount_minor")) == [
        ("click", 500)
    ]


def test_a_click_and_the_page_it_opens_are_one_coming(organization: Organization) -> None:
    ada, june = contact(), campaign("June")
    sent = message(ada, june)
    landing = Happening(
        ada, "page", 0.999, context={"page": {"url": "https://shop.example/?utm_source=email&utm_campaign=june"}}
    )

    flow(Happening(ada, "email_clicked", 1, {"message_id": sent.pk}), landing, order(ada, 500))

    assert Touchpoint.objects.count() == 2
    assert set(Touchpoint.objects.values_list("campaign_id", flat=True)) == {june.pk}
    assert list(Credit.objects.filter(model="linear").values_list("touchpoint__kind", "amount_minor")) == [
        ("click", 500)
    ]


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        ({"utm_campaign": ""}, "midsummer-sale"),
        ({"utm_campaign": "own"}, "own"),
        ({"utm_campaign": ""}, "campaign-{pk}"),
    ],
)
def test_the_tag_of_a_landing_page_finds_its_campaign(organization: Organization, fields: Any, tag: str) -> None:
    sale = campaign("Midsummer sale", **fields)

    flow(visit(contact(), 1, "groundswell", "email", tag.format(pk=sale.pk)))

    assert Touchpoint.objects.get().campaign == sale


def test_an_automations_mail_and_its_landing_page_are_one_coming(organization: Organization) -> None:
    ada = contact()
    sent = message(ada, None)

    flow(
        Happening(ada, "email_clicked", 1, {"message_id": sent.pk}),
        visit(ada, 0.999, "groundswell", "email", "automation-7"),
        order(ada, 500),
    )

    assert Credit.objects.filter(model="linear").count() == 1


def test_a_click_by_a_machine_or_of_another_organisations_message_earns_nothing(
    organization: Organization, stranger: Organization
) -> None:
    ada, june = contact(), campaign("June")
    with tenancy.organization(stranger.pk):
        theirs = message(contact("Eve"), campaign("Theirs"))
    mine = message(ada, june)

    flow(
        Happening(ada, "email_clicked", 2, {"message_id": str(mine.pk), "is_machine": True}),
        Happening(ada, "email_clicked", 1, {"message_id": str(theirs.pk)}),
        Happening(ada, "email_clicked", 1, {"message_id": "1; DROP TABLE"}),
    )

    assert list(Touchpoint.objects.values_list("campaign_id", "message_id")) == [(None, None), (None, None)]


def test_a_direct_visit_is_no_touchpoint_and_its_order_stays_unattributed(organization: Organization) -> None:
    ada = contact()
    inside = {"page": {"url": "https://shop.example/cart", "referrer": "https://shop.example/"}}

    flow(Happening(ada, "page", 1, context=inside), order(ada, 900))

    assert Touchpoint.objects.count() == 0
    assert Credit.objects.count() == 0
    assert Conversion.objects.get().status == WorkStatus.DONE


def test_only_the_invitee_of_a_referral_was_touched(organization: Organization) -> None:
    ada, ben = contact("Ada"), contact("Ben")

    flow(
        Happening(ada, "referral_signed_up", 1, {"role": "inviter"}),
        Happening(ben, "referral_signed_up", 1, {"role": "invitee", "campaign_name": "Friends"}),
    )

    touch = Touchpoint.objects.get()
    assert (touch.contact, touch.channel, touch.kind, touch.campaign_name) == (ben, "referral", "referral", "Friends")


def test_touchpoints_outside_the_look_back_are_not_credited(organization: Organization) -> None:
    ada = contact()
    flow(visit(ada, 31, "google"), visit(ada, 29, "bing"), order(ada, 100))

    assert credits("first") == {"bing": 100}

    goal = Goal.objects.get()
    goal.look_back_days = 60
    services.save_goal(goal)
    services.work(organization.pk)

    assert credits("first") == {"google": 100}


def test_a_touch_that_arrives_late_is_credited_when_it_was_in_time(organization: Organization) -> None:
    ada = contact()
    flow(visit(ada, 2, "bing"), order(ada, 100, 1))
    assert credits("first") == {"bing": 100}

    flow(visit(ada, 5, "google"), visit(ada, 0.5, "yahoo"))

    assert credits("first") == {"google": 100}
    assert credits("last") == {"bing": 100}


def test_an_order_that_arrives_before_its_visits_is_credited(organization: Organization) -> None:
    ada = contact()

    flow(order(ada, 100))
    flow(visit(ada, 1, "google"))

    assert credits("linear") == {"google": 100}


def test_a_refund_takes_its_money_back_from_the_order_it_names(organization: Organization) -> None:
    ada = contact()
    flow(visit(ada, 9), order(ada, 1000, 5, "A1"), order(ada, 500, 4, "A2"))

    refund = Happening(ada, "Order Refunded", 1, {"order_id": "A1"}, value_minor=400, currency="GBP")
    flow(refund)

    assert list(Conversion.objects.order_by("order_id").values_list("order_id", "refunded_minor")) == [
        ("A1", 400), ("A2", 0),
    ]  # fmt: skip
    assert credits("linear") == {"google": 1100}


def test_a_refund_without_amount_is_the_whole_order_and_a_negative_order_is_a_refund(
    organization: Organization,
) -> None:
    ada = contact()

    flow(
        visit(ada, 9),
        order(ada, 1000, 5, "A1"),
        order(ada, 500, 4, "A2"),
        Happening(ada, "order_refunded", 3, {"order_id": "A1"}),
        order(ada, -200, 2, "C77"),
    )

    assert Refund.objects.count() == 2
    assert credits("linear") == {"google": 300}
    assert Conversion.objects.count() == 2


def test_a_refund_may_arrive_before_its_order_and_never_exceeds_it(organization: Organization) -> None:
    ada = contact()
    flow(Happening(ada, "order_refunded", 1, {"order_id": "A1"}, value_minor=5000, currency="GBP"), visit(ada, 9))
    flow(order(ada, 1000, 5, "A1"))

    assert Conversion.objects.get().net_minor == 0
    assert credits("linear") == {"google": 0}


def test_two_contacts_found_to_be_one_share_their_path(organization: Organization) -> None:
    anonymous, ada = contact("Anonymous"), contact("Ada")
    flow(visit(anonymous, 3, "google"), order(ada, 100, 1))
    assert credits("linear") == {}

    notice = ContactsChanged(merged=[ContactsMerged(anonymous.pk, ada.pk)])
    for _ in range(2):
        subscribers.on_contacts(notice)
        services.work(organization.pk)

    assert credits("linear") == {"google": 100}
    assert Touchpoint.objects.get().contact == ada


def test_the_same_notice_twice_changes_nothing(organization: Organization) -> None:
    ada = contact()
    notice = store([visit(ada, 3), order(ada, 100, 1, "A1"), Happening(ada, "order_refunded", 0, {"order_id": "A1"})])

    subscribers.on_events(notice)
    services.work(organization.pk)
    first = everything()
    subscribers.on_events(notice)
    services.work(organization.pk)

    assert everything() == first
    assert Conversion.objects.filter(status=WorkStatus.PENDING).count() == 0


def everything() -> dict[str, Any]:
    """All that is derived, without ids of our own rows."""
    credit = Credit.objects.values_list(
        "conversion__event_id", "touchpoint__event_id", "model", "amount_minor", "share", "conversion__contact_id"
    )
    return {
        "touchpoints": sorted(Touchpoint.objects.values_list("event_id", "contact_id", "channel", "campaign_id")),
        "conversions": sorted(
            Conversion.objects.values_list("event_id", "contact_id", "value_minor", "refunded_minor")
        ),
        "credits": sorted(credit),
    }


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_arrival_gives_what_a_full_recompute_gives(organization: Organization, seed: int) -> None:
    chance = random.Random(seed)
    people = [contact(f"P{index}") for index in range(3)]
    june = campaign("June")
    sent = {person.pk: message(person, june) for person in people}
    events = [random_event(chance, chance.choice(people), sent) for _ in range(40)]
    notice = store(events)
    chance.shuffle(notice.events)
    merge = ContactsMerged(people[0].pk, people[1].pk)

    position = 0
    while position < len(notice.events):
        size = chance.randint(1, 9)
        subscribers.on_events(type(notice)(notice.events[position : position + size]))
        position += size
        if chance.random() < 0.5:
            services.work(organization.pk)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audience_event SET contact_id = %s WHERE contact_id = %s", [merge.survivor_id, merge.merged_id]
        )
    subscribers.on_contacts(ContactsChanged(merged=[merge]))
    services.work(organization.pk)
    incremental = everything()

    assert services.recompute() == 40
    services.work(organization.pk)

    assert everything() == incremental
    for conversion in Conversion.objects.all():
        sums = {}
        for name, amount in Credit.objects.filter(conversion=conversion).values_list("model", "amount_minor"):
            sums[name] = sums.get(name, 0) + amount
        assert set(sums.values()) <= {conversion.net_minor}


def random_event(chance: random.Random, who: Contact, sent: dict[int, Any]) -> Happening:
    days_ago = chance.choice([0, 0.01, 0.5, 3, 10, 29.99, 45])
    kind = chance.randrange(5)
    if kind == 0:
        return Happening(who, "email_clicked", days_ago, {"message_id": sent[who.pk].pk})
    if kind in (1, 2):
        return visit(who, days_ago, chance.choice(["google", "bing"]), "cpc", chance.choice(["", "june", "may"]))
    if kind == 3:
        return order(who, chance.randint(-500, 2000), days_ago, chance.choice(["", "A1", "A2", "A3"]))
    refund = chance.choice([None, 100, 10_000])
    return Happening(
        who, "order_refunded", days_ago, {"order_id": chance.choice(["A1", "A2", "A9"])}, value_minor=refund,
        currency="GBP",
    )  # fmt: skip
