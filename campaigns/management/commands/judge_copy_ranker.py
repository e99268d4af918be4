"""How often the copy assistant's general ranker names the better headline, on a file of tests.

manage.py judge_copy_ranker unseen_tests.csv.gz
manage.py judge_copy_ranker unseen_tests.csv.gz --json
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.copy import ranker, reporting, training


class Command(BaseCommand):
    help = "Judge the committed ranker on headline tests; those it learned from flatter it (see its model card)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="test_id, headline, image_id, impressions, clicks")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, path: Path, as_json: bool, **options: Any) -> None:
        if not path.exists():
            raise CommandError(f"There is no file {path}.")
        pairs = training.compare(training.read(path))
        if not pairs.is_sure.any():
            raise CommandError("No two headlines of one test differ surely: there is nothing to judge by.")
        found = reporting.of_ranker(ranker.general(), pairs)
        told = json.dumps([asdict(each) for each in found]) if as_json else "\n".join(reporting.lines(found))
        self.stdout.write(told)
