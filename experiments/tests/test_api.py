"""Experiments over HTTP: for tools, and for apps that ask what to show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization
from audience.models import Contact, Identity
from common import clock
from experiments import services
from experiments.models import Assignment, Experiment
from experiments.tests.making import NOON, ORDERED, did, later, people, running, share, stand

WHOLE = {
    "name": "Checkout",
    "unit": "user",
    "arms": [{"key": "old"}, {"key": "new", "weight": 3, "payload": {"colour": "green"}}],
    "metrics": [ORDERED],
    "winner_rule": {"is_on": True, "minimum_days": 3},
}
PLACE = "/api/v1/experiments"


def _known(count: int) -> list[Contact]:
    who = people(count)
    Identity.objects.bulk_create(Identity(contact=one, kind="user_id", value=one.user_id) for one in who)
    return who


def test_an_experiment_from_draft_to_winner(organization: Organization, api: APIClient) -> None:
    made = api.post(f"{PLACE}/", WHOLE, format="json")
    assert made.status_code == 201, made.data
    assert (made.data["key"], made.data["status"], made.data["version"]) == ("checkout", "draft", 1)
    assert [(arm["key"], arm["is_control"]) for arm in made.data["arms"]] == [("old", True), ("new", False)]
    assert made.data["metrics"][0]["window_days"] == 14
    assert made.data["winner_rule"]["chance"] == 0.95

    again = api.patch(f"{PLACE}/checkout/", {**made.data, "name": "Buy", "version": 1}, format="json")
    assert (again.status_code, again.data["name"]) == (200, "Buy")
    assert api.patch(f"{PLACE}/checkout/", {"name": "x", "version": 1}, format="json").status_code == 409
    assert api.post(f"{PLACE}/checkout/start/", {"version": 1}, format="json").status_code == 409
    assert api.post(f"{PLACE}/checkout/start/", {}, format="json").data["status"] == "running"
    assert api.delete(f"{PLACE}/checkout/").status_code == 409
    assert api.get(f"{PLACE}/{made.data['id']}").data["name"] == "Buy"

    refused = api.post(f"{PLACE}/checkout/stop/", {"winner": "blue"}, format="json")
    assert (refused.status_code, refused.json()["message"]) == (400, "The experiment has no arm “blue”.")
    assert Experiment.objects.get().status == "running"
    assert api.post(f"{PLACE}/checkout/stop/", {"winner": "new"}, format="json").data["winner"] == "new"
    assert api.post(f"{PLACE}/checkout/archive/", {}, format="json").data["allowed_actions"] == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"arms": []}, "arms"),
        ({"key": "plan"}, "key"),
        ({"coverage": 2}, "coverage"),
        ({"colour": 1}, "colour"),
        ({"metrics": [{**ORDERED, "window_days": 0}]}, "metrics[0].window_days"),
        ({"metrics": [{**ORDERED, "where": [{"property": "x", "operator": "near"}]}]}, "metrics[0].where"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    organization: Organization, api: APIClient, changes: dict[str, Any], place: str
) -> None:
    answer = api.post(f"{PLACE}/", {**WHOLE, **changes}, format="json")

    assert answer.status_code == 400
    assert place in answer.json()["details"], answer.json()
    assert not Experiment.objects.exists()


def test_an_app_asks_what_to_show(organization: Organization, api: APIClient) -> None:
    ada, bob = _known(2)
    made = running(unit="user")
    arm = api.get(f"{PLACE}/checkout/assignment/", {"user_id": "u0"}).data
    assert arm == {"experiment": "checkout", "arm": arm["arm"], "is_in": True, "payload": {}}
    assert api.get(f"{PLACE}/checkout/assignment/", {"contact_id": ada.pk}).data == arm
    stranger = api.get(f"{PLACE}/checkout/assignment/", {"user_id": "nobody yet"}).data
    assert stranger["is_in"] is True
    assert not Assignment.objects.exists(), "asking writes nothing"

    assert api.get(f"{PLACE}/checkout/assignment/", {"user_id": "u0", "expose": "true"}).data == arm
    assert Assignment.objects.get().exposed_at is not None
    for wrong in ({}, {"user_id": "u0", "contact_id": 1}, {"contact_id": "x"}):
        assert api.get(f"{PLACE}/checkout/assignment/", wrong).status_code == 400
    assert api.get(f"{PLACE}/checkout/assignment/", {"contact_id": 10**15}).status_code == 404

    told = api.post(f"{PLACE}/checkout/exposures/", {"user_id": "u1", "arm": "control"}, format="json")
    assert told.status_code == 202
    assert Assignment.objects.get(contact=bob).reported == "control"
    unknown = api.post(f"{PLACE}/checkout/exposures/", {"user_id": "nobody", "arm": "control"}, format="json")
    assert unknown.status_code == 404
    services.stop(made, winner=made.arms.get(key="treatment"))
    assert api.get(f"{PLACE}/checkout/assignment/", {"user_id": "u0"}).data["arm"] == "treatment"


def test_a_bandit_keeps_people_where_they_are(organization: Organization, api: APIClient) -> None:
    _known(1)
    running(unit="user", allocation="bandit")
    first = api.get(f"{PLACE}/checkout/assignment/", {"user_id": "u0"}).data["arm"]

    assert Assignment.objects.get().arm.key == first
    assert "checkout" not in api.get(f"{PLACE}/features/").data["features"]


def test_the_read_out_over_http(organization: Organization, api: APIClient) -> None:
    with clock.freeze(NOON):
        made = running(metrics=[ORDERED])
    stand(made, "ordered", share(10_000, 1000), share(10_000, 1300))
    with clock.freeze(later(7)):
        found = api.get(f"{PLACE}/checkout/read-out/").data

    assert (found["tone"], found["people"], found["days"]) == ("good", {"control": 10_000, "treatment": 10_000}, 7)
    metric = found["metrics"][0]
    assert (metric["unit"], metric["arms"][1]["value"]) == ("share", 0.13)
    assert metric["compared"][0]["lift"]["value"] == pytest.approx(0.3)
    assert metric["compared"][0]["is_shown"] is True
    assert found["balance"]["is_off"] is False


def test_the_planner_knows_what_people_do_now(organization: Organization, api: APIClient) -> None:
    who = people(100)
    for contact in who[:20]:
        did(contact, "Order Completed", clock.now() - timedelta(days=3), 5000)
    asked = {"metric": ORDERED, "lift": 0.25, "people_a_day": 100}
    found = api.post(f"{PLACE}/plan/", asked, format="json").data

    assert (found["base"], found["sampled"], found["people_per_arm"], found["people"], found["days"]) == (
        0.2, 100, 1094, 2188, 28,
    )  # fmt: skip
    assert found["sentence"].startswith(
        "Ordered is 20.00 % now. To find 25.0% more takes 2,188 people, about 28 days."
    )
    unknown = api.post(f"{PLACE}/plan/", {**asked, "metric": {**ORDERED, "event": "never"}}, format="json")
    assert (unknown.status_code, unknown.json()["message"]) == (
        400, "Your events tell nothing of “Ordered” yet; say what it is by hand, or wait for some of them.",
    )  # fmt: skip


def test_the_reserve_is_set_and_kept(organization: Organization, api: APIClient) -> None:
    assert api.get(f"{PLACE}/reserve/").data == {"share": 0.0}
    assert api.put(f"{PLACE}/reserve/", {"share": 0.1}, format="json").data == {"share": 0.1}
    assert api.put(f"{PLACE}/reserve/", {"share": 0.9}, format="json").status_code == 400
    assert api.get(f"{PLACE}/reserve/").data == {"share": 0.1}


def test_sdks_fetch_their_payload_with_a_write_key(organization: Organization, client: Any, write_key: str) -> None:
    running(unit="user", namespace="pricing", namespace_end=0.5, coverage=0.6)
    services.set_reserve(0.1)
    found = client.get(f"/api/features/{write_key}").json()

    rule = found["features"]["checkout"]["rules"][0]
    assert (rule["seed"], rule["hashVersion"], rule["weights"], rule["coverage"]) == ("checkout", 2, [0.5, 0.5], 0.6)
    assert rule["filters"][0] == {"attribute": "id", "seed": "__pricing", "hashVersion": 1, "ranges": [[0.0, 0.5]]}
    assert client.get("/api/features/wrong").status_code == 401
