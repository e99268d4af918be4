"""Codes, made for many contacts at once, and invitations by e-mail."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from audience.models import Contact
from common import clock, tenancy
from common.errors import Conflict, Invalid, NotFound
from viral.domain import codes as rules
from viral.domain.addresses import email_key
from viral.domain.links import ShareKit, share_kit
from viral.models import Program, Referral, ReferralCode

AT_ONCE = 5000
MOST_ROUNDS = 10
MOST_INVITATIONS = 100

# Somebody's code may be taken (by chance, in any organisation): it is drawn again in the next round.
INSERT_SQL = """
INSERT INTO viral_referralcode (organization_id, program_id, contact_id, code, is_current, created_at)
SELECT %(organization)s, %(program)s, row.contact_id, row.code, true, %(now)s
FROM unnest(%(contacts)s::bigint[], %(codes)s::text[]) AS row(contact_id, code)
ON CONFLICT DO NOTHING
"""


def ensure_codes(program: Program, contact_ids: Sequence[int]) -> dict[int, str]:
    """The current code of each of these contacts, made where there is none; contacts that are not there are left out.

    A few statements per 5 000 contacts.
    """
    found: dict[int, str] = {}
    ids = sorted(set(contact_ids))
    for start in range(0, len(ids), AT_ONCE):
        found |= _ensure_block(program, ids[start : start + AT_ONCE])
    return found


def _ensure_block(program: Program, ids: Sequence[int]) -> dict[int, str]:
    names = dict(Contact.objects.filter(pk__in=ids, merged_into=None).values_list("pk", "name"))
    for _ in range(MOST_ROUNDS):
        held = ReferralCode.objects.filter(program=program, contact_id__in=names, is_current=True)
        found = dict(held.values_list("contact_id", "code"))
        missing = sorted(names.keys() - found.keys())
        if not missing:
            return found
        _insert(program, missing, [rules.make(names[contact_id]) for contact_id in missing])
    raise RuntimeError("Referral codes kept colliding; the random part is too short for their number.")


def _insert(program: Program, contact_ids: list[int], codes: list[str]) -> None:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            INSERT_SQL,
            {
                "organization": tenancy.required(),
                "program": program.pk,
                "contacts": contact_ids,
                "codes": codes,
                "now": clock.now(),
            },
        )


def code_of(program: Program, contact: Contact) -> ReferralCode:
    """The contact's current code, made when there is none. Raises `Conflict` while the programme is off."""
    if not program.is_active:
        raise Conflict(f"{program.name} is switched off; its links lead nowhere.", code="program_off")
    if contact.pk not in ensure_codes(program, [contact.pk]):
        raise NotFound("There is no such contact.")
    return ReferralCode.objects.select_related("program").get(program=program, contact=contact, is_current=True)


def link_of(code: ReferralCode) -> str:
    """The share link. `code.program` should be loaded."""
    return f"{code.program.link_base_url or settings.PUBLIC_URL}/r/{code.code}"


def kit_of(code: ReferralCode) -> ShareKit:
    """Link and words to share, for e-mail, WhatsApp, X, Facebook and copying."""
    return share_kit(code.code, link_of(code), code.program.share_subject, code.program.share_text)


def note_invitations(code: ReferralCode, addresses: Sequence[str]) -> list[Referral]:
    """Note whom a contact invited by e-mail (we do not write to them). Repeating it changes nothing.

    Raises `Invalid` for something that is no address, `Conflict` while the programme is off.
    """
    if not code.program.is_active:
        raise Conflict(f"{code.program.name} is switched off.", code="program_off")
    if not addresses or len(addresses) > MOST_INVITATIONS:
        raise Invalid("The invitations are wrong.", details={"emails": f"Give 1 to {MOST_INVITATIONS} addresses."})
    keys = [email_key(address) for address in addresses]
    if "" in keys:
        wrong = addresses[keys.index("")]
        raise Invalid("The invitations are wrong.", details={"emails": f'"{wrong[:100]}" is no e-mail address.'})
    Referral.objects.bulk_create(
        [
            Referral(program=code.program, code=code, inviter_id=code.contact_id, invited_email=key[:320])
            for key in dict.fromkeys(keys)
        ],
        ignore_conflicts=True,
    )
    return list(Referral.objects.filter(code=code, invited_email__in=keys).order_by("pk"))
