"""One running product per test: its own database (a copy of the template), its own Redis."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from common import embedded
from conftest import _lock, _owner, _point_to
from tests.flows import world as worlds
from tests.flows.world import World


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
            with worlds.running(worlds.address(name), embedded.start_redis(folder / "redis")) as made:
                yield made
        finally:
            _point_to(before)
            connection.close()
            embedded.stop_redis(folder / "redis")
            shutil.rmtree(folder, ignore_errors=True)
            with _owner("postgres") as owner:
                owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
