"""Events → who came by which code, and which sign-ups that makes. Reads only; `recording` writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from audience.domain import event_names
from audience.models import EventDefinition
from audience.notices import RecordedEvent
from common import tenancy
from viral.domain import codes as rules
from viral.domain.links import code_in
from viral.models import Program, ReferralCode
from viral.services.clicks import CLICKED, QUALIFIED, SIGNED_UP

CODE_LIVES = timedelta(days=30)  # from coming by a link to signing up
OUR_OWN = {CLICKED, SIGNED_UP, QUALIFIED}
# Coming by a link is not yet signing up.
VISITS = {"page", "screen", "$pageview", "$screen", "page_viewed", "pageview", "visit"}

# Plan: one probe of the event table's primary key per wanted event; only those that carry a code come back.
CODED_SQL = """
SELECT event.id, event.contact_id, definition.name, event.happened_at,
       event.properties ->> 'referral_code', event.context -> 'page' ->> 'url',
       ARRAY[event.context -> 'device' ->> 'id', event.context ->> 'anonymous_id', event.properties ->> '$device_id']
FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS wanted(id, happened_at)
JOIN audience_event AS event ON event.id = wanted.id AND event.happened_at = wanted.happened_at
     AND event.organization_id = %(organization)s
JOIN audience_eventdefinition AS definition ON definition.id = event.definition_id
WHERE (event.properties ? 'referral_code' OR event.context -> 'page' ->> 'url' LIKE '%%referral_code=%%')
  AND NOT definition.name = ANY(%(own)s)
"""
# The first sign-up within a month of coming by a link, whichever arrived first.
# Plan: per visit of these contacts one range of event_by_contact.
UNCODED_SQL = """
SELECT sign_up.id, visit.contact_id, sign_up.happened_at, visit.code_id, sign_up.marks
FROM viral_codevisit AS visit
JOIN viral_referralcode AS code ON code.id = visit.code_id
CROSS JOIN LATERAL (
    SELECT event.id, event.happened_at,
           ARRAY[event.context -> 'device' ->> 'id', event.context ->> 'anonymous_id',
                 event.properties ->> '$device_id'] AS marks
    FROM audience_event AS event
    WHERE event.organization_id = %(organization)s AND event.contact_id = visit.contact_id
      AND event.definition_id IN (SELECT pair.definition_id
                                  FROM unnest(%(programs)s::bigint[], %(definitions)s::bigint[])
                                       AS pair(program_id, definition_id) WHERE pair.program_id = code.program_id)
      AND event.happened_at BETWEEN visit.first_at AND visit.last_at + %(lives)s
    ORDER BY event.happened_at, event.id LIMIT 1) AS sign_up
WHERE visit.organization_id = %(organization)s AND visit.contact_id = ANY(%(contacts)s)
  AND NOT EXISTS (SELECT 1 FROM viral_referral AS referral
                  WHERE referral.program_id = code.program_id AND referral.invitee_id = visit.contact_id)
ORDER BY visit.last_at
"""
NOTE_SQL = """
INSERT INTO viral_codevisit AS visit (organization_id, code_id, contact_id, first_at, last_at)
SELECT %(organization)s, row.code_id, row.contact_id, min(row.happened_at), max(row.happened_at)
FROM unnest(%(codes)s::bigint[], %(contacts)s::bigint[], %(moments)s::timestamptz[])
     AS row(code_id, contact_id, happened_at)
GROUP BY 1, 2, 3
ON CONFLICT (code_id, contact_id) DO UPDATE
SET first_at = least(visit.first_at, excluded.first_at), last_at = greatest(visit.last_at, excluded.last_at)
"""


@dataclass(frozen=True)
class SignUp:
    """A contact who signed up by a code. `marks`: ids of the device it came from."""

    event_id: int
    contact_id: int
    happened_at: datetime
    code: ReferralCode
    marks: frozenset[str]


def read(events: Sequence[RecordedEvent], programs: Sequence[Program]) -> list[SignUp]:
    """Note who came by a share link and return the sign-ups that these events make, oldest first."""
    rows = _coded(events)
    known = _known({_code(row) for row in rows} - {""}, programs)
    visits: list[tuple[int, int, datetime]] = []
    found: list[SignUp] = []
    for row in rows:
        event_id, contact_id, name, happened_at, *_, marks = row
        code = known.get(_code(row))
        if code is None:
            continue
        if event_names.key(name) in VISITS:
            visits.append((code.pk, contact_id, happened_at))
        else:
            found.append(SignUp(event_id, contact_id, happened_at, code, _marks(marks)))
    _note(visits)
    found += by_earlier_visit({event.contact_id for event in events}, programs)
    return sorted(found, key=lambda sign_up: (sign_up.happened_at, sign_up.event_id))


def definitions(programs: Iterable[Program], field: str) -> dict[str, list[int]]:
    """Pairs of programme and event definition that a field of the programmes names, as two columns."""
    pairs = [
        (program.pk, event_names.key(getattr(program, field))) for program in programs if getattr(program, field)
    ]
    names = [(pk, event_names.key(name)) for pk, name in EventDefinition.objects.values_list("pk", "name")]
    matched = [(program, pk) for program, wanted in pairs for pk, name in names if name == wanted]
    return {"programs": [pair[0] for pair in matched], "definitions": [pair[1] for pair in matched]}


def _coded(events: Sequence[RecordedEvent]) -> list[tuple[Any, ...]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            CODED_SQL,
            {
                "organization": tenancy.required(),
                "ids": [event.event_id for event in events],
                "moments": [event.happened_at for event in events],
                "own": sorted(OUR_OWN),
            },
        )
        return list(cursor.fetchall())


def _code(row: tuple[Any, ...]) -> str:
    return rules.read(row[4]) or rules.read(code_in(row[5]))


def _known(codes: set[str], programs: Sequence[Program]) -> dict[str, ReferralCode]:
    """Codes that are ours and live; those of others or made up are nobody's."""
    found = ReferralCode.objects.select_related("program").filter(code__in=codes, program__in=programs)
    return {code.code: code for code in found} if codes else {}


def _note(visits: Sequence[tuple[int, int, datetime]]) -> None:
    if not visits:
        return
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            NOTE_SQL,
            {
                "organization": tenancy.required(),
                "codes": [visit[0] for visit in visits],
                "contacts": [visit[1] for visit in visits],
                "moments": [visit[2] for visit in visits],
            },
        )


def by_earlier_visit(contact_ids: Collection[int], programs: Sequence[Program]) -> list[SignUp]:
    """Sign-ups of these contacts, not yet bound, whose code is known from coming by a share link."""
    pairs = definitions(programs, "sign_up_event_name")
    if not pairs["programs"]:
        return []
    parameters: dict[str, Any] = {
        **pairs,
        "organization": tenancy.required(),
        "contacts": list(contact_ids),
        "lives": CODE_LIVES,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(UNCODED_SQL, parameters)
        rows = cursor.fetchall()
    codes = ReferralCode.objects.select_related("program").in_bulk([row[3] for row in rows])
    return [SignUp(row[0], row[1], row[2], codes[row[3]], _marks(row[4])) for row in rows]


def _marks(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(value for value in values if value)
