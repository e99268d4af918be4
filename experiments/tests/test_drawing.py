"""SQL draws the arms that the domain draws, once and for all."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import AuditEntry, Organization
from audience.models import Contact
from common import clock, tenancy
from common.errors import Conflict, Invalid
from experiments import services
from experiments.domain import assignment
from experiments.models import Allotment, Arm, Assignment, Experiment, Reserve, Touched
from experiments.services import ArmDraft
from experiments.tests.making import HALVES, NOON, experiment, people, running

WORDS = ["", "a", "ada@example.com", "Zoë", "👋 a", "日本", "0", "x" * 200, *(str(number) for number in range(400))]


@pytest.mark.parametrize("seed", ["checkout", "Größe", ""])
def test_sql_hashes_as_the_domain_does(organization: Organization, seed: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT experiments_bucket(%s, word), experiments_namespace_bucket(%s, word)"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS given(word, place) ORDER BY place",
            [seed, seed, WORDS],
        )
        rows = cursor.fetchall()

    assert [row[0] / 10_000 for row in rows] == assignment.buckets(seed, WORDS).tolist()
    space = [assignment._fnv1a(f"{word}__{seed}") % 1000 for word in WORDS]
    assert [row[1] for row in rows] == space


def _drawn(made: Experiment, who: list[Contact]) -> list[str | None]:
    keys = dict(Arm.objects.values_list("pk", "key"))
    held = services.assign(made.pk, [contact.pk for contact in who])
    return [keys[held[contact.pk]] if contact.pk in held else None for contact in who]


@pytest.mark.parametrize("unit", ["contact", "user"])
def test_everybody_gets_the_arm_of_the_published_hash(organization: Organization, unit: str) -> None:
    who = people(300)
    made = running(
        unit=unit, seed="s-1", coverage=0.8, namespace="pricing", namespace_start=0.1, namespace_end=0.7,
        arms=[ArmDraft("a", weight=2), ArmDraft("b", weight=3), ArmDraft("c", weight=5)],
    )  # fmt: skip
    Reserve.objects.create(share=0.2, salt="kept-out")

    drawn = _drawn(made, who)

    ranges, space = assignment.ranges([0.2, 0.3, 0.5], 0.8), assignment.Namespace("pricing", 0.1, 0.7)
    expected = []
    for contact in who:
        word = str(contact.pk) if unit == "contact" else contact.user_id
        place = assignment.arm_of(assignment.bucket("s-1", word), ranges)
        is_in = assignment.is_in(space, word) and assignment.bucket("kept-out", contact.user_id) >= 0.2
        expected.append("abc"[place] if is_in and place is not None else None)
    assert drawn == expected
    assert set(drawn) == {"a", "b", "c", None}
    shares = set(Assignment.objects.values_list("arm__key", "propensity", "exposed_at", "epoch"))
    assert shares == {("a", 0.2, None, 0), ("b", 0.3, None, 0), ("c", 0.5, None, 0)}
    assert not Touched.objects.exists(), "nobody has met an arm yet"


def test_an_arm_once_given_stays(organization: Organization) -> None:
    who = people(50)
    made = running()
    before = _drawn(made, who)
    Arm.objects.filter(experiment=made, key="control").update(weight=99)

    assert _drawn(made, who) == before
    assert Assignment.objects.count() == 50
    more = _drawn(made, people(100))
    assert more.count("control") > 90


def test_who_meets_the_arm_is_to_be_counted(organization: Organization) -> None:
    who = people(4)
    made = running()
    services.assign(made.pk, [who[0].pk, who[1].pk])
    with clock.freeze(NOON):
        services.assign(made.pk, [who[1].pk, who[2].pk], is_exposed=True)
        services.assign(made.pk, [who[1].pk], is_exposed=True)

    met = dict(Assignment.objects.values_list("contact_id", "exposed_at"))
    assert met == {who[0].pk: None, who[1].pk: NOON, who[2].pk: NOON}
    assert sorted(Touched.objects.values_list("contact_id", flat=True)) == [who[1].pk, who[2].pk]


def test_after_the_end_everybody_gets_the_winner_and_nobody_is_new(organization: Organization) -> None:
    who = people(3)
    made = running()
    services.assign(made.pk, [who[0].pk])
    winner = made.arms.get(key="treatment")
    other = running(name="Other")
    services.stop(other)
    services.stop(made, winner=winner, reason="It was better.")

    assert services.assign(made.pk, [who[1].pk, who[2].pk]) == {who[1].pk: winner.pk, who[2].pk: winner.pk}
    assert services.assign(other.pk, [who[1].pk]) == {}
    assert Assignment.objects.count() == 1
    with pytest.raises(Conflict, match="only a running experiment"):
        services.assign_selected(services.create_experiment({"name": "Draft"}, HALVES), "SELECT 1", {})


def test_a_stranger_draws_nobody_of_ours(organization: Organization, stranger: Organization) -> None:
    who = people(5)
    with tenancy.organization(stranger.pk):
        made = running()
        assert services.assign(made.pk, [contact.pk for contact in who]) == {}
    assert not Assignment.objects.exists()


def test_an_experiment_is_made_started_and_stopped_on_the_record(organization: Organization) -> None:
    made = experiment()
    assert (made.key, made.seed, made.status) == ("checkout", "checkout", "draft")
    assert services.create_experiment({"name": "Checkout"}, HALVES).key == "checkout-2"
    assert [(arm.key, arm.is_control) for arm in made.arms.all()] == [("control", True), ("treatment", False)]

    with clock.freeze(NOON):
        started = services.start(made)
    assert (started.status, started.started_at) == ("running", NOON)
    assert Allotment.objects.get().shares == {"control": 0.5, "treatment": 0.5}
    services.archive(services.stop(started))

    actions = list(AuditEntry.objects.filter(object_id=str(made.pk)).order_by("pk").values_list("action", flat=True))
    assert actions == ["create", "start", "stop", "archive"]


@pytest.mark.parametrize(
    ("values", "arms", "place"),
    [
        ({}, [ArmDraft("a")], "arms"),
        ({}, [ArmDraft("a"), ArmDraft("a")], "arms[1].key"),
        ({}, [ArmDraft("a"), ArmDraft("b", weight=0)], "arms[1].weight"),
        ({}, [ArmDraft("a"), ArmDraft("b", weight=1e308)], "arms[1].weight"),
        ({}, [ArmDraft("a", is_control=True), ArmDraft("b", is_control=True)], "arms"),
        ({}, [ArmDraft("a b"), ArmDraft("b")], "arms[0].key"),
        ({"coverage": 0}, HALVES, "coverage"),
        ({"coverage": 1.5}, HALVES, "coverage"),
        ({"namespace": "x", "namespace_start": 0.5, "namespace_end": 0.5}, HALVES, "namespace_end"),
        ({"metrics": [{"key": "a"}]}, HALVES, "metrics"),
        ({"metrics": [{"key": "a", "name": "A", "kind": "ratio", "event": "x"}]}, HALVES, "metrics[0].per_event"),
        ({"winner_rule": {"chance": 1.5}}, HALVES, "winner_rule.chance"),
        ({"colour": "red"}, HALVES, "colour"),
        ({"name": ""}, HALVES, "name"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_written(
    organization: Organization, values: dict[str, object], arms: list[ArmDraft], place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        services.create_experiment({"name": "Checkout", **values}, arms)

    assert place in refused.value.details
    assert not Experiment.objects.exists()
    assert not Arm.objects.exists()


def test_running_experiments_of_one_namespace_share_nobody(organization: Organization) -> None:
    running(name="One", namespace="pricing", namespace_end=0.5)
    rival = experiment(name="Two", namespace="pricing", namespace_start=0.4)
    with pytest.raises(Conflict, match=r"“One” runs on 0.0% to 50.0% of “pricing”"):
        services.start(rival)
    assert Experiment.objects.get(pk=rival.pk).status == "draft"
    assert Allotment.objects.count() == 1

    services.start(experiment(name="Three", namespace="pricing", namespace_start=0.5))
    services.start(experiment(name="Four", namespace="elsewhere"))
    with pytest.raises(Conflict, match="by another unit"):
        services.start(experiment(name="Five", namespace="elsewhere", unit="user", namespace_end=0.1))


def test_who_gets_what_is_settled_once_it_runs(organization: Organization) -> None:
    made = running(coverage=0.5)
    for changes, arms in (({"seed": "x"}, None), ({"unit": "user"}, None), ({}, [ArmDraft("a"), ArmDraft("b")])):
        with pytest.raises(Conflict, match="cannot change any more"):
            services.update_experiment(made, changes, arms=arms)
    with pytest.raises(Conflict, match="can only grow"):
        services.update_experiment(made, {"coverage": 0.4})
    with pytest.raises(Conflict, match="not what you opened"):
        services.update_experiment(made, {"name": "New"}, expected_version=1)

    changed = services.update_experiment(made, {"name": "New", "coverage": 0.9}, expected_version=2)
    assert (changed.name, changed.coverage, changed.version) == ("New", 0.9, 3)
    with pytest.raises(Conflict, match="only drafts"):
        services.delete_experiment(changed)
