"""`manage.py import_costs costs.csv --organization acme`"""

from __future__ import annotations

import json
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actor import Actor, acting
from accounts.models import Organization
from attribution import services
from common import tenancy
from common.errors import AppError

HELP = """Import what campaigns and channels cost, by day, from a CSV file.

Columns: day, amount, and if wanted campaign (number, tag or name), channel, currency, note. All rows are stored
or, when one is wrong, none. A cost for the same day, campaign, channel and currency is replaced.

  manage.py import_costs ads.csv --organization acme
  manage.py import_costs - --organization acme --dry-run < ads.csv
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help='path of the CSV, or "-" for standard input')
        parser.add_argument("--organization", required=True, help="slug of the organisation")
        parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")
        parser.add_argument("--json", action="store_true", help="answer with one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with tenancy.engine():
            organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f'There is no organisation with the slug "{options["organization"]}".')
        with tenancy.organization(organization.pk), acting(Actor("import_costs")):
            self._report(self._import(options), options)

    def _import(self, options: dict[str, Any]) -> services.ImportReport:
        dry_run = options["dry_run"]
        try:
            if options["file"] == "-":
                return services.import_costs(sys.stdin, dry_run=dry_run)
            with Path(options["file"]).open(encoding="utf-8-sig", newline="") as file:
                return services.import_costs(file, dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except AppError as error:
            raise CommandError(error.message) from None

    def _report(self, report: services.ImportReport, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"stored": 0 if report.wrong else report.stored, "wrong": report.wrong}))
        elif not report.wrong:
            verb = "would be imported" if options["dry_run"] else "imported"
            self.stdout.write(f"{report.stored:,} costs {verb}.")
        if report.wrong:
            lines = "\n".join(f"  line {line}: {sentence}" for line, sentence in report.wrong.items())
            raise CommandError(f"Nothing was imported.\n{lines}")
