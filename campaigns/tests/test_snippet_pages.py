"""Snippets in the admin: the list, the page of one, its editor; their languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Organization
from campaigns import services
from campaigns.models import Snippet
from campaigns.tests.test_drafts import TEXT, made
from campaigns.tests.test_editor_pages import page
from campaigns.tests.test_snippets import FOOTER, SNIPPETS, USE, footer
from common import tenancy
from common.errors import Invalid

LIST = "/admin/campaigns/snippet/"
GERMAN = {"id": "f2", "type": "footer", "address": "Acme, Berlin"}


def address(snippet: Snippet, shown: str = "editor") -> str:
    return reverse(f"admin:campaigns_snippet_{shown}", args=[snippet.pk])


def test_the_list_says_how_many_mails_use_it_and_finds_by_name(admin: Client) -> None:
    used, unused = footer(), services.create_snippet({"name": "Signature", "blocks": [FOOTER]})
    made(TEXT, USE)

    content = admin.get(LIST).content.decode()

    assert f'<a href="{address(used, "change")}#used-by">1 mail</a>' in content
    assert "No mail" in content
    found = admin.get(LIST, {"q": "signa"}).content.decode()
    assert address(unused) in found
    assert address(used) not in found


def test_a_new_snippet_is_a_draft_that_opens_in_the_editor(admin: Client) -> None:
    answer = admin.post(f"{LIST}add/", {"name": "Winter offer", "slug": ""})

    snippet = Snippet.objects.get()
    assert (snippet.slug, snippet.blocks, snippet.published) == ("winter-offer", [], None)
    assert answer["Location"] == address(snippet)


def test_a_taken_slug_is_told_beside_the_field(admin: Client) -> None:
    footer()

    answer = admin.post(f"{LIST}add/", {"name": "Footer", "slug": "footer"})

    assert "already a snippet" in answer.content.decode()
    assert Snippet.objects.count() == 1


def test_its_page_links_the_mails_that_use_it(admin: Client) -> None:
    snippet = footer()
    mail = made(TEXT, USE)
    services.publish_template(mail)
    services.update_snippet(snippet, {"blocks": [{**FOOTER, "address": "Acme, Leeds"}]})
    services.publish_snippet(snippet)

    content = admin.get(address(snippet, "change")).content.decode()

    assert reverse("admin:campaigns_emailtemplate_editor", args=[mail.pk]) in content
    assert "Sends version 1" in content
    assert 'name="slug"' not in content  # mails name it so


def test_only_a_snippet_that_no_mail_names_can_be_deleted(admin: Client) -> None:
    snippet, free = footer(), services.create_snippet({"name": "Signature", "blocks": [FOOTER]})
    made(TEXT, USE)

    assert admin.post(address(snippet, "delete"), {"post": "yes"}).status_code == 403
    assert admin.post(address(free, "delete"), {"post": "yes"}).status_code == 302
    assert [*Snippet.objects.all()] == [snippet]


def test_the_editor_carries_the_draft_and_where_to_ask(admin: Client) -> None:
    snippet = footer()

    told = page(admin.get(address(snippet)).content.decode())

    assert (told["draft"]["blocks"], told["draft"]["revision"]) == ([FOOTER], 1)
    assert "snippet" not in {block["key"] for block in told["language"]["blocks"]}
    for name in ("draft", "changes", "used_by", "variables", "contacts"):
        assert admin.get(told["addresses"][name]).status_code == 200, name


def test_another_organisation_finds_none_of_it(admin: Client, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        theirs = footer()

    assert admin.get(address(theirs)).status_code == 404
    assert admin.get(address(theirs, "change")).status_code == 404


# --- drafts -----------------------------------------------------------------------------------------------


def test_a_draft_is_kept_as_it_comes_and_audited_once_a_sitting(organization: Organization, api: APIClient) -> None:
    snippet = footer()
    own = f"{SNIPPETS}{snippet.pk}/"

    first = api.put(f"{own}draft/", {"blocks": [], "revision": 1}, format="json")
    second = api.put(f"{own}draft/", {"name": "Foot", "blocks": [GERMAN], "revision": 2}, format="json")

    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.json()["revision"], second.json()["has_unpublished_changes"]) == (3, True)
    assert AuditEntry.objects.filter(object_type="campaigns.snippet", action="autosave").count() == 1
    [change] = api.get(f"{own}changes/").json()["changes"][:1]
    assert change["kind"] in ("added", "removed", "changed")


def test_who_was_slower_changes_nothing(organization: Organization, api: APIClient) -> None:
    snippet = footer()
    services.save_snippet_draft(snippet, {"name": "Theirs"})

    answer = api.put(f"{SNIPPETS}{snippet.pk}/draft/", {"name": "Mine", "revision": 1}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    snippet.refresh_from_db()
    assert (snippet.name, snippet.version) == ("Theirs", 2)


# --- languages --------------------------------------------------------------------------------------------


def test_each_language_of_a_mail_takes_in_the_snippet_of_that_language(organization: Organization) -> None:
    footer(variants={"de": [GERMAN]})
    blocks = {"settings": {}, "blocks": [TEXT, USE]}
    mail = made(TEXT, USE)
    variants = {code: {"subject": "Hallo", "blocks": blocks} for code in ("de-AT", "fr")}
    services.update_template(mail, {"variants": variants})

    content = services.publish_template(mail).content

    assert "Acme, London" in content.html
    assert "Acme, Berlin" in content.variants["de-AT"]["html"]
    assert "Acme, London" in content.variants["fr"]["html"]


def test_a_new_language_is_a_change_that_publishing_tells_and_fixes(organization: Organization) -> None:
    snippet = services.update_snippet(footer(), {"variants": {"de": [GERMAN]}})

    assert [(each.kind, each.label) for each in services.unpublished_changes(snippet)] == [("added", "Language de")]
    assert services.publish_snippet(snippet).number == 2
    snippet.refresh_from_db()
    assert services.unpublished_changes(snippet) == []


@pytest.mark.parametrize(
    ("variants", "place"),
    [
        ({"German": [GERMAN]}, "variants.German"),
        ({"de": GERMAN}, "variants.de"),
        ({"de": [GERMAN | {"text": "x" * 600_000}]}, "variants.de"),
        ([GERMAN], "variants"),
    ],
)
def test_what_is_no_language_is_refused_and_not_kept(organization: Organization, variants: Any, place: str) -> None:
    snippet = footer()

    with pytest.raises(Invalid) as refusal:
        services.save_snippet_draft(snippet, {"variants": variants})

    assert [*refusal.value.details] == [place]
    snippet.refresh_from_db()
    assert (snippet.variants, snippet.version) == ({}, 1)


def test_a_language_without_blocks_is_not_published(organization: Organization) -> None:
    snippet = services.update_snippet(footer(), {"variants": {"de": []}})

    with pytest.raises(Invalid) as refusal:
        services.publish_snippet(snippet)

    assert refusal.value.details == {"variants.de.blocks": "A snippet needs a block."}
    assert snippet.versions.count() == 1
