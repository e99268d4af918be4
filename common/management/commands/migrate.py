"""`migrate` as the tables' owner, then row security on everything that carries an organisation."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from common import tenancy


class Command(Migrate):
    def execute(self, *args: Any, **options: Any) -> str | None:
        if not _only_asks(options):
            tenancy.ensure_role()  # before the system checks, which connect as this role
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        if _only_asks(options):
            return super().handle(*args, **options)
        with tenancy.engine():
            super().handle(*args, **options)
            tenancy.protect_tables()
        return None


def _only_asks(options: dict[str, Any]) -> bool:
    return bool(options.get("check_unapplied") or options.get("plan"))
