from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organization
from audience.models import Contact
from campaigns import services, starters
from campaigns.admin.editor import SAMPLE_EVENT
from campaigns.models import EmailTemplate
from campaigns.services import composing
from campaigns.starters import Starter
from common import tenancy

NEW = "/admin/campaigns/emailtemplate/new/"


def editor(template: EmailTemplate) -> str:
    return reverse("admin:campaigns_emailtemplate_editor", args=[template.pk])


def begun(**values: Any) -> EmailTemplate:
    return services.create_template(
        {"name": "Autumn", "subject": "Warm", "blocks": {"settings": {}, "blocks": []}} | values
    )


def page(content: str) -> Any:
    """What the editor's script reads of the page."""
    found = re.search(r'<script id="mail" type="application/json">(.*?)</script>', content, re.DOTALL)
    assert found
    return json.loads(found[1])


# --- ready templates --------------------------------------------------------------------------------------


@pytest.mark.parametrize("starter", starters.offered(), ids=lambda starter: starter.key)
def test_a_ready_template_lacks_nothing_but_its_links(starter: Starter, organization: Organization) -> None:
    words = composing.Draft(
        starter.subject, starter.preheader, starter.blocks, defaults=starter.defaults, kind=starter.kind
    )

    shown = composing.show(words, Contact(name="", email="ada@example.com"), {"event": SAMPLE_EVENT})

    assert set(shown.problems.values()) <= {"Link is missing."}
    assert {check.sentence for check in shown.checks if check.level == "error"} <= {"A link leads nowhere."}
    assert shown.size < 40_000
    assert "{{" not in shown.html + shown.subject


def test_there_are_six_and_one_is_found_by_its_name() -> None:
    assert [starter.key for starter in starters.offered()] == list(starters.ORDER)
    assert len(starters.ORDER) == 6
    assert starters.find("receipt") == starters.offered()[-1]
    assert starters.find("../../secrets") is None


# --- beginning --------------------------------------------------------------------------------------------


def test_adding_a_template_leads_to_the_ready_ones(admin: Client) -> None:
    answer = admin.get("/admin/campaigns/emailtemplate/add/", follow=True)

    assert answer.redirect_chain == [(NEW, 302)]
    assert answer.content.decode().count("cmp-starter__words") == 8


def test_a_template_begins_as_a_copy_of_a_ready_one(admin: Client) -> None:
    answer = admin.post(NEW, {"name": "Thanks", "starter": "receipt"})

    made = EmailTemplate.objects.get()
    assert answer["Location"] == editor(made)
    receipt = starters.find("receipt")
    assert receipt
    assert (made.name, made.slug, made.kind, made.blocks) == ("Thanks", "thanks", "transactional", receipt.blocks)


@pytest.mark.parametrize(
    ("chosen", "blocks", "shown"), [("blank", {"settings": {}, "blocks": []}, "editor"), ("code", None, "change")]
)
def test_a_template_begins_empty_or_as_code(admin: Client, chosen: str, blocks: Any, shown: str) -> None:
    answer = admin.post(NEW, {"name": "Mine", "starter": chosen})

    made = EmailTemplate.objects.get()
    assert made.blocks == blocks
    assert answer["Location"] == reverse(f"admin:campaigns_emailtemplate_{shown}", args=[made.pk])


def test_a_template_without_a_name_is_not_begun(admin: Client) -> None:
    answer = admin.post(NEW, {"name": " ", "starter": "welcome"})

    assert answer.status_code == 400
    assert not EmailTemplate.objects.exists()


def test_a_name_that_is_taken_gets_another_slug_or_a_sentence(admin: Client) -> None:
    begun()

    answer = admin.post(NEW, {"name": "Autumn", "starter": "welcome"})

    assert answer.status_code == 409
    assert "already a template" in answer.content.decode()
    assert EmailTemplate.objects.count() == 1


# --- the editor's page ------------------------------------------------------------------------------------


def test_the_page_carries_the_draft_and_where_to_ask(admin: Client) -> None:
    template = begun()

    content = admin.get(editor(template)).content.decode()

    told = page(content)
    assert (told["id"], told["draft"]["subject"], told["draft"]["revision"]) == (template.pk, "Warm", 1)
    assert told["addresses"]["draft"] == f"/api/v1/email-templates/{template.pk}/draft/"
    assert {block["key"] for block in told["language"]["blocks"]} >= {"text", "columns", "imported"}
    for address in ("draft", "versions", "variables", "snippets", "pictures", "contacts"):
        assert admin.get(told["addresses"][address]).status_code == 200, address


def test_words_of_a_mail_cannot_end_the_script_they_stand_in(admin: Client) -> None:
    template = begun(subject="</script><script>alert(1)</script>")

    content = admin.get(editor(template)).content.decode()

    assert "<script>alert(1)" not in content
    assert page(content)["draft"]["subject"] == "</script><script>alert(1)</script>"


def test_the_list_leads_to_the_editor(admin: Client) -> None:
    template = begun()

    assert f'href="{editor(template)}"' in admin.get("/admin/campaigns/emailtemplate/").content.decode()


def test_the_plain_form_of_a_mail_in_blocks_leaves_its_blocks(admin: Client) -> None:
    blocks = {"settings": {}, "blocks": [{"id": "a", "type": "text", "text": "Words"}]}
    template = begun(blocks=blocks)
    address = reverse("admin:campaigns_emailtemplate_change", args=[template.pk])
    form = {"name": "Winter", "slug": "winter", "kind": "marketing", "subject": "Cold", "defaults": "{}"}

    assert 'name="html"' not in admin.get(address).content.decode()
    assert admin.post(address, {**form, "opened_version": 1}).status_code == 302
    template.refresh_from_db()
    assert (template.name, template.subject, template.blocks) == ("Winter", "Cold", blocks)


def test_an_archived_template_is_shown_and_not_edited(admin: Client) -> None:
    template = services.archive_template(begun())

    assert admin.get(editor(template))["Location"].endswith(f"/{template.pk}/preview/")


def test_another_organisation_finds_no_editor(admin: Client, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        theirs = begun()

    assert admin.get(editor(theirs)).status_code == 404
