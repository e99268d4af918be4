"""Send rejected events through the door again."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from audience import services
from audience.management.organizations import add_argument, working_for
from audience.models import RejectedEvent
from audience.services.rejected import is_replayable

BLOCK = 1000


class Command(BaseCommand):
    help = """Send rejected events through the door again, once their cause is mended.

  manage.py replay_rejected --code unknown_currency --dry-run
  manage.py replay_rejected --organization acme --batch 1234

Each event is tried once more, as of the time it first came, and counted once however often it is replayed."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_argument(parser)
        parser.add_argument("--code", help="Only events rejected for this reason, e.g. negative_money.")
        parser.add_argument("--batch", type=int, help="Only events of this ingest batch.")
        parser.add_argument("--dry-run", action="store_true", help="Count and write nothing.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        with working_for(options["organization"]):
            due = RejectedEvent.objects.filter(replayed_at=None)
            if options["code"]:
                due = due.filter(code=options["code"])
            if options["batch"]:
                due = due.filter(batch_id=options["batch"])
            ids = list(due.order_by("pk").values_list("pk", flat=True))
            replayed = self._replay(ids, options)
        result = {"rejected": len(ids), "replayed": replayed, "dry_run": options["dry_run"]}
        verb = "would be" if options["dry_run"] else "were"
        words = f"{replayed:,} of {len(ids):,} rejected events {verb} replayed."
        self.stdout.write(json.dumps(result) if options["json"] else words)

    def _replay(self, ids: list[int], options: dict[str, Any]) -> int:
        replayed = 0
        with tqdm(total=len(ids), unit=" events", disable=True if options["json"] else None) as bar:
            for start in range(0, len(ids), BLOCK):
                rows = list(RejectedEvent.objects.filter(pk__in=ids[start : start + BLOCK]).order_by("pk"))
                if options["dry_run"]:
                    replayed += sum(is_replayable(row) for row in rows)
                else:
                    replayed += services.replay(rows)
                bar.update(len(rows))
        return replayed
