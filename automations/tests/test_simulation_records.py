"""Triggers whose past stands in the audit log, the ledger of consents and the runs; and those with none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audience import services as audience
from audience.models import Contact
from automations import services
from automations.models import Automation, AutomationRun
from automations.simulation import flow as flows
from automations.simulation import records, replay, sources
from automations.simulation.candidates import Unreplayable
from automations.tests import making
from automations.tests.test_simulation import END, NOON
from common import clock
from common.moments import moment
from segments.tests import people

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def heard(trigger: str, **configuration: Any) -> list[tuple[int, Any]]:
    """(contact, moment) of everything that a workflow with this trigger would have heard."""
    automation = making.automation(
        making.TAG,
        name=f"{trigger} {configuration}",
        trigger_type=trigger,
        trigger_configuration=configuration,
        is_active=False,
    )
    return _heard(automation)


def _heard(automation: Automation) -> list[tuple[int, Any]]:
    assert automation.current_version is not None
    found = sources.candidates(flows.read(automation.current_version.document, automation), NOON, END)
    return [(pk, moment(at)) for pk, at in zip(found.contact.tolist(), found.at.tolist(), strict=True)]


def at(hours: int, do: Callable[[], Any]) -> Any:
    with clock.freeze(NOON + hours * HOUR):
        return do()


def test_changes_by_colleagues_and_apps_are_replayed_from_the_audit_log(organization: Any) -> None:
    ada, bob = making.contact(tags=["old"]), making.contact(email="bob@example.org")
    at(1, lambda: audience.update_contact(ada, tags=["old", "vip"], attributes={"plan": "free"}))
    at(2, lambda: audience.update_contact(ada, tags=["vip"], attributes={"plan": "pro"}, status="won"))
    at(3, lambda: audience.update_contact(bob, attributes={"plan": "pro"}))
    at(-1, lambda: audience.update_contact(bob, city="York", status="won"))
    first, second, third = ((who.pk, NOON + hours * HOUR) for who, hours in ((ada, 1), (ada, 2), (bob, 3)))

    assert heard("tag_added", tag="vip") == [first]
    assert heard("tag_added") == [first]
    assert heard("tag_removed") == [second]
    assert heard("attribute_changed", attribute="attributes.plan") == [first, second, third]
    assert heard("attribute_changed", attribute="attributes.plan", **{"from": "free", "to": "pro"}) == [second]
    assert heard("status_changed", to="won") == [second]


def test_what_the_audit_log_leaves_out_is_said_and_nothing_on_record_is_a_sentence(organization: Any) -> None:
    ada = making.contact()
    at(1, lambda: audience.add_tags([ada.pk], "vip"))
    with pytest.raises(Unreplayable, match="In this time no such change is on record"):
        heard("tag_added", tag="vip")

    at(2, lambda: audience.update_contact(ada, tags=["vip", "new"]))
    automation = making.automation(making.TAG, trigger_type="tag_added", is_active=False)
    flow = flows.read(automation.current_version.document, automation)
    assert sources.candidates(flow, NOON, END).note == records.ONE_BY_ONE


def test_consents_are_replayed_from_the_ledger(organization: Any) -> None:
    ada = making.contact()
    at(1, lambda: audience.grant_consent([ada.pk], "email", None, how="form"))
    at(2, lambda: audience.withdraw_consent([ada.pk], "email", None, how="link"))

    assert heard("attribute_changed", attribute="consent.email") == [(ada.pk, NOON + HOUR), (ada.pk, NOON + 2 * HOUR)]
    assert heard("attribute_changed", attribute="consent.email", to="withdrawn") == [(ada.pk, NOON + 2 * HOUR)]
    assert heard("attribute_changed", attribute="consent.sms") == []


def test_who_was_started_by_hand_is_replayed_from_the_runs(organization: Any) -> None:
    automation = making.automation(making.TAG, making.wait(days=1))
    with pytest.raises(Unreplayable, match="nobody entered this workflow"):
        _heard(automation)

    found = making.contacts(2)
    for number, contact in enumerate(found):
        at(number + 1, lambda one=contact: services.start(automation, [one.pk]))
    assert _heard(automation) == [(contact.pk, NOON + (place + 1) * HOUR) for place, contact in enumerate(found)]


def test_an_address_and_a_form_hear_only_what_came_through_them(organization: Any) -> None:
    people.definition("webhook_received", webhook="text")
    people.definition("form_submitted", form="text")
    people.partitions.ensure_months([NOON, END])
    ada: Contact = making.contact()
    people.events([
        (ada.pk, "webhook_received", NOON + HOUR, {"webhook": "leads"}),
        (ada.pk, "webhook_received", NOON + 2 * HOUR, {"webhook": "other"}),
        (ada.pk, "form_submitted", NOON + 3 * HOUR, {"form": "news"}),
        (ada.pk, "form_submitted", NOON + 4 * HOUR, {"form": "other"}),
    ])  # fmt: skip
    questions = [{"name": "email", "label": "E-mail", "kind": "email", "required": True}]

    assert heard("webhook", key="leads") == [(ada.pk, NOON + HOUR)]
    assert heard("form", key="news", title="News", questions=questions) == [(ada.pk, NOON + 3 * HOUR)]


def test_whom_the_very_last_step_brings_to_the_goal_has_come_to_the_end(organization: Any) -> None:
    goal = {"field": "tags", "operator": "contains", "value": "met"}
    automation = making.automation(making.TAG, trigger_type="lead_created", goal_rule=goal, entry_rule="again")
    assert automation.current_version is not None
    flow = flows.read(automation.current_version.document, automation)
    ada = at(1, making.contact)
    Contact.objects.filter(pk=ada.pk).update(created_at=NOON + HOUR)
    rehearsed = replay.replay(flow, NOON, END)

    at(1, lambda: services.start(automation, [ada.pk]))
    at(1, making.work)
    run = AutomationRun.objects.get()
    assert (run.status, run.exit_reason, Contact.objects.get().tags) == ("completed", "", ["met"])
    assert rehearsed["outcomes"] == {"completed": 1}
    assert any(
        note.startswith("The goal reads tags, which “Add the tag “met”” changes") for note in rehearsed["notes"]
    )
