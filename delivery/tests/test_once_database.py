"""Effectively once while the database is killed, and stopped, in the middle of a send by SMTP and by a provider's
API: a copy of the test's database, on a server of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.db import connection

from accounts.models import Organization
from common import embedded, programs
from delivery import services
from delivery.models import Provider, Sender
from delivery.tests.making import contact, content, queue
from delivery.tests.once import House, api_house, smtp_house
from tests.workers import two_workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BY_EACH = 200  # messages by SMTP, and as many by the API
FLIGHT = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the copy lies; it is stopped and removed at the end."""
    made = Path(tempfile.mkdtemp(prefix="groundswell-once-"))
    made.chmod(0o755)
    yield made / "postgres"
    embedded.stop_postgres(made / "postgres")
    shutil.rmtree(made, ignore_errors=True)


def copy_server(folder: Path) -> None:
    """Copy the server of the tests with all that was committed there."""
    user_id = programs.server_user(folder)
    programs.private_folder(folder, user_id)
    host = connection.get_connection_params()["host"]
    program = str(embedded.postgres_programs() / "pg_basebackup")
    copied = programs.run([program, "-D", str(folder), "-h", host, "-U", "postgres", "-c", "fast"], user_id)
    assert copied.returncode == 0, copied.stderr
    shutil.rmtree(folder / "socket")  # the other server's


def start(folder: Path) -> dict[str, str]:
    """Start the copy, durable: what was committed must be there afterwards. Returns where it is."""
    url = embedded.start_postgres(folder)
    return {"HOST": parse_qs(urlsplit(url).query)["host"][0], "NAME": connection.settings_dict["NAME"]}


def kill(folder: Path) -> None:
    """As when the power goes."""
    os.kill(programs.read_pid(folder / "postmaster.pid"), signal.SIGKILL)
    time.sleep(0.5)  # until its children notice


def statuses(place: dict[str, str]) -> dict[int, str]:
    with psycopg.connect(host=place["HOST"], dbname=place["NAME"], user="postgres") as owner:
        return dict(owner.execute("SELECT id, status FROM delivery_message").fetchall())


def wait_until(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not check():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def arrived(*houses: House) -> int:
    return sum(house.arrived.total() for house in houses)


def test_a_database_that_stops_in_mid_send_doubles_and_loses_nothing(company: Organization, folder: Path) -> None:
    with api_house(seconds=0.01) as api, smtp_house(seconds=0.004) as smtp:
        Provider.objects.update(is_default=False)  # then only one sender's mail goes there
        services.save_sender(Sender(name="S", address="s@acme.example"))
        sender = services.save_sender(Sender(name="T", address="t@acme.example", provider=Provider.objects.get()))
        people, made = [contact(f"p{each}@example.com") for each in range(BY_EACH)], content()
        by_smtp = {row.pk for row in queue(*people, made=made, key="smtp")}
        by_api = {row.pk for row in queue(*people, made=made, key="api", sender_id=sender.pk)}
        copy_server(folder)
        place = start(folder)
        changes = smtp.changes | api.changes | {
            "delivery.services.claiming.LEASE_SECONDS": 3,
            "delivery.services.sending.BLOCK": 100,
            "delivery.services.sending.FLIGHT": FLIGHT,
            "delivery.domain.flights.LARGEST": FLIGHT,
        }  # fmt: skip
        with two_workers(company.pk, changes, database=place):
            for end, share in ((kill, 1), (embedded.stop_postgres, 2), (kill, 3)):
                wait_until(lambda share=share: arrived(smtp, api) >= share * BY_EACH // 2)  # type: ignore[misc]
                end(folder)
                start(folder)
            wait_until(lambda: set(statuses(place).values()) <= {"sent", "uncertain"})
        known = statuses(place)

    assert known.keys() == by_smtp | by_api
    assert smtp.arrived.keys() <= by_smtp and set(smtp.arrived.values()) == {1}
    assert api.arrived.keys() <= by_api and set(api.arrived.values()) == {1}
    missing = known.keys() - smtp.arrived.keys() - api.arrived.keys()
    uncertain = {pk for pk, status in known.items() if status == "uncertain"}
    assert missing <= uncertain
    assert len(uncertain) <= 3 * 2 * FLIGHT
