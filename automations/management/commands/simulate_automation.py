"""A workflow rehearsed in the terminal."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from audience.management.organizations import add_argument, working_for
from automations.models import Automation
from automations.simulation import flow as flows
from automations.simulation import result, work
from automations.simulation.candidates import Unreplayable
from automations.simulation.replay import replay
from common import clock
from common.errors import AppError


class Command(BaseCommand):
    help = """Replay the last days of real events against a workflow. Nothing is written.

  manage.py simulate_automation welcome --organization acme
  manage.py simulate_automation welcome --organization acme --days 7 --what published --json

--what is draft, published or the number of a version; left out, the draft if there is one.
Exit codes: 0 done, 1 not possible (no such workflow, problems in the draft, a trigger whose past is not kept)."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        add_argument(parser)
        parser.add_argument("--days", type=int, default=work.DAYS)
        parser.add_argument("--what", default="", help="draft, published or the number of a version.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with working_for(options["organization"]):
                found = _simulate(options)
        except Unreplayable as reason:
            raise CommandError(reason.sentence) from reason
        except AppError as error:
            places = "".join(f"\n  {place}: {sentence}" for place, sentence in error.details.items())
            raise CommandError(f"{error.message}{places}") from error
        self.stdout.write(json.dumps(found) if options["json"] else told(found))


def _simulate(options: dict[str, Any]) -> dict[str, Any]:
    automation = Automation.objects.select_related("current_version").filter(slug=options["slug"]).first()
    if automation is None:
        raise CommandError(f"There is no workflow with the slug “{options['slug']}”.")
    work.check_days(options["days"])
    document, _ = work.document_of(automation, options["what"])
    until = clock.now()
    with tqdm(unit=" events", file=sys.stderr, disable=None) as bar:

        def move(done: int, whole: int) -> None:
            bar.total = whole
            bar.update(done - bar.n)

        return replay(flows.read(document, automation), until - timedelta(days=options["days"]), until, move)


def told(found: dict[str, Any]) -> str:
    """The result as lines."""
    messages = found["messages"]
    lines = [
        f"{found['trigger']}: heard {found['heard']:,} times from {found['since'][:10]} to {found['until'][:10]}.",
        f"{found['entries']:,} entries of {found['people']:,} people; {messages['planned']:,} messages written, "
        f"{messages['went']:,} would have gone.",
        *([f"The messages would have cost {cost}."] if (cost := result.cost_shown(found)) else []),
        *(f"  held back {each['count']:>9,}  {each['reason']}" for each in messages["held_back"]),
        *(_line(step) for step in found["steps"].values()),
        *found["notes"],
        f"{found['seconds']} s",
    ]
    return "\n".join(lines)


def _line(step: dict[str, Any]) -> str:
    ways = ", ".join(f"{name} {count:,}" for name, count in step["ways"].items() if name != "on")
    depth = step["path"].count(".") // 2
    return f"  {step['reached']:>9,}  {'  ' * depth}{step['sentence']}{f' ({ways})' if ways else ''}"
