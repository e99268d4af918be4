"""Who is who: anonymous people become known, strangers on one device stay strangers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience import services
from audience.domain.identities import Resolver, last
from audience.domain.incoming import Incoming
from audience.models import Consent, Contact, Event, Identity, Merge, RejectedEvent
from audience.tests import helpers
from audience.tests.helpers import identify, posthog, segment, track
from common.models import OutboxNotice

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(write_key: str, drain: Any) -> Any:
    """Send Segment messages in one batch and let them flow."""

    def sent(*messages: dict[str, Any], **batch: Any) -> None:
        assert segment(write_key, *messages, **batch).status_code == 200
        drain()

    return sent


def living() -> list[Contact]:
    return list(Contact.objects.filter(merged_into=None).order_by("pk"))


def test_what_an_anonymous_visitor_did_is_theirs_when_they_sign_in(send: Any) -> None:
    send(track("Looked", userId=None, anonymousId="a1"), track("Looked again", userId=None, anonymousId="a1"))
    send(identify("u1", {"email": "ada@example.com"}, anonymousId="a1"))

    (contact,) = living()
    assert contact.user_id == "u1"
    assert helpers.names(contact.pk) == ["Looked", "Looked again"]
    assert not Merge.objects.exists()  # the same contact, now with a name


def test_an_anonymous_contact_merges_into_the_known_one(send: Any, django_capture_on_commit_callbacks: Any) -> None:
    send(identify("u1", {"plan": "pro"}))
    send(track("Looked", userId=None, anonymousId="phone-1", context={"timezone": "Europe/Paris"}))
    known, anonymous = living()
    services.grant_consent([anonymous.pk], "email", None, "form")
    send(track("Signed in", anonymousId="phone-1"))

    assert [one.pk for one in living()] == [known.pk]
    assert helpers.names(known.pk) == ["Looked", "Signed in"]
    merge = Merge.objects.get()
    assert (merge.merged_id, merge.survivor_id, merge.event_count) == (anonymous.pk, known.pk, 1)
    assert merge.snapshot["timezone"] == "Europe/Paris"
    assert set(Identity.objects.values_list("contact_id", flat=True)) == {known.pk}
    assert Consent.objects.get().contact_id == known.pk
    known.refresh_from_db()
    assert (known.timezone, known.attributes) == ("Europe/Paris", {"plan": "pro"})
    assert known.first_seen_at <= merge.happened_at


def test_two_known_people_who_share_a_cookie_stay_apart(send: Any) -> None:
    send(identify("u1", {"email": "ada@example.com"}, anonymousId="shared"))
    send(identify("u2", {"email": "bob@example.com"}, anonymousId="shared"))
    send(track("Looked", userId="u2", anonymousId="shared"), track("Peeked", userId=None, anonymousId="shared"))

    ada, bob = living()
    assert (ada.user_id, bob.user_id) == ("u1", "u2")
    assert (helpers.names(ada.pk), helpers.names(bob.pk)) == (["Peeked"], ["Looked"])
    assert not Merge.objects.exists()


def test_an_address_known_before_joins_the_account_made_later(send: Any) -> None:
    services.create_contact(email="ada@example.com", name="Ada")
    send(identify("u1", {"email": "ADA@example.com"}))

    (contact,) = living()
    assert (contact.user_id, contact.name) == ("u1", "Ada")


def test_an_account_and_an_address_found_to_be_one_person_merge(send: Any) -> None:
    account = services.create_contact(user_id="u1")
    lead = services.create_contact(email="ada@example.com", name="Ada", tags=["fair"])
    send(identify("u1", {"email": "ada@example.com"}))

    (contact,) = living()
    assert (contact.pk, contact.name, contact.email, contact.tags) == (account.pk, "Ada", "ada@example.com", ["fair"])
    lead.refresh_from_db()
    assert (lead.merged_into_id, lead.email) == (account.pk, "")


def test_one_address_on_two_accounts_merges_nobody(send: Any) -> None:
    send(identify("u1", {"email": "family@example.com"}))
    send(identify("u2", {"email": "family@example.com"}))

    assert [one.user_id for one in living()] == ["u1", "u2"]
    assert Identity.objects.get(kind="email").contact.user_id == "u1"


def test_a_cookie_alone_never_merges_a_subscriber_into_an_account(send: Any) -> None:
    send(identify(None, {"email": "ada@example.com"}, anonymousId="family-tablet"))
    send(track("Signed in", userId="u1", anonymousId="family-tablet"))

    assert [(one.user_id, one.email) for one in living()] == [("", "ada@example.com"), ("u1", "")]


@pytest.mark.parametrize("known_first", [True, False])
def test_an_alias_joins_in_both_directions(send: Any, known_first: bool) -> None:
    first, second = track("A", userId="u1"), track("B", userId=None, anonymousId="old")
    send(first if known_first else second)
    send(second if known_first else first)
    send({"type": "alias", "previousId": "old", "userId": "u1"})

    (contact,) = living()
    assert contact.user_id == "u1"
    assert sorted(helpers.names(contact.pk)) == ["A", "B"]


def test_an_alias_of_an_unknown_id_leads_there_from_now_on(send: Any) -> None:
    send({"type": "alias", "previousId": "old", "userId": "u1"})
    send(track("A", userId="old"), track("B", userId=None, anonymousId="old"), track("C"))

    (contact,) = living()
    assert helpers.names(contact.pk) == ["A", "B", "C"]


def test_an_alias_does_not_merge_two_known_people(send: Any) -> None:
    send(identify("u1", {"email": "ada@example.com"}), identify("u2", {"email": "bob@example.com"}))
    send({"type": "alias", "messageId": "m1", "previousId": "u1", "userId": "u2"})

    assert len(living()) == 2
    assert RejectedEvent.objects.get().code == "alias_conflict"
    assert not Merge.objects.exists()


def test_posthog_people_flow_from_anonymous_to_known(write_key: str, drain: Any) -> None:
    posthog(
        write_key,
        {
            "event": "$pageview",
            "distinct_id": "dev-1",
            "properties": {"$device_id": "dev-1", "$is_identified": False},
        },
        {
            "event": "$identify",
            "distinct_id": "u1",
            "properties": {
                "$anon_distinct_id": "dev-1",
                "$device_id": "dev-1",
                "$set": {"email": "ada@example.com"},
                "$set_once": {"first_plan": "free"},
            },
        },
        {
            "event": "$create_alias",
            "distinct_id": "backend-7",
            "properties": {"distinct_id": "backend-7", "alias": "u1"},
        },
        {"event": "Paid", "distinct_id": "backend-7"},
        {"event": "$set", "distinct_id": "u1", "properties": {"$set_once": {"first_plan": "pro"}}},
    )
    drain()

    (contact,) = living()
    assert (contact.user_id, contact.email, contact.attributes) == ("u1", "ada@example.com", {"first_plan": "free"})
    assert helpers.names(contact.pk) == ["$pageview", "Paid"]


def test_a_posthog_alias_joins_two_ids_that_were_both_seen(write_key: str, drain: Any) -> None:
    posthog(write_key, {"event": "A", "distinct_id": "temp"}, {"event": "B", "distinct_id": "u1"})
    drain()
    posthog(
        write_key,
        {"event": "$create_alias", "distinct_id": "temp", "properties": {"distinct_id": "temp", "alias": "u1"}},
    )
    drain()

    (contact,) = living()
    assert (contact.user_id, sorted(helpers.names(contact.pk))) == ("u1", ["A", "B"])


def test_merges_in_one_block_end_at_the_last_survivor(send: Any) -> None:
    send(track("A", userId=None, anonymousId="a1"), track("B", userId=None, anonymousId="a2"))
    send(track("C", userId="u1"))
    send(
        identify("u1", {}, anonymousId="a1"),
        identify("u1", {}, anonymousId="a2"),
        identify("u1", {"email": "ada@example.com"}),
    )

    (contact,) = living()
    assert sorted(helpers.names(contact.pk)) == ["A", "B", "C"]
    assert set(Contact.objects.exclude(merged_into=None).values_list("merged_into_id", flat=True)) == {contact.pk}


def test_listeners_hear_of_the_merge(send: Any, organization: Any, monkeypatch: Any) -> None:
    from audience.notices import ContactsChanged
    from common import outbox

    heard: list[ContactsChanged] = []
    monkeypatch.setattr(outbox, "publish", lambda *notices: heard.extend(notices))
    send(track(), track("B", userId=None, anonymousId="a1"))
    send(track("C", anonymousId="a1"))

    merged = [pair for notice in heard if isinstance(notice, ContactsChanged) for pair in notice.merged]
    (merge,) = Merge.objects.all()
    assert [(pair.merged_id, pair.survivor_id) for pair in merged] == [(merge.merged_id, merge.survivor_id)]
    assert OutboxNotice.objects.count() == 0


@pytest.mark.parametrize("value", ["null", "undefined", "[object Object]", "anonymous", "0"])
def test_an_id_that_stands_for_everybody_is_nobody(send: Any, value: str) -> None:
    send(track(userId=value))

    assert RejectedEvent.objects.get().code == "placeholder_id"
    assert not Contact.objects.exists()
    assert not Event.objects.exists()


def test_our_own_events_follow_a_merged_contact(send: Any, drain: Any, organization: Any) -> None:
    send(track("A", userId=None, anonymousId="a1"))
    (anonymous,) = living()
    send(track("B"))
    send(track("C", anonymousId="a1"))
    services.record([services.InternalEvent(anonymous.pk, "email_opened", helpers.T0, "open-1", {"campaign_id": 7})])
    services.record([services.InternalEvent(anonymous.pk, "email_opened", helpers.T0, "open-1", {"campaign_id": 7})])
    drain()

    (contact,) = living()
    opened = Event.objects.get(definition__name="email_opened")
    assert (opened.contact_id, opened.properties) == (contact.pk, {"message_id": "open-1", "campaign_id": 7})
    assert opened.happened_at == helpers.T0


ids = st.sampled_from(["", "1", "2", "3"])


@given(
    st.lists(
        st.builds(
            lambda user, anonymous, email: Incoming(
                message_key="", happened_at=helpers.T0, received_at=helpers.T0,
                user_id=user and f"u{user}", anonymous_id=anonymous and f"a{anonymous}",
                email=email and f"e{email}@x.io",
            ),
            ids, ids, ids,
        ).filter(lambda message: bool(message.user_id or message.anonymous_id or message.email)),
        max_size=12,
    )
)  # fmt: skip
def test_no_order_of_messages_ever_joins_two_user_ids(messages: list[Incoming]) -> None:
    resolver = Resolver()
    owners: dict[str, int] = {}
    for message in messages:
        resolver.resolve(message)
    for (kind, value), person in resolver.owners.items():
        if kind == "user_id":
            assert owners.setdefault(value, id(last(person))) == id(last(person))
            assert last(person).user_id == value
    assert len(set(owners.values())) == len(owners)


def test_what_is_said_of_a_merged_contact_reaches_the_survivor(send: Any) -> None:
    """A workflow may still hold the number that was merged away a moment ago."""
    send(identify("u1"), track("Looked", userId=None, anonymousId="phone-1"))
    known, anonymous = living()
    send(track("Signed in", anonymousId="phone-1"))

    assert services.add_tags([anonymous.pk, known.pk], "warm") == 1
    assert services.update_contacts([anonymous.pk], {"status": "lead"}) == 1
    known.refresh_from_db()
    anonymous.refresh_from_db()
    assert (known.tags, known.status, anonymous.tags, anonymous.status) == (["warm"], "lead", [], "new")
