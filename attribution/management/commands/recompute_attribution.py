"""`manage.py recompute_attribution --organization acme`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organization
from attribution import services
from common import tenancy


class Command(BaseCommand):
    help = (
        "Read all events of an organisation again and credit its conversions anew: after a change of tags or of how"
        " visits are read. Example: manage.py recompute_attribution --organization acme"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="slug of the organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        with tenancy.engine():
            organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f'There is no organisation with the slug "{options["organization"]}".')
        with tenancy.organization(organization.pk):
            read = services.recompute()
        credited = services.work(organization.pk)
        self.stdout.write(f"{read:,} events read, {credited:,} conversions credited.")
