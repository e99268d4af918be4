"""Sign-ups → referrals: each invitee is bound once, and nobody invites himself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from audience import services as audience
from audience.models import Contact, Identity, IdentityKind
from common import clock, tenancy
from viral.domain.addresses import email_key
from viral.domain.fraud import Person, self_referral
from viral.models import Referral, ReferralStatus
from viral.services import arrivals
from viral.services.arrivals import SignUp
from viral.services.clicks import SIGNED_UP, event

MOST_OPEN = 2000
CLICK_LIVES = timedelta(days=30)
SKEW = timedelta(minutes=5)  # a visitor's clock may be behind the server that saw the click
CHANGED = ["invitee_id", "status", "reason", "signed_up_at", "rejected_at", "sign_up_event_id"]

# Who did the qualifying event of the programme before signing up. Plan: a range of event_by_contact each.
CUSTOMERS_SQL = """
SELECT sign_up.event_id
FROM unnest(%(events)s::bigint[], %(contacts)s::bigint[], %(moments)s::timestamptz[], %(of)s::bigint[])
     AS sign_up(event_id, contact_id, happened_at, program_id)
WHERE EXISTS (
    SELECT 1 FROM audience_event AS event
    WHERE event.organization_id = %(organization)s AND event.contact_id = sign_up.contact_id
      AND event.definition_id IN (SELECT pair.definition_id
                                  FROM unnest(%(programs)s::bigint[], %(definitions)s::bigint[])
                                       AS pair(program_id, definition_id)
                                  WHERE pair.program_id = sign_up.program_id)
      AND event.happened_at < sign_up.happened_at)
"""


def bind(sign_ups: Sequence[SignUp]) -> None:
    """Bind the invitees of these sign-ups, oldest first; refused ones are kept with their reason.

    An invitation to the same address or the latest click on the code becomes the referral, else a new one is
    made. As many statements for many sign-ups as for one.
    """
    wanted = _unbound(sign_ups)
    if not wanted:
        return
    people = _people(wanted)
    customers = _customers(wanted)
    open_rows = _open(wanted)
    made: list[Referral] = []
    changed: list[Referral] = []
    taken: set[tuple[int, int]] = set()
    for sign_up in wanted:
        invitee = people[sign_up.contact_id]
        reason = self_referral(people[sign_up.code.contact_id], _with_marks(invitee, sign_up.marks))
        reason = reason or ("existing_customer" if sign_up.event_id in customers else "")
        key = (sign_up.code.program_id, sign_up.contact_id)
        if not reason and key in taken:
            continue
        taken |= set() if reason else {key}
        referral = _take(open_rows, sign_up, invitee) if not reason else None
        (made if referral is None else changed).append(_fill(referral or _new(sign_up), sign_up, reason))
    Referral.objects.bulk_create(made)
    Referral.objects.bulk_update(changed, CHANGED)
    _announce([*made, *changed], wanted)


def _unbound(sign_ups: Sequence[SignUp]) -> list[SignUp]:
    """Sign-ups of contacts that no referral of the programme has yet, and that were not refused for this code."""
    contact_ids = {sign_up.contact_id for sign_up in sign_ups}
    if not contact_ids:
        return []
    bound: set[tuple[int, int]] = set()
    refused: set[tuple[int, int]] = set()
    rows = Referral.objects.filter(invitee_id__in=contact_ids)
    for program_id, code_id, invitee_id, status in rows.values_list("program_id", "code_id", "invitee_id", "status"):
        if status == ReferralStatus.REJECTED:
            refused.add((code_id, invitee_id))
        else:
            bound.add((program_id, invitee_id))
    found: dict[tuple[int, int], SignUp] = {}
    for sign_up in sign_ups:
        pair = (sign_up.code.pk, sign_up.contact_id)
        if (sign_up.code.program_id, sign_up.contact_id) not in bound and pair not in refused:
            found.setdefault(pair, sign_up)
    return list(found.values())


def _people(sign_ups: Sequence[SignUp]) -> dict[int, Person]:
    """Both sides of the sign-ups with all addresses and device ids we know of them."""
    ids = {contact_id for item in sign_ups for contact_id in (item.contact_id, item.code.contact_id)}
    emails: dict[int, set[str]] = {pk: set() for pk in ids}
    phones: dict[int, set[str]] = {pk: set() for pk in ids}
    marks: dict[int, set[str]] = {pk: set() for pk in ids}
    for pk, email, phone in Contact.objects.filter(pk__in=ids).values_list("pk", "email", "phone"):
        emails[pk].add(email)
        phones[pk].add(phone)
    places = {
        IdentityKind.EMAIL: emails,
        IdentityKind.PHONE: phones,
        IdentityKind.DEVICE_ID: marks,
        IdentityKind.ANONYMOUS_ID: marks,
    }
    for pk, kind, value in Identity.objects.filter(contact_id__in=ids).values_list("contact_id", "kind", "value"):
        if kind in places:
            places[IdentityKind(kind)][pk].add(value)
    return {pk: Person(pk, frozenset(emails[pk]), frozenset(phones[pk]), frozenset(marks[pk])) for pk in ids}


def _with_marks(person: Person, marks: frozenset[str]) -> Person:
    return Person(person.contact_id, person.emails, person.phones, person.marks | marks)


def _customers(sign_ups: Sequence[SignUp]) -> set[int]:
    """Event ids of sign-ups by people who were customers already, where the programme wants new ones."""
    programs = {item.code.program for item in sign_ups if item.code.program.only_new_customers}
    pairs = arrivals.definitions(programs, "goal_event_name")
    if not pairs["programs"]:
        return set()
    parameters: dict[str, Any] = {
        **pairs,
        "organization": tenancy.required(),
        "events": [item.event_id for item in sign_ups],
        "contacts": [item.contact_id for item in sign_ups],
        "moments": [item.happened_at for item in sign_ups],
        "of": [item.code.program_id for item in sign_ups],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CUSTOMERS_SQL, parameters)
        return {row[0] for row in cursor.fetchall()}


def _open(sign_ups: Sequence[SignUp]) -> list[Referral]:
    """Invitations and clicks of these codes that nobody is bound to, newest first."""
    since = min(item.happened_at for item in sign_ups) - CLICK_LIVES
    rows = Referral.objects.filter(
        code__in={item.code.pk for item in sign_ups},
        invitee=None,
        status__in=[ReferralStatus.INVITED, ReferralStatus.CLICKED],
        created_at__gte=since,
    )
    return list(rows.order_by("-pk")[:MOST_OPEN])


def _take(open_rows: list[Referral], sign_up: SignUp, invitee: Person) -> Referral | None:
    """The invitation to this person, else the latest click before the sign-up; taken off the list."""
    mine = [row for row in open_rows if row.code_id == sign_up.code.pk]
    keys = {email_key(email) for email in invitee.emails} - {""}
    chosen = next((row for row in mine if row.invited_email in keys and row.invited_email), None) or next(
        (row for row in mine if row.clicked_at and row.clicked_at <= sign_up.happened_at + SKEW), None
    )
    if chosen is not None:
        open_rows.remove(chosen)
    return chosen


def _new(sign_up: SignUp) -> Referral:
    return Referral(
        program=sign_up.code.program,
        code=sign_up.code,
        inviter_id=sign_up.code.contact_id,
        created_at=sign_up.happened_at,
    )


def _fill(referral: Referral, sign_up: SignUp, reason: str) -> Referral:
    referral.invitee_id = sign_up.contact_id
    referral.sign_up_event_id = sign_up.event_id
    referral.signed_up_at = sign_up.happened_at
    referral.reason = reason
    referral.status = ReferralStatus.REJECTED if reason else ReferralStatus.SIGNED_UP
    referral.rejected_at = clock.now() if reason else None
    return referral


def _announce(referrals: Iterable[Referral], sign_ups: Sequence[SignUp]) -> None:
    codes = {item.code.pk: item.code for item in sign_ups}
    bound = [referral for referral in referrals if referral.status == ReferralStatus.SIGNED_UP]
    audience.record(
        [
            event(referral, codes[referral.code_id], SIGNED_UP, contact_id, role, moment)
            for referral in bound
            for contact_id, role, moment in _sides(referral, referral.signed_up_at)
        ]
    )


def _sides(referral: Referral, moment: datetime | None) -> list[tuple[int, str, datetime]]:
    happened_at = moment or clock.now()
    return [(referral.invitee_id or 0, "invitee", happened_at), (referral.inviter_id, "inviter", happened_at)]
