"""Reads across organisations that sign-in needs; each one is narrow and says why it may look across."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from accounts.domain.roles import Role
from accounts.models import ApiKey, ApiKeyKind, Member, Organization, User
from common import clock, tenancy

KEY_SECONDS = 15  # in other processes a revoked key stops working within this time
MOST_KEYS = 10_000
LONGEST_KEY = 200

# What was found under a key, or None, and until when that is believed.
_keys: dict[tuple[str, ApiKeyKind], tuple[float, ApiKey | None]] = {}


@dataclass(frozen=True)
class Seat:
    """A person's place in one organisation, as pages and permissions need it."""

    organization_id: int
    organization_name: str
    role: Role
    timezone: str = "UTC"
    is_demo: bool = False


def seats(user: User) -> list[Seat]:
    """Every organisation the user may work in, by name. A superuser may work in all, as owner."""
    with tenancy.engine():
        if user.is_superuser:
            rows = Organization.objects.order_by("name", "pk")
            return [Seat(row.pk, row.name, Role.OWNER, row.timezone, row.is_demo) for row in rows]
        members = list(Member.objects.filter(user=user, is_active=True))
        places = Organization.objects.in_bulk([row.organization_id for row in members])
        found = [
            Seat(place.pk, place.name, Role(row.role), place.timezone, place.is_demo)
            for row in members
            if (place := places.get(row.organization_id))
        ]
    return sorted(found, key=lambda seat: (seat.organization_name, seat.organization_id))


def seat(user: User, organization_id: int | None) -> Seat | None:
    """The user's seat in the wanted organisation; their first one when none is wanted; None when refused."""
    places = seats(user)
    if organization_id is None:
        return places[0] if places else None
    return next((place for place in places if place.organization_id == organization_id), None)


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def find_key(key: str, kind: ApiKeyKind) -> ApiKey | None:
    """The live key of this kind in any organisation. The key itself proves the right to look."""
    if not key or len(key) > LONGEST_KEY:
        return None
    with tenancy.engine():
        found = ApiKey.objects.filter(key_hash=hash_key(key), kind=kind, revoked_at=None).first()
    return found if found is not None and _is_live(found) else None


def known_key(key: str, kind: ApiKeyKind) -> ApiKey | None:
    """`find_key`, remembered for some seconds: for those who ask with every request."""
    if len(key) > LONGEST_KEY:
        return None
    known = _keys.get((key, kind))
    if known is None or known[0] < time.monotonic():
        if len(_keys) >= MOST_KEYS:
            _keys.clear()
        known = _keys[key, kind] = (time.monotonic() + KEY_SECONDS, find_key(key, kind))
    return known[1] if known[1] is not None and _is_live(known[1]) else None


def forget_keys() -> None:
    """Look every key up again."""
    _keys.clear()


def _is_live(key: ApiKey) -> bool:
    return key.expires_at is None or key.expires_at > clock.now()


def organization_ids() -> list[int]:
    """Every organisation, for schedules."""
    with tenancy.engine():
        return list(Organization.objects.order_by("pk").values_list("pk", flat=True))
