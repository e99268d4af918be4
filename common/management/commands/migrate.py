"""`migrate` as the tables' owner, then row security on everything that carries an organisation."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from common import tenancy


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("check_unapplied") or options.get("plan"):
            return super().handle(*args, **options)
        tenancy.ensure_role()
        with tenancy.engine():
            super().handle(*args, **options)
            tenancy.protect_tables()
        return None
