"""Who may do what: roles, seats, keys, tokens, and what the audit log keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from accounts import actor, audit, selectors, services
from accounts.domain import roles
from accounts.domain.roles import Role
from accounts.models import ApiKey, ApiKeyKind, AuditEntry, Member, Organization, User
from audience.models import Topic
from common import clock, tenancy
from common.errors import Conflict, Invalid

PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("role", "resource", "reads", "writes"),
    [
        (Role.OWNER, "members", True, True),
        (Role.ADMIN, "campaigns", True, True),
        (Role.MARKETER, "campaigns", True, True),
        (Role.MARKETER, "members", False, False),
        (Role.ANALYST, "campaigns", True, False),
        (Role.ANALYST, "keys", False, False),
        (Role.AGENT, "tasks", True, True),
        (Role.AGENT, "campaigns", False, False),
        (Role.DEVELOPER, "keys", True, True),
        (Role.DEVELOPER, "segments", True, False),
    ],
)
def test_roles_cover_what_they_should(role: Role, resource: str, reads: bool, writes: bool) -> None:
    assert roles.may(role, resource, write=False) is reads
    assert roles.may(role, resource, write=True) is writes


def test_a_superuser_has_a_seat_everywhere(organization: Organization, stranger: Organization) -> None:
    boss = services.ensure_superuser("boss@example.com", PASSWORD)

    assert [seat.organization_id for seat in selectors.seats(boss)] == [organization.pk, stranger.pk]


def test_a_member_has_only_own_seats(owner: Member, stranger: Organization) -> None:
    assert selectors.seat(owner.user, stranger.pk) is None
    assert selectors.seat(owner.user, None) == selectors.Seat(owner.organization_id, "Acme", Role.OWNER)


def test_a_seat_taken_away_is_gone(owner: Member) -> None:
    Member.objects.filter(pk=owner.pk).update(is_active=False)

    assert selectors.seats(owner.user) == []


def test_two_members_for_one_person_are_refused(owner: Member) -> None:
    with pytest.raises(Conflict, match="is a member already"):
        services.add_member(owner.user, Role.ANALYST)


def test_a_taken_slug_is_refused(organization: Organization) -> None:
    with pytest.raises(Conflict, match='slug "acme"'):
        services.create_organization("Another", "acme")


def test_a_weak_password_is_refused_and_nobody_is_made(db: None) -> None:
    with pytest.raises(Invalid, match="too short"):
        services.ensure_user("new@example.com", password="short")
    assert not User.objects.exists()


def test_a_secret_key_is_kept_as_a_hash(organization: Organization) -> None:
    key, text = services.issue_key("server", ApiKeyKind.SECRET, scopes=["segments:read"])

    assert text.startswith("sk_")
    assert text not in str(ApiKey.objects.filter(pk=key.pk).values().get())
    assert selectors.find_key(text, ApiKeyKind.SECRET) == key
    assert selectors.find_key(text, ApiKeyKind.WRITE) is None


def test_revoked_and_expired_keys_open_nothing(organization: Organization) -> None:
    revoked, first = services.issue_key("a", ApiKeyKind.SECRET)
    services.revoke_key(revoked)
    _, second = services.issue_key("b", ApiKeyKind.SECRET, expires_at=clock.now() + timedelta(hours=1))

    assert selectors.find_key(first, ApiKeyKind.SECRET) is None
    assert selectors.find_key(second, ApiKeyKind.SECRET) is not None
    with clock.travel(timedelta(hours=2)):
        assert selectors.find_key(second, ApiKeyKind.SECRET) is None


def test_a_rotated_key_overlaps_with_the_new_one(organization: Organization) -> None:
    old, text = services.issue_key("a", ApiKeyKind.SECRET, scopes=["segments:read"])

    fresh, fresh_text = services.rotate_key(old)

    assert fresh.scopes == ["segments:read"]
    assert selectors.find_key(text, ApiKeyKind.SECRET) is not None
    with clock.travel(timedelta(hours=25)):
        assert selectors.find_key(text, ApiKeyKind.SECRET) is None
        assert selectors.find_key(fresh_text, ApiKeyKind.SECRET) is not None


def test_unknown_scopes_are_refused(organization: Organization) -> None:
    with pytest.raises(Invalid, match="Unknown scopes: moon:write"):
        services.issue_key("a", ApiKeyKind.SECRET, scopes=["moon:write"])
    assert not ApiKey.objects.exists()


def test_a_key_in_use_shows_when(organization: Organization) -> None:
    key, _ = services.issue_key("a", ApiKeyKind.SECRET)

    services.touch_key(key)

    key.refresh_from_db()
    assert key.last_used_at is not None


def test_a_member_gets_refreshes_and_revokes_a_token(owner: Member) -> None:
    client = APIClient()
    pair = client.post("/api/v1/token/", {"email": "owner@acme.example", "password": PASSWORD}).json()

    assert client.post("/api/v1/token/refresh/", {"refresh": pair["refresh"]}).status_code == 200
    assert client.post("/api/v1/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401, "rotated"
    pair = client.post("/api/v1/token/", {"email": "owner@acme.example", "password": PASSWORD}).json()
    assert client.post("/api/v1/token/revoke/", {"refresh": pair["refresh"]}).status_code == 200
    assert client.post("/api/v1/token/refresh/", {"refresh": pair["refresh"]}).status_code == 401


def test_a_token_is_refused_for_a_wrong_password_or_a_foreign_organisation(
    owner: Member, stranger: Organization
) -> None:
    client = APIClient()
    good = {"email": "owner@acme.example", "password": PASSWORD}

    assert client.post("/api/v1/token/", good | {"password": "wrong"}).status_code == 401
    foreign = client.post("/api/v1/token/", good | {"organization_id": stranger.pk})
    assert foreign.status_code == 400
    assert "no seat" in foreign.json()["details"]["organization_id"]


def test_the_audit_log_keeps_what_changed_by_whom(organization: Organization) -> None:
    with actor.acting(actor.Actor("mia@acme.example", "10.1.2.3")):
        topic = Topic.objects.create(name="News", slug="news")
        audit.created(topic)
        with audit.changing(topic):
            topic.name = "Weekly news"
            topic.save()
        with audit.changing(topic):
            topic.save()

    entries = list(AuditEntry.objects.filter(object_type="audience.topic").order_by("pk"))
    assert [entry.action for entry in entries] == ["create", "change"]
    assert entries[1].before == {"name": "News"}
    assert entries[1].after == {"name": "Weekly news"}
    assert (entries[1].actor, entries[1].address) == ("mia@acme.example", "10.1.2.3")


def test_secrets_never_reach_the_audit_log(organization: Organization) -> None:
    key, text = services.issue_key("server", ApiKeyKind.SECRET)

    kept = str(list(AuditEntry.objects.values()))
    assert text not in kept
    assert key.key_hash not in kept


def test_without_a_seat_nothing_is_shown(client, stranger: Organization) -> None:
    homeless = services.ensure_user("homeless@example.com", password=PASSWORD)
    client.force_login(homeless)

    client.get("/healthz")

    assert tenancy.current() is None
    assert selectors.seats(homeless) == []
