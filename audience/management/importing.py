"""What `import_contacts` and `import_events` share."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts import actor
from audience.domain.importing import KINDS
from audience.management.organizations import add_argument, working_for
from audience.models import MessageChannel
from audience.services import imports
from common.errors import AppError


class ImportCommand(BaseCommand):
    kind = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV or JSON lines, plain or .gz, in UTF-8.")
        add_argument(parser)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help="Read COLUMN as FIELD; an empty FIELD leaves the column out. Repeat as needed.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Judge every row and write nothing.")
        parser.add_argument("--errors", type=Path, metavar="FILE", help="Write refused rows with their reasons here.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
        if self.kind == "contacts":
            parser.add_argument(
                "--consent",
                choices=MessageChannel.values,
                default="",
                help="The people of this file agreed to this channel; who said anything before is left as is.",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        given = _mapping(options["map"])
        try:
            with working_for(options["organization"]), actor.acting(actor.Actor("import")):
                report = self._run(path, given, options)
        except (AppError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; the same command goes on where it stopped.", returncode=130) from None
        self.stdout.write(json.dumps(report.as_json()) if options["json"] else _sentence(report))
        if report.rejected:
            raise SystemExit(3)

    def _run(self, path: Path, given: dict[str, str], options: dict[str, Any]) -> imports.Report:
        todo = imports.plan(path, KINDS[self.kind], given)
        with tqdm(total=todo.row_count, unit=" rows", disable=True if options["json"] else None) as bar:
            return imports.run(
                todo,
                is_dry_run=options["dry_run"],
                errors=options["errors"],
                consent_channel=options.get("consent", ""),
                progress=bar.update,
            )


def _mapping(words: list[str]) -> dict[str, str]:
    given = {}
    for word in words:
        column, sign, field = word.partition("=")
        if not sign or not column:
            raise CommandError(f'--map takes COLUMN=FIELD; got "{word}".')
        given[column.strip()] = field.strip()
    return given


def _sentence(report: imports.Report) -> str:
    if report.was_finished:
        return f"{report.file} was imported before, all {report.rows:,} rows; nothing was done."
    verb = "would be" if report.is_dry_run else "were"
    resumed = f" {report.skipped:,} rows had come in before." if report.skipped else ""
    return f"{report.accepted:,} rows {verb} imported and {report.rejected:,} refused.{resumed}"
