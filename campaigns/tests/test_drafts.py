"""Drafts of blocks: kept as they come, published whole, compared, brought back."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Organization
from campaigns import services
from campaigns.models import EmailTemplate, TemplateVersion
from campaigns.tests import making
from common.errors import Conflict, Invalid
from delivery.models import Content

pytestmark = pytest.mark.django_db

TEXT = {"id": "b1", "type": "text", "text": "Hello {{ contact.name }}"}


def tree(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"settings": {}, "blocks": list(blocks)}


def made(*blocks: dict[str, Any], **fields: Any) -> EmailTemplate:
    values = {"name": "News", "subject": "News", "blocks": tree(*(blocks or (TEXT,))), **fields}
    return services.create_template(values)


def draft_url(template: EmailTemplate) -> str:
    return f"/api/v1/email-templates/{template.pk}/draft/"


def test_what_is_typed_is_kept_though_it_is_not_finished(organization: Organization, api: APIClient) -> None:
    template = made()
    unfinished = tree(TEXT, {"id": "b2", "type": "button"})
    answer = api.put(draft_url(template), {"revision": 1, "blocks": unfinished, "subject": ""}, format="json")

    assert answer.status_code == 200
    assert (answer.json()["revision"], answer.json()["blocks"], answer.json()["subject"]) == (2, unfinished, "")
    assert api.get(draft_url(template)).json()["blocks"] == unfinished


def test_the_second_of_two_editors_gets_the_draft_of_the_first(organization: Organization, api: APIClient) -> None:
    template = made()
    api.put(draft_url(template), {"revision": 1, "subject": "First"}, format="json")
    answer = api.put(draft_url(template), {"revision": 1, "subject": "Second"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert answer.json()["details"]["draft"]["subject"] == "First"
    assert answer.json()["details"]["draft"]["revision"] == 2
    assert EmailTemplate.objects.get().subject == "First"


def test_who_says_what_stands_there_already_is_at_one_with_it(organization: Organization) -> None:
    template = made()
    services.save_draft(template, {"subject": "Typed and gone"}, expected_revision=1)

    again = services.save_draft(template, {"subject": "Typed and gone"}, expected_revision=1)

    assert (again.subject, again.version) == ("Typed and gone", 2)
    with pytest.raises(Conflict):
        services.save_draft(template, {"subject": "Typed and gone", "preheader": "New"}, expected_revision=1)
    assert EmailTemplate.objects.get().version == 2


def test_one_sitting_is_one_entry_in_the_audit_log(organization: Organization, api: APIClient) -> None:
    template = made()
    for number in range(3):
        services.save_draft(template, {"subject": f"Subject {number}"})

    assert [entry.action for entry in AuditEntry.objects.filter(object_type="campaigns.emailtemplate")] == [
        "autosave", "create",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"blocks": "no tree"}, "blocks"),
        ({"blocks": {"blocks": [], "x": "y" * 500_001}}, "blocks"),
        ({"html": "<p>By hand</p>"}, "html"),
        ({"locale": "the Queen's"}, "locale"),
        ({"variants": {"Deutsch": {}}}, "variants.Deutsch"),
        ({"variants": {"de": {"body": ""}}}, "variants.de"),
        ({"variants": {"de": {"subject": 7}}}, "variants.de.subject"),
    ],
)
def test_what_cannot_be_kept_is_refused_beside_its_field(
    organization: Organization, changes: dict[str, Any], place: str
) -> None:
    template = made()
    with pytest.raises(Invalid) as refusal:
        services.save_draft(template, changes)

    assert place in refusal.value.details
    assert EmailTemplate.objects.get().version == 1


def test_blocks_are_published_as_compiled_content(organization: Organization) -> None:
    version = services.publish_template(made())

    assert "Hello {{ contact.name }}" in version.content.html
    assert "unsubscribe_url" in version.content.html
    assert "Hello {{ contact.name }}" in version.content.text
    assert version.words["blocks"] == tree(TEXT)


def test_a_mistake_in_a_block_is_refused_with_its_path_and_nothing_is_published(organization: Organization) -> None:
    template = made(TEXT, {"id": "b2", "type": "button", "label": "Go", "href": "javascript:alert(1)"})
    with pytest.raises(Invalid) as refusal:
        services.publish_template(template)

    assert refusal.value.details.keys() == {"blocks[1].href"}
    assert not TemplateVersion.objects.exists()
    assert not Content.objects.exists()


def test_differences_are_told_block_by_block(organization: Organization, api: APIClient) -> None:
    template = made(TEXT, {"id": "b2", "type": "divider"}, {"id": "b3", "type": "spacer", "height": 10})
    services.publish_template(template)
    changed = tree(
        {"id": "b3", "type": "spacer", "height": 40},
        {**TEXT, "text": "Bye"},
        {"id": "b4", "type": "heading", "text": "H"},
    )
    services.update_template(template, {"blocks": changed, "subject": "New"})
    changes = api.get(f"/api/v1/email-templates/{template.pk}/versions/1/diff/").json()["changes"]

    assert [(each["kind"], each["path"], each["before"], each["after"]) for each in changes] == [
        ("changed", "subject", "News", "New"),
        ("removed", "blocks[1]", "", ""),
        ("changed", "blocks[0].height", "10", "40"),
        ("moved", "blocks[1]", "", ""),
        ("changed", "blocks[1].text", "Hello {{ contact.name }}", "Bye"),
        ("added", "blocks[2]", "", "H"),
    ]


def test_a_version_comes_back_as_the_draft_and_what_is_published_stays(
    organization: Organization, api: APIClient
) -> None:
    template = made()
    services.publish_template(template)
    services.update_template(template, {"blocks": None, "html": "<p>By hand</p>", "subject": "Second"})
    second = services.publish_template(template)

    stale = api.post(f"/api/v1/email-templates/{template.pk}/versions/1/restore/", {"revision": 1}, format="json")
    assert stale.status_code == 409
    answer = api.post(f"/api/v1/email-templates/{template.pk}/versions/1/restore/", {"revision": 2}, format="json")

    assert (answer.status_code, answer.json()["subject"], answer.json()["html"]) == (200, "News", "")
    assert answer.json()["blocks"] == tree(TEXT)
    stored = EmailTemplate.objects.get()
    assert (stored.published_id, stored.version) == (second.pk, 3)
    listed = api.get(f"/api/v1/email-templates/{template.pk}/versions/").json()["results"]
    assert [(each["number"], each["subject"], each["is_published"]) for each in listed] == [
        (2, "Second", True), (1, "News", False),
    ]  # fmt: skip
    assert api.get(f"/api/v1/email-templates/{template.pk}/versions/9/diff/").status_code == 404


def test_an_own_text_says_when_it_is_behind(organization: Organization) -> None:
    template = services.save_draft(made(), {"text": "Hello by hand"})
    assert services.draft_of(template)["text_is_behind"] is False

    template = services.save_draft(template, {"blocks": tree({**TEXT, "text": "Something else"})})
    assert services.draft_of(template)["text_is_behind"] is True
    assert services.publish_template(template).content.text.startswith("Hello by hand")

    template = services.save_draft(template, {"text": "Something else by hand"})
    assert services.draft_of(template)["text_is_behind"] is False


def test_languages_are_published_together_and_their_mistakes_are_told(organization: Organization) -> None:
    template = made(
        variants={"de": {"subject": "Neues", "blocks": tree({**TEXT, "text": "Hallo {{ contact.nmae }}"})}}
    )
    with pytest.raises(Invalid) as refusal:
        services.publish_template(template)
    assert refusal.value.details.keys() == {"variants.de.blocks[0].text"}

    german = {"subject": "Neues", "blocks": tree({**TEXT, "text": "Hallo {{ contact.name }}"})}
    template = services.save_draft(template, {"variants": {"de": german}})
    content = services.publish_template(template).content
    assert content.variants.keys() == {"de"}
    assert "Hallo {{ contact.name }}" in content.variants["de"]["html"]
    assert 'lang="de"' in content.variants["de"]["html"]

    (hans, ada) = making.contacts(1, locale="de_AT") + making.contacts(1, start=2, locale="fr")
    assert services.preview_template(template, hans).subject == "Neues"
    assert services.preview_template(template, ada).subject == "News"


def test_a_segment_that_decides_cannot_be_deleted(organization: Organization) -> None:
    from segments import services as segments

    gold = making.segment(name="Gold")
    template = made({**TEXT, "show_when": {"segment": gold.pk}})
    with pytest.raises(Conflict, match="template “News”"):
        segments.delete_segment(gold)
    assert services.publish_template(template).content.segments == [gold.pk]

    services.save_draft(template, {"blocks": tree(TEXT)})
    with pytest.raises(Conflict):
        segments.delete_segment(gold)  # what is published still asks
    services.publish_template(template)
    segments.delete_segment(gold)

    services.save_draft(template, {"blocks": tree({**TEXT, "show_when": {"segment": gold.pk}})})
    with pytest.raises(Invalid) as refusal:
        services.publish_template(template)
    assert refusal.value.details.keys() == {"blocks[0].show_when.segment"}
