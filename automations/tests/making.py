"""Short ways to the rows these tests need."""

from __future__ import annotations

from typing import Any

from audience.models import Contact
from automations import services
from automations.models import Automation, AutomationRun, StepRun
from automations.services import engine
from campaigns.models import EmailTemplate
from common import tenancy

TAG = {"action_type": "add_tag", "configuration": {"tag": "met"}}
EXIT = {"action_type": "exit"}


def task(title: str = "Call", **configuration: Any) -> dict[str, Any]:
    return {"action_type": "create_task", "configuration": {"title": title, **configuration}}


def wait(**span: int) -> dict[str, Any]:
    return {"action_type": "wait", "configuration": span}


def branch(rule: dict[str, Any], then: list[Any], otherwise: list[Any]) -> dict[str, Any]:
    return {
        "action_type": "branch",
        "configuration": {"rule": rule},
        "branches": {"then": then, "otherwise": otherwise},
    }


def where(field: str, value: Any, operator: str = "equals") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def automation(*actions: dict[str, Any], trigger_type: str = "manual", **values: Any) -> Automation:
    """An active workflow."""
    defaults = {"name": "Welcome", "is_active": True, "trigger_type": trigger_type, "actions": list(actions)}
    return services.create_automation(defaults | values)


def contacts(count: int, **values: Any) -> list[Contact]:
    return Contact.objects.bulk_create([Contact(name=f"Contact {number}", **values) for number in range(count)])


def contact(**values: Any) -> Contact:
    return Contact.objects.create(**({"name": "Ada", "email": "ada@example.org"} | values))


def template(**values: Any) -> EmailTemplate:
    defaults = {
        "name": "Hello",
        "slug": "hello",
        "subject": "Hello {{ contact.name }}",
        "html": "<p>Welcome</p>",
        "kind": "transactional",
    }
    return EmailTemplate.objects.create(**(defaults | values))


def work() -> int:
    """Let the engine do what is due."""
    return engine.run(tenancy.required())


def outcomes(run: AutomationRun) -> list[tuple[str, str]]:
    """What was done for a run, in order."""
    return list(StepRun.objects.filter(run=run).order_by("number").values_list("step_id", "outcome"))
