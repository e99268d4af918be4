"""The admin's pages of this room."""

from typing import Any

import pytest
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry
from audience import services
from audience.models import Consent, Contact, RejectedEvent, Suppression
from audience.tests import helpers

pytestmark = pytest.mark.django_db

LISTS = [
    "contact", "eventdefinition", "attributedefinition", "rejectedevent", "consent", "suppression", "topic", "import",
    "ingestbatch",
]  # fmt: skip


@pytest.fixture
def something(organization: Any, write_key: str, drain: Any) -> Contact:
    helpers.segment(
        write_key, helpers.identify("u1", {"name": "Ada", "plan": "pro"}), helpers.track(), helpers.track("")
    )
    drain()
    contact = Contact.objects.get()
    services.grant_consent([contact.pk], "email", None, "form")
    services.suppress("email", "no@example.com", "asked")
    return contact


@pytest.mark.parametrize("name", LISTS)
def test_every_list_and_row_opens(admin: Any, something: Contact, name: str) -> None:
    from django.apps import apps

    assert admin.get(reverse(f"admin:audience_{name}_changelist")).status_code == 200
    row = apps.get_model("audience", name).objects.first()
    if row is not None:
        assert admin.get(reverse(f"admin:audience_{name}_change", args=[row.pk])).status_code == 200


def test_a_contact_is_found_by_any_id(admin: Any, something: Contact) -> None:
    address = reverse("admin:audience_contact_changelist")

    assert "Ada" in admin.get(address, {"q": "u1"}).content.decode()
    assert "Ada" not in admin.get(address, {"q": "nobody"}).content.decode()


def _form(contact: Contact | None = None, **changes: Any) -> dict[str, Any]:
    fields = {
        "name": "", "email": "", "phone": "", "user_id": "", "status": "new", "priority": "medium", "source": "",
        "value_minor": 0, "currency": "", "city": "", "region": "", "country": "", "timezone": "", "locale": "",
        "assignee": "", "tag_list": "", "attributes": "{}",
        "identities-TOTAL_FORMS": 0, "identities-INITIAL_FORMS": 0,
    }  # fmt: skip
    if contact is not None:
        fields |= {"name": contact.name, "user_id": contact.user_id, "attributes": '{"plan": "pro"}'}
    return fields | changes


def test_a_colleague_edits_a_contact_and_it_is_in_the_audit_log(admin: Any, something: Contact) -> None:
    address = reverse("admin:audience_contact_change", args=[something.pk])
    response = admin.post(
        address, _form(something, status="customer", tag_list="vip, fair", attributes='{"seats": 2}')
    )

    assert response.status_code == 302
    something.refresh_from_db()
    assert (something.status, something.tags, something.attributes) == ("customer", ["fair", "vip"], {"seats": 2})
    assert AuditEntry.objects.get(action="change", object_type="audience.contact").after["status"] == "customer"


def test_a_contact_whose_address_is_taken_is_refused_at_the_field(admin: Any, something: Contact) -> None:
    services.create_contact(email="ada@example.com")
    response = admin.post(reverse("admin:audience_contact_add"), _form(email="ada@example.com"))

    assert response.status_code == 200
    assert "belongs to contact" in response.content.decode()
    assert Contact.objects.count() == 2


def test_consent_is_added_with_who_entered_it_and_never_changed(admin: Any, something: Contact) -> None:
    values = {
        "contact": something.pk,
        "channel": "email",
        "topic": "",
        "state": "withdrawn",
        "how": "phone",
        "proof": "{}",
    }
    response = admin.post(reverse("admin:audience_consent_add"), values)

    assert response.status_code == 302
    entry = Consent.objects.latest("pk")
    assert (entry.state, entry.how, entry.proof) == ("withdrawn", "phone", {"entered_by": "Olga Owner"})
    address = reverse("admin:audience_consent_change", args=[entry.pk])
    assert admin.post(address, values | {"state": "granted"}).status_code == 403
    assert Consent.objects.latest("pk").state == "withdrawn"


def test_a_suppression_can_be_lifted(admin: Any, something: Contact) -> None:
    row = Suppression.objects.get()
    admin.post(reverse("admin:audience_suppression_delete", args=[row.pk]), {"post": "yes"})

    assert not Suppression.objects.exists()
    assert AuditEntry.objects.filter(action="delete", object_type="audience.suppression").exists()


def test_rejected_events_are_replayed_from_the_list(admin: Any, something: Contact) -> None:
    row = RejectedEvent.objects.get()
    response = admin.post(
        reverse("admin:audience_rejectedevent_changelist"), {"action": "replay", "_selected_action": [row.pk]}
    )

    assert response.status_code == 302
    row.refresh_from_db()
    assert row.replayed_at is not None


def test_an_analyst_reads_and_does_not_write(client: Any, something: Contact) -> None:
    analyst = accounts.add_member(accounts.ensure_user("ann@acme.example"), Role.ANALYST)
    client.force_login(analyst.user)

    assert client.get(reverse("admin:audience_contact_changelist")).status_code == 200
    assert client.post(reverse("admin:audience_contact_add"), _form(name="Eve")).status_code == 403
    assert Contact.objects.count() == 1
