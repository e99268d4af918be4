"""Pytest plug-in: real PostgreSQL and Redis for the whole run, started before Django reads its settings.

The controlling process starts them and exports their addresses; xdist workers inherit those.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from common import embedded

os.environ["GROUNDSWELL_MODE"] = "test"
os.environ.setdefault("SECRET_KEY", "test-" + "k" * 60)


def _start() -> None:
    folder = Path(tempfile.mkdtemp(prefix="groundswell-test-"))
    folder.chmod(0o755)

    def stop() -> None:
        embedded.stop_redis(folder / "redis")
        embedded.stop_postgres(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    os.environ["DATABASE_URL"] = embedded.start_postgres(
        folder / "postgres", durable=False, track_commit_timestamp="on"
    )
    os.environ["REDIS_URL"] = embedded.start_redis(folder / "redis")


if "PYTEST_XDIST_WORKER" not in os.environ:
    _start()
