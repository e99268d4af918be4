"""Print every plug-in of every kind: operators, triggers, steps, providers, attribution models, cards."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from common.registry import CATALOGUE


class Command(BaseCommand):
    help = "Print the plug-in catalogue. Example: manage.py show_catalogue --json"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object: kind → names")

    def handle(self, *args: Any, **options: Any) -> None:
        catalogue = {kind: sorted(registry) for kind, registry in sorted(CATALOGUE.items())}
        if options["json"]:
            self.stdout.write(json.dumps(catalogue, indent=2))
            return
        for kind, names in catalogue.items():
            self.stdout.write(f"{kind} ({len(names)}): {', '.join(names)}")
