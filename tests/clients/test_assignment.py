"""An app with GrowthBook's SDK gives everybody the arm that we give."""

from __future__ import annotations

import json
import subprocess

import pytest

from experiments.domain import assignment
from experiments.domain.assignment import Namespace
from tests.clients.test_sdks import FOLDER, needs_node

pytestmark = pytest.mark.clients
UNITS = [*(str(number) for number in range(1, 1_500)), "ada@example.com", "Zoë", "👋", "a b", "0x1", "-"]


@needs_node
@pytest.mark.parametrize(
    ("weights", "coverage", "share"),
    [([0.5, 0.5], 1.0, (0, 1)), ([0.2, 0.3, 0.5], 0.6, (0, 1)), ([0.9, 0.1], 0.8, (0.25, 0.75))],
)
def test_the_arms_are_those_of_growthbook(weights: list[float], coverage: float, share: tuple[float, float]) -> None:
    experiment = {
        "key": "checkout", "seed": "checkout-3", "hashVersion": 2, "variations": list(range(len(weights))),
        "weights": weights, "coverage": coverage, "namespace": ["pricing", *share],
    }  # fmt: skip
    done = subprocess.run(
        ["node", "assign.mjs"], cwd=FOLDER, input=json.dumps({"experiment": experiment, "units": UNITS}),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    arms, namespace = assignment.ranges(weights, coverage), Namespace("pricing", *share)
    ours = [
        assignment.arm_of(assignment.bucket("checkout-3", unit), arms) if assignment.is_in(namespace, unit) else None
        for unit in UNITS
    ]
    assert ours == json.loads(done.stdout)
    assert {place for place in ours if place is not None} == set(range(len(weights)))
