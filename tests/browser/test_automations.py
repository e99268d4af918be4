"""The pages of a workflow, a run, a task and a scheduled task, at two widths; and a workflow made in the browser."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from automations.models import Automation, AutomationRun, ScheduledTask, Task
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
        reverse("admin:automations_automation_switch", args=[workflow]),
        reverse("admin:automations_automation_delete", args=[workflow]),
        reverse("admin:automations_task_add"),
        reverse("admin:automations_scheduledtask_add"),
    ]


def test_pages_of_automations_are_sound(visit: Any, town: Town, size: tuple[int, int]) -> None:
    page = visit("/", size)
    wrong = {}
    for path in _pages(town):
        page.faults.clear()
        page.open(path)
        if found := page.everything():
            wrong[path] = found

    assert wrong == {}


def test_a_workflow_is_made_and_a_mistake_is_told_beside_the_steps(visit: Any, town: Town) -> None:
    page = visit(reverse("admin:automations_automation_add")).page
    page.fill("#id_name", "Thank you")
    page.fill("#id_actions", '[{"action_type": "wait"}]')
    with page.expect_navigation():  # the page that comes puts the cursor into its first field
        page.click("[name=_save]")
    assert "actions[0].configuration: say how long to wait" in page.text_content("#content-main, main, body")

    page.fill("#id_actions", '[{"action_type": "wait", "configuration": {"days": 1}}]')
    page.click("[name=_continue]")

    page.wait_for_url("**/change/")
    assert "Wait 1 day" in page.text_content(".aut-outline")
    with tenancy.organization(town.organization_id):
        Automation.objects.get(slug="thank-you").delete()


def test_rules_of_a_workflow_are_built_without_writing_json(visit: Any, town: Town) -> None:
    page = visit(reverse("admin:automations_automation_add")).page
    page.fill("#id_name", "Only Leeds")
    page.select_option("#id_trigger_type", "manual")
    page.fill("#id_trigger_configuration", "{}")
    page.fill("#id_actions", "[]")

    page.locator(".field-filter").get_by_role("button", name="Condition", exact=True).click()
    page.locator('.field-filter [data-key="rules[0].value"]').fill("Leeds")
    page.wait_for_function("!document.querySelector('.rb-side--busy')")  # its answer makes the page longer
    page.get_by_role("button", name="Add “If / otherwise” at the end").click()
    card = page.locator(".aut-rule")
    card.get_by_role("button", name="Condition", exact=True).click()
    card.locator('[data-key="rules[0].value"]').fill("York")
    page.click("[name=_continue]")

    page.wait_for_url("**/change/")
    assert "If city is “York”" in page.text_content(".aut-outline")
    with tenancy.organization(town.organization_id):
        made = Automation.objects.get(slug="only-leeds")
        leeds = {"field": "city", "operator": "equals", "value": "Leeds"}
        assert made.trigger_configuration == {"filter": {"match": "all", "rules": [leeds]}}
        step = made.current_version.document["steps"][0]
        assert step["configuration"] == {"rule": {"match": "all", "rules": [leeds | {"value": "York"}]}}
        made.delete()


def test_a_page_with_a_rule_open_is_sound(visit: Any, town: Town, size: tuple[int, int]) -> None:
    watched = visit(reverse("admin:automations_automation_add"), size)
    watched.page.get_by_role("button", name="Add “If / otherwise” at the end").click()
    watched.page.locator(".aut-rule").get_by_role("button", name="Condition", exact=True).click()

    watched.page.wait_for_function("!document.querySelector('.rb-side--busy')")

    assert watched.everything() == []
