"""`manage.py process_due_tasks`"""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audience.management.organizations import add_argument, working_for
from automations import services
from common.errors import AppError


class Command(BaseCommand):
    help = """Do the scheduled tasks that are due here and now, at most 1,000, as Beat does within a second or two.

  manage.py process_due_tasks --organization acme
  manage.py process_due_tasks --json

Exit codes: 0 done (a task that failed is told, and is tried again in its time), 1 not possible."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
        add_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with working_for(options["organization"]):
                done = services.process_due()
        except AppError as error:
            raise CommandError(error.message) from error
        rows = [
            {"id": task.pk, "name": task.name, "status": task.status, "result": task.result, "error": task.error}
            for task in done
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"processed": len(rows), "results": rows}))
            return
        for row in rows:
            self.stdout.write(f"{row['name']}: {row['status']}{', ' + row['error'] if row['error'] else ''}")
        self.stdout.write(f"{len(rows):,} done.")
