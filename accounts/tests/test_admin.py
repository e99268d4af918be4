"""The settings pages: rights, refusals, keys shown once, the audit log in the place of Django's."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin as django_admin
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.domain.roles import Role
from accounts.middleware import SESSION_KEY
from accounts.models import ApiKey, AuditEntry, Member, Organization
from common import tenancy

PASSWORD = "correct horse battery"


def signed_in(role: Role) -> Client:
    user = services.ensure_user(f"{role}@acme.example", password=PASSWORD)
    services.add_member(user, role)
    client = Client()
    client.force_login(user)
    return client


def test_every_list_and_form_opens_for_a_superuser(organization: Organization, client: Client) -> None:
    client.force_login(services.ensure_superuser("boss@example.com", PASSWORD))

    answers = {}
    for model in django_admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        answers[model._meta.label] = client.get(reverse(f"{name}_changelist")).status_code
        form = client.get(reverse(f"{name}_add"), follow=True).status_code
        assert form in (200, 403), model._meta.label

    assert set(answers.values()) == {200}


def test_every_admin_is_of_the_house() -> None:
    from accounts.admin_base import OrganizationModelAdmin

    strangers = [
        model._meta.label
        for model, page in django_admin.site._registry.items()
        if not isinstance(page, OrganizationModelAdmin)
    ]

    assert strangers == []


def test_an_invited_colleague_gets_a_seat_and_chooses_a_password(admin: Client) -> None:
    admin.post(reverse("admin:accounts_member_add"), {"email": "Mia@acme.example", "name": "Mia", "role": "marketer"})

    member = Member.objects.get(user__email="mia@acme.example")
    assert (member.role, member.user.has_usable_password()) == ("marketer", False)
    assert AuditEntry.objects.filter(action="create", object_type="accounts.member", object_id=member.pk).count() == 1
    link = re.search(r"https?://\S+(/password/\S+)", mail.outbox[0].body)
    assert link is not None
    page = Client()
    form = page.get(link[1], follow=True)
    done = page.post(form.redirect_chain[-1][0], {"new_password1": PASSWORD, "new_password2": PASSWORD}, follow=False)
    assert (done.status_code, done["Location"]) == (302, "/")
    assert page.get("/").status_code == 200


def test_the_last_owner_stays(admin: Client, owner: Member) -> None:
    page = reverse("admin:accounts_member_change", args=[owner.pk])

    answer = admin.post(page, {"role": "analyst", "is_active": "on"})

    owner.refresh_from_db()
    assert answer.status_code == 200
    assert b"This is the only owner" in answer.content
    assert owner.role == "owner"
    assert not AuditEntry.objects.filter(action="change").exists()


def test_a_refused_form_names_the_field(admin: Client, organization: Organization) -> None:
    page = reverse("admin:accounts_organization_change", args=[organization.pk])

    answer = admin.post(page, {"name": "Acme 2", "timezone": "Mars/Base", "currency": "GBP"})

    organization.refresh_from_db()
    assert b"Choose one like Europe/London." in answer.content
    assert b"Acme 2" in answer.content
    assert organization.name == "Acme"


def test_a_key_is_shown_once_and_opens(admin: Client) -> None:
    answer = admin.post(
        reverse("admin:accounts_apikey_add"), {"name": "Server", "kind": "secret", "scopes": ["segments:read"]}
    )

    key = ApiKey.objects.get()
    shown = re.search(rb"sk_[\w-]{40}", answer.content)
    assert shown is not None
    assert "no-store" in answer["Cache-Control"]
    assert key.scopes == ["segments:read"]
    assert shown[0] not in admin.get(reverse("admin:accounts_apikey_change", args=[key.pk])).content


def test_rotating_and_revoking_need_a_post_and_the_right(admin: Client, organization: Organization) -> None:
    key, _ = services.issue_key("Server", "secret")
    revoke = reverse("admin:accounts_apikey_revoke", args=[key.pk])
    rotate = reverse("admin:accounts_apikey_rotate", args=[key.pk])

    assert admin.get(revoke).status_code == 405
    assert signed_in(Role.MARKETER).post(revoke).status_code == 403
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
    assert b"sk_" in admin.post(rotate).content
    assert admin.post(revoke).status_code == 302
    assert ApiKey.objects.filter(revoked_at=None).count() == 1


def test_changes_are_audited_once_and_django_logs_nothing(admin: Client) -> None:
    admin.post(reverse("admin:accounts_apikey_add"), {"name": "Site", "kind": "write"})
    key = ApiKey.objects.get()
    admin.post(reverse("admin:accounts_apikey_change", args=[key.pk]), {"name": "Shop"})

    entries = AuditEntry.objects.filter(object_type="accounts.apikey").order_by("pk")
    assert [entry.action for entry in entries] == ["create", "change"]
    assert entries[1].changes == [{"field": "name", "before": "Site", "after": "Shop"}]
    assert entries[1].actor == "owner@acme.example"
    assert not LogEntry.objects.exists()
    assert b"Shop" in admin.get(reverse("admin:accounts_apikey_history", args=[key.pk])).content


def test_the_audit_log_is_read_only(admin: Client, organization: Organization) -> None:
    entry = AuditEntry.objects.earliest("pk")

    assert admin.get(reverse("admin:accounts_auditentry_add")).status_code == 403
    assert (
        admin.post(reverse("admin:accounts_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    )
    assert admin.get(reverse("admin:accounts_auditentry_change", args=[entry.pk])).status_code == 200


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        (Role.OWNER, {"member", "apikey", "auditentry", "organization"}),
        (Role.MARKETER, {"auditentry", "organization"}),
        (Role.DEVELOPER, {"apikey", "auditentry", "organization"}),
        (Role.AGENT, set()),
    ],
)
def test_roles_see_their_settings_only(organization: Organization, role: Role, sees: set[str]) -> None:
    client = signed_in(role)

    opens = {
        name
        for name in ("member", "apikey", "auditentry", "organization", "user")
        if client.get(reverse(f"admin:accounts_{name}_changelist")).status_code == 200
    }
    listed = {
        name
        for name in (*sees, "user")
        if reverse(f"admin:accounts_{name}_changelist") in client.get("/").content.decode()
    }

    assert (opens, listed) == (sees, sees)


def test_another_organisations_row_is_not_there(admin: Client, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        key, _ = services.issue_key("Theirs", "secret")

    for page in ("change", "history", "delete", "revoke"):
        address = reverse(f"admin:accounts_apikey_{page}", args=[key.pk])
        assert admin.post(address, {"post": "yes"}).status_code == 404
        assert admin.get(address).status_code == (405 if page == "revoke" else 404)
    assert admin.get(f"/admin/accounts/apikey/{key.pk}/").status_code == 404
    with tenancy.organization(stranger.pk):
        key.refresh_from_db()
        assert key.revoked_at is None


def test_switching_goes_only_where_one_has_a_seat(admin: Client, owner: Member, stranger: Organization) -> None:
    switch = reverse("switch-organization")

    assert admin.post(switch, {"organization": stranger.pk}).status_code == 404
    assert admin.post(switch, {"organization": "1; DROP TABLE"}).status_code == 404
    with tenancy.organization(stranger.pk):
        services.add_member(owner.user, Role.ANALYST)
    assert admin.get(switch).status_code == 405
    assert admin.post(switch, {"organization": stranger.pk}).status_code == 302
    assert admin.session[SESSION_KEY] == stranger.pk
    assert b"Other" in admin.get("/").content


def test_a_superuser_opens_an_organisation(organization: Organization, client: Client) -> None:
    client.force_login(services.ensure_superuser("boss@example.com", PASSWORD))

    client.post(
        reverse("admin:accounts_organization_add"),
        {"name": "New", "slug": "new", "timezone": "UTC", "currency": "EUR"},
    )

    with tenancy.engine():
        assert Organization.objects.filter(slug="new").count() == 1
    refused = client.post(
        reverse("admin:accounts_organization_add"),
        {"name": "New", "slug": "new", "timezone": "UTC", "currency": "EUR"},
    )
    assert b"already" in refused.content


def test_lists_count_no_further_than_they_must(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts import admin_base

    monkeypatch.setattr(admin_base, "COUNTED_ROWS", 3)
    AuditEntry.objects.bulk_create(
        [AuditEntry(actor="a", action="x", object_type="t", object_id="1", object_name="n")] * 5
    )

    assert b"3 or more" in admin.get(reverse("admin:accounts_auditentry_changelist")).content
