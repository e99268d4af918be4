"""Learn the general ranker of the copy assistant anew, from a file of headline tests.

manage.py train_copy_ranker ../shared/data/headlines/headline_tests.csv.gz --dry-run
manage.py train_copy_ranker headline_tests.csv.gz
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.copy import ranker, reporting, training

SOURCE = "Upworthy Research Archive (Matias, Munger, Le Quere & Ebersole 2021), CC BY 4.0"


class Command(BaseCommand):
    help = "Learn the general ranker of subject lines from randomised headline tests (a CSV, gzipped or not)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="test_id, headline, image_id, impressions, clicks")
        parser.add_argument("--output", type=Path, default=ranker.FILE)
        parser.add_argument("--dry-run", action="store_true", help="judge only; write nothing")

    def handle(self, *args: Any, path: Path, output: Path, dry_run: bool, **options: Any) -> None:
        if not path.exists():
            raise CommandError(f"There is no file {path}.")
        pairs = training.compare(training.read(path))
        found = reporting.unseen(pairs)
        self.stdout.write("\n".join(reporting.lines(found)))
        if dry_run:
            return
        about = {"source": SOURCE, "tests": len(set(pairs.tests)), "pairs": len(pairs)}
        about["unseen"] = [asdict(each) for each in found]
        ranker.save(replace(training.trained(pairs), about=about), output)
        self.stdout.write(f"Written: {output} ({output.stat().st_size:,} bytes).")
