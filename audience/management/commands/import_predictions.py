"""Scores from a file: read row by row, written in blocks."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from tqdm import tqdm

from accounts import actor
from audience import services
from audience.domain import tables
from audience.domain.predictions import from_file
from audience.domain.tables import Row, safe_cell
from audience.management.organizations import add_argument, working_for
from audience.services.predictions import BLOCK, Answer
from common.errors import AppError


class Command(BaseCommand):
    help = """Import predictions from a CSV or JSON-lines file, plain or .gz.

  manage.py import_predictions scores.csv --prediction churn_14d --model gbm-7
  manage.py import_predictions scores.csv.gz --dry-run --errors refused.csv

Columns: contact_id, user_id or email; value; and where rows differ prediction, made_at, valid_until, model_version.
A row without made_at was made when the file was last changed, so the same file again writes nothing new.
Exit codes: 0 done, 1 not possible, 3 done but some rows were refused."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        add_argument(parser)
        parser.add_argument("--prediction", default="", help="The name, for rows that say none.")
        parser.add_argument("--model", default="", help="The version of the model, for rows that say none.")
        parser.add_argument("--dry-run", action="store_true", help="Judge every row and write nothing.")
        parser.add_argument("--errors", type=Path, metavar="FILE", help="Write refused rows with their reasons here.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        shared = {"prediction": options["prediction"], "model_version": options["model"]}
        defaults = {name: value for name, value in shared.items() if value} | {"made_at": changed_at.isoformat()}
        try:
            with working_for(options["organization"]), actor.acting(actor.Actor("import")):
                counts = _run(path, defaults, options)
        except (AppError, OSError) as error:
            raise CommandError(str(error)) from error
        told = {status: counts[status] for status in ("written", "unchanged", "older", "refused")}
        verb = "would be written" if options["dry_run"] else "written"
        sentence = (
            f"{told['written']:,} rows {verb}, {told['unchanged']:,} unchanged, {told['older']:,} older than what "
            f"stands, {told['refused']:,} refused."
        )
        self.stdout.write(json.dumps(told) if options["json"] else sentence)
        if told["refused"]:
            raise SystemExit(3)


def _run(path: Path, defaults: dict[str, str], options: dict[str, Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    rows = tables.read(path)
    with ExitStack() as stack:
        errors = options["errors"]
        writer = csv.writer(stack.enter_context(errors.open("w", encoding="utf-8", newline=""))) if errors else None
        if writer:
            writer.writerow(["row", "code", "reason"])
        bar = stack.enter_context(tqdm(unit=" rows", disable=True if options["json"] else None))
        for block in _blocks(rows):
            answers = _written(block, defaults, is_dry_run=options["dry_run"])
            counts.update(answer.status for answer in answers)
            for row, answer in zip(block, answers, strict=True):
                if writer and answer.status == "refused":
                    writer.writerow([row.number, answer.code, safe_cell(answer.reason)])
            bar.update(len(block))
    return counts


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, BLOCK)):
        yield block


def _written(block: list[Row], defaults: dict[str, str], *, is_dry_run: bool) -> list[Answer]:
    """A dry run does the very same and takes it back."""
    readable = [row for row in block if not row.problem]
    with transaction.atomic():
        answers = iter(services.record_predictions([from_file(row.values) for row in readable], defaults))
        if is_dry_run:
            transaction.set_rollback(True)
    return [Answer("refused", "malformed_row", row.problem) if row.problem else next(answers) for row in block]
