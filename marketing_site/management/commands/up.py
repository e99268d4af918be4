"""`manage.py up`: everything that makes a running Groundswell, under one supervisor, until Ctrl-C."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common import trial
from marketing_site import checks, preparation, processes
from marketing_site.console import Console
from marketing_site.running import Running

EXAMPLES = """
examples:
  manage.py up                            everything, with a demo organisation on the first start
  manage.py up --no-demo --port 9000      everything, empty, on another port
  manage.py up --only web --workers 4     one machine of several: DATABASE_URL and REDIS_URL say where the rest is
"""


class Command(BaseCommand):
    help = "Run web server, workers, clock and, for a trial, database, queue and mailbox."
    requires_system_checks = ()  # run after the environment is complete, as the children do

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000, help="port of the web server (default: 8000)")
        parser.add_argument(
            "--workers",
            type=int,
            default=processes.default_web_workers(),
            metavar="N",
            help="web server processes (default: by the number of cores)",
        )
        parser.add_argument("--only", choices=["web", "worker", "beat"], help="run one role of several machines")

    def handle(self, *args: Any, **options: Any) -> None:
        checks.refuse_bad_settings()
        console = Console()
        running = Running(console, options["host"], options["port"], options["workers"], options["only"])
        try:
            with preparation.only_one_here(running.role, running.url):
                if running.has("web"):
                    preparation.check_port(running.host, running.port)
                preparation.check_services()
                checks.refuse_old_server()
                environment = preparation.child_environment(running.url)
                if options["only"] is None or trial.is_trial():
                    console.say("Preparing the database …")
                    preparation.migrate()
                running.run(environment, with_demo=not options["no_demo"])
        except OSError as error:
            raise CommandError(preparation.system_sentence(error)) from error
        console.say("Stopped.")
