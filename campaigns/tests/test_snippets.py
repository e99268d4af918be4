"""Snippets: written once, taken into mails when these are published."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization
from campaigns import services
from campaigns.models import EmailTemplate, Snippet
from campaigns.tests.test_drafts import TEXT, made, tree
from common.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db

SNIPPETS = "/api/v1/snippets/"
FOOTER = {"id": "f1", "type": "footer", "address": "Acme, London"}
USE = {"id": "b2", "type": "snippet", "snippet": "footer"}


def footer(**fields: Any) -> Snippet:
    return services.create_snippet({"name": "Footer", "blocks": [FOOTER], **fields})


def test_a_snippet_is_published_when_it_is_made(organization: Organization, api: APIClient) -> None:
    answer = api.post(SNIPPETS, {"name": "Footer", "blocks": [FOOTER]}, format="json")

    assert answer.status_code == 201
    assert (answer.json()["slug"], answer.json()["published_version"]) == ("footer", 1)
    assert [each["slug"] for each in api.get(SNIPPETS).json()["results"]] == ["footer"]


def test_a_published_mail_keeps_the_snippet_it_took_in(organization: Organization) -> None:
    snippet = footer()
    template = made(TEXT, USE)
    version = services.publish_template(template)
    assert "Acme, London" in version.content.html
    assert version.snippets == {"footer": 1}

    services.update_snippet(snippet, {"blocks": [{**FOOTER, "address": "Acme, Leeds"}]})
    assert services.publish_template(template).pk == version.pk  # not published yet: nothing changed
    services.publish_snippet(snippet)
    assert "Acme, London" in services.version_of(template, 1).content.html


def test_mails_that_are_behind_are_told_and_can_be_published_again(
    organization: Organization, api: APIClient
) -> None:
    snippet = footer()
    template = made(TEXT, USE)
    services.publish_template(template)
    services.save_draft(template, {"subject": "Unfinished"})
    services.update_snippet(snippet, {"blocks": [{**FOOTER, "address": "Acme, Leeds"}]})
    services.publish_snippet(snippet)

    uses = api.get(f"{SNIPPETS}{snippet.pk}/used-by/").json()["results"]
    told = {"template_id": template.pk, "name": "News", "published_number": 1, "is_behind": True}
    assert uses == [told | {"is_archived": False}]
    answer = api.post(f"{SNIPPETS}{snippet.pk}/republish/", {"template_ids": [template.pk, 999]}, format="json")
    assert answer.json() == {
        "published": {str(template.pk): 2},
        "refused": {"999": "It does not use this snippet."},
    }
    stored = EmailTemplate.objects.get()
    assert stored.published is not None
    assert "Acme, Leeds" in stored.published.content.html
    assert (stored.published.content.subject, stored.subject) == ("News", "Unfinished")
    assert api.get(f"{SNIPPETS}{snippet.pk}/used-by/").json()["results"][0]["is_behind"] is False


def test_a_snippet_in_use_stays(organization: Organization) -> None:
    snippet = footer()
    template = made(TEXT, USE)
    with pytest.raises(Conflict, match="“News”"):
        services.delete_snippet(snippet)
    assert Snippet.objects.count() == 1

    services.save_draft(template, {"blocks": tree(TEXT)})
    services.delete_snippet(snippet)
    assert not Snippet.objects.exists()


@pytest.mark.parametrize(
    ("blocks", "place"),
    [
        ([], "blocks"),
        ([{"type": "snippet", "snippet": "other"}], "blocks[0]"),
        ([{"type": "text", "text": "{{ contact.nmae }}"}], "blocks[0].text"),
        ([{"type": "text", "text": "x", "show_when": {"segment": 99}}], "blocks"),
    ],
)
def test_what_no_mail_could_take_in_is_not_published(
    organization: Organization, blocks: list[Any], place: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        footer(blocks=blocks)

    assert place in refusal.value.details
    assert not Snippet.objects.exists()


def test_a_mail_with_an_unknown_snippet_is_not_published(organization: Organization) -> None:
    with pytest.raises(Invalid) as refusal:
        services.publish_template(made(TEXT, USE))

    assert refusal.value.details == {"blocks[1].snippet": "There is no published snippet “footer”."}


def test_a_snippet_with_columns_stands_at_the_top_only(organization: Organization) -> None:
    footer(blocks=[{"type": "columns", "columns": [{"blocks": [TEXT]}, {"blocks": [FOOTER]}]}])
    whole = services.publish_template(made(TEXT, USE)).content.html
    assert whole.index("Hello") < whole.index("Acme, London")

    inside = {"type": "columns", "columns": [{"blocks": [USE]}]}
    with pytest.raises(Invalid) as refusal:
        services.publish_template(made(inside, slug="second"))
    assert refusal.value.details.keys() == {"blocks[0].columns[0].blocks[0]"}


def test_another_organisation_sees_no_snippet(
    organization: Organization, stranger_api: APIClient, api: APIClient
) -> None:
    snippet = footer()
    assert stranger_api.get(f"{SNIPPETS}{snippet.pk}/").status_code == 404
    assert stranger_api.get(SNIPPETS).json()["results"] == []
