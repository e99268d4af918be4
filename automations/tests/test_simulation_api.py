"""Simulations and walks over HTTP: what is asked for, what comes of it, and that nothing else is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audience import services as audience
from audience.models import Event
from automations.models import Automation, AutomationRun, Simulation
from automations.simulation import flow as flows
from automations.simulation import replay, work
from automations.tests import making
from automations.tests.test_simulation import END, NOON, did
from campaigns.models import EmailTemplate
from common import clock, tenancy
from delivery.models import CapRule, Message
from segments.tests import people

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def welcome(organization: Any) -> Automation:
    """A mail on every sign-up, a day's wait for an order, and a second mail for who ordered."""
    people.definition("signup")
    people.definition("order", total="number")
    people.partitions.ensure_months([NOON, END])
    mail = {"action_type": "send_email", "configuration": {"template_id": making.template(kind="marketing").pk}}
    wait = {
        "id": "wait", "action_type": "wait_until",
        "configuration": {"rule": did("order"), "timeout": {"days": 1}},
        "branches": {"met": [mail | {"id": "second"}], "timed_out": [making.EXIT]},
    }  # fmt: skip
    return making.automation(
        mail | {"id": "first"}, wait, trigger_type="event", trigger_configuration={"name": "signup"}, is_active=False
    )


def _crowd() -> list[int]:
    """Three people sign up; the second orders in time, the third too late."""
    found = [making.contact(email=f"{number}@example.org").pk for number in range(3)]
    people.events([(pk, "signup", NOON + number * HOUR, {}) for number, pk in enumerate(found)])
    people.events([(found[1], "order", NOON + 5 * HOUR, {"total": 5})])
    people.events([(found[2], "order", NOON + 50 * HOUR, {"total": 5})])
    return found


def _simulated(api: Any, automation: Automation, **asked: Any) -> Any:
    answer = api.post(f"/api/v1/automations/{automation.pk}/simulations/", asked, format="json")
    assert answer.status_code == 202, answer.data
    work.run(tenancy.required())
    return api.get(f"/api/v1/automations/{automation.pk}/simulations/{answer.data['id']}/").data


def test_a_simulation_counts_people_ways_and_messages_and_writes_nothing_else(api, welcome) -> None:
    contacts = _crowd()
    with clock.freeze(END):
        found = _simulated(api, welcome, days=7)

    assert (found["status"], found["version"], found["done_count"]) == ("done", 1, 3)
    result = found["result"]
    assert (result["heard"], result["entries"], result["people"]) == (3, 3, 3)
    assert result["steps"]["wait"]["ways"] == {"met": 1, "timed_out": 2}
    assert [result["steps"][name]["reached"] for name in ("first", "wait", "second")] == [3, 3, 1]
    assert [each["contact_id"] for each in result["steps"]["second"]["sample"]] == [contacts[1]]
    assert result["outcomes"] == {"completed": 1, "step": 2}
    # Nobody has agreed to marketing.
    held_back = [{"reason": "The contact has not agreed to marketing e-mail.", "count": 4}]
    assert (result["messages"]["planned"], result["messages"]["went"]) == (4, 0)
    assert result["messages"]["held_back"] == held_back
    assert [day["entries"] for day in result["per_day"] if day["entries"]] == [3]
    assert (AutomationRun.objects.count(), Message.objects.count()) == (0, 0)

    latest = api.get(f"/api/v1/automations/{welcome.pk}/simulations/latest/").data
    assert latest["steps"]["wait"]["simulated"] == 3
    listed = api.get(f"/api/v1/automations/{welcome.pk}/simulations/").data
    assert [row["id"] for row in listed["results"]] == [found["id"]]
    assert "result" not in listed["results"][0]


def test_caps_and_quiet_hours_are_counted_with_what_really_went(api, welcome) -> None:
    for contact_id in _crowd():
        audience.grant_consent([contact_id], "email", None, how="form")
    CapRule.objects.create(kind="marketing", channel="email", most=1, per_hours=24)
    with clock.freeze(END):
        messages = _simulated(api, welcome, days=7)["result"]["messages"]

    # The second mail to whoever ordered comes four hours after the first.
    assert (messages["planned"], messages["went"]) == (4, 3)
    assert messages["held_back"] == [{"reason": "The contact has had as many messages as allowed.", "count": 1}]


def test_a_draft_that_was_never_saved_is_checked_first_and_publishes_nothing(api, welcome) -> None:
    template = EmailTemplate.objects.create(name="New", slug="new", subject="Hi", html="<p>Hi</p>")
    flow = {
        "trigger_type": "event", "trigger_configuration": {"name": "signup"},
        "actions": [{"action_type": "send_email", "configuration": {"template_id": template.pk}}],
    }  # fmt: skip
    _crowd()
    with clock.freeze(END):
        found = _simulated(api, welcome, days=7, flow=flow)
    template.refresh_from_db()
    assert (found["version"], found["result"]["messages"]["planned"]) == (None, 3)
    assert template.published is None

    url = f"/api/v1/automations/{welcome.pk}/simulations/"
    refused = api.post(url, {"flow": flow | {"actions": [{"action_type": "wait"}]}}, format="json")
    assert (refused.status_code, list(refused.data["details"])) == (400, ["actions[0].configuration"])
    assert api.post(url, {"days": 0}, format="json").status_code == 400
    assert api.post(url, {"what": "draft"}, format="json").status_code == 409
    assert Simulation.objects.count() == 1


def test_a_trigger_whose_past_is_not_kept_says_why(api, organization) -> None:
    automation = making.automation(making.TAG, trigger_type="manual")
    found = _simulated(api, automation)
    assert (found["status"], found["result"]) == ("failed", None)
    assert found["error"].startswith("Nobody can tell whom a colleague")


def test_one_that_was_cancelled_stays_so(api, welcome) -> None:
    url = f"/api/v1/automations/{welcome.pk}/simulations/"
    row = api.post(url, {}, format="json").data
    assert api.post(f"{url}{row['id']}/cancel/").data["status"] == "cancelled"
    work.run(tenancy.required())
    assert Simulation.objects.get().status == "cancelled"
    assert api.post(f"{url}{row['id']}/cancel/").status_code == 409


def test_one_contact_is_walked_with_reasons_and_what_ifs(api, welcome) -> None:
    contacts = _crowd()
    url, body = f"/api/v1/automations/{welcome.pk}/walk/", {"contact_id": contacts[0], "at": NOON.isoformat()}

    plain = api.post(url, body, format="json").data
    assert [(stop["step_id"], stop["branch"]) for stop in plain["stops"]][:2] == [
        ("first", ""),
        ("wait", "timed_out"),
    ]
    assert plain["stops"][1]["left_at"] == (NOON + 24 * HOUR).isoformat().replace("+00:00", "Z")
    assert plain["stops"][1]["reasons"][0]["why"]["is_true"] is False
    assert plain["stops"][0]["message"]["reason"] == "The contact has not agreed to marketing e-mail."

    answered = api.post(url, body | {"answers": {"wait": "met"}}, format="json").data
    assert [stop["step_id"] for stop in answered["stops"]] == ["first", "wait", "second"]
    assert answered["stops"][1]["is_forced"] is True

    order = {"name": "order", "at": (NOON + 2 * HOUR).isoformat()}
    imagined = api.post(url, body | {"events": [order]}, format="json").data
    assert imagined["stops"][1]["left_at"] == (NOON + 2 * HOUR).isoformat().replace("+00:00", "Z")
    assert imagined["stops"][1]["reasons"][0]["why"]["is_true"] is True
    assert Event.objects.filter(contact_id=contacts[0]).count() == 1

    assert api.post(url, body | {"answers": {"wait": "no"}}, format="json").status_code == 400
    assert api.post(url, body | {"contact_id": 10**9}, format="json").status_code == 400


def test_the_command_tells_the_same(welcome, capsys) -> None:
    _crowd()
    with clock.freeze(END):
        call_command("simulate_automation", "welcome", "--days", "7")
        assert "3 entries of 3 people; 4 messages written, 0 would have gone." in capsys.readouterr().out
        with pytest.raises(CommandError, match="no workflow"):
            call_command("simulate_automation", "unknown")


def test_the_clock_and_dates_are_triggers_with_a_past(organization) -> None:
    contact = making.contact(attributes={"renewal": "2026-06-05"})
    people.attribute("renewal", "date")
    found = {}
    for name, settings in {
        "schedule": {"cron": "0 9 * * *", "filter": making.where("attributes.renewal", "2026-06-05", "on")},
        "date": {"attribute": "attributes.renewal", "offset_days": -2},
    }.items():
        automation = making.automation(
            making.TAG, name=name, trigger_type=name, trigger_configuration=settings, entry_rule="again"
        )
        flow = flows.read(automation.current_version.document, automation)
        found[name] = replay.replay(flow, NOON, END)

    assert {name: told["entries"] for name, told in found.items()} == {"schedule": 6, "date": 1}
    days = [day["day"] for day in found["date"]["per_day"] if day["entries"]]
    assert (days, contact.pk) == (["2026-06-03"], found["date"]["steps"]["add_tag_1"]["sample"][0]["contact_id"])
