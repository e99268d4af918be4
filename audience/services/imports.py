"""Files → the same door as everybody's events: accepted in blocks, processed in sets, resumable."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import msgspec
from django.db import transaction

from audience.domain import importing, tables, wire
from audience.domain.attributes import Refused
from audience.domain.importing import Kind
from audience.domain.incoming import Rejected, message_key
from audience.domain.tables import Row
from audience.models import AttributeDefinition, Consent, Identity, Import, IngestBatch, Protocol, RejectedEvent
from audience.services import consent
from audience.services.ingest import accept
from audience.services.process import process
from common import clock, tenancy
from common.models import WorkStatus

BLOCK_ROWS = 5000
POLL_SECONDS = 0.05

Progress = Callable[[int], None]
_encode = msgspec.json.Encoder().encode


@dataclass
class Report:
    """What an import did, or with a dry run would do."""

    file: str
    rows: int = 0
    skipped: int = 0
    accepted: int = 0
    rejected: int = 0
    was_finished: bool = False
    is_dry_run: bool = False
    mapping: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """One import: the file, what its rows are, and how its columns are called here."""

    path: Path
    kind: Kind
    mapping: dict[str, str]
    types: dict[str, str]
    file_hash: str
    row_count: int

    @property
    def stamp(self) -> str:
        """Names a row for good. People may be imported again under another mapping; an event is counted once."""
        if self.kind.name == "events":
            return self.file_hash[:32]
        return hashlib.sha256(f"{self.file_hash} {sorted(self.mapping.items())}".encode()).hexdigest()[:32]


def plan(path: Path, kind: Kind, given: Mapping[str, str]) -> Plan:
    """Survey the file and settle the mapping. Raises `Invalid` when the file cannot be read."""
    found = tables.survey(path)
    mapping = tables.mapping(found.columns, given, kind.aliases)
    known = dict(AttributeDefinition.objects.values_list("name", "type"))
    types = {column: known.get(target, found.types.get(column, "text")) for column, target in mapping.items()}
    return Plan(path, kind, mapping, types, found.file_hash, found.row_count)


def run(
    todo: Plan,
    *,
    is_dry_run: bool = False,
    errors: Path | None = None,
    consent_channel: str = "",
    progress: Progress = lambda count: None,
) -> Report:
    """Import the rows that were not imported yet. An interrupted import goes on where it stood; a finished one
    is left alone. Raises `Invalid` when the file cannot be read.
    """
    report = Report(todo.path.name, rows=todo.row_count, is_dry_run=is_dry_run, mapping=todo.mapping)
    with _error_file(errors) as tell:
        if is_dry_run:
            _try_all(todo, report, tell, progress)
            return report
        row = _import_row(todo)
        if row.finished_at is not None:
            report.was_finished, report.skipped = True, row.position
            return report
        report.skipped = row.position
        progress(row.position)
        rows = tables.read(todo.path, after=row.position)
        while block := list(islice(rows, BLOCK_ROWS)):
            _import_block(todo, row, block, report, tell)
            if consent_channel:
                _grant(todo, block, consent_channel)
            progress(len(block))
    Import.objects.filter(pk=row.pk).update(finished_at=clock.now())
    return report


def _import_row(todo: Plan) -> Import:
    found = Import.objects.filter(kind=todo.kind.name, file_hash=todo.file_hash, mapping=todo.mapping).order_by("pk")
    return found.last() or Import.objects.create(
        kind=todo.kind.name, file_name=todo.path.name[:300], file_hash=todo.file_hash, mapping=todo.mapping
    )


Tell = Callable[[Row, str, str], None]


def _message(todo: Plan, row: Row) -> dict[str, Any]:
    if row.problem:
        raise Rejected("malformed_row", row.problem)
    return todo.kind.message(row, todo.mapping, todo.types, f"import:{todo.stamp}:{row.number}")


def _try_all(todo: Plan, report: Report, tell: Tell, progress: Progress) -> None:
    types = dict(AttributeDefinition.objects.values_list("name", "type"))
    for row in tables.read(todo.path):
        try:
            importing.check(_message(todo, row), types)
            report.accepted += 1
        except (Rejected, Refused, msgspec.DecodeError) as error:
            report.rejected += 1
            tell(row, getattr(error, "code", "trait_refused"), str(error))
        progress(1)


def _import_block(todo: Plan, row: Import, block: Sequence[Row], report: Report, tell: Tell) -> None:
    """Accept a block and move the position in one transaction, then wait until it is applied."""
    by_key: dict[str, Row] = {}
    events: list[bytes] = []
    refused = 0
    for line in block:
        try:
            message = _message(todo, line)
        except Rejected as verdict:
            tell(line, verdict.code, verdict.reason)
            refused += 1
            continue
        by_key[message_key(message["messageId"], 0, 0)] = line
        events.append(_encode(message))
    with transaction.atomic():
        batches = list(_accept(events))
        _move(row, block[-1].number, len(events), refused)
    _wait(batches)
    late = _tell_rejected(batches, by_key, tell)
    if late:
        Import.objects.filter(pk=row.pk).update(rejected_count=row.rejected_count + late)
        row.rejected_count += late
    report.accepted += len(events) - late
    report.rejected += refused + late


def _move(row: Import, position: int, accepted: int, rejected: int) -> None:
    row.position = position
    row.accepted_count += accepted
    row.rejected_count += rejected
    row.save(update_fields=["position", "accepted_count", "rejected_count"])


def _accept(events: Sequence[bytes]) -> Iterator[int]:
    for start in range(0, len(events), wire.MOST_EVENTS):
        block = events[start : start + wire.MOST_EVENTS]
        body = wire.pack(wire.Envelope([msgspec.Raw(event) for event in block]))
        yield accept(tenancy.required(), Protocol.SEGMENT, body, len(block), clock.now())


def _wait(batches: Sequence[int]) -> None:
    """Process here, or let the worker that is at it finish."""
    while IngestBatch.objects.filter(pk__in=batches, status=WorkStatus.PENDING).exists():
        if not process(tenancy.required()):
            time.sleep(POLL_SECONDS)


def _tell_rejected(batches: Sequence[int], by_key: Mapping[str, Row], tell: Tell) -> int:
    rows: set[int] = set()
    for rejected in RejectedEvent.objects.filter(batch_id__in=batches).order_by("pk"):
        message_id = rejected.body.get("messageId", "") if isinstance(rejected.body, dict) else ""
        line = by_key.get(message_id.split(" ")[0]) or by_key.get(message_key(message_id, 0, 0))
        tell(line or Row(0, {}), rejected.code, rejected.reason)
        if rejected.code != "trait_refused" and line:
            rows.add(line.number)
    return len(rows)


def _grant(todo: Plan, block: Sequence[Row], channel: str) -> None:
    """Consent for the imported contacts who never said anything about this channel."""
    wanted = [name for row in block if not row.problem for name in todo.kind.names(row, todo.mapping)]
    values = {value for _, value in wanted}
    found = Identity.objects.filter(kind__in={kind for kind, _ in wanted}, value__in=values)
    ids = {identity.contact_id for identity in found if (identity.kind, identity.value) in set(wanted)}
    said = set(Consent.objects.filter(contact_id__in=ids, channel=channel).values_list("contact_id", flat=True))
    fresh = sorted(ids - said)
    if fresh:
        # Whoever imports a file vouches for what it says.
        proof = {"file": todo.path.name, "hash": todo.file_hash}
        consent.grant_consent(fresh, channel, None, "import", proof=proof, is_confirmed=True)


@contextmanager
def _error_file(path: Path | None) -> Iterator[Tell]:
    """A CSV of refused rows that is safe to open in a spreadsheet; made when the first row is refused."""
    file: TextIO | None = None

    def tell(row: Row, code: str, reason: str) -> None:
        nonlocal file
        if path is None:
            return
        if file is None:
            file = path.open("a", encoding="utf-8", newline="")
            if file.tell() == 0:
                csv.writer(file).writerow(["row", "code", "reason", "values"])
        values = _encode(row.values).decode()
        csv.writer(file).writerow([tables.safe_cell(cell) for cell in (row.number, code, reason, values)])

    try:
        yield tell
    finally:
        if file is not None:
            file.close()
