"""One running product per test: its own database (a copy of the template), its own Redis."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import ApiKeyKind
from common import tenancy
from conftest import PASSWORD, _lock, _owner, _point_to
from delivery.models import DeliveryPolicy, Sender
from tests.flows import world as worlds
from tests.flows.world import OWNER, World


@pytest.fixture
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Groundswell with a web server and an inbox, on an empty database that this test's ORM reads too."""
    name = f"flow_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    before = settings.DATABASES["default"]["NAME"]
    folder = Path(tempfile.mkdtemp(prefix="groundswell-flow-"))
    with django_db_blocker.unblock():
        with _owner("postgres") as owner:
            _lock(owner)
            owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE test_template").format(sql.Identifier(name)))
        _point_to(name)
        try:
            with worlds.running(worlds.address(name), folder / "redis") as made, _organization(made):
                yield made
        finally:
            _point_to(before)
            connection.close()
            shutil.rmtree(folder, ignore_errors=True)
            with _owner("postgres") as owner:
                owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _organization(world: World) -> Iterator[None]:
    """An organisation with an owner, keys and a sender that may write at any hour; the test works for it."""
    made = accounts.create_organization("Acme", "acme", currency="GBP")
    with tenancy.organization(made.pk):
        accounts.add_member(accounts.ensure_user(OWNER, name="Olga Owner", password=PASSWORD), Role.OWNER)
        DeliveryPolicy.objects.create(quiet_from=time(0), quiet_until=time(0), hours_between=0, most_per_day=100)
        Sender.objects.create(name="Acme", address="hello@acme.example", is_default=True)
        world.organization_id = made.pk
        world.secret_key = accounts.issue_key("flows", ApiKeyKind.SECRET)[1]
        world.write_key = accounts.issue_key("browser", ApiKeyKind.WRITE)[1]
        yield
