"""Which organisation a command works for."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from accounts.models import Organization
from common import tenancy


def add_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--organization", metavar="SLUG", help="Needed when there are several organisations.")


@contextmanager
def working_for(slug: str | None) -> Iterator[None]:
    """Work for the organisation with this slug, or for the only one."""
    with tenancy.engine():
        known = dict(Organization.objects.order_by("slug").values_list("slug", "pk"))
    if slug is None and len(known) == 1:
        slug = next(iter(known))
    if slug is None or slug not in known:
        raise CommandError(f"Name the organisation with --organization; there are: {', '.join(known) or 'none yet'}.")
    with tenancy.organization(known[slug]):
        yield
