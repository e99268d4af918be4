"""Mails that came back, handed over by a mail server or from a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common import clock, tenancy
from common.errors import Invalid
from delivery import links
from delivery.domain import bounces
from delivery.services import reports

MOST_BYTES = 5 * 1024 * 1024


class Command(BaseCommand):
    help = (
        "File mails that came back: bounces (RFC 3464) and complaints (RFC 5965).\n"
        "  manage.py file_bounce < mail        one mail, such as a mail server pipes it\n"
        "  manage.py file_bounce FILE FOLDER   mails in files; a Maildir is a folder"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="*", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        paths = [file for path in options["paths"] for file in _files(path)]
        if not options["paths"]:
            _file(sys.stdin.buffer.read(MOST_BYTES + 1))
            return
        filed = 0
        for path in paths:
            try:
                _file(path.read_bytes())
                filed += 1
            except (CommandError, OSError) as error:
                self.stderr.write(f"{path}: {error}")
        self.stdout.write(f"{filed} of {len(paths)} mails filed.")


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise CommandError(f"There is no {path}.")
    return sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def _file(mail: bytes) -> None:
    """Keep one mail for the organisation whose message it returns."""
    if len(mail) > MOST_BYTES:
        raise CommandError(f"The mail is larger than {MOST_BYTES // 1024**2} MB.")
    try:
        known = links.read(links.REPORT, bounces.read(mail, clock.now())[0].reference)
    except Invalid as error:
        raise CommandError(error.message) from None
    if known is None:
        raise CommandError("It returns a mail that this site did not send.")
    with tenancy.organization(known.organization_id):
        reports.accept(reports.BOUNCE, None, mail, content_type="message/rfc822")
