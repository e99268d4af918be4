"""An app with GrowthBook's SDK gives everybody the arm that we give."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Contact
from experiments import services as experiments
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
        capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip

    arms, namespace = assignment.ranges(weights, coverage), Namespace("pricing", *share)
    ours = [
        assignment.arm_of(assignment.bucket("checkout-3", unit), arms) if assignment.is_in(namespace, unit) else None
        for unit in UNITS
    ]
    assert ours == json.loads(done.stdout)
    assert {place for place in ours if place is not None} == set(range(len(weights)))


@needs_node
@pytest.mark.django_db
def test_an_app_with_our_payload_shows_what_we_would(organization: Organization, client: Any, write_key: str) -> None:
    """Uneven arms, coverage, a namespace and the reserve: the SDK draws by itself, and tells what we drew."""
    arms = [experiments.ArmDraft("old", weight=1), experiments.ArmDraft("new", weight=2)]
    values: dict[str, Any] = {"unit": "user", "coverage": 0.8, "namespace": "pricing", "namespace_end": 0.6}
    made = experiments.start(experiments.create_experiment({"name": "Checkout", **values}, arms))
    done = experiments.start(experiments.create_experiment({"name": "Over", "unit": "user"}, arms))
    experiments.stop(done, winner=done.arms.get(key="new"))
    experiments.set_reserve(0.15)
    payload = client.get(f"/api/features/{write_key}").json()
    people = Contact.objects.bulk_create(Contact(user_id=unit) for unit in UNITS)

    told = json.loads(
        subprocess.run(
            ["node", "features.mjs"], cwd=FOLDER, input=json.dumps({"payload": payload, "units": UNITS}),
            capture_output=True, text=True, timeout=180, check=True,
        ).stdout
    )  # fmt: skip

    keys = dict(made.arms.values_list("pk", "key"))
    drawn = {one: keys[arm] for one, arm in experiments.assign(made.pk, [one.pk for one in people]).items()}
    assert [one["checkout"] for one in told] == [[drawn.get(one.pk, "old"), drawn.get(one.pk)] for one in people]
    assert {one["over"][0] for one in told} == {"new"}
    assert 500 < len(drawn) < 800, "0.8 × 0.6 × 0.85 of 1,505"
