"""The form of a scheduled task: what it does is asked in fields of its own and kept as its payload."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from audience.models import Contact, MessageChannel, Priority
from automations import selectors
from automations.models import Automation, ScheduledTask
from automations.services.kinds import KINDS
from campaigns.models import EmailTemplate
from common.errors import AppError, Invalid

MOST_OFFERED = 500
ALL = ("start_automation", "send_template", "update_contact")
# Which of these fields each kind asks.
ASKED = {
    "automation": ("start_automation",),
    "template": ("send_template",),
    "subject": ("send_template",),
    "contacts": ALL,
    "new_status": ("update_contact",),
    "new_priority": ("update_contact",),
    "attribute": ("update_contact",),
    "attribute_value": ("update_contact",),
}
PAYLOAD_FIELDS = list(ASKED)
# Where a refusal about a place of the payload is told.
PLACES = {
    "automation_id": "automation",
    "template_id": "template",
    "subject": "subject",
    "contact_ids": "contacts",
    "changes": "new_status",
}
EVERY = {"run_at", "delay_seconds", "cron", "timezone", "schedule_type"}
TAKEN = {"once": {"run_at"}, "delayed": {"delay_seconds"}, "recurring": {"cron", "timezone"}}


def _select(label: str, help_text: str = "") -> Any:
    return forms.ChoiceField(label=label, required=False, widget=UnfoldAdminSelectWidget, help_text=help_text)


def _text(label: str, help_text: str = "", longest: int = 300) -> Any:
    return forms.CharField(
        label=label, required=False, max_length=longest, widget=UnfoldAdminTextInputWidget, help_text=help_text
    )


class ScheduledTaskForm(forms.ModelForm):  # type: ignore[type-arg]
    task_type = forms.ChoiceField(
        label="What to do",
        choices=[(name, kind.label) for name, kind in KINDS.items()],
        widget=UnfoldAdminSelectWidget,
    )
    automation = _select("Workflow", "It must be switched on when the time comes.")
    template = _select("E-mail")
    subject = _text("Other subject", "Left empty, the e-mail's own.")
    contacts = forms.CharField(
        label="Whom",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="E-mail addresses, your own ids or our numbers, one a line or with commas; up to 1,000.",
    )
    new_status = _text("New status", "Left empty, the status stays.", 40)
    new_priority = _select("New priority")
    attribute = _text("Attribute", "The name of an attribute of your own, such as plan.", 100)
    attribute_value = _text("New value of the attribute", "As text.")
    delay_seconds = forms.IntegerField(
        label="Seconds to wait", required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget
    )

    class Meta:
        model = ScheduledTask
        fields = [
            "name", "task_type", "schedule_type", "run_at", "delay_seconds", "cron", "timezone", "priority",
            "most_retries", "is_active",
        ]  # fmt: skip
        labels = {"cron": "How often", "schedule_type": "When", "most_retries": "Tries after a failure"}
        help_texts = {
            "cron": "Minute, hour, day, month, weekday: “0 9 * * mon” is every Monday at 9:00, “0 9 1 * *” the "
            "first of every month, “*/15 * * * *” every quarter of an hour.",
            "most_retries": "With a growing pause between them.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "automation" not in self.fields:  # only looked at
            return
        automations = Automation.objects.order_by("name").values_list("pk", "name")[:MOST_OFFERED]
        mails = EmailTemplate.objects.filter(channel=MessageChannel.EMAIL, is_archived=False)
        self._offer("automation", automations)
        self._offer("template", mails.order_by("name").values_list("pk", "name")[:MOST_OFFERED])
        self._offer("new_priority", Priority.choices, "As it is")
        if self.instance.pk:
            self.initial |= _asked(self.instance.payload)

    def _offer(self, name: str, choices: Any, nothing: str = "Choose one") -> None:
        self.fields[name].choices = [("", nothing), *((str(value), label) for value, label in choices)]  # type: ignore[attr-defined]

    def clean_contacts(self) -> str:
        text = str(self.cleaned_data["contacts"])
        try:
            self.contact_ids = selectors.named(text)
        except Invalid as error:
            raise forms.ValidationError(error.details["contacts"]) from error
        return text

    def payload(self) -> dict[str, Any]:
        """What the kind is configured with."""
        said = self.cleaned_data
        contacts = {"contact_ids": self.contact_ids}
        if said["task_type"] == "start_automation":
            return _chosen("automation_id", said["automation"]) | contacts
        if said["task_type"] == "send_template":
            return _chosen("template_id", said["template"]) | contacts | {"subject": said["subject"]}
        changes = {"status": said["new_status"], "priority": said["new_priority"]}
        return contacts | {"changes": {name: value for name, value in changes.items() if value} | self._attributes()}

    def _attributes(self) -> dict[str, Any]:
        """The attribute that the form asks; others that an app has set, and values as it set them, stay."""
        kept = dict(_attributes_in(self.instance.payload)) if self.instance.task_type == "update_contact" else {}
        if not {"attribute", "attribute_value"} & set(self.changed_data):
            return kept
        kept = dict(list(kept.items())[1:])
        name = self.cleaned_data["attribute"].strip()
        if name:
            kept[f"attributes.{name.removeprefix('attributes.')}"] = self.cleaned_data["attribute_value"]
        return kept

    def values(self) -> dict[str, Any]:
        """What the service is told: only the time that this kind of schedule takes, and only when it changed."""
        times = TAKEN.get(self.cleaned_data.get("schedule_type", ""), set())
        changed = EVERY & set(self.changed_data) or self.instance.pk is None
        wanted = (set(self.fields) - EVERY - set(ASKED)) | ((times | {"schedule_type"}) if changed else set())
        said = {name: value for name, value in self.cleaned_data.items() if name in wanted and value is not None}
        return said | {"payload": self.payload()}

    def placed(self, error: AppError) -> AppError:
        """A refusal about the payload, told at the field that asks."""
        details = {}
        for place, sentence in error.details.items():
            root = place.removeprefix("payload.").split(".", 1)[0].split("[", 1)[0]
            is_ours = place.startswith("payload.") and root in PLACES
            details[PLACES[root] if is_ours else place] = sentence
        return Invalid(error.message, details=details)


def _chosen(name: str, text: str) -> dict[str, int]:
    return {name: int(text)} if text else {}


def _attributes_in(payload: Any) -> list[tuple[str, Any]]:
    changes = payload.get("changes", {}) if isinstance(payload, dict) else {}
    return [(name, value) for name, value in changes.items() if name.startswith("attributes.")]


def _asked(payload: Any) -> dict[str, Any]:
    """A payload in the form's fields."""
    payload = payload if isinstance(payload, dict) else {}
    ids = [pk for pk in payload.get("contact_ids", []) if isinstance(pk, int)]
    emails = dict(Contact.objects.filter(pk__in=ids).values_list("pk", "email"))
    changes = payload.get("changes", {})
    own = _attributes_in(payload)
    return {
        "automation": str(payload.get("automation_id", "")),
        "template": str(payload.get("template_id", "")),
        "subject": payload.get("subject", ""),
        "contacts": "\n".join(emails.get(pk) or str(pk) for pk in ids),
        "new_status": changes.get("status", ""),
        "new_priority": changes.get("priority", ""),
        "attribute": own[0][0].removeprefix("attributes.") if own else "",
        "attribute_value": own[0][1] if own else "",
    }
