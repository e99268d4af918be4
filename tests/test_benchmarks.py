"""A smoke of every benchmark: the scripts run, agree with their yardstick and print their table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

import conftest
from benchmarks.__main__ import NAMES
from benchmarks.ground import READY_DATABASE

ROOT = Path(settings.BASE_DIR)
DATABASE = "benchmark_smoke"


@pytest.fixture
def database(django_db_setup: None) -> Iterator[str]:
    """The address of a migrated database on the tests' own server."""
    with conftest.copy_of_template(DATABASE):
        yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{DATABASE}").geturl()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_benchmark_runs(name: str, database: str) -> None:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("DATABASE_URL", "REDIS_URL"))
    } | {READY_DATABASE: database}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--smoke"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    document = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
    # Of shares nothing at all may be the truth, such as false alarms.
    assert all(figure["ours"] > 0 or figure["unit"] == "%" for figure in document["figures"])
    assert document["peak_memory_mb"]
