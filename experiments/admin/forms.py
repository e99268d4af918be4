"""The experiment's form: its fields, its metrics in rows, and the rule of the winner."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.models import Organization
from experiments.admin import metric_forms
from experiments.domain import metrics as metric_rules
from experiments.domain import states, winners
from experiments.domain.states import State
from experiments.models import Experiment

PLAIN = ("name", "hypothesis", "key", "unit", "seed", "namespace", "allocation")
SHARES = ("coverage", "namespace_start", "namespace_end")
RULE = ("rule_is_on", "rule_proof", "rule_minimum_days", "rule_minimum_people", "rule_chance", "rule_loss")
PROOFS = [
    (winners.Proof.ALWAYS_VALID.value, "A difference shown by an interval that holds at any look"),
    (winners.Proof.CHANCE.value, "A chance to be the best, with little lost if it is not"),
]


def _percent(label: str, help_text: str = "", **options: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, help_text=help_text, max_digits=6, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget,
        **{"min_value": 0, "max_value": 100, **options},
    )  # fmt: skip


class ExperimentForm(forms.ModelForm):  # type: ignore[type-arg]
    opened_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    coverage = _percent(
        "Takes part, percent", "Of everybody. While it runs the share can grow.", min_value=Decimal("0.001")
    )
    namespace_start = _percent("From, percent")
    namespace_end = _percent("To, percent", "Others with the same word take the rest.")
    rule_is_on = forms.BooleanField(
        label="Name the winner by itself", required=False, widget=UnfoldBooleanWidget,
        help_text="It then stops, and everybody gets the winner. No arm wins that harms a guardrail.",
    )  # fmt: skip
    rule_proof = forms.ChoiceField(
        label="By", choices=PROOFS, widget=UnfoldAdminSelectWidget,
        help_text="The interval bounds how often a winner is named where there is none, however often one looks. The "
        "chance does not: looked at every day, it is wrong more often than it says.",
    )  # fmt: skip
    rule_minimum_days = forms.IntegerField(
        label="After days", min_value=0, max_value=365, widget=UnfoldAdminIntegerFieldWidget
    )
    rule_minimum_people = forms.IntegerField(
        label="And people in each arm", min_value=2, widget=UnfoldAdminIntegerFieldWidget
    )
    rule_chance = _percent(
        "Chance at least, percent", "Only for the proof by chance.", min_value=51, max_value=Decimal("99.999")
    )
    rule_loss = _percent(
        "Loss at most, percent", "Of what the control brings; only for the proof by chance.", max_value=99
    )

    class Meta:
        model = Experiment
        fields = [*PLAIN, *SHARES]
        widgets = {
            "hypothesis": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            "key": UnfoldAdminTextInputWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = Organization.objects.get().currency
        state = State(self.instance.status)
        self.may_edit = states.EDITABLE[state]
        self._fill()
        shown = [metric_forms.initial(one, self.currency) for one in metric_rules.parse(self.instance.metrics)]
        self.metric_forms: Any = metric_forms.MetricForms(
            self.data if self.is_bound else None, prefix="metrics", initial=shown
        )

    def _fill(self) -> None:
        """Shares are stored from 0 to 1 and shown in per cent; the rule is one document and shown in fields."""
        rule = winners.parse(self.instance.winner_rule)
        percents = {name: getattr(self.instance, name) for name in SHARES}
        percents |= {"rule_chance": rule.chance, "rule_loss": rule.loss}
        plain = {
            "opened_version": self.instance.version, "rule_is_on": rule.is_on, "rule_proof": rule.proof.value,
            "rule_minimum_days": rule.minimum_days, "rule_minimum_people": rule.minimum_people,
        }  # fmt: skip
        for name, share in percents.items():
            plain[name] = f"{Decimal(str(share)) * 100:.6f}".rstrip("0").rstrip(".")
        for name, value in plain.items():
            if name in self.fields:
                self.initial[name] = value
        if "key" in self.fields:
            self.fields["key"].required = False
            self.fields["key"].help_text = "How apps and their SDKs name it; empty: made from the name."

    @property
    def shows_metrics(self) -> bool:
        """Whether metrics may still change."""
        return "metrics" in self.may_edit

    def is_valid(self) -> bool:
        """The metrics are part of the form, where the page shows them."""
        own = super().is_valid()
        if not self.has_metrics or self.metric_forms.is_valid():
            return own
        self.add_error(None, "Some metrics are wrong; see below.")
        return False

    @property
    def has_metrics(self) -> bool:
        return self.shows_metrics and "metrics-TOTAL_FORMS" in self.data

    def _post_clean(self) -> None:
        """Nothing is put on the row here: the service writes it, and checks every field."""

    def values(self) -> dict[str, Any]:
        """The fields that are on the page and may change, as the service takes them."""
        data = self.cleaned_data
        values = {name: data[name] for name in PLAIN if name in data}
        values |= {name: float(data[name]) / 100 for name in SHARES if name in data}
        if "rule_is_on" in data:
            values["winner_rule"] = self._rule()
        if self.has_metrics:
            values["metrics"] = self._metrics()
        if self.instance.pk and not values.get("key"):
            values.pop("key", None)
        return {name: value for name, value in values.items() if name in self.may_edit}

    def _rule(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "is_on": data["rule_is_on"],
            "proof": data["rule_proof"],
            "minimum_days": data["rule_minimum_days"],
            "minimum_people": data["rule_minimum_people"],
            "chance": float(data["rule_chance"]) / 100,
            "loss": float(data["rule_loss"]) / 100,
        }

    def _metrics(self) -> list[dict[str, Any]]:
        """The rows that are filled in; a new one whose key another has gets a number."""
        documents: list[dict[str, Any]] = []
        for row in self.metric_forms:
            if not row.cleaned_data or not row.is_kept():
                continue
            document = row.document(self.currency)
            taken = {other["key"] for other in documents}
            wanted, number = document["key"], 2
            while document["key"] in taken:
                document["key"], number = f"{wanted[:55]}-{number}", number + 1
            documents.append(document)
        return documents


class ConfirmForm(forms.Form):
    """What one agrees to: the version that was looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class StopForm(ConfirmForm):
    winner = forms.ChoiceField(
        required=False, label="Winner", widget=UnfoldAdminSelectWidget,
        help_text="Everybody gets this arm from now on.",
    )  # fmt: skip

    def __init__(self, *args: Any, experiment: Experiment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            ("", "None: it just stops"),
            *((str(arm.pk), arm.name) for arm in experiment.arms.order_by("position")),
        ]
        self.fields["winner"].choices = choices  # type: ignore[attr-defined]


class PlanForm(forms.Form):
    """What the planner asks."""

    lift = forms.DecimalField(label="Lift to find, percent", initial=5, min_value=Decimal("0.1"), max_value=500)
    people_a_day = forms.DecimalField(
        label="New people a day", required=False, min_value=Decimal("0.001"), max_value=10**9
    )
