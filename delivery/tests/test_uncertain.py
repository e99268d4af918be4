"""Messages of which nobody knows whether they left: listed with what is known, decided by people, audited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Organization
from audience.models import IngestBatch
from common import clock, tenancy
from common.models import OutboxNotice
from delivery import links, services
from delivery.models import Message, Provider, ProviderCall, ProviderReport
from delivery.services import claiming, reports, settling
from delivery.services.routing import Lane
from delivery.tests import hook_payloads as payloads
from delivery.tests.fake_http import FakeServer
from delivery.tests.hook_payloads import Said
from delivery.tests.making import contact, queue
from delivery.tests.test_channels import account, person, words


@pytest.fixture
def uncertain(organization: Organization, noon: Any) -> list[Message]:
    """Three uncertain messages and a sent one."""
    made = queue(*[contact(f"p{number}@example.com") for number in range(4)])
    Message.objects.update(status="uncertain", handed_at=clock.now(), reason="The worker vanished.")
    Message.objects.filter(pk=made[3].pk).update(status="sent")
    IngestBatch.objects.all().delete()
    return made


def test_the_api_marks_them_as_sent(api: Any, uncertain: list[Message]) -> None:
    ids = [row.pk for row in uncertain] + [999_999]
    answer = api.post("/api/v1/messages/resolve/", {"message_ids": ids, "decision": "sent"})
    assert (answer.status_code, answer.json()) == (200, {"resolved": 3, "left": 2})
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}
    assert AuditEntry.objects.filter(action="mark as sent").count() == 3
    # The rest of the house hears of it as of any other message that was sent.
    assert sum(batch.event_count for batch in IngestBatch.objects.all()) == 3
    notice = OutboxNotice.objects.filter(kind="MessagesSettled").latest("pk")
    assert (notice.payload["status"], len(notice.payload["message_ids"])) == ("sent", 3)
    again = api.post("/api/v1/messages/resolve/", {"message_ids": ids, "decision": "send_again"})
    assert again.json() == {"resolved": 0, "left": 5}


def test_the_api_sends_them_again(api: Any, uncertain: list[Message]) -> None:
    ids = [row.pk for row in uncertain]
    answer = api.post("/api/v1/messages/resolve/", {"message_ids": ids, "decision": "send_again"})
    assert answer.json() == {"resolved": 3, "left": 1}
    assert sorted(Message.objects.values_list("status", flat=True)) == ["queued", "queued", "queued", "sent"]
    listed = api.get("/api/v1/messages/?status=uncertain").json()
    assert listed["results"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message_ids": [], "decision": "sent"},
        {"message_ids": [1], "decision": "maybe"},
        {"message_ids": ["x"], "decision": "sent"},
        {"message_ids": list(range(1, 1003)), "decision": "sent"},
    ],
)
def test_a_wrong_decision_changes_nothing(api: Any, uncertain: list[Message], body: dict[str, Any]) -> None:
    assert api.post("/api/v1/messages/resolve/", body).status_code == 400
    assert Message.objects.filter(status="uncertain").count() == 3
    assert not AuditEntry.objects.filter(object_type="delivery.message").exists()


def test_strangers_decide_nothing(stranger_api: Any, organization: Organization, uncertain: list[Message]) -> None:
    ids = [row.pk for row in uncertain]
    answer = stranger_api.post("/api/v1/messages/resolve/", {"message_ids": ids, "decision": "send_again"})
    assert answer.json() == {"resolved": 0, "left": 4}
    with tenancy.organization(organization.pk):
        assert Message.objects.filter(status="uncertain").count() == 3


def test_a_second_try_by_hand_is_called_off_by_a_late_report(
    organization: Organization, uncertain: list[Message]
) -> None:
    services.resolve_uncertain([uncertain[0].pk], as_sent=False)
    late = Said("delivered", links.reference(organization.pk, uncertain[0].pk))
    reports.accept("sendgrid", None, payloads.sendgrid(late).body, content_type="application/json")
    reports.work(organization.pk)
    uncertain[0].refresh_from_db()
    assert uncertain[0].status == "sent"


def test_they_are_found_by_the_account_that_had_them(
    admin: Any, api: Any, organization: Organization, server: FakeServer
) -> None:
    row, other = account("twilio", server), account("http_text", server)
    server.say = "drop"
    ada = person()
    (unclear,) = queue(ada, made=words("sms"), key="unclear")
    services.send_due(organization.pk)
    (crashed,) = queue(ada, made=words("sms"), key="crashed")
    block = claiming.claim(10, Lane("sms"))
    settling.turn([], block.recipients, block, row.pk)
    with clock.travel(timedelta(hours=1)):
        claiming.expire_leases()
    (waiting,) = queue(ada, made=words("sms"), key="waiting")

    def found(**wanted: Any) -> set[int]:
        return {
            each["id"] for each in api.get("/api/v1/messages/", wanted | {"status": "uncertain"}).json()["results"]
        }

    both = {unclear.pk, crashed.pk}
    assert found() == found(account_id=row.pk) == found(provider="twilio", channel="sms") == both
    assert found(account_id=other.pk) == found(provider="http_text") == found(channel="email") == set()
    assert api.get(f"/api/v1/messages/{unclear.pk}/").json()["account_id"] == row.pk
    assert api.get(f"/api/v1/messages/{waiting.pk}/").json()["account_id"] is None
    listing = reverse("admin:delivery_message_changelist")
    for account_id, count in ((row.pk, 2), (other.pk, 0)):
        page = admin.get(listing, {"status__exact": "uncertain", "account__id__exact": account_id})
        assert page.context["cl"].result_count == count
    row.delete()
    assert admin.get(reverse("admin:delivery_message_change", args=[unclear.pk])).status_code == 200


def test_pages_show_what_is_known(admin: Any, organization: Organization, uncertain: list[Message]) -> None:
    row = services.save_provider(Provider(kind="postmark", channel="email", name="P"), payloads.values("postmark"))
    said = Said("deferred", links.reference(organization.pk, uncertain[3].pk))
    reports.accept("postmark", row.pk, payloads.postmark(said).body, content_type="application/json")
    reports.accept("postmark", row.pk, b"[<script>", content_type="application/json")
    reports.work(organization.pk)
    message = admin.get(reverse("admin:delivery_message_change", args=[uncertain[3].pk])).content.decode()
    assert "Reports of the provider" in message
    assert "deferred" in message
    listed = admin.get(reverse("admin:delivery_providerreport_changelist")).content.decode()
    assert "deferred" in listed
    calls = admin.get(reverse("admin:delivery_providercall_changelist")).content.decode()
    assert "It cannot be read" in calls
    broken = ProviderCall.objects.get(status="failed")
    page = admin.get(reverse("admin:delivery_providercall_change", args=[broken.pk])).content.decode()
    assert "[&lt;script&gt;" in page
    account = admin.get(reverse("admin:delivery_provider_change", args=[row.pk])).content.decode()
    assert links.hook_url(organization.pk, row.pk).split("://")[1] in account
    assert "PASSWORD@" in account
    health = admin.get("/health/").content.decode()
    assert "3 may have left the house, or not" in health
    assert ProviderReport.objects.count() == 1
