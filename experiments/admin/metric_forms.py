"""A metric as a few fields in a row, instead of JSON."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from audience.models import EventDefinition
from common import money
from experiments.domain.metrics import Direction, Kind, Metric, Role

KINDS = [
    (Kind.CONVERSION.value, "People who do it"),
    (Kind.COUNT.value, "How often they do it"),
    (Kind.SUM.value, "The sum of it"),
    (Kind.MEAN.value, "The average of it"),
    (Kind.RATIO.value, "How often, per other event"),
]
ROLES = [(Role.PRIMARY.value, "Decides"), (Role.SECONDARY.value, "Explains"), (Role.GUARDRAIL.value, "Guardrail")]
DIRECTIONS = [(Direction.UP.value, "More is better"), (Direction.DOWN.value, "Less is better")]
OPERATORS = [
    ("equals", "is"), ("not_equals", "is not"), ("contains", "contains"), ("greater", "is more than"),
    ("less", "is less than"), ("is_set", "is set"),
]  # fmt: skip


def _text(label: str, help_text: str = "", **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, widget=UnfoldAdminTextInputWidget, max_length=200, **options
    )


def _choice(label: str, choices: list[tuple[str, str]], **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=UnfoldAdminSelectWidget, **options)


class MetricForm(forms.Form):
    """One metric. `kept_where` is what the form cannot show: filters beyond the first, set by the API."""

    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)
    kept_where = forms.JSONField(widget=forms.HiddenInput, required=False)
    kept_per_where = forms.JSONField(widget=forms.HiddenInput, required=False)
    name = _text("Name", "As the read-out says it: “brings 4 % more …”.")
    role = _choice("Role", ROLES)
    kind = _choice("Counts", KINDS)
    event = _text("Of the event", "As apps send it, such as order_completed.")
    property = _text("Property", "A number of the event; empty: its money.", required=False)
    per_event = _text("Per event", "For a ratio only.", required=False)
    where_property = _text("Only where", "A property of the event, such as category.", required=False)
    where_operator = _choice("Comparison", OPERATORS, required=False)
    where_value = _text("Value", required=False)
    window_days = forms.IntegerField(
        label="Days", min_value=1, max_value=365, initial=14, widget=UnfoldAdminIntegerFieldWidget,
        help_text="After somebody met the arm.",
    )  # fmt: skip
    direction = _choice("Direction", DIRECTIONS)
    cuped_days = forms.IntegerField(
        label="Compare with days before", min_value=0, max_value=365, initial=0, required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="What people did before takes away some of the chance in what they do now; 0: not used.",
    )  # fmt: skip
    cap = forms.DecimalField(
        label="Cap per person", required=False, min_value=0, widget=UnfoldAdminDecimalFieldWidget,
        help_text="So that one large order does not decide; empty: none.",
    )  # fmt: skip
    tolerance = forms.DecimalField(
        label="Tolerance, percent", required=False, min_value=0, max_value=99, initial=0,
        widget=UnfoldAdminDecimalFieldWidget, help_text="A guardrail may get so much worse.",
    )  # fmt: skip
    remove = forms.BooleanField(label="Remove", required=False, widget=UnfoldBooleanWidget)

    # What stands in the first row; the rest is folded away.
    FIRST = ("name", "role", "kind", "event", "window_days", "direction")
    MORE = (
        "property", "per_event", "where_property", "where_operator", "where_value", "cuped_days", "cap", "tolerance",
    )  # fmt: skip

    def first(self) -> list[Any]:
        return [self[name] for name in self.FIRST]

    def more(self) -> list[Any]:
        return [self[name] for name in self.MORE]

    def has_changed(self) -> bool:
        """A blank row is one without name and event, whatever its menus stand at."""
        return bool(self["name"].data or self["event"].data)

    def is_kept(self) -> bool:
        """Whether this row is a metric to keep: filled in, and not to be removed."""
        return bool(self.cleaned_data.get("name")) and not self.cleaned_data.get("remove")

    def document(self, currency: str) -> dict[str, Any]:
        """The metric as the service takes it."""
        data = self.cleaned_data
        kind, measured = Kind(data["kind"]), data["property"].strip()
        cap = data["cap"]
        is_money = kind in (Kind.SUM, Kind.MEAN) and not measured
        if cap is not None:
            cap = money.to_minor(cap, currency) if is_money else float(cap)
        return {
            "key": data["key"] or slugify(data["name"])[:60] or "metric",
            "name": data["name"],
            "role": data["role"],
            "kind": kind.value,
            "event": data["event"],
            "property": measured,
            "per_event": data["per_event"].strip(),
            "where": self._where(),
            "per_where": data["kept_per_where"] or [],
            "window_days": data["window_days"],
            "direction": data["direction"],
            "cuped_days": data["cuped_days"] or 0,
            "cap": cap,
            "tolerance": float(data["tolerance"] or 0) / 100,
        }

    def _where(self) -> list[dict[str, Any]]:
        data = self.cleaned_data
        kept: list[dict[str, Any]] = data["kept_where"] or []
        if not data["where_property"]:
            return kept
        condition = {"property": data["where_property"], "operator": data["where_operator"] or "equals"}
        if condition["operator"] != "is_set":
            condition["value"] = _value(data["where_value"], _kind(data["event"], data["where_property"]))
        return [condition, *kept]


MetricForms = forms.formset_factory(MetricForm, extra=1)


def initial(metric: Metric, currency: str) -> dict[str, Any]:
    """The row of a metric."""
    where = list(metric.where)
    shown = where.pop(0) if where and _is_plain(where[0]) else {}
    value = shown.get("value")
    cap = money.to_decimal(round(metric.cap), currency) if metric.cap is not None and metric.is_money else metric.cap
    return {
        "key": metric.key, "name": metric.name, "role": metric.role.value, "kind": metric.kind.value,
        "event": metric.event, "property": metric.measured, "per_event": metric.per_event,
        "window_days": metric.window_days, "direction": metric.direction.value, "cuped_days": metric.cuped_days,
        "cap": cap, "tolerance": round(metric.tolerance * 100, 6), "kept_where": where,
        "kept_per_where": metric.per_where, "where_property": shown.get("property", ""),
        "where_operator": shown.get("operator", "equals"), "where_value": "" if value is None else str(value),
    }  # fmt: skip


def _is_plain(condition: dict[str, Any]) -> bool:
    is_scalar = isinstance(condition.get("value"), str | int | float | None)
    return condition.get("operator") in dict(OPERATORS) and is_scalar and condition.keys() <= {
        "property", "operator", "value",
    }  # fmt: skip


def _kind(event: str, name: str) -> str:
    """The type with which a property was seen."""
    seen = EventDefinition.objects.filter(name=event).values_list("properties", flat=True).first()
    return str((seen or {}).get(name, ""))


def _value(text: str, kind: str) -> str | int | float | bool:
    """What was typed, as the property is; the service says what does not fit."""
    if kind == "boolean" and text.lower() in ("true", "false", "yes", "no"):
        return text.lower() in ("true", "yes")
    for cast in (int, float) if kind == "number" else ():
        try:
            return cast(text)
        except ValueError:
            continue
    return text
