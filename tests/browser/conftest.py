"""A live server, a small town behind it, and a Chromium in front of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from common import tenancy
from segments import services
from segments.models import Segment
from tests.browser.town import Town, build
from tests.browser.watch import SIZES, Watched

HERE = Path(__file__).parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
# Without these Chromium looks for updates and accounts at every start.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",  # nothing leaves the house
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


# A machine that is busy with other tests shows a page late; nobody waits for one that is shown.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session", autouse=True)
def _beside_an_event_loop() -> None:
    """Playwright keeps a loop in this thread until the run ends; Django would refuse the ORM beside it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    system = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    return browser_type_launch_args | {"args": FLAGS} | ({"executable_path": system} if system else {})


@pytest.fixture(scope="package")
def town(django_db_setup: None, django_db_blocker: Any) -> Iterator[Town]:
    """Committed once for all tests here, because the server reads it over a connection of its own."""
    with django_db_blocker.unblock():
        yield build()
        _empty_tables()


def _empty_tables() -> None:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            """SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
               WHERE schemaname = 'public' AND tablename <> 'django_migrations'"""
        )
        cursor.execute(f"TRUNCATE {cursor.fetchone()[0]} CASCADE")
    connection.close()


@pytest.fixture(scope="package")
def server(town: Town) -> Iterator[str]:
    running = LiveServer("localhost")
    yield running.url
    running.stop()


@pytest.fixture(scope="package")
def session_cookie(town: Town, server: str) -> dict[str, str]:
    return {"name": "sessionid", "value": town.session(), "url": server}


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return SIZES[request.param]


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    """One context per way of looking, so that files come from its cache after the first page."""
    opened: dict[str, BrowserContext] = {}
    yield opened
    for context in opened.values():
        context.close()


@pytest.fixture
def visit(
    browser: Browser, server: str, session_cookie: dict[str, str], contexts: dict[str, BrowserContext]
) -> Iterator[Any]:
    """`visit(path, size=…)` opens a page signed in as the owner; what goes wrong on it is kept in `.faults`."""
    pages: list[Page] = []

    def go(path: str, size: tuple[int, int] = SIZES["desktop"], *, signed_in: bool = True, **options: Any) -> Watched:
        key = f"{size} {signed_in} {options}"
        if key not in contexts:
            contexts[key] = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
            contexts[key].set_default_timeout(PATIENCE)
        context = contexts[key]
        context.clear_cookies()
        if signed_in:
            context.add_cookies([session_cookie])  # type: ignore[list-item]
        page: Page = context.new_page()
        pages.append(page)
        watched = Watched(page, server)
        watched.open(path)
        return watched

    yield go
    for page in pages:
        page.close()


@pytest.fixture
def clean(town: Town, django_db_blocker: Any) -> Iterator[None]:
    """Segments made during a test go again."""
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        before = set(Segment.objects.values_list("pk", flat=True))
        yield
        for segment in Segment.objects.exclude(pk__in=before).order_by("-pk"):
            services.delete_segment(segment)
