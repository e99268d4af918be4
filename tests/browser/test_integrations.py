"""Pages of predictions and of segments kept at platforms: sound at two widths, and a rule by prediction by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from audience import services as audience
from audience.models import Contact, PredictionDefinition
from common import tenancy
from integrations import services
from integrations.models import AudienceSync, Destination, Push, SyncedContact
from segments.models import Segment
from tests.browser.town import Town


@dataclass(frozen=True)
class Kept:
    """A segment kept at a platform, and a contact of whom something is expected."""

    sync_id: int
    destination_id: int
    segment_id: int
    contact_id: int


@pytest.fixture(scope="module")
def kept(town: Town, django_db_blocker: Any) -> Iterator[Kept]:
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        audience.define_prediction(name="churn_14d", label="Churn risk in 14 days", valid_days=14)
        people = list(Contact.objects.filter(merged_into=None).order_by("pk")[:40])
        rows = [{"contact_id": row.pk, "value": number / 40} for number, row in enumerate(people)]
        stale = {"contact_id": people[-1].pk, "value": 1, "made_at": "2026-01-01T00:00:00Z"}
        audience.record_predictions([*rows[:-1], stale], {"prediction": "churn_14d", "model_version": "gbm-7"})
        account = {"account_id": "act_5", "access_token": "token"}
        destination = services.add_destination(name="Our Meta account", kind="meta", settings=account)
        sync = services.start_sync(destination, Segment.objects.get(pk=town.segment_id), audience_id="238001")
        states = [("add", "done", "")] * 30 + [("add", "failed", "bad hash")] * 3 + [("remove", "pending", "")] * 4
        SyncedContact.objects.bulk_create(
            SyncedContact(sync=sync, contact_id=row.pk, change=change, status=status, fingerprint="x", error=error)
            for row, (change, status, error) in zip(people, states, strict=False)
        )
        Push.objects.create(sync=sync, change="add", record_count=33, refused_count=3, status="done", seconds=0.4)
        Push.objects.create(sync=sync, change="add", record_count=1, status="failed", error="503: busy", seconds=1)
        services.pause_sync(sync, "400: Invalid OAuth access token.")
        yield Kept(sync.pk, destination.pk, town.segment_id, people[-1].pk)
        for model in (Push, SyncedContact, AudienceSync, Destination):
            model.objects.all().delete()
        audience.delete_definition(PredictionDefinition.objects.get())
    connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/integrations/destination/add/",
        "/admin/integrations/destination/add/?kind=google_ads",
        "/admin/integrations/destination/{kept.destination_id}/change/",
        "/admin/integrations/audiencesync/",
        "/admin/integrations/audiencesync/add/?segment={kept.segment_id}",
        "/admin/integrations/audiencesync/{kept.sync_id}/change/",
        "/admin/integrations/syncedcontact/?sync__id__exact={kept.sync_id}&status__exact=failed",
        "/admin/audience/predictiondefinition/",
        "/admin/audience/predictiondefinition/add/",
        "/admin/audience/contactprediction/?holds=no",
        "/contacts/{kept.contact_id}/",
    ],
)
def test_pages_are_sound(visit: Any, kept: Kept, path: str) -> None:
    assert visit(path.format(kept=kept)).everywhere() == {}


def test_a_rule_by_prediction_is_made_by_hand(visit: Any, kept: Kept, size: tuple[int, int]) -> None:
    watched = visit("/admin/segments/segment/add/", size)
    page = watched.page
    page.get_by_role("button", name="Condition", exact=True).first.click()
    page.locator(".rb-field--subject select").last.select_option("other:prediction")
    page.get_by_role("checkbox", name="medium").last.check()
    page.wait_for_timeout(600)

    rule = json.loads(page.locator("rule-builder textarea").input_value())
    assert rule["rules"][-1] == {"prediction": "churn_14d", "operator": "band", "value": ["medium", "high"]}
    assert watched.everything() == []
