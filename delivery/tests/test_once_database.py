"""Effectively once while the database is killed in the middle of a send: on a server of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from common import embedded
from delivery.tests.making import Sink, listening
from delivery.tests.once import received

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

FLIGHT = 50


def _until(check: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


SETUP = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts import services as accounts
from audience.models import Consent, Contact
from common import tenancy
from datetime import time
from delivery import services
from delivery.models import DeliveryPolicy
made = accounts.create_organization("Acme", "acme")
with tenancy.organization(made.pk):
    services.save_policy(DeliveryPolicy(most_per_day=50, hours_between=0, quiet_from=time(0), quiet_until=time(0)))
    people = Contact.objects.bulk_create(Contact(email=f"p{n}@crowd.example", name="P") for n in range(600))
    Consent.objects.bulk_create(Consent(contact=p, channel="email", state="granted", how="test") for p in people)
    words = {"subject": "Hi", "html": "<p>Hi</p>", "text": "", "defaults": {}}
    content = services.publish_content(name="T", kind="marketing", **words)
    items = [services.Outgoing(p.pk, f"k{p.pk}") for p in people]
    services.queue(items, content_id=content.pk, source_type="campaign", source_id=1)
print(made.pk)
"""
# As Celery does: a turn that fails because the database went away is tried again by the sweep.
STUBBORN = """
import sys, time
import django
django.setup()
from django.db import DatabaseError, close_old_connections, connection
from delivery import services
deadline = time.monotonic() + 90
while time.monotonic() < deadline:
    try:
        while services.send_due({organization}):
            pass
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM delivery_message WHERE status IN ('queued', 'sending')")
        time.sleep(0.2)
    except DatabaseError:
        connection.close()
        time.sleep(0.2)
"""


def test_a_database_that_is_killed_in_mid_send_doubles_and_loses_nothing() -> None:
    folder = Path(tempfile.mkdtemp(prefix="groundswell-once-"))
    folder.chmod(0o755)
    data = folder / "postgres"
    sink = Sink()
    sink.seconds_per_message = 0.004
    try:
        url = embedded.start_postgres(data)  # durable: what was committed must be there afterwards
        environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "marketing_site.settings",
                       "LOG_LEVEL": "CRITICAL", "MESSAGE_LEASE_SECONDS": "6"}  # fmt: skip
        with listening(sink) as port:
            environment["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
            organization = _run(SETUP, environment).strip().splitlines()[-1]
            worker = subprocess.Popen(
                [sys.executable, "-c", STUBBORN.format(organization=organization)],
                env=environment, cwd=settings.BASE_DIR, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            for mails in (120, 300):
                _until(lambda mails=mails: len(sink.envelopes) >= mails)  # type: ignore[misc]
                os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                time.sleep(0.5)
                embedded.start_postgres(data)
            _until(lambda: _statuses(url).keys() <= {"sent", "uncertain"})
            worker.kill()
            worker.wait()
        statuses = _rows(url)
    finally:
        embedded.stop_postgres(data)
        shutil.rmtree(folder, ignore_errors=True)
    arrived = received(sink)
    assert len(statuses) == 600
    assert set(arrived.values()) == {1}
    assert {pk for pk, status in statuses.items() if status == "sent"} <= set(arrived)
    uncertain = sum(status == "uncertain" for status in statuses.values())
    assert uncertain <= 2 * FLIGHT
    assert len(arrived) >= 600 - uncertain


def _run(script: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _rows(url: str) -> dict[int, str]:
    with psycopg.connect(url) as owner:
        return dict(owner.execute("SELECT id, status FROM delivery_message").fetchall())


def _statuses(url: str) -> Counter[str]:
    try:
        return Counter(_rows(url).values())
    except psycopg.OperationalError:
        return Counter(["away"])
