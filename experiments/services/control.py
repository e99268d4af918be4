"""From draft to running to stopped to archived."""

from __future__ import annotations

from django.db import connection, transaction

from accounts import audit, versions
from common import clock, outbox, tenancy
from common.errors import Conflict, Invalid
from experiments.domain import states
from experiments.models import Allotment, Arm, Experiment
from experiments.notices import ExperimentDecided


def start(experiment: Experiment, *, expected_version: int | None = None) -> Experiment:
    """Let people in from now on. Raises `Conflict` where another running experiment has the same people."""
    with transaction.atomic():
        held = _change(experiment, "start", expected_version)
        _refuse_overlap(held)
        held.started_at = clock.now()
        _save(held, "start", ["started_at"])
        arms = list(held.arms.order_by("position"))
        whole = sum(arm.weight for arm in arms)
        Allotment.objects.create(
            experiment=held,
            epoch=0,
            shares={arm.key: arm.weight / whole for arm in arms},
            reason="As it was planned.",
        )
    return held


def stop(
    experiment: Experiment, winner: Arm | None = None, reason: str = "", *, expected_version: int | None = None
) -> Experiment:
    """Let nobody else in. With a `winner` everybody gets that arm from now on, and who waits for it is told.

    Raises `Conflict` unless it runs, `Invalid` for an arm of another experiment.
    """
    if winner is not None and winner.experiment_id != experiment.pk:
        raise Invalid(f"“{winner}” is no arm of this experiment.", details={"winner": "Choose one of its arms."})
    with transaction.atomic():
        held = _change(experiment, "stop", expected_version)
        held.stopped_at, held.winner = clock.now(), winner
        _save(held, "stop", ["stopped_at", "winner"])
        outbox.publish(
            ExperimentDecided(
                experiment_id=held.pk,
                winner_id=winner.pk if winner else None,
                source_type=held.source_type,
                source_id=held.source_id,
                reason=reason,
            )
        )
    return held


def archive(experiment: Experiment, *, expected_version: int | None = None) -> Experiment:
    """Put it away: events are not counted any more, the numbers stay."""
    with transaction.atomic():
        held = _change(experiment, "archive", expected_version)
        _save(held, "archive", [])
    return held


def _change(experiment: Experiment, action: str, expected_version: int | None) -> Experiment:
    held = versions.lock(Experiment, experiment.pk)
    versions.check(held, expected_version)
    held.status = states.move(held.status, action)
    return held


def _save(held: Experiment, action: str, fields: list[str]) -> None:
    with audit.changing(held, action):
        held.version += 1
        held.updated_at = clock.now()
        held.save(update_fields=["status", "version", "updated_at", *fields])


def _refuse_overlap(held: Experiment) -> None:
    """Running experiments with the same word share no people. Two that start at once wait for each other."""
    if not held.namespace:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))",
            [f"namespace:{held.namespace}", tenancy.required()],
        )
    others = Experiment.objects.filter(namespace=held.namespace, status=states.State.RUNNING).exclude(pk=held.pk)
    if other := others.exclude(unit=held.unit).first():
        raise _taken(f"“{other}” of “{held.namespace}” draws by another unit, so some people would be in both.")
    shared = others.filter(namespace_start__lt=held.namespace_end, namespace_end__gt=held.namespace_start)
    if other := shared.order_by("namespace_start").first():
        raise _taken(
            f"“{other}” runs on {other.namespace_start:.1%} to {other.namespace_end:.1%} of “{held.namespace}”, this "
            f"one would take {held.namespace_start:.1%} to {held.namespace_end:.1%}: some people would be in both. "
            "Choose a share that is free, or stop the other one."
        )


def _taken(sentence: str) -> Conflict:
    return Conflict(sentence, code="namespace_taken", details={"namespace": sentence})
