"""The database notices that a worker was killed while its statement ran."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from django.db import connection

HOLDER = """
import psycopg, sys
with psycopg.connect(sys.argv[1], autocommit=True) as held:
    held.execute("SELECT pg_advisory_lock(7391)")
    print("held", flush=True)
    held.execute("SELECT pg_sleep(60)")
"""


@pytest.mark.slow
def test_the_locks_of_a_killed_client_are_free_within_seconds(db: None) -> None:
    parameters = connection.get_connection_params()
    words = {name: parameters[name] for name in ("host", "port", "user", "dbname") if parameters.get(name)}
    address = " ".join(f"{name}={value}" for name, value in words.items())
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, address], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    time.sleep(0.2)
    holder.kill()
    holder.wait()
    holder.stdout.close()

    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7391), pg_advisory_unlock(7391)")

    assert time.monotonic() - started < 40
