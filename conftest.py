"""Fixtures every room's tests share: a migrated database per worker process, an organisation, a caller."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from psycopg import sql
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import ApiKeyKind, Member, Organization
from common import doorbell, tenancy

# The same examples every time, however busy the machine; `make night` asks for many more of them.
hypothesis.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.load_profile("suite")

PASSWORD = "correct horse battery"
# One process has each of these for a minute or more.
LONGEST = ["test_benchmarks.py", "test_crash.py", "test_up.py", "test_every_url.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files begin at once, so that the other processes need not wait for one of them at the end."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Databases are made by `django_db_setup` below."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """One migrated database per xdist worker, copied from a template that the first worker made."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with django_db_blocker.unblock():
        _ensure_template()
    name = f"test_{worker}"
    with copy_of_template(name):
        _point_to(name)
        yield
        connection.close()


@contextmanager
def copy_of_template(name: str) -> Iterator[None]:
    """A migrated database of this name inside the block."""
    with _owner("postgres") as owner:
        _lock(owner)
        _drop(owner, name)
        owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE test_template").format(sql.Identifier(name)))
    try:
        yield
    finally:
        with _owner("postgres") as owner:
            _drop(owner, name)


def _drop(owner: psycopg.Connection[Any], name: str) -> None:
    """After ending who of us is connected. `WITH (FORCE)` is refused while a vacuum of the server is there."""
    owner.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
        [name],
    )
    owner.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _owner(database: str) -> psycopg.Connection[Any]:
    parameters = connection.get_connection_params()
    for key in ("assume_role", "cursor_factory", "context"):
        parameters.pop(key, None)
    return psycopg.connect(**(parameters | {"dbname": database}), autocommit=True)


def _lock(owner: psycopg.Connection[Any]) -> None:
    owner.execute("SELECT pg_advisory_lock(4471)")


def _point_to(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def _ensure_template() -> None:
    with _owner("postgres") as owner:
        _lock(owner)
        if owner.execute("SELECT 1 FROM pg_database WHERE datname = 'test_template'").fetchone():
            return
        owner.execute("CREATE DATABASE test_making")
        _point_to("test_making")
        call_command("migrate", verbosity=0)
        # Transactional tests empty the tables; only there may the application role truncate.
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {settings.APPLICATION_ROLE}")
        connection.close()
        owner.execute("ALTER DATABASE test_making RENAME TO test_template")


@pytest.fixture(autouse=True)
def _quiet_redis() -> Iterator[None]:
    """Counters and bells of one test do not reach the next."""
    yield
    if "PYTEST_XDIST_WORKER" not in os.environ:
        doorbell.client().flushdb()


@pytest.fixture
def organization(db: None) -> Iterator[Organization]:
    """An organisation, and the test works for it."""
    made = accounts.create_organization("Acme", "acme", currency="GBP")
    with tenancy.organization(made.pk):
        yield made


@pytest.fixture
def stranger(db: None) -> Organization:
    """Another organisation, for which the test does not work."""
    return accounts.create_organization("Other", "other")


@pytest.fixture
def owner(organization: Organization) -> Member:
    """The owner of `organization`; signs in with PASSWORD."""
    return accounts.add_member(
        accounts.ensure_user("owner@acme.example", name="Olga Owner", password=PASSWORD), Role.OWNER
    )


@pytest.fixture
def api(organization: Organization) -> APIClient:
    """An API client with a secret key of `organization` that may do everything."""
    _, key = accounts.issue_key("tests", ApiKeyKind.SECRET)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def stranger_api(stranger: Organization) -> APIClient:
    """An API client of the other organisation."""
    with tenancy.organization(stranger.pk):
        _, key = accounts.issue_key("tests", ApiKeyKind.SECRET)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def write_key(organization: Organization) -> str:
    """A public write key of `organization`."""
    return accounts.issue_key("browser", ApiKeyKind.WRITE)[1]


@pytest.fixture
def admin(client: Any, owner: Member) -> Any:
    """A Django test client signed in as the owner."""
    client.force_login(owner.user)
    return client


@pytest.fixture
def drain(organization: Organization) -> Any:
    """Call it to do all due work of `organization` until the river is quiet."""
    return lambda: doorbell.drain(organization.pk)
