"""Experiments as people write them: the question, its arms and metrics, edited as one thing with one history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from accounts import audit, versions
from common.errors import Conflict, Invalid
from experiments.domain import metrics as metric_rules
from experiments.domain import states, winners
from experiments.models import Arm, Experiment
from experiments.services import counting, meters

FIELDS = states.EVERYTHING - {"arms"}
MOST_ARMS = 20
LARGEST_WEIGHT = 10_000
RESERVED_KEYS = frozenset({"features", "plan", "reserve"})  # addresses of the API


@dataclass(frozen=True)
class ArmDraft:
    """An arm as it is written: `weight` is its part of the people, `payload` what it means to who uses it."""

    key: str
    name: str = ""
    weight: float = 1.0
    is_control: bool = False
    payload: dict[str, Any] = field(default_factory=dict)


def create_experiment(
    values: Mapping[str, Any], arms: Sequence[ArmDraft], *, source_type: str = "", source_id: int = 0
) -> Experiment:
    """A new draft. `key` may be left out: it follows the name. Without a control the first arm is it.

    Raises `Invalid` by field.
    """
    experiment = Experiment(**_known(values), source_type=source_type, source_id=source_id)
    experiment.key = experiment.key or _free_key(experiment.name)
    with transaction.atomic():
        _check(experiment)
        experiment.save()
        _write_arms(experiment, arms)
        audit.record("create", experiment, after=picture(experiment))
    return experiment


def update_experiment(
    experiment: Experiment,
    changes: Mapping[str, Any],
    *,
    arms: Sequence[ArmDraft] | None = None,
    expected_version: int | None = None,
) -> Experiment:
    """Change fields and arms (None: untouched); other metrics count everybody anew.

    Raises `Conflict` when somebody else was quicker or the state has settled what is to change, `Invalid` by field.
    """
    with transaction.atomic():
        held = versions.lock(Experiment, experiment.pk)
        versions.check(held, expected_version)
        differing = {name for name, value in _known(changes).items() if getattr(held, name) != value}
        differing |= {"arms"} if arms is not None and arms_of(held) != _with_control(arms) else set()
        states.check_editable(held.status, differing)
        _check_coverage(held, changes)
        before = picture(held)
        versions.write(held, changes)
        _check(held)
        if arms is not None and "arms" in differing:
            _write_arms(held, arms)
        if "metrics" in differing and held.status != states.State.DRAFT:
            counting.count_anew(held)
        audit.record("change", held, before=before, after=picture(held))
    return held


def delete_experiment(experiment: Experiment) -> None:
    """Remove a draft; raises `Conflict` for one that ran, whose numbers others rely on."""
    with transaction.atomic():
        held = versions.lock(Experiment, experiment.pk)
        if held.status != states.State.DRAFT:
            raise Conflict(
                f"“{held}” is {held.status}; only drafts can be deleted. Archive it instead.", code="in_use"
            )
        audit.record("delete", held, before=picture(held))
        held.delete()


def arms_of(experiment: Experiment) -> list[ArmDraft]:
    """The arms as drafts, in their order."""
    rows = experiment.arms.order_by("position")
    return [ArmDraft(arm.key, arm.name, arm.weight, arm.is_control, arm.payload) for arm in rows]


def picture(experiment: Experiment) -> dict[str, Any]:
    """The experiment with its arms as plain JSON, for the audit log."""
    return audit.snapshot(experiment) | {"arms": [asdict(arm) for arm in arms_of(experiment)]}


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - FIELDS)
    if unknown:
        raise Invalid(f"An experiment has no {', '.join(unknown)}.", details=dict.fromkeys(unknown, "Unknown field."))
    return dict(values)


def _free_key(name: str) -> str:
    """A key made of the name that no experiment has yet."""
    wanted = slugify(name)[:90] or "experiment"
    taken = set(Experiment.objects.filter(key__startswith=wanted).values_list("key", flat=True))
    candidates = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _check(experiment: Experiment) -> None:
    """Raises `Invalid` with a sentence beside each wrong field."""
    versions.clean(experiment)
    metrics = metric_rules.parse(experiment.metrics)
    meters.check(metrics)
    experiment.metrics = metric_rules.dump(metrics)
    experiment.listens_to = metric_rules.event_keys(metrics)
    experiment.winner_rule = winners.dump(winners.parse(experiment.winner_rule))
    experiment.seed = experiment.seed or experiment.key
    wrong: dict[str, str] = {}
    if not 0 < experiment.coverage <= 1:
        wrong["coverage"] = "The share of everybody who takes part is above 0 and at most 1."
    if experiment.namespace_start >= experiment.namespace_end:
        wrong["namespace_end"] = "A share of the namespace ends after it begins."
    if experiment.key in RESERVED_KEYS:
        wrong["key"] = f"“{experiment.key}” is a word of the API; choose another key."
    if Experiment.objects.filter(key=experiment.key).exclude(pk=experiment.pk).exists():
        wrong["key"] = f"Another experiment has the key “{experiment.key}”."
    if wrong:
        raise Invalid(next(iter(wrong.values())), details=wrong)


def _check_coverage(held: Experiment, changes: Mapping[str, Any]) -> None:
    if held.status == states.State.RUNNING and changes.get("coverage", held.coverage) < held.coverage:
        sentence = f"{held.coverage:.0%} take part already; while it runs the share can only grow."
        raise Conflict(sentence, code="state_forbids", details={"coverage": sentence})


def _with_control(arms: Sequence[ArmDraft]) -> list[ArmDraft]:
    """The first arm is the control where none is said to be; an arm without a name is called by its key."""
    some = any(arm.is_control for arm in arms)
    return [
        ArmDraft(arm.key, arm.name or arm.key, float(arm.weight), arm.is_control if some else not place, arm.payload)
        for place, arm in enumerate(arms)
    ]


def _write_arms(experiment: Experiment, arms: Sequence[ArmDraft]) -> None:
    """Replace the arms; raises `Invalid` naming the one that is wrong."""
    drafts = _with_control(arms)
    _check_arms(drafts)
    rows = [Arm(experiment=experiment, position=place, **asdict(draft)) for place, draft in enumerate(drafts)]
    for place, row in enumerate(rows):
        try:
            versions.clean(row)
        except Invalid as error:
            details = {f"arms[{place}].{name}": sentence for name, sentence in error.details.items()}
            raise Invalid(error.message, details=details) from error
    experiment.arms.all().delete()
    Arm.objects.bulk_create(rows)


def _check_arms(drafts: Sequence[ArmDraft]) -> None:
    wrong: dict[str, str] = {}
    if not 2 <= len(drafts) <= MOST_ARMS:
        wrong["arms"] = f"An experiment compares two arms at least, and {MOST_ARMS} at most."
    if sum(draft.is_control for draft in drafts) > 1:
        wrong["arms"] = "One arm is the control, not several."
    for place, draft in enumerate(drafts):
        if draft.key in {other.key for other in drafts[:place]}:
            wrong[f"arms[{place}].key"] = f"Two arms have the key “{draft.key}”."
        if not 0 < draft.weight <= LARGEST_WEIGHT:
            wrong[f"arms[{place}].weight"] = (
                f"A weight is above 0 and at most {LARGEST_WEIGHT:,}: 1 and 1 are halves."
            )
    if wrong:
        raise Invalid(next(iter(wrong.values())), details=wrong)
