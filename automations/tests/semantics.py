"""Small words for workflows under test: what waits, what repeats, what happens."""

from audience import services as audience
from audience.services import InternalEvent
from automations import services
from automations.models import Task
from automations.tests import making
from common import clock, doorbell, tenancy

ORDERED = {"event": "order_completed", "operator": "did"}
PLAN = making.where("city", "Leeds")


def wait_until(rule, met, timed_out, **timeout):
    configuration = {"rule": rule, "timeout": timeout or {"days": 3}}
    branches = {"met": met, "timed_out": timed_out}
    return {"action_type": "wait_until", "configuration": configuration, "branches": branches}


def repeat(rule, body, most=5):
    configuration = {"until": rule, "most": most}
    return {"action_type": "repeat", "configuration": configuration, "branches": {"body": body}}


def happens(contact, name="order_completed", **properties) -> None:
    """An event of this contact, and all that follows from it."""
    message_id = f"{name} {clock.now().isoformat()} {properties}"
    audience.record([InternalEvent(contact.pk, name, clock.now(), message_id, properties)])
    doorbell.drain(tenancy.required())


def titles(contact) -> list[str]:
    return list(Task.objects.filter(contact=contact).order_by("pk").values_list("title", flat=True))


def start(automation, *people) -> int:
    entered = len(services.start(automation, [person.pk for person in people]))
    making.work()
    return entered
