"""Out at once: who is taken out leaves, and what waits of their messages is withdrawn with them, never both."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction
from django.urls import reverse

from accounts import services as accounts
from accounts.models import AuditEntry
from automations import services
from automations.models import AutomationRun, StepRun
from automations.services import troubles
from automations.services.versions import release
from automations.tests import making
from common import tenancy
from delivery import services as delivery
from delivery.models import Hold, Message
from delivery.services import claiming

pytestmark = pytest.mark.django_db

PAUSE = {"id": "pause", **making.wait(days=2)}
STOPPED = "Taken out when the workflow was stopped."


def _mail(template) -> dict:
    return {"id": "mail", "action_type": "send_email", "configuration": {"template_id": template.pk}}


def _mailed(count: int):
    """People who have a message waiting and stand behind it."""
    automation = making.automation(_mail(making.template()), PAUSE)
    people = [making.contact(email=f"{number}@example.org") for number in range(count)]
    services.start(automation, [one.pk for one in people])
    making.work()
    return automation


def _messages() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("status", "reason"))


def test_a_version_that_takes_everybody_out_withdraws_what_waits(organization) -> None:
    automation = _mailed(3)
    first, second, _ = Message.objects.order_by("pk")
    Message.objects.filter(pk=first.pk).update(status="sent")
    Message.objects.filter(pk=second.pk).update(status="held")
    told = making.contact(email="told@example.org")
    delivery.queue(
        [delivery.Outgoing(told.pk, "task:7")],
        content_id=first.content_id,
        source_type="automation",
        source_id=automation.pk,
    )

    done = release(automation, mode="exit", flow={"actions": [making.TAG]})

    assert (done.left, done.withdrawn) == (3, 2)
    reason = "Taken out when version 2 was published."
    assert _messages() == [("sent", ""), ("cancelled", reason), ("cancelled", reason), ("queued", "")]
    assert AuditEntry.objects.get(action="publish", after__mode="exit").after == {
        "version": 2, "mode": "exit", "moved": 0, "left": 3, "withdrawn": 2,
    }  # fmt: skip


def test_only_those_who_leave_lose_their_messages(organization) -> None:
    automation = _mailed(2)
    one, other = AutomationRun.objects.order_by("pk")
    AutomationRun.objects.filter(pk=one.pk).update(step_id="mail")

    done = release(
        automation,
        mode="migrate",
        flow={"actions": [{"id": "mail", **making.TAG}]},
        mapping={"mail": "mail", "pause": None},
    )

    assert (done.moved, done.left, done.withdrawn) == (1, 1, 1)
    status = dict(Message.objects.values_list("contact_id", "status"))
    assert status == {one.contact_id: "queued", other.contact_id: "cancelled"}


def test_a_refused_publication_withdraws_nothing(organization) -> None:
    automation = _mailed(1)

    with pytest.raises(RuntimeError), transaction.atomic():
        release(automation, mode="exit", flow={"actions": [making.TAG]})
        raise RuntimeError

    assert _messages() == [("queued", "")]
    assert AutomationRun.objects.get().status == "running"


def test_a_stop_switches_off_and_takes_everybody_out(organization) -> None:
    automation = _mailed(3)
    dead, through, _ = AutomationRun.objects.order_by("pk")
    AutomationRun.objects.filter(pk=dead.pk).update(status="failed", error="no")
    AutomationRun.objects.filter(pk=through.pk).update(status="completed", step_id="")

    left = services.stop(automation)

    assert (left.people, left.messages) == (2, 2)
    automation.refresh_from_db()
    assert not automation.is_active
    runs = list(AutomationRun.objects.order_by("pk").values_list("status", "exit_reason", "error"))
    assert runs == [("exited", "stopped", ""), ("completed", "", ""), ("exited", "stopped", "")]
    # What was written for those who were through is held as by every switching off.
    assert sorted(_messages()) == [("cancelled", STOPPED), ("cancelled", STOPPED), ("held", "")]
    assert StepRun.objects.filter(outcome="exited").count() == 2
    assert AuditEntry.objects.get(action="stop").after == {"left": 2, "withdrawn": 2}
    assert services.stop(automation).people == 0


def test_who_is_taken_out_by_hand_gets_nothing_more(organization) -> None:
    _mailed(3)
    one, through, other = AutomationRun.objects.order_by("pk")
    AutomationRun.objects.filter(pk=through.pk).update(status="completed", step_id="")

    assert services.dismiss([one.pk, through.pk]) == 1

    status = dict(Message.objects.values_list("contact_id", "status"))
    assert status == {one.contact_id: "cancelled", through.contact_id: "queued", other.contact_id: "queued"}
    assert Message.objects.get(status="cancelled").reason == "Taken out of the workflow by hand."

    AutomationRun.objects.filter(pk=other.pk).update(status="failed", error="no")
    assert troubles.dismiss_all(troubles.Cause(other.automation_id, "pause", "no")) == 1
    assert Message.objects.filter(status="cancelled").count() == 2


def test_what_is_claimed_goes_out_and_what_waits_does_not(organization) -> None:
    automation = _mailed(2)
    claimed = claiming.claim(1).recipients[0].message_id

    assert services.stop(automation).messages == 1

    status = dict(Message.objects.values_list("pk", "status"))
    assert status.pop(claimed) == "sending"
    assert list(status.values()) == ["cancelled"]


def test_the_page_and_the_api_stop_a_workflow(admin, api, organization) -> None:
    automation = _mailed(2)
    page = reverse("admin:automations_automation_switch", args=[automation.pk])
    assert "Take 2 people out" in admin.get(page).content.decode()

    told = admin.post(page, {"stop": "yes"}, follow=True).content.decode()

    assert "is switched off; 2 people left it. 2 waiting messages were withdrawn." in told
    answer = api.post(f"/api/v1/automations/{automation.pk}/stop/")
    assert (answer.status_code, answer.json()) == (200, {"left": 0, "withdrawn": 0})
    assert api.post("/api/v1/automations/999999/stop/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_stop_while_workers_claim_leaves_no_message_in_both_states() -> None:
    """Each message is claimed or withdrawn; a worker that claims meanwhile neither fails nor waits for ever."""
    organization = accounts.create_organization("Acme", "acme")
    claimed: list[int] = []
    begun = threading.Event()

    def claim() -> None:
        try:
            with tenancy.organization(organization.pk):
                while block := claiming.claim(3).recipients:
                    claimed.extend(one.message_id for one in block)
                    begun.set()
        finally:
            begun.set()
            connections.close_all()

    with tenancy.organization(organization.pk):
        automation = _mailed(24)
        thread = threading.Thread(target=claim)
        thread.start()
        begun.wait()
        left = services.stop(automation)
        thread.join()

        status = dict(Message.objects.values_list("pk", "status"))
        assert len(claimed) >= 3
        assert {pk for pk, one in status.items() if one == "sending"} == set(claimed)
        assert left.messages == 24 - len(claimed) == list(status.values()).count("cancelled")
        assert Hold.objects.filter(source_id=automation.pk, is_final=False).exists()
