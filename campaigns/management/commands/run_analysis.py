"""`manage.py run_analysis`"""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audience.management.organizations import add_argument, working_for
from campaigns.auto import cycles
from campaigns.models import AutoFinding
from common import tenancy
from common.errors import AppError
from common.models import WorkStatus


class Command(BaseCommand):
    help = """Look at recent transactions now and propose, or launch, the campaigns they call for.

  manage.py run_analysis --dry-run
  manage.py run_analysis --organization acme --json

The same day again makes nothing twice. Exit codes: 0 done, 1 not possible."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="Say what would be found and write nothing.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with working_for(options["organization"]):
                problem, rows = _look() if options["dry_run"] else _run()
        except AppError as error:
            raise CommandError(error.message) from error
        if problem:
            raise CommandError(problem)
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], "results": rows}))
            return
        for row in rows:
            made = f"campaign {row['campaign_id']}" if row.get("campaign_id") else row["reason"]
            counts = f"{row['found_count']:>9,} found, {row['target_count']:>9,} new"
            self.stdout.write(f"{row['preset']:<17}{counts}  {made}")


def _look() -> tuple[str, list[dict[str, Any]]]:
    read, found = cycles.look()
    rows = [
        {"preset": row.preset.kind, "conditions": row.sentence, "found_count": row.people, "target_count": row.fresh,
         "spent_minor": row.spent_minor, "transaction_count": row.transactions, "reason": row.problem}
        for row in found
    ]  # fmt: skip
    return (read if isinstance(read, str) else ""), rows


def _run() -> tuple[str, list[dict[str, Any]]]:
    cycle = cycles.request()
    cycles.work(tenancy.required())
    cycle.refresh_from_db()
    if cycle.status != WorkStatus.DONE:
        return cycle.error or "Another worker is computing it now.", []
    rows = [
        {"preset": row.preset.kind, "conditions": row.sentence, "found_count": row.found_count,
         "target_count": row.target_count, "held_out_count": row.held_out_count, "spent_minor": row.spent_minor,
         "transaction_count": row.transaction_count, "campaign_id": row.campaign_id, "reason": row.reason}
        for row in AutoFinding.objects.filter(cycle=cycle).select_related("preset").order_by("pk")
    ]  # fmt: skip
    return str(cycle.summary.get("problem", "")), rows
