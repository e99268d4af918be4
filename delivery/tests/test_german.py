"""The pages that messages lead to speak German: all of them, all of their words, to whom it is told."""

from __future__ import annotations

import re
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Organization
from audience import services as audience
from audience.models import ConsentRequest, OptInSettings, Topic
from delivery import links
from delivery.models import Content, Frequency, LeavingReason, Message
from delivery.tests.making import contact, queue

ROOT = Path(settings.BASE_DIR)
CATALOGUE = ROOT / "locale/de/LC_MESSAGES/django"
PAGES = [
    *(ROOT / f"templates/delivery/{name}.html" for name in ("unsubscribe", "preferences", "confirm", "no_such_link")),
    ROOT / "templates/viral/no_such_code.html",
]
LABELS = {*Frequency.labels, *LeavingReason.labels, "Email", "SMS", "WhatsApp", "Push", "In-app",
          "Choose how often from the list.", "Choose a time zone from the list."}  # fmt: skip


def written() -> dict[str, str]:
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', CATALOGUE.with_suffix(".po").read_text(), re.MULTILINE)
    return dict(pairs)


def wanted() -> set[str]:
    """Every text of the pages that goes through a translation."""
    found = set(LABELS)
    for path in PAGES:
        source = path.read_text()
        found |= set(re.findall(r'{% translate "([^"]+)"', source))
        blocks = re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", source)
        found |= {re.sub(r"{{ (\w+) }}", r"%(\1)s", block) for block in blocks}
    return found


def test_every_word_of_the_pages_is_german_and_compiled() -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    german = written()

    assert wanted() == set(german)
    assert {word: compiled.gettext(word) for word in german} == german, "run make words"
    for english, word in german.items():
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", word))


def test_no_text_of_the_pages_goes_untranslated() -> None:
    for path in PAGES:
        source = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}|<[^>]*>", " ", path.read_text())
        assert re.findall(r"[A-Za-z]{2,}", source) == [], path.name


def read(client: Client, path: str, language: str = "", **form: str) -> str:
    headers = {"Accept-Language": language} if language else {}
    answer: Any = client.post(path, form, headers=headers) if form else client.get(path, headers=headers)
    return str(answer.content.decode())


def to(locale: str, channel: str = "email", **more: Any) -> Message:
    (message,) = queue(contact(f"{locale or 'nobody'}.{channel}@example.com", locale=locale), **more)
    if channel != "email":
        Content.objects.update(channel=channel)
        Message.objects.filter(pk=message.pk).update(channel=channel)
    return message


@pytest.mark.parametrize("locale", ["de", "de_AT", "DE-ch"])
def test_each_page_speaks_german_to_a_german_contact(organization: Organization, client: Client, locale: str) -> None:
    topic = Topic.objects.create(name="News", slug="news")
    message = to(locale, topic_id=topic.pk)
    leave = links.path(links.UNSUBSCRIBE, organization.pk, message.pk)
    choices = links.path(links.PREFERENCES, organization.pk, message.pk)

    page = read(client, leave, "en")
    assert '<html lang="de">' in page
    assert "Sie bekommen keine Werbung mehr per E-Mail." in page and "Nur von „News“" in page
    page = read(client, leave, "en", action="all")
    assert "schickt Ihnen keine Nachrichten dieser Art mehr." in page and "Zu viele Nachrichten" in page
    page = read(client, choices, "en")
    assert all(word in page for word in ("Höchstens einmal am Tag", "Zeitzone", "Alles andere", "30 Tage Pause"))
    assert "Wählen Sie aus der Liste, wie oft." in read(client, choices, "en", action="save", frequency="hourly")
    read(client, choices, "en", action="pause")
    assert re.search(r"Pause bis \d+\. [A-Z][\wä]+ \d{4}\. Es kommen nur", read(client, choices, "en"))


def test_confirming_speaks_german(organization: Organization, client: Client) -> None:
    OptInSettings.objects.create(is_double=True)
    ada = contact(agreed=False, locale="de")
    audience.grant_consent([ada.pk], "email", None, "form", "Yes", {})
    path = links.path(links.CONFIRM, organization.pk, ConsentRequest.objects.get().pk)

    assert "Möchten Sie das bekommen: Neuigkeiten und Angebote per E-Mail?" in read(client, path)
    assert "Vielen Dank." in read(client, path, action="confirm")


def test_an_sms_is_left_by_sms(organization: Organization, client: Client) -> None:
    german, english = to("de", "sms"), to("en", "sms")
    leave = [links.path(links.UNSUBSCRIBE, organization.pk, message.pk) for message in (german, english)]

    assert "Von allem per SMS abmelden" in read(client, leave[0])
    page = read(client, leave[1])
    assert "Unsubscribe from everything by SMS" in page and "e-mail" not in page


@pytest.mark.parametrize(
    ("locale", "browser", "language"),
    [
        ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr", "de", "de"),  # not translated: the browser may know better
        ("en-US", "de", "en-gb"),
        ("", "fr,it", "en-gb"),
        ("x" * 20, "*;q=<script>", "en-gb"),
        ("", "", "en-gb"),
    ],
)
def test_without_a_known_language_the_browser_says_it(
    organization: Organization, client: Client, locale: str, browser: str, language: str
) -> None:
    message = to(locale)
    page = read(client, links.path(links.UNSUBSCRIBE, organization.pk, message.pk), browser)

    assert f'<html lang="{language}">' in page


def test_broken_links_speak_the_browsers_language(client: Client, db: None) -> None:
    assert "Dieser Link funktioniert nicht" in read(client, "/u/broken", "de")
    assert "This link does not work" in read(client, "/u/broken", "en")
    assert "Diese Einladung funktioniert nicht" in read(client, "/r/nobody", "de")
