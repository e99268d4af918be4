"""What people choose for themselves: topics, rhythm, a pause, leaving, coming back, and proving a yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Organization
from audience import services as audience
from audience.models import Consent, ConsentRequest, OptInSettings, Topic
from audience.selectors import consent_states
from common import clock
from common.errors import Invalid
from delivery import links, services
from delivery.models import ConfirmationLetter, Farewell, Message, Preference
from delivery.services import confirming
from delivery.tests.making import Sink, contact, content, queue, send


def page(purpose: str, organization: Organization, number: int) -> str:
    return links.path(purpose, organization.pk, number)


def written() -> list[tuple[str, str | None, str]]:
    rows = Consent.objects.exclude(how="test").order_by("pk").select_related("topic")
    return [(row.channel, row.topic.slug if row.topic else None, row.state) for row in rows]


@pytest.fixture
def topics(organization: Organization) -> list[Topic]:
    return [Topic.objects.create(name=name, slug=name.lower()) for name in ("News", "Offers")]


def choose(client: Client, organization: Organization, message: Message, *wanted: str, **more: str) -> Any:
    form = {"action": "save", "frequency": "any", "wanted": list(wanted), **more}
    return client.post(page(links.PREFERENCES, organization, message.pk), form, headers={"User-Agent": "Firefox"})


def test_looking_at_the_preferences_writes_nothing(
    organization: Organization, client: Client, topics: list[Topic]
) -> None:
    (message,) = queue(contact())
    answer = client.get(page(links.PREFERENCES, organization, message.pk))
    text = answer.content.decode()

    assert answer.status_code == 200
    assert text.count(" checked") == 4  # two topics, everything else, and "any" rhythm
    assert "<script" not in text
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; form-action 'self'")
    assert written() == [] and Preference.objects.count() == 0


def test_only_what_differs_is_written_with_proof(
    organization: Organization, client: Client, topics: list[Topic]
) -> None:
    news, offers = topics
    ada = contact()
    (message,) = queue(ada)
    choose(client, organization, message, f"{news.pk}:email", "rest:email", frequency="weekly", timezone="Asia/Tokyo")

    ada.refresh_from_db()
    entry = Consent.objects.latest("pk")
    assert written() == [("email", "offers", "withdrawn")]
    assert entry.how == "preference page"
    assert (entry.proof["message_id"], entry.proof["user_agent"]) == (message.pk, "Firefox")
    assert Preference.objects.get().frequency == "weekly"
    assert AuditEntry.objects.filter(object_type="delivery.preference", actor="recipient").count() == 1
    assert ada.timezone == "Asia/Tokyo"
    assert consent_states(ada.pk, "email") == {None: "granted", news.pk: "granted", offers.pk: "withdrawn"}


def test_a_word_about_everything_leaves_the_topics_that_were_ticked(
    organization: Organization, sink: Sink, client: Client, topics: list[Topic]
) -> None:
    news = topics[0]
    ada = contact()
    (message,) = queue(ada)
    choose(client, organization, message, f"{news.pk}:email")
    about_news, about_offers = (queue(ada, key=topic.slug, topic_id=topic.pk)[0] for topic in topics)
    (about_nothing,) = queue(ada, key="none")
    with clock.travel(timedelta(hours=24)):
        send(organization)

    assert written() == [("email", None, "withdrawn"), ("email", "news", "granted")]
    for row in (about_news, about_offers, about_nothing):
        row.refresh_from_db()
    assert about_offers.reason == about_nothing.reason == "The contact unsubscribed."
    assert "unsubscribed" not in about_news.reason


@pytest.mark.parametrize(
    "form", [{"frequency": "hourly"}, {"timezone": "Mars/Base"}, {"wanted": "rest:pigeon", "frequency": "never"}]
)
def test_a_forged_choice_writes_nothing(organization: Organization, client: Client, form: dict[str, str]) -> None:
    (message,) = queue(contact())
    answer = client.post(page(links.PREFERENCES, organization, message.pk), {"action": "save", **form})

    assert answer.status_code == 400
    assert written() == [] and Preference.objects.count() == 0


def test_a_pause_lasts_thirty_days_and_ends_by_a_click(organization: Organization, client: Client) -> None:
    (message,) = queue(contact())
    address = page(links.PREFERENCES, organization, message.pk)
    with clock.freeze(clock.now()):
        client.post(address, {"action": "pause"})
        assert Preference.objects.get().paused_until == clock.now() + timedelta(days=30)
    assert "Paused until" in client.get(address).content.decode()
    client.post(address, {"action": "go_on"})

    assert Preference.objects.get().paused_until is None


def test_everything_can_be_left_at_once_and_only_that_is_taken_back(
    organization: Organization, client: Client, topics: list[Topic]
) -> None:
    (message,) = queue(contact(), topic_id=topics[0].pk)
    address = page(links.UNSUBSCRIBE, organization, message.pk)
    client.post(address, {"action": "topic"})
    client.post(address, {"action": "subscribe"})
    client.post(page(links.PREFERENCES, organization, message.pk), {"action": "nothing"})

    assert written() == [("email", "news", "withdrawn"), ("email", "news", "granted"), ("email", None, "withdrawn")]


def test_who_leaves_everything_leaves_also_a_topic_they_had_come_back_to(
    organization: Organization, client: Client, topics: list[Topic]
) -> None:
    ada = contact()
    (message,) = queue(ada)
    audience.withdraw_consent([ada.pk], "email", None, "form")
    audience.grant_consent([ada.pk], "email", topics[0].pk, "form")
    client.post(page(links.UNSUBSCRIBE, organization, message.pk), {"List-Unsubscribe": "One-Click"})

    assert set(consent_states(ada.pk, "email").values()) == {"withdrawn"}


def test_a_reason_is_kept_only_from_who_left(organization: Organization, client: Client) -> None:
    (message,) = queue(contact())
    address = page(links.UNSUBSCRIBE, organization, message.pk)
    client.post(address, {"action": "reason", "reason": "too_often"})
    assert Farewell.objects.count() == 0
    client.post(address, {"action": "all"})
    client.post(address, {"action": "reason", "reason": "nonsense"})
    client.post(address, {"action": "reason", "reason": "too_often", "words": "Every day!\x00"})

    assert list(Farewell.objects.values_list("reason", "words")) == [("too_often", "Every day!")]


def test_a_reply_unsubscribes_everybody_with_the_address(organization: Organization) -> None:
    ada, twin = contact(), contact("ADA@example.com".lower())
    contact("bob@example.com")

    assert services.unsubscribe_address("email", " Ada@Example.com ", how="reply", proof={"provider": "x"}) == 2
    assert services.unsubscribe_address("email", "ada@example.com", how="reply") == 0
    assert {row.contact_id for row in Consent.objects.filter(state="withdrawn")} == {ada.pk, twin.pk}


def test_a_link_of_one_page_opens_no_other(organization: Organization, client: Client) -> None:
    (message,) = queue(contact())
    token = page(links.UNSUBSCRIBE, organization, message.pk).removeprefix("/u/")

    assert client.get(f"/preferences/{token}").status_code == 404
    assert client.post(f"/confirm/{token}").status_code == 404


# --- double opt-in ------------------------------------------------------------------------------------


@pytest.fixture
def double(organization: Organization) -> OptInSettings:
    return audience.save_opt_in(OptInSettings(is_double=True, expire_days=2, most_mails=2))


def asked(**values: Any) -> ConsentRequest:
    ada = contact(agreed=False)
    audience.grant_consent([ada.pk], "email", None, "form", "Yes, write to me", {"page": "/join"}, **values)
    return ConsentRequest.objects.get()


def test_a_yes_counts_after_the_click(
    organization: Organization, sink: Sink, client: Client, double: OptInSettings
) -> None:
    request = asked()
    confirming.send_links([request.pk])
    confirming.send_links([request.pk])  # the notice came twice
    (early,) = queue(request.contact, key="early")
    send(organization)
    address = page(links.CONFIRM, organization, request.pk)
    early.refresh_from_db()

    assert [mail["To"].addresses[0].addr_spec for mail in sink.mails] == ["ada@example.com"]
    assert early.reason == "The contact has not confirmed the subscription yet."
    assert "Yes, that was me" in client.get(address).content.decode()
    assert written() == []
    client.post(address, {"action": "confirm"}, headers={"User-Agent": "Firefox"})
    client.post(address, {"action": "confirm"})
    entry = Consent.objects.get(state="granted")
    assert (entry.wording, entry.how) == ("Yes, write to me", "form, confirmed by link")
    assert entry.proof["requested_with"] == {"page": "/join"} and entry.proof["user_agent"] == "Firefox"
    assert entry.proof["address"] == "ada@example.com" and entry.proof["request_id"] == request.pk
    (later,) = queue(request.contact, key="later")
    send(organization)
    later.refresh_from_db()
    assert later.status == "sent"


def test_a_late_click_asks_again_as_often_as_allowed(
    organization: Organization, sink: Sink, client: Client, double: OptInSettings
) -> None:
    request = asked()
    confirming.send_links([request.pk])
    address = page(links.CONFIRM, organization, request.pk)
    with clock.travel(timedelta(days=2)):
        client.post(address, {"action": "confirm"})
        assert Consent.objects.count() == 0
        assert "run out" in client.get(address).content.decode()
    answers = []
    for minutes in range(3):
        with clock.travel(timedelta(days=2, minutes=minutes)):
            answers.append(client.post(address, {"action": "again"}).content.decode())
            confirming.send_links([request.pk])  # as the notice does
    with clock.travel(timedelta(days=3)):
        client.post(address, {"action": "confirm"})

    assert ["A new link is on its way" in answer for answer in answers] == [True, True, False]
    assert "No more links today" in answers[2]
    assert Consent.objects.get().state == "granted"
    assert Message.objects.filter(source_type="confirmation").count() == 3


def test_a_changed_address_is_not_proved_by_the_old_link(
    organization: Organization, client: Client, double: OptInSettings
) -> None:
    request = asked()
    audience.update_contact(request.contact, email="victim@example.com")
    client.post(page(links.CONFIRM, organization, request.pk), {"action": "confirm"})

    assert Consent.objects.count() == 0


@pytest.mark.parametrize(
    ("is_double", "own", "channel", "is_asked"),
    [
        (False, "usual", "email", False),
        (True, "usual", "email", True),
        (True, "single", "email", False),
        (False, "double", "email", True),
        (True, "usual", "sms", False),
    ],
)
def test_topics_may_differ_from_the_organisation(
    organization: Organization, is_double: bool, own: str, channel: str, is_asked: bool
) -> None:
    audience.save_opt_in(OptInSettings(is_double=is_double))
    topic = Topic.objects.create(name="News", slug="news", opt_in=own)
    ada = contact(agreed=False)
    found = audience.grant_consent([ada.pk], channel, topic.pk, "form")

    assert found == ([ada.pk] if is_asked else [])
    assert Consent.objects.count() == (0 if is_asked else 1)


def test_who_agreed_already_is_not_asked_again(organization: Organization, double: OptInSettings) -> None:
    ada = contact()

    assert audience.grant_consent([ada.pk], "email", None, "form") == []
    assert ConsentRequest.objects.count() == 0


def test_the_mail_goes_in_the_contacts_language(organization: Organization) -> None:
    html = '<p>Ja? <a href="{{ confirm_url }}">Ja</a></p>'
    confirming.save_letter(ConfirmationLetter(locale="de", subject="Bitte bestätigen", html=html))

    assert confirming.letter_for("de-AT").subject == "Bitte bestätigen"
    assert confirming.letter_for("fr").subject == confirming.SUBJECT
    with pytest.raises(Invalid, match="nobody can confirm"):
        confirming.save_letter(ConfirmationLetter(locale="fr", subject="Oui?", html="<p>Oui</p>"))
    with pytest.raises(Invalid, match="one already"):
        confirming.save_letter(ConfirmationLetter(locale="de", subject="x", html=html))
    assert ConfirmationLetter.objects.count() == 1


def test_a_notification_has_a_way_out_too(organization: Organization, sink: Sink) -> None:
    made = content("<p>New comment</p>", kind="notification")
    queue(contact(agreed=False), made=made)
    send(organization)

    assert "unsubscribe_url" in made.html and "preferences_url" in made.text
    assert sink.mails[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
