"""Codes that are good for one person: made here or drawn from a list, and given to targets in set statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from accounts import audit
from campaigns.models import Campaign, CodeKind, Offer, OfferCode
from common import clock, tenancy
from common.errors import Invalid

MOST_CODES = 100_000
LONGEST_CODE = 60
ROUNDS = 5  # two of 2^50 that are the same are rare; a second round has no such bad luck

# Ten letters and digits that nobody confuses, five bits each, from the random bytes of a UUID (6 and 8 are not).
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ123456789"
LETTERS = " || ".join(
    f"substr('{ALPHABET}', 1 + get_byte(drawn, {place}) %% 32, 1)" for place in (0, 1, 2, 3, 4, 5, 7, 9, 10, 11)
)
# Plan: target_by_run or one_target_per_contact for the campaign, anti-joined with one_code_per_target.
LACKING = """
SELECT target.id FROM campaigns_target target
WHERE target.organization_id = %(organization)s AND target.campaign_id = %(campaign)s AND NOT target.is_held_out
  AND NOT EXISTS (
      SELECT 1 FROM campaigns_offercode given WHERE given.offer_id = %(offer)s AND given.target_id = target.id)"""
MAKE_SQL = f"""
INSERT INTO campaigns_offercode (organization_id, offer_id, code, target_id, given_at)
SELECT %(organization)s, %(offer)s, %(prefix)s || {LETTERS}, id, %(now)s
FROM (SELECT id, uuid_send(gen_random_uuid()) AS drawn FROM ({LACKING} OFFSET 0) lacking) made
ON CONFLICT DO NOTHING"""
# Both sides are numbered and paired. Plan: codes_to_give beside the targets that lack one.
DRAW_SQL = f"""
WITH free AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM campaigns_offercode
              WHERE offer_id = %(offer)s AND organization_id = %(organization)s AND target_id IS NULL
              ORDER BY id),
lacking AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({LACKING}) lacking)
UPDATE campaigns_offercode code SET target_id = lacking.id, given_at = %(now)s
FROM free JOIN lacking USING (place) WHERE code.id = free.id"""


def give(campaign: Campaign) -> None:
    """Give every target without a code its own, for offers that have one per person. Idempotent.

    Whom a list is too short for gets one when codes are added; their offer is not shown until then.
    """
    for offer in campaign.offers.exclude(codes=CodeKind.SHARED):
        values: dict[str, Any] = {
            "organization": tenancy.required(), "campaign": campaign.pk, "offer": offer.pk, "now": clock.now(),
            "prefix": offer.code,
        }  # fmt: skip
        with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('campaigns.codes', %s))", [offer.pk])
            if offer.codes == CodeKind.LISTED:
                cursor.execute(DRAW_SQL, values)
                continue
            for _ in range(ROUNDS):
                cursor.execute(MAKE_SQL, values)
                if not cursor.rowcount:
                    break


def add(offer: Offer, codes: Sequence[str]) -> int:
    """Add codes to the list of an offer; those it has already are passed over. Returns how many are new.

    Raises `Invalid` for a code that cannot be, or that another offer has, and keeps none of them then.
    """
    if offer.codes != CodeKind.LISTED:
        raise Invalid("This offer's codes do not come from a list.", details={"codes": f"They are {offer.codes}."})
    wanted = list(dict.fromkeys(code.strip() for code in codes if code.strip()))
    wrong = next((code for code in wanted if len(code) > LONGEST_CODE or not code.isprintable()), None)
    if not wanted or len(wanted) > MOST_CODES or wrong is not None:
        said = f"“{wrong[:80]}” is no code." if wrong else f"Send 1 to {MOST_CODES:,} codes at a time."
        raise Invalid(said, details={"codes": said})
    with transaction.atomic():
        others = OfferCode.objects.filter(code__in=wanted).exclude(offer=offer).values_list("code", flat=True)[:5]
        if taken := list(others):
            said = f"Another offer has {', '.join(taken)}."
            raise Invalid(said, details={"codes": said})
        before = OfferCode.objects.filter(offer=offer).count()
        OfferCode.objects.bulk_create((OfferCode(offer=offer, code=code) for code in wanted), ignore_conflicts=True)
        after = OfferCode.objects.filter(offer=offer).count()
        audit.record("add codes", offer, before={"code_count": before}, after={"code_count": after})
        give(offer.campaign)
    return after - before
