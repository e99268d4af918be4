"""A smoke of every benchmark: the scripts run, agree with their yardstick and print their table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks.__main__ import NAMES

ROOT = Path(settings.BASE_DIR)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_benchmark_runs(name: str) -> None:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("DATABASE_URL", "REDIS_URL"))
    }
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
