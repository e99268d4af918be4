"""The test of the campaign's form: what is compared, as rows of a template, an offer, a time and a share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from string import ascii_lowercase
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.domain import arms as plans
from campaigns.domain.arms import ArmPlan
from campaigns.models import Campaign, EmailTemplate
from experiments.services import ArmDraft

SHOWN_ROWS = 4
MOST_ARMS = 20


class ArmForm(forms.Form):
    """One arm. A row in which nothing is said does not count."""

    key = forms.SlugField(required=False, max_length=60, widget=forms.HiddenInput)
    name = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)
    template = forms.ModelChoiceField(
        EmailTemplate.objects.none(), required=False, empty_label="The campaign's", widget=UnfoldAdminSelectWidget
    )
    offer = forms.TypedChoiceField(coerce=int, empty_value=None, required=False, widget=UnfoldAdminSelectWidget)
    send_at = forms.TimeField(required=False, label="At", widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}))
    share = forms.FloatField(
        required=False, min_value=0, max_value=1000, widget=UnfoldAdminDecimalFieldWidget(attrs={"placeholder": "1"})
    )

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = EmailTemplate.objects.filter(is_archived=False).order_by("name")
        self.fields["template"].queryset = shown  # type: ignore[attr-defined]
        offers = [(offer.pk, str(offer)) for offer in campaign.offers.order_by("pk")] if campaign.pk else []
        self.fields["offer"].choices = [("", "All of them"), *offers]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if name != "key":
                field.widget.attrs["aria-label"] = f"{field.label or name.capitalize()} of arm {self._letter()}"

    def is_said(self) -> bool:
        """Whether the row means something."""
        data = self.cleaned_data
        return any(data.get(name) for name in ("name", "template", "offer", "send_at"))

    def draft(self, position: int) -> ArmDraft:
        data = self.cleaned_data
        at: time | None = data.get("send_at")
        plan = ArmPlan(data["template"].pk if data.get("template") else None, data.get("offer"), at)
        return ArmDraft(
            key=data.get("key") or ascii_lowercase[position],
            name=data.get("name") or f"Arm {ascii_lowercase[position].upper()}",
            weight=1.0 if data.get("share") is None else data["share"],
            is_control=position == 0,
            payload=plan.as_json(),
        )

    def _letter(self) -> str:
        number = (self.prefix or "").rpartition("-")[2]
        return ascii_lowercase[int(number)].upper() if number.isdigit() and int(number) < MOST_ARMS else ""


def formset(data: Any, campaign: Campaign, stored: Sequence[ArmDraft]) -> Any:
    """The rows: those that are stored, and empty ones. `data` without them leaves the arms as they are."""
    extra = max(SHOWN_ROWS - len(stored), 1)
    made = forms.formset_factory(ArmForm, extra=extra, max_num=MOST_ARMS, absolute_max=MOST_ARMS)
    posted = data if data is not None and "arms-TOTAL_FORMS" in data else None
    return made(posted, prefix="arms", initial=[_row(arm) for arm in stored], form_kwargs={"campaign": campaign})


def drafts(rows: Any) -> list[ArmDraft] | None:
    """The arms of valid rows; None when the page has none."""
    if not rows.is_bound:
        return None
    said = [row for row in rows.forms if row.is_said()]
    return _apart([row.draft(position) for position, row in enumerate(said)])


def _apart(arms: list[ArmDraft]) -> list[ArmDraft]:
    """A row that was added takes a letter that no other has."""
    taken: set[str] = set()
    found = []
    for arm in arms:
        free = [arm.key, *(letter for letter in ascii_lowercase if letter not in {each.key for each in arms})]
        key = next(key for key in free if key not in taken)
        taken.add(key)
        found.append(arm if key == arm.key else ArmDraft(key, arm.name, arm.weight, arm.is_control, arm.payload))
    return found


def _row(arm: ArmDraft) -> dict[str, Any]:
    plan = plans.parse(arm.payload, arm.key)
    return {
        "key": arm.key, "name": arm.name, "template": plan.template_id, "offer": plan.offer_id,
        "send_at": f"{plan.send_at:%H:%M}" if plan.send_at else None, "share": arm.weight,
    }  # fmt: skip
