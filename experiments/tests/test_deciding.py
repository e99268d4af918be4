"""Bandits follow their results on the record; a rule names a winner, and only a true one."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import AuditEntry, Organization
from common import clock, outbox
from common.outbox import Subscription
from experiments import services, tasks
from experiments.domain import bandits, winners
from experiments.models import Allotment, Assignment, Experiment
from experiments.notices import ExperimentDecided
from experiments.services import ArmDraft
from experiments.tests.making import NOON, ORDERED, later, people, running, share, stand

ON = {"is_on": True, "minimum_days": 7, "minimum_people": 1000}


def _begun(**values: object) -> Experiment:
    with clock.freeze(NOON):
        return running(**{"metrics": [ORDERED], **values})


def _status(made: Experiment) -> str:
    return Experiment.objects.get(pk=made.pk).status


def test_a_bandit_sends_more_people_to_what_works(organization: Organization) -> None:
    made = _begun(allocation="bandit", arms=[ArmDraft("a"), ArmDraft("b")])
    stand(made, "ordered", share(200, 20), share(200, 32))
    with clock.freeze(later(0.02)):
        assert services.allot(made) is None, "a span is an hour at least"
    with clock.freeze(later(1)):
        tasks.decide()

    expected = bandits.shares([share(200, 20), share(200, 32)])
    made = Experiment.objects.get(pk=made.pk)
    first, second = Allotment.objects.order_by("epoch")
    assert (made.epoch, second.epoch, first.shares) == (1, 1, {"a": 0.5, "b": 0.5})
    assert second.shares == pytest.approx({"a": expected[0], "b": expected[1]})
    assert second.shares["b"] > 0.9
    services.assign(made.pk, [contact.pk for contact in people(50)])
    drawn = Assignment.objects.filter(arm__key="b")
    assert drawn.count() > 40
    ((propensity, epoch),) = set(drawn.values_list("propensity", "epoch"))
    assert (propensity, epoch) == (pytest.approx(second.shares["b"]), 1)
    with clock.freeze(later(2)):
        assert services.allot(made) is None, "nobody was counted in this span"


def test_a_bandit_where_less_is_better(organization: Organization) -> None:
    made = _begun(allocation="bandit", metrics=[{**ORDERED, "direction": "down"}])
    stand(made, "ordered", share(200, 20), share(200, 40))
    with clock.freeze(later(1)):
        allotted = services.allot(made)
    assert allotted is not None
    assert allotted.shares["control"] > 0.9


def test_fixed_shares_stay(organization: Organization) -> None:
    made = _begun()
    stand(made, "ordered", share(200, 20), share(200, 60))
    with clock.freeze(later(1)):
        tasks.decide()
    assert Allotment.objects.count() == 1
    assert _status(made) == "running", "a rule that is off names nobody"


def test_the_rule_names_the_winner_and_tells_who_waits(organization: Organization) -> None:
    heard: list[ExperimentDecided] = []
    wired = list(outbox._by_subscriber.values())
    outbox.wire([*wired, Subscription(ExperimentDecided, "tests.decided", heard.append)])
    try:
        made = _begun(winner_rule=ON)
        stand(made, "ordered", share(10_000, 1000), share(10_000, 1300))
        with clock.freeze(later(6)):
            tasks.decide()
        assert _status(made) == "running", "too early by the rule"
        with clock.freeze(later(7)):
            tasks.decide()
            outbox.deliver(organization.pk)
    finally:
        outbox.wire(wired)

    made = Experiment.objects.get(pk=made.pk)
    assert (made.status, made.winner and made.winner.key, made.stopped_at) == ("stopped", "treatment", later(7))
    assert [(one.experiment_id, one.winner_id) for one in heard] == [(made.pk, made.winner_id)]
    assert heard[0].reason == "It is better than the control by an interval that holds however often one looks."
    assert AuditEntry.objects.filter(object_id=str(made.pk), action="stop").count() == 1


@pytest.mark.parametrize(
    ("rule", "control", "treatment", "winner"),
    [
        (ON, share(10_000, 1000), share(10_000, 1300), "treatment"),
        (ON, share(10_000, 1300), share(10_000, 1000), "control"),
        (ON, share(10_000, 1000), share(10_000, 1040), None),
        (ON, share(500, 50), share(500, 100), None),
        (ON, share(10_000, 1000), share(9_000, 1300), None),
        ({**ON, "proof": "chance"}, share(10_000, 1000), share(10_000, 1090), "treatment"),
        ({**ON, "proof": "chance", "chance": 0.999}, share(10_000, 1000), share(10_000, 1090), None),
        ({**ON, "proof": "chance", "loss": 0.0}, share(10_000, 1000), share(10_000, 1090), None),
    ],
)
def test_who_may_win(
    organization: Organization, rule: dict[str, object], control: object, treatment: object, winner: str | None
) -> None:
    made = _begun(winner_rule=rule)
    stand(made, "ordered", control, treatment)
    with clock.freeze(later(8)):
        tasks.decide()

    made = Experiment.objects.get(pk=made.pk)
    assert (made.winner.key if made.winner else None) == winner
    assert made.status == ("stopped" if winner else "running")


def test_nobody_wins_while_people_wait_to_be_counted_or_a_guardrail_is_harmed(organization: Organization) -> None:
    left = {
        "key": "left",
        "name": "Left",
        "kind": "conversion",
        "event": "left",
        "role": "guardrail",
        "direction": "down",
    }
    made = _begun(winner_rule=ON, metrics=[ORDERED, left])
    stand(made, "ordered", share(10_000, 1000), share(10_000, 1300))
    stand(made, "left", share(10_000, 100), share(10_000, 300))
    with clock.freeze(later(8)):
        tasks.decide()
    assert _status(made) == "running"

    with connection.cursor() as cursor:
        cursor.execute("UPDATE experiments_metricdaily SET y = 100, yy = 100 WHERE metric = 'left'")
    services.touch(made.pk, [people(1)[0].pk])
    with clock.freeze(later(8)):
        assert services.name_winner(made) is False
        services.work(organization.pk)
        assert services.name_winner(made) is True


def test_a_rule_says_what_it_waits_for() -> None:
    assert winners.parse({}) == winners.WinnerRule()
    assert winners.dump(winners.parse(ON))["minimum_people"] == 1000
