"""For every address: what belongs to another organisation is not there (404), and lists do not show it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import ApiKeyKind, Organization
from common import tenancy
from tests.isolation.addresses import addresses
from tests.isolation.rows import MARKER, one_of_each

FIRST_ID = 900_001  # every row of organisation A has this number, in every table; B has none of it
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass
class World:
    """Organisation A with a row of everything, and callers of A and of B."""

    owner_of_a: Client
    owner_of_b: Client
    key_of_a: APIClient
    key_of_b: APIClient


def _callers(organization: Organization, name: str) -> tuple[Client, APIClient]:
    with tenancy.organization(organization.pk):
        user = accounts.ensure_user(f"{name}@example.com")
        accounts.add_member(user, Role.OWNER)
        _, text = accounts.issue_key(name, ApiKeyKind.SECRET)
    pages, api = Client(raise_request_exception=False), APIClient(raise_request_exception=False)
    pages.force_login(user)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return pages, api


def _number_from(first_id: int) -> None:
    """Let every table go on counting from here (sequences do not roll back with a test)."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'")
        for (sequence,) in cursor.fetchall():
            cursor.execute("SELECT setval(%s, %s, false)", [sequence, first_id])


@pytest.fixture
def world(db: None) -> Iterator[World]:
    _number_from(1001)
    organization_b = accounts.create_organization("B", "b")
    pages_b, api_b = _callers(organization_b, "b")
    _number_from(FIRST_ID)
    organization_a = accounts.create_organization("A", "a")
    pages_a, api_a = _callers(organization_a, "a")
    with tenancy.organization(organization_a.pk):
        one_of_each()
    yield World(pages_a, pages_b, api_a, api_b)


def _caller(world: World, path: str, of_a: bool) -> Client:
    is_api = path.startswith("/api/")
    if of_a:
        return world.key_of_a if is_api else world.owner_of_a
    return world.key_of_b if is_api else world.owner_of_b


def _ask(client: Client, method: str, path: str) -> tuple[int, str]:
    body = {"data": "{}", "content_type": "application/json"} if path.startswith("/api/") and method != "get" else {}
    answer = getattr(client, method)(path, **body)
    if answer.status_code == 301 and answer["Location"] == f"{path}/":
        return _ask(client, method, f"{path}/")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, content.decode(errors="replace")


def test_the_walk_finds_the_site() -> None:
    found = addresses(FIRST_ID, MARKER.lower())

    assert len(found) > 100
    assert any(address.path == f"/api/v1/segments/{FIRST_ID}/" for address in found)


def test_a_row_of_another_organisation_is_not_there(world: World) -> None:
    wrong = []
    for address in addresses(FIRST_ID, MARKER.lower()):
        if not address.has_parameters:
            continue
        for method in METHODS:
            status, content = _ask(_caller(world, address.path, of_a=False), method, address.path)
            if status not in (404, 405) or MARKER in content:
                wrong.append(f"{method.upper()} {address.path}: {status}")

    assert not wrong, "\n".join(wrong)


# Addresses whose parameter is not the number of a row, or that show rows of one kind only.
NOT_BY_NUMBER = re.compile(
    r"/versions/\d+/(diff/?)?$"  # versions count from 1
    r"|/message-?templates?/"  # e-mail templates have pages of their own, and the one that is made is one
    r"|^/automations/recipes/"  # ready workflows of the code, by name
    r"|^/pictures/"  # by the checksum of their bytes
    r"|/simulations/latest/"  # only one that is done has counts, and the row that is made waits
)


def test_the_same_addresses_answer_their_own_organisation(world: World) -> None:
    """Otherwise the test above could pass because nothing is ever there."""
    missing = []
    for address in addresses(FIRST_ID, MARKER.lower()):
        if address.has_parameters:
            status, _ = _ask(_caller(world, address.path, of_a=True), "get", address.path)
            if (status == 404 and not NOT_BY_NUMBER.search(address.path)) or status >= 500:
                missing.append(f"{address.path}: {status}")

    assert not missing, "\n".join(missing)


def test_lists_do_not_show_rows_of_another_organisation(world: World) -> None:
    wrong = []
    for address in addresses(FIRST_ID, MARKER.lower()):
        if not address.has_parameters:
            status, content = _ask(_caller(world, address.path, of_a=False), "get", address.path)
            if status >= 500 or MARKER in content or str(FIRST_ID) in content:
                wrong.append(f"{address.path}: {status}")

    assert not wrong, "\n".join(wrong)


def test_a_stranger_without_credentials_is_shown_nothing(world: World) -> None:
    wrong = []
    for address in addresses(FIRST_ID, MARKER.lower()):
        client = APIClient() if address.path.startswith("/api/") else Client(raise_request_exception=False)
        status, content = _ask(client, "get", address.path)
        if status not in (301, 302, 401, 403, 404, 405) or MARKER in content:
            wrong.append(f"{address.path}: {status}")

    assert not wrong, "\n".join(wrong)


def test_rows_without_an_organisation_are_for_superusers_only(world: World) -> None:
    """Schedules, tokens and people of every organisation: an owner is refused, a superuser is not."""
    boss = Client()
    boss.force_login(accounts.ensure_superuser("boss@example.com", "correct horse battery"))
    paths = [
        "/admin/accounts/user/",
        "/admin/django_celery_beat/periodictask/",
        "/admin/token_blacklist/outstandingtoken/",
    ]

    assert [world.owner_of_a.get(path).status_code for path in paths] == [403, 403, 403]
    assert [boss.get(path).status_code for path in paths] == [200, 200, 200]
