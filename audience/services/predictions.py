"""What models expect of contacts, written in sets: one statement for thousands of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts import audit
from audience.domain.predictions import Definition, Given, Judged, Refused, judge
from audience.models import ContactPrediction, Identity, PredictionDefinition, PredictionUnit
from audience.notices import PredictionChange, PredictionsChanged
from audience.services import survivors
from common import clock, outbox, tenancy
from common.errors import Conflict, Invalid

BLOCK = 5_000
NOTICE_BLOCK = 2_000
CHANGEABLE = ("label", "medium_from", "high_from", "valid_days", "description")

# Plan: one probe of one_prediction_per_contact per row, twice. The contacts are locked, so `before` is what is
# written over. A prediction that only holds longer is no news: who reads it looks again when it would have lapsed.
WRITE_SQL = """
WITH given AS (
  SELECT * FROM unnest(%(contacts)s::bigint[], %(names)s::text[], %(values)s::numeric[], %(bands)s::text[],
    %(made)s::timestamptz[], %(until)s::timestamptz[], %(models)s::text[])
    AS row(contact_id, name, value, band, made_at, valid_until, model_version)
), before AS (
  SELECT stored.* FROM given JOIN audience_contactprediction stored
    ON stored.organization_id = %(organization)s AND stored.name = given.name AND stored.contact_id = given.contact_id
), written AS (
  INSERT INTO audience_contactprediction AS stored
    (organization_id, contact_id, name, value, band, made_at, valid_until, model_version)
  SELECT %(organization)s, contact_id, name, value, band, made_at, valid_until, model_version FROM given
  ON CONFLICT (organization_id, name, contact_id) DO UPDATE
    SET value = excluded.value, band = excluded.band, made_at = excluded.made_at,
        valid_until = excluded.valid_until, model_version = excluded.model_version
  WHERE excluded.made_at >= stored.made_at
    AND (excluded.value, excluded.band, excluded.made_at, excluded.valid_until, excluded.model_version)
        IS DISTINCT FROM (stored.value, stored.band, stored.made_at, stored.valid_until, stored.model_version)
  RETURNING contact_id, name, value, band, valid_until
)
SELECT given.name, given.contact_id, written.contact_id IS NOT NULL,
       written.contact_id IS NOT NULL AND (before.id IS NULL OR before.value <> written.value
         OR before.band <> written.band OR before.valid_until <= %(now)s OR written.valid_until < before.valid_until),
       before.made_at > given.made_at, before.value::float8, written.value::float8, before.band, written.band
FROM given
LEFT JOIN written USING (contact_id, name)
LEFT JOIN before ON before.contact_id = given.contact_id AND before.name = given.name"""

# Plan: the rows of one name by one_prediction_per_contact; only those whose band moves are written.
BANDS_SQL = """
UPDATE audience_contactprediction stored SET band = judged.band
FROM (SELECT id, CASE WHEN value >= %(high)s THEN 'high' WHEN value >= %(medium)s THEN 'medium' ELSE 'low' END AS band
      FROM audience_contactprediction WHERE organization_id = %(organization)s AND name = %(name)s) judged
WHERE stored.organization_id = %(organization)s AND stored.id = judged.id AND stored.band <> judged.band
RETURNING stored.contact_id"""


@dataclass(frozen=True)
class Answer:
    """What became of one row: `written`, `unchanged`, `older` (a younger prediction stands) or `refused` and why."""

    status: str
    code: str = ""
    reason: str = ""


def record_predictions(rows: Sequence[Any], defaults: Mapping[str, Any] | None = None) -> list[Answer]:
    """Keep predictions of contacts; answers row by row, in order. A row says what `Given` has, in plain JSON types.

    `defaults` fill keys that a row leaves out. Sending the same again writes nothing; of two of one contact and name
    the one made last counts. Announces `PredictionsChanged` for whom something is different now.
    """
    answers: list[Answer] = []
    for start in range(0, len(rows), BLOCK):
        with transaction.atomic():
            _lock_limits(shared=True)
            answers += _record(rows[start : start + BLOCK], defaults or {})
    return answers


def definitions() -> dict[str, Definition]:
    """What names mean here."""
    return {row.name: _definition(row) for row in PredictionDefinition.objects.all()}


def define_prediction(**fields: Any) -> PredictionDefinition:
    """Make a prediction known. Raises `Invalid` with the place of a wrong value, `Conflict` for a name in use."""
    row = PredictionDefinition(**fields)
    _check(row)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            audit.created(row)
    except IntegrityError as error:
        sentence = f"There is a prediction {row.name} already."
        raise Conflict(sentence, details={"name": sentence}) from error
    return row


def change_definition(row: PredictionDefinition, **fields: Any) -> PredictionDefinition:
    """Change what is known of a prediction; stored bands follow new limits. Raises `Invalid`."""
    with transaction.atomic():
        _lock_limits(shared=False)
        held = PredictionDefinition.objects.select_for_update().get(pk=row.pk)
        with audit.changing(held):
            for name in CHANGEABLE:
                if name in fields:
                    setattr(held, name, fields[name])
            _check(held)
            held.save()
        _move_bands(held)
    return held


def delete_definition(row: PredictionDefinition) -> None:
    """Forget a prediction with everything that was predicted under its name."""
    with transaction.atomic():
        _lock_limits(shared=False)
        audit.deleted(row)
        gone = list(ContactPrediction.objects.filter(name=row.name).values_list("contact_id", flat=True))
        ContactPrediction.objects.filter(name=row.name).delete()
        row.delete()
        _announce(row.name, gone)


def _lock_limits(*, shared: bool) -> None:
    """Nobody writes bands by limits that are just being changed."""
    lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtextextended('audience.predictions', %s))", [tenancy.required()])


def _record(rows: Sequence[Any], defaults: Mapping[str, Any]) -> list[Answer]:
    """Inside a transaction: judge, find the contacts, write, tell."""
    known, now = definitions(), clock.now()
    answers: dict[int, Answer] = {}
    judged: dict[int, Judged] = {}
    for place, raw in enumerate(rows):
        try:
            judged[place] = judge(_read(raw, defaults), known, now)
        except Refused as problem:
            answers[place] = Answer("refused", problem.code, problem.reason)
    contacts = _contacts(judged.values())
    latest: dict[tuple[str, int], int] = {}
    for place, row in judged.items():
        contact_id = contacts.get((row.name_kind, row.contact_name))
        if contact_id is None:
            told = f"There is no contact with the {row.name_kind} {row.contact_name[:60]!r}."
            answers[place] = Answer("refused", "unknown_contact", told)
            continue
        other = latest.setdefault((row.prediction, contact_id), place)
        if other != place:
            is_younger = row.made_at >= judged[other].made_at
            answers[other if is_younger else place] = Answer("older")
            latest[row.prediction, contact_id] = place if is_younger else other
    answers |= _write({key: (place, judged[place]) for key, place in latest.items()})
    return [answers[place] for place in range(len(rows))]


def _read(raw: Any, defaults: Mapping[str, Any]) -> Given:
    try:
        return msgspec.convert({**defaults, **raw} if isinstance(raw, Mapping) else raw, Given)
    except msgspec.ValidationError as error:
        raise Refused("malformed_row", str(error)) from error


def _contacts(rows: Iterable[Judged]) -> dict[tuple[str, str], int]:
    """The living contact of each (kind, name), locked so that no merge passes by."""
    by_kind: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_kind[row.name_kind].add(row.contact_name)
    named = {("contact_id", name): int(name) for name in by_kind.pop("contact_id", ())}
    for kind, values in by_kind.items():
        owners = Identity.objects.filter(kind=kind, value__in=list(values)).values_list("value", "contact_id")
        named.update({(kind, value): contact_id for value, contact_id in owners})
    held = survivors.held(set(named.values()))
    return {name: held[contact_id] for name, contact_id in named.items() if contact_id in held}


def _write(rows: Mapping[tuple[str, int], tuple[int, Judged]]) -> dict[int, Answer]:
    if not rows:
        return {}
    judged = [row for _, row in rows.values()]
    parameters: dict[str, Any] = {
        "organization": tenancy.required(), "now": clock.now(),
        "contacts": [contact_id for _, contact_id in rows], "names": [name for name, _ in rows],
        "values": [row.value for row in judged], "bands": [row.band for row in judged],
        "made": [row.made_at for row in judged], "until": [row.valid_until for row in judged],
        "models": [row.model_version for row in judged],
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(WRITE_SQL, parameters)
        told = cursor.fetchall()
    news: dict[str, list[PredictionChange]] = defaultdict(list)
    found: dict[int, Answer] = {}
    for name, contact_id, is_written, is_news, is_older, before, after, band_before, band in told:
        place = rows[name, contact_id][0]
        found[place] = Answer("written" if is_written else "older" if is_older else "unchanged")
        if is_news:
            news[name].append(PredictionChange(contact_id, before, after, band_before, band))
    for name, changes in sorted(news.items()):
        _announce(name, [change.contact_id for change in changes], changes)
    return found


def _announce(name: str, contact_ids: Sequence[int], changes: Sequence[PredictionChange] = ()) -> None:
    ids = sorted(contact_ids)
    told = {change.contact_id: change for change in changes}
    blocks = [ids[start : start + NOTICE_BLOCK] for start in range(0, len(ids), NOTICE_BLOCK)]
    outbox.publish(*(PredictionsChanged(name, block, [told[pk] for pk in block if pk in told]) for block in blocks))


def _move_bands(row: PredictionDefinition) -> None:
    limits: dict[str, Any] = {
        "organization": tenancy.required(),
        "name": row.name,
        "medium": row.medium_from,
        "high": row.high_from,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(BANDS_SQL, limits)
        moved = [contact_id for (contact_id,) in cursor.fetchall()]
    _announce(row.name, moved)


def _definition(row: PredictionDefinition) -> Definition:
    is_score = row.unit == PredictionUnit.SCORE
    return Definition(is_score, row.medium_from, row.high_from, timedelta(days=row.valid_days))


def _check(row: PredictionDefinition) -> None:
    """Raises `Invalid` with every problem by its field."""
    problems: dict[str, str] = {}
    try:
        row.clean_fields(exclude=["id", "organization_id"])
    except ValidationError as error:
        problems = {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
    if not problems and not row.medium_from < row.high_from:
        problems["high_from"] = "High must begin above medium."
    if not problems and row.unit == PredictionUnit.SCORE and not 0 < row.medium_from < row.high_from <= 1:
        problems["high_from"] = "A score lies between 0 and 1, and so do the limits of its bands."
    if problems:
        place, sentence = next(iter(problems.items()))
        raise Invalid(f"{place}: {sentence}", details=problems)
