"""Content in several languages, and content that asks for segments: each recipient reads what is meant for them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Contact
from common.errors import Invalid
from delivery import services
from delivery.domain import locales
from delivery.models import Content, Message
from delivery.tests import making
from delivery.tests.making import Sink
from segments.models import Membership, Segment

pytestmark = pytest.mark.django_db

GERMAN = services.Variant("Hallo", html="<p>Hallo {{ contact.name }}</p>")
BRAZILIAN = services.Variant("Olá", html="<p>Olá {{ contact.name }}</p>")


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("de", "de"), ("de-AT", "de"), ("de_AT.UTF-8", "de"), ("DE", "de"), ("pt-BR", "pt-BR"), ("pt_br", "pt-BR"),
        ("pt", ""), ("pt-PT", ""), ("fr", ""), ("", ""), ("d", ""), ("deutsch", ""),
    ],
)  # fmt: skip
def test_the_nearest_language_is_chosen(wanted: str, chosen: str) -> None:
    assert locales.chosen(["de", "pt-BR"], wanted) == chosen


@given(st.text(max_size=30))
def test_any_locale_of_a_contact_chooses_something(wanted: str) -> None:
    assert locales.chosen(["de", "pt-BR"], wanted) in ("", "de", "pt-BR")


def segment(name: str, *members: Contact) -> Segment:
    made = Segment.objects.create(name=name, slug=name.lower(), kind="static")
    Membership.objects.bulk_create(Membership(segment=made, contact=contact) for contact in members)
    return made


def test_each_recipient_gets_their_language(organization: Organization, sink: Sink) -> None:
    content = making.content(variants={"de": GERMAN, "pt-BR": BRAZILIAN})
    people = [
        making.contact(f"p{number}@example.com", locale=locale)
        for number, locale in enumerate(["de_AT", "pt-BR", "fr", ""])
    ]
    making.queue(*people, made=content)
    making.send(organization)

    assert [mail["Subject"] for mail in sink.mails] == ["Hallo", "Olá", "Hello", "Hello"]
    assert "Hallo Ada" in sink.mails[0].get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "Hallo Ada" in sink.mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert all("/u/" in mail.get_body(("html",)).get_content() for mail in sink.mails)  # type: ignore[union-attr]


def test_mistakes_of_a_language_are_told_and_nothing_is_stored(organization: Organization) -> None:
    with pytest.raises(Invalid) as refusal:
        making.content(variants={"de": services.Variant("", html="{{ contact.nmae }}"), "klingon": GERMAN})

    assert refusal.value.details.keys() == {"variants.de.subject", "variants.de.html", "variants.klingon"}
    assert not Content.objects.exists()


def test_languages_belong_to_the_checksum(organization: Organization) -> None:
    assert making.content().pk != making.content(variants={"de": GERMAN}).pk
    assert making.content(variants={"de": GERMAN}).pk == making.content(variants={"de": GERMAN}).pk


def test_members_of_a_segment_read_what_is_for_them(organization: Organization, sink: Sink) -> None:
    ada, grace, joan = (making.contact(f"p{number}@example.com") for number in range(3))
    gold, silver = segment("Gold", ada), segment("Silver", grace, ada)
    Membership.objects.filter(segment=silver, contact=ada).update(left_at="2026-01-01T00:00Z")
    html = (
        f"<p>{{% if {gold.pk} in contact.segments %}}gold{{% elif {silver.pk} in contact.segments %}}silver"
        "{% else %}neither{% endif %}</p>"
    )
    content = making.content(html)
    assert content.segments == sorted([gold.pk, silver.pk])
    making.queue(ada, grace, joan, made=content)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        making.send(organization)

    words = [mail.get_body(("html",)).get_content() for mail in sink.mails]  # type: ignore[union-attr]
    assert [next(word for word in ("gold", "silver", "neither") if word in text) for text in words] == [
        "gold", "silver", "neither",
    ]  # fmt: skip
    assert sum("segments_membership" in query["sql"] for query in queries) == 1


def test_a_message_that_asks_for_a_deleted_segment_is_refused(organization: Organization, sink: Sink) -> None:
    gold = segment("Gold")
    content = making.content(f"<p>{{% if {gold.pk} in contact.segments %}}gold{{% endif %}}</p>")
    making.queue(making.contact(), made=content)
    Segment.objects.all().delete()
    making.send(organization)

    message = Message.objects.get()
    assert (message.status, message.reason) == (
        "refused", f"segment {gold.pk}, by which the message decides what to show, was deleted",
    )  # fmt: skip
    assert sink.envelopes == []


@pytest.mark.parametrize(
    "html",
    [
        "{{ contact.segments }}",
        "{% for s in contact.segments %}x{% endfor %}",
        "{% if contact.city in contact.segments %}x{% endif %}",
        "{% if '1' in contact.segments %}x{% endif %}",
        "{% if 1 in contact.segments.x %}x{% endif %}",
        "{% set s = contact.segments %}",
        "{% if 99999 in contact.segments %}x{% endif %}",
    ],
)
def test_segments_are_asked_for_one_by_one_and_must_exist(organization: Organization, html: str) -> None:
    with pytest.raises(Invalid) as refusal:
        making.content(html)

    assert refusal.value.details.keys() == {"html"}
    assert not Content.objects.exists()


def test_another_channel_cannot_ask_for_segments(organization: Organization) -> None:
    with pytest.raises(Invalid, match="in e-mails only"):
        services.publish_message(
            "Push", "marketing", "push", {"title": "x", "body": "{% if 1 in contact.segments %}x{% endif %}"}, {}
        )
