"""The planner as part of the experiment's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.errors import Invalid
from experiments import selectors
from experiments.admin.forms import PlanForm
from experiments.domain import metrics as metric_rules
from experiments.models import Experiment


def context(experiment: Experiment, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The plan for the metric that decides, or a sentence that says what is missing."""
    form = PlanForm(asked if "lift" in asked else {"lift": "5"})
    shown: dict[str, Any] = {"experiment": experiment, "form": form}
    metrics = metric_rules.parse(experiment.metrics)
    if not metrics:
        return shown | {"missing": "Add a metric that decides, and save; then this says how many people it takes."}
    if not form.is_valid():
        return shown | {"missing": "Say a lift from 0.1 to 500 percent."}
    daily = form.cleaned_data["people_a_day"]
    try:
        plan = selectors.plan(
            metrics[0],
            metrics[0].sign * float(form.cleaned_data["lift"]) / 100,
            arms=max(2, experiment.arms.count()),
            coverage=experiment.coverage * (experiment.namespace_end - experiment.namespace_start),
            people_a_day=float(daily) if daily else None,
        )
    except Invalid as error:
        return shown | {"missing": error.message}
    return shown | {"plan": plan, "metric": metrics[0]}
