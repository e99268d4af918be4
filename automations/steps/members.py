"""Colleagues as steps name them."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Member
from audience.models import Contact
from automations.configuration import Wrong

MOST_MEMBERS = 200


def check_member(member_id: int, field: str, wrong: Wrong) -> None:
    """Report a member who is not there or has no seat any more."""
    if not Member.objects.filter(pk=member_id, is_active=True).exists():
        wrong(field, f"there is no active member {member_id}")


def check_team(member_ids: Sequence[int], field: str, wrong: Wrong) -> None:
    """Report a team that is empty, too large, or has somebody in it without a seat."""
    if not 1 <= len(member_ids) <= MOST_MEMBERS:
        wrong(field, f"name 1 to {MOST_MEMBERS} members who share the work")
    seats = set(active(member_ids[:MOST_MEMBERS]))
    for index, member_id in enumerate(member_ids[:MOST_MEMBERS]):
        if member_id not in seats:
            wrong(f"{field}[{index}]", f"there is no active member {member_id}")


def active(member_ids: Sequence[int]) -> list[int]:
    """Those of the members who still have a seat, in a fixed order."""
    return list(Member.objects.filter(pk__in=member_ids, is_active=True).order_by("pk").values_list("pk", flat=True))


def assignees(contact_ids: Sequence[int]) -> dict[int, int]:
    """contact id → member id, for contacts that have an active assignee. One query."""
    rows = Contact.objects.filter(pk__in=contact_ids, assignee__is_active=True)
    return {contact_id: member_id for contact_id, member_id in rows.values_list("pk", "assignee_id") if member_id}


def name(member_id: int) -> str:
    """A member as a sentence names them."""
    member = Member.objects.filter(pk=member_id).select_related("user").first()
    return str(member.user) if member else f"member {member_id} (left)"


def names(member_ids: Sequence[int]) -> str:
    """Members as a sentence names them, in the order given. One query."""
    found = {
        member.pk: str(member.user) for member in Member.objects.filter(pk__in=member_ids).select_related("user")
    }
    return ", ".join(found.get(member_id, f"member {member_id} (left)") for member_id in member_ids)
