"""Organisations, members and keys: every write of this room."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit, selectors
from accounts.domain.roles import EVERYTHING, Role
from accounts.models import ApiKey, ApiKeyKind, Member, Organization, User
from accounts.notices import TimeZoneChanged
from common import clock, outbox, tenancy
from common.errors import Conflict, Invalid

LAST_USED_STEP = timedelta(minutes=1)


def create_organization(
    name: str, slug: str, *, timezone: str = "UTC", currency: str = "USD", is_demo: bool = False
) -> Organization:
    """Open an organisation. Raises `Conflict` when the slug is taken, `Invalid` for settings that do not exist."""
    organization = Organization(name=name, slug=slug, timezone=timezone, currency=currency.upper(), is_demo=is_demo)
    _check_settings(organization)
    try:
        with tenancy.engine(), transaction.atomic():
            organization.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f'There is already an organisation with the slug "{slug}".') from error
    with tenancy.organization(organization.pk):
        audit.created(organization)
    return organization


def ensure_superuser(email: str, password: str) -> User:
    """The superuser with this address and password, made or brought up to date."""
    user, _ = User.objects.get_or_create(email=email.lower())
    user.is_superuser = user.is_active = True
    if not user.check_password(password):
        user.set_password(password)
    user.save()
    return user


def ensure_user(email: str, *, name: str = "", password: str | None = None) -> User:
    """The person with this address; a new one gets `password` (checked) or none that opens."""
    user = User.objects.filter(email__iexact=email).first()
    if user is not None:
        return user
    user = User(email=email.lower(), name=name)
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), details={"password": " ".join(error.messages)}) from error
    user.set_password(password)
    user.save()
    return user


def add_member(user: User, role: Role) -> Member:
    """Give a person a seat in the current organisation; raises `Conflict` when they have one."""
    member, is_new = Member.objects.get_or_create(user=user, defaults={"role": role.value})
    if not is_new:
        raise Conflict(f"{user} is a member already.")
    audit.created(member)
    return member


def change_member(member: Member, *, role: Role, is_active: bool) -> None:
    """Give a member another role or take the seat away; raises `Conflict` when no owner would be left."""
    if role != Role.OWNER or not is_active:
        _keep_an_owner(member)
    with transaction.atomic(), audit.changing(member):
        member.role, member.is_active = role.value, is_active
        member.save(update_fields=["role", "is_active"])


def remove_member(member: Member) -> None:
    """Take the seat away for good; raises `Conflict` when no owner would be left."""
    _keep_an_owner(member)
    with transaction.atomic():
        audit.deleted(member)
        member.delete()


def _keep_an_owner(member: Member) -> None:
    owners = Member.objects.filter(role=Role.OWNER.value, is_active=True)
    if owners.filter(pk=member.pk).exists() and not owners.exclude(pk=member.pk).exists():
        raise Conflict("This is the only owner; make somebody else an owner first.", code="last_owner")


def change_organization(organization: Organization) -> None:
    """Store changed settings; raises `Invalid` for a time zone or currency that does not exist."""
    _check_settings(organization)
    with transaction.atomic(), audit.changing(organization):
        before = Organization.objects.get(pk=organization.pk).timezone
        organization.save()
        if organization.timezone != before:
            with tenancy.organization(organization.pk):
                outbox.publish(TimeZoneChanged(organization.timezone))


def _check_settings(organization: Organization) -> None:
    if organization.timezone not in available_timezones():
        raise Invalid("The time zone is unknown.", details={"timezone": "Choose one like Europe/London."})
    if not re.fullmatch("[A-Z]{3}", organization.currency):
        raise Invalid("The currency is unknown.", details={"currency": "Three capital letters, like GBP."})


def issue_key(
    name: str, kind: ApiKeyKind, *, scopes: Sequence[str] = (), expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key in the current organisation. Returns the row and the key itself, which is shown only now."""
    unknown = sorted(set(scopes) - EVERYTHING)
    if unknown:
        raise Invalid(f"Unknown scopes: {', '.join(unknown)}. Known: {', '.join(sorted(EVERYTHING))}.")
    text = f"{'wk' if kind == ApiKeyKind.WRITE else 'sk'}_{secrets.token_urlsafe(30)}"
    key = ApiKey.objects.create(
        name=name,
        kind=kind,
        prefix=text[:8],
        key_hash=selectors.hash_key(text),
        public_key=text if kind == ApiKeyKind.WRITE else "",
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    audit.created(key)
    return key, text


def revoke_key(key: ApiKey) -> None:
    """The key opens nothing from now on; what other processes remember of it, they forget in seconds."""
    with audit.changing(key, "revoke"):
        key.revoked_at = clock.now()
        key.save(update_fields=["revoked_at"])
    selectors.forget_keys()


def rotate_key(key: ApiKey, *, overlap: timedelta = timedelta(hours=24)) -> tuple[ApiKey, str]:
    """A new key like this one; the old one goes on for the overlap so that nobody is cut off."""
    fresh = issue_key(key.name, ApiKeyKind(key.kind), scopes=key.scopes)
    with audit.changing(key, "rotate"):
        key.expires_at = clock.now() + overlap
        key.save(update_fields=["expires_at"])
    selectors.forget_keys()
    return fresh


def touch_key(key: ApiKey) -> None:
    """Note that the key was used, at most once a minute."""
    now = clock.now()
    if key.last_used_at is None or key.last_used_at < now - LAST_USED_STEP:
        with tenancy.organization(key.organization_id):
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        key.last_used_at = now
