"""Web and worker keep their connections; when the database closes them all, the next event goes its way."""

from __future__ import annotations

from django.db import connection

from audience.models import Event
from common import tenancy
from tests.flows.world import World, eventually

OTHERS = """pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""


def test_a_worker_keeps_its_connection_and_gets_over_its_loss(world: World) -> None:
    world.start_worker()
    world.start_beat()
    _see(world, "first", 1)
    kept = _others()
    _see(world, "second", 2)
    assert kept & _others(), "connections last from task to task"

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(pg_terminate_backend(pid)) FROM {OTHERS}")
        assert cursor.fetchone()[0] >= 2
    _see(world, "third", 3)

    assert not kept & _others()


def _see(world: World, name: str, count: int) -> None:
    answer = world.send({"type": "track", "event": name, "userId": "ada"})
    assert answer.status_code == 200, answer.text
    eventually(lambda: Event.objects.count() == count)


def _others() -> set[int]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(f"SELECT pid FROM {OTHERS}")
        return {row[0] for row in cursor.fetchall()}
