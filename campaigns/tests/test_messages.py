"""Templates of other channels: written, seen as a contact would, tried on colleagues, sent by campaigns."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Member, Organization
from audience.models import Contact
from campaigns import services
from campaigns.models import EmailTemplate
from common import clock
from common.errors import Invalid
from delivery.models import InboxMessage, Message

SMS = {
    "name": "Code",
    "channel": "sms",
    "kind": "transactional",
    "says": {"text": "Your code, {{ contact.first_name }}"},
}
BANNER = {"placement": "banner", "title": "Hi {{ contact.first_name }}", "button": "Go", "url": "https://x.example/"}


@pytest.fixture
def ada(organization: Organization) -> Contact:
    return Contact.objects.create(name="Ada Lovelace", email="ada@example.com", phone="+447700900123")


def draft(**values: Any) -> EmailTemplate:
    return services.create_template(
        {"name": "Banner", "channel": "in_app", "kind": "transactional", "fields": BANNER} | values
    )


def test_the_api_writes_publishes_and_previews_a_message(api: APIClient, ada: Contact) -> None:
    made = api.post("/api/v1/message-templates/", SMS)
    assert made.status_code == 201 and made.data["says"] == SMS["says"] and made.data["slug"] == "code"
    path = f"/api/v1/message-templates/{made.data['id']}"
    shown = api.post(f"{path}/preview/", {"contact_id": ada.pk}).data
    assert shown == {
        "channel": "sms",
        "says": {"text": "Your code, Ada"},
        "size": {"is_gsm": True, "places": 14, "segments": 1, "left": 146},
    }
    assert api.post(f"{path}/publish/", {}).data["number"] == 1
    assert api.post(f"{path}/publish/", {}).data["number"] == 1, "nothing changed"
    changed = api.patch(f"{path}/", {"says": {"text": "Другое"}, "version": 1})
    assert changed.status_code == 200
    assert api.patch(f"{path}/", {"says": {"text": "x"}, "version": 1}).status_code == 409
    assert api.post(f"{path}/publish/", {}).data["number"] == 2
    assert api.get("/api/v1/email-templates/").data["results"] == []
    assert api.get("/api/v1/message-templates/?channel=push").data["results"] == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"channel": "email"}, "channel"),
        ({"says": {"texts": "x"}}, "fields.texts"),
        ({"name": ""}, "name"),
    ],
)
def test_a_draft_that_cannot_be_is_refused(api: APIClient, change: dict[str, Any], place: str) -> None:
    answer = api.post("/api/v1/message-templates/", SMS | change)
    assert answer.status_code == 400 and place in answer.data["details"]
    assert not EmailTemplate.objects.exists()


def test_a_draft_with_mistakes_is_kept_and_not_published(organization: Organization) -> None:
    template = draft(fields={"placement": "banner", "title": "{{ nobody }}"})
    with pytest.raises(Invalid) as caught:
        services.publish_template(template)
    assert set(caught.value.details) == {"title"}
    template.refresh_from_db()
    assert template.published is None


def test_tests_go_to_colleagues_only(organization: Organization, owner: Member, ada: Contact) -> None:
    banner = draft()
    with pytest.raises(Invalid, match="no colleague"):
        services.send_test(banner, ada, "")
    sms = draft(name="SMS", channel="sms", fields={"text": "Hi"})
    with pytest.raises(Invalid, match="not a phone number"):
        services.send_test(sms, ada, "7")
    assert not Message.objects.exists()

    olga = Contact.objects.create(name="Olga", email=owner.user.email)
    services.send_test(banner, olga, "")
    services.send_test(sms, ada, "+44 7700 900999")
    assert sorted(Message.objects.values_list("channel", "contact_id", "address")) == [
        ("in_app", olga.pk, ""),
        ("sms", ada.pk, "+447700900999"),
    ]


def test_a_campaign_sends_in_app_messages_and_refuses_a_channel_without_a_provider(
    organization: Organization, api: APIClient, ada: Contact, drain: Any
) -> None:
    from segments import services as segments

    segment = segments.create_segment(name="All", kind="static")
    segments.add_contacts(segment, [ada.pk])
    banner, sms = draft(), draft(name="SMS", channel="sms", fields={"text": "Hi"})
    for template in (banner, sms):
        services.publish_template(template)
    values = {"name": "Hello", "template_id": banner.pk}
    campaign = services.create_campaign(values, audience=services.Audience(include=[segment.pk]))
    other = services.create_campaign(
        values | {"template_id": sms.pk}, audience=services.Audience(include=[segment.pk])
    )
    with pytest.raises(Invalid, match="No provider for SMS is set up yet"):
        services.launch(other)
    services.launch(campaign)
    drain()

    row = InboxMessage.objects.get()
    assert (row.contact_id, row.title, row.url) == (ada.pk, "Hi Ada", "https://x.example/")
    assert row.created_at <= clock.now()


def test_the_admin_writes_previews_and_publishes(admin: Any, organization: Organization, ada: Contact) -> None:
    add = reverse("admin:campaigns_messagetemplate_add")
    assert b"?channel=sms" in admin.get(add).content
    form = {"name": "Hello", "kind": "transactional", "defaults": "{}", "text": "Hi {{ contact.first_name }} 👋"}
    assert admin.post(f"{add}?channel=sms", form).status_code == 302
    template = EmailTemplate.objects.get()
    assert (template.channel, template.fields, template.text) == ("sms", {"text": form["text"]}, "")
    page = reverse("admin:campaigns_messagetemplate_change", args=[template.pk])
    assert "No provider for SMS" in admin.get(page).content.decode()
    shown = admin.get(reverse("admin:campaigns_messagetemplate_preview", args=[template.pk])).content.decode()
    assert "Hi Ada 👋" in shown and "1 SMS" in shown and "Unicode alphabet" in shown
    admin.post(reverse("admin:campaigns_messagetemplate_act", args=[template.pk, "publish"]))
    template.refresh_from_db()
    assert template.published is not None and template.published.content.channel == "sms"
    opened = admin.get(page).content.decode()
    area = opened[opened.index('<textarea name="text"') :].partition("</textarea>")[0]
    assert area.endswith("Hi {{ contact.first_name }} 👋") and 'id="message-copy"' in opened
    assert admin.post(page, form | {"text": "New", "opened_version": 1}).status_code == 302
    template.refresh_from_db()
    assert template.fields == {"text": "New"}
    stale = admin.post(page, form | {"opened_version": 1})
    assert "is not what you opened" in stale.content.decode()
    listed = admin.get(reverse("admin:campaigns_emailtemplate_changelist")).content.decode()
    assert "Hello" not in listed
    assert AuditEntry.objects.filter(object_type="campaigns.emailtemplate", action="publish").exists()


@pytest.mark.parametrize("channel", ["whatsapp", "push", "in_app", "slack", "webhook"])
def test_the_form_and_preview_of_every_channel_open(
    admin: Any, organization: Organization, ada: Contact, channel: str
) -> None:
    fields: dict[str, dict[str, Any]] = {
        "whatsapp": {"template_id": "HX1", "template_variables": {"1": "{{ contact.first_name }}"}},
        "push": {"title": "Hi", "body": "There", "icon": "https://x.example/i.png"},
        "in_app": BANNER,
        "slack": {"text": "{{ contact.name }}"},
        "webhook": {"type": "vip", "data": {"name": "{{ contact.name }}"}},
    }
    template = draft(channel=channel, fields=fields[channel])
    assert admin.get(f"{reverse('admin:campaigns_messagetemplate_add')}?channel={channel}").status_code == 200
    assert admin.get(reverse("admin:campaigns_messagetemplate_change", args=[template.pk])).status_code == 200
    shown = admin.get(reverse("admin:campaigns_messagetemplate_preview", args=[template.pk])).content.decode()
    assert "gs-refusal" not in shown
