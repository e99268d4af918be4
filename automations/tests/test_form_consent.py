"""The box of a public form: what was agreed to is kept word for word with its proof; nobody agrees for another."""

from __future__ import annotations

import pytest
from django.test import Client

from audience import services as audience
from audience.models import (
    Consent,
    ConsentRequest,
    Contact,
    IngestBatch,
    OptInSettings,
    Topic,
)
from automations import doors
from automations.tests import making
from common.errors import Invalid

pytestmark = pytest.mark.django_db

WORDS = "Yes, send me <the> newsletter."
EMAIL = {"name": "email", "label": "E-mail", "kind": "email", "required": True}
FORM = {"key": "news", "title": "News", "questions": [EMAIL], "consent_words": WORDS, "consent_topic": "news"}
SENT = {"email": "ada@example.org", "consent": "yes", "sent": "one"}


@pytest.fixture
def topic(organization) -> Topic:
    return Topic.objects.create(name="News", slug="news")


def _form(**more) -> str:
    making.automation(making.task(), trigger_type="form", trigger_configuration=FORM | more)
    return "/" + doors.address("form", "news").split("/", 3)[3]


def test_the_box_is_unticked_and_what_it_says_is_kept_with_the_proof(organization, topic) -> None:
    path = _form()
    shown = Client().get(path).content.decode()
    assert "Yes, send me &lt;the&gt; newsletter." in shown
    assert 'name="consent" value="yes">' in shown

    for _ in range(2):
        page = Client().post(path, SENT, headers={"User-Agent": "Lynx"})

    assert "If we need you to confirm it" in page.content.decode()
    entry = Consent.objects.get()
    assert (entry.contact.email, entry.channel, entry.topic, entry.state) == (
        "ada@example.org", "email", topic, "granted",
    )  # fmt: skip
    assert (entry.how, entry.wording) == ("form “news”", WORDS)
    assert entry.proof == {
        "ip_address": "127.0.0.1",
        "user_agent": "Lynx",
        "page": f"http://testserver{path}",
        "form": "news",
        "sent": "one",
    }


def test_without_the_tick_nobody_agrees(organization, topic) -> None:
    path = _form()

    page = Client().post(path, SENT | {"consent": ""})

    assert page.status_code == 200
    assert "confirm" not in page.content.decode()
    assert Contact.objects.get().email == "ada@example.org"
    assert not Consent.objects.exists()


def test_a_needed_box_is_told_and_nothing_is_written(organization, topic) -> None:
    page = Client().post(_form(consent_required=True), SENT | {"consent": ""})

    assert page.status_code == 400
    assert "Please tick this box." in page.content.decode()
    assert not Contact.objects.exists()
    assert not IngestBatch.objects.exists()


def test_where_a_click_is_asked_for_the_yes_waits_for_it(organization, topic) -> None:
    OptInSettings.objects.create(is_double=True)
    path = _form()

    for _ in range(2):
        Client().post(path, SENT)

    assert not Consent.objects.exists()
    request = ConsentRequest.objects.get()
    assert (request.contact.email, request.topic, request.wording, request.how) == (
        "ada@example.org", topic, WORDS, "form “news”",
    )  # fmt: skip
    assert audience.confirm(request, {"ip_address": "192.0.2.1"})
    assert Consent.objects.get().proof["requested_with"]["page"].endswith(path)


def test_nobody_takes_back_the_no_of_another_by_typing_their_address(organization, topic) -> None:
    ada = audience.create_contact(email="ada@example.org")
    audience.withdraw_consent([ada.pk], "email", None, "unsubscribe link")

    Client().post(_form(), SENT)

    assert list(Consent.objects.values_list("state", flat=True)) == ["withdrawn"]
    assert ConsentRequest.objects.get().contact == ada


def test_what_the_box_is_for_must_be_there(organization) -> None:
    with pytest.raises(Invalid, match="there is no topic “news”"):
        _form()
    with pytest.raises(Invalid, match="say first what the box says"):
        _form(consent_words=" ")


def test_a_topic_that_went_is_told_and_nothing_is_written(organization, topic) -> None:
    path = _form()
    topic.delete()

    page = Client().post(path, SENT)

    assert page.status_code == 400
    assert "This cannot be agreed to at the moment." in page.content.decode()
    assert not Contact.objects.exists()
