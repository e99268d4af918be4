"""Templates: drafts, published versions, refusals with places, tests to oneself."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, Organization
from campaigns import selectors, services
from campaigns.models import EmailTemplate, TemplateVersion
from campaigns.tests import making
from common.errors import Conflict, Invalid
from delivery.models import Content

pytestmark = pytest.mark.django_db


def test_publishing_fixes_the_words_and_the_draft_goes_on(organization: Organization) -> None:
    template = making.template()
    first = template.published

    edited = services.update_template(template, {"subject": "New words"})

    assert first is not None
    assert (first.number, first.content.subject) == (1, "Sale for {{ contact.name }}")
    assert Content.objects.get(pk=first.content_id).subject == "Sale for {{ contact.name }}"
    assert selectors.has_unpublished_changes(edited)
    second = services.publish_template(edited)
    assert (second.number, second.content.subject) == (2, "New words")
    assert not selectors.has_unpublished_changes(EmailTemplate.objects.get())


def test_publishing_the_same_words_again_makes_no_version(organization: Organization) -> None:
    template = making.template()

    assert services.publish_template(template).number == 1
    assert TemplateVersion.objects.count() == 1
    assert Content.objects.count() == 1


def test_a_draft_with_mistakes_is_refused_with_their_places_and_the_old_version_stays(
    organization: Organization,
) -> None:
    template = making.template()
    broken = services.update_template(template, {"subject": "{{ contact.nmae }}", "html": "<p>{% if x %}</p>"})

    with pytest.raises(Invalid) as refusal:
        services.publish_template(broken)

    assert refusal.value.details.keys() >= {"subject", "html"}
    stored = EmailTemplate.objects.get()
    assert stored.published == template.published
    assert TemplateVersion.objects.count() == 1


def test_the_second_of_two_editors_is_told_who_was_first(organization: Organization) -> None:
    template = making.template()
    services.update_template(template, {"subject": "First"}, expected_version=1)

    with pytest.raises(Conflict, match="system changed it") as refusal:
        services.update_template(template, {"subject": "Second"}, expected_version=1)

    assert refusal.value.code == "version_conflict"
    assert EmailTemplate.objects.get().subject == "First"


def test_slugs_come_from_names_and_are_taken_once(organization: Organization) -> None:
    assert making.template(name="Spring sale", published=False).slug == "spring-sale"

    with pytest.raises(Conflict) as refusal:
        making.template(name="Spring sale", published=False)

    assert refusal.value.details == {"slug": 'There is already a template with the slug "spring-sale".'}
    assert EmailTemplate.objects.count() == 1


def test_copies_start_as_unpublished_drafts(organization: Organization) -> None:
    template = making.template(preheader="Only today")

    copy = services.duplicate_template(template)

    assert (copy.name, copy.slug, copy.preheader, copy.published) == ("Sale (copy)", "sale-2", "Only today", None)
    assert services.duplicate_template(template).slug == "sale-3"


def test_what_was_published_is_archived_not_deleted(organization: Organization) -> None:
    template = making.template()

    with pytest.raises(Conflict, match="archive it instead"):
        services.delete_template(template)
    archived = services.archive_template(template)
    with pytest.raises(Conflict, match="archived"):
        services.update_template(archived, {"subject": "Late"})
    with pytest.raises(Conflict, match="archived"):
        services.publish_template(archived)

    assert EmailTemplate.objects.get().subject == "Sale for {{ contact.name }}"


def test_an_unpublished_template_that_a_campaign_names_cannot_be_deleted(organization: Organization) -> None:
    template = making.template(published=False)
    making.campaign(template_id=template.pk)

    with pytest.raises(Conflict, match="used by a campaign"):
        services.delete_template(template)

    assert EmailTemplate.objects.count() == 1


def test_a_draft_nobody_used_can_be_deleted(organization: Organization) -> None:
    services.delete_template(making.template(published=False))

    assert not EmailTemplate.objects.exists()


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"name": ""}, "name"),
        ({"subject": "x" * 301}, "subject"),
        ({"kind": "carrier pigeon"}, "kind"),
        ({"defaults": ["no"]}, "defaults"),
        ({"slug": "not a slug!"}, "slug"),
        ({"nickname": "x"}, "nickname"),
    ],
)
def test_wrong_values_are_refused_beside_their_field(
    organization: Organization, values: dict[str, object], place: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        services.create_template({"name": "Sale", "subject": "Sale", "html": "<p>Hi</p>", **values})

    assert place in refusal.value.details
    assert not EmailTemplate.objects.exists()


def test_every_change_is_in_the_audit_log(organization: Organization) -> None:
    template = making.template(published=False)
    services.update_template(template, {"subject": "New"})
    services.publish_template(template)

    entries = AuditEntry.objects.filter(object_type="campaigns.emailtemplate").order_by("pk")
    assert [entry.action for entry in entries] == ["create", "change", "publish"]
    assert entries[1].before["subject"] == "Sale for {{ contact.name }}"
    assert entries[1].after["subject"] == "New"


def test_a_preview_is_written_for_the_contact(organization: Organization) -> None:
    template = making.template(preheader="Only for {{ contact.name }}")
    (ada,) = making.contacts(name="Ada")

    rendered = services.preview_template(template, ada)

    assert rendered.subject == "Sale for Ada"
    assert "Hello Ada" in rendered.html
    assert "Only for Ada" in rendered.html
    assert "Hello Ada" in rendered.text
