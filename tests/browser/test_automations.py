"""The pages of a workflow, a run, a task and a scheduled task, at two widths."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from audience.models import Contact
from automations.models import Automation, AutomationRun, ScheduledTask, Task
from automations.simulation import work
from common import tenancy
from tests.browser.town import Town


def _pages(town: Town) -> list[str]:
    with tenancy.organization(town.organization_id):
        found = {
            model: model.objects.order_by("pk").values_list("pk", flat=True).first()  # type: ignore[attr-defined]
            for model in (Automation, AutomationRun, Task, ScheduledTask)
        }
    changes = [
        reverse(f"admin:automations_{model._meta.model_name}_change", args=[pk]) for model, pk in found.items()
    ]
    workflow = found[Automation]
    return [
        *changes,
        reverse("admin:automations_automation_add"),
        reverse("admin:automations_automation_editor", args=[workflow]),
        f"{reverse('automation-publish', args=[workflow])}?version=1",
        reverse("automation-versions", args=[workflow]),
        reverse("automation-funnel", args=[workflow]),
        reverse("automation-log", args=[workflow]),
        reverse("automation-troubles"),
        reverse("automation-simulations", args=[workflow]),
        f"{reverse('automation-walk', args=[workflow])}?contact={_rehearsed(town, workflow)}",
        reverse("admin:automations_automation_import"),
        reverse("admin:automations_automation_switch", args=[workflow]),
        reverse("admin:automations_automation_delete", args=[workflow]),
        reverse("admin:automations_task_add"),
        reverse("admin:automations_scheduledtask_add"),
        reverse("recipes"),
        reverse("recipe-install", args=["follow-up-escalation"]),
    ]


def _rehearsed(town: Town, workflow: int) -> int:
    """Rehearse the workflow; a contact to walk it with."""
    with tenancy.organization(town.organization_id):
        work.request(Automation.objects.get(pk=workflow))
        work.run(town.organization_id)
        return Contact.objects.earliest("pk").pk


def test_pages_of_automations_are_sound(visit: Any, town: Town) -> None:
    assert visit("/").walk(_pages(town)) == {}
