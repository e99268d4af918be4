"""Over the API and the pages: what is checked, what is told, and what stays secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Organization
from audience import services as audience
from common import clock, tenancy
from common.errors import Conflict
from integrations import services
from integrations.models import AudienceSync, Destination, SyncedContact
from integrations.services import pushing
from integrations.tests.conftest import NOON, SECRET, SETTINGS
from integrations.tests.platform import Platform
from segments import services as segments
from segments.models import Segment
from segments.services.definitions import delete_segment

URL, SYNCS = "/api/v1/destinations/", "/api/v1/audience-syncs/"
ADMIN = "/admin/integrations"


@pytest.fixture
def segment(organization: Organization) -> Segment:
    return segments.create_segment(name="VIP")


@pytest.fixture
def meta(organization: Organization) -> Destination:
    return services.add_destination(name="Meta", kind="meta", settings=SETTINGS["meta"])


def test_a_destination_is_connected_and_its_secrets_are_never_told(
    api: APIClient, organization: Organization
) -> None:
    made = api.post(URL, {"name": "Meta", "kind": "meta", "settings": SETTINGS["meta"]})

    assert (made.status_code, made.json()["settings"]) == (201, {"account_id": "act_55"})
    row = Destination.objects.get()
    assert "token" not in row.sealed_secrets
    assert services.destinations.account_of(row)["access_token"] == "token"
    everything = api.get(URL).content + api.get(f"{URL}{row.pk}/").content
    assert b'"token"' not in everything
    entry = AuditEntry.objects.get(object_type="integrations.destination")
    assert "sealed_secrets" not in entry.after

    changed = api.patch(f"{URL}{row.pk}/", {"settings": {"account_id": "66", "access_token": ""}})
    assert changed.json()["settings"] == {"account_id": "66"}
    row.refresh_from_db()
    assert services.destinations.account_of(row)["access_token"] == "token"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"name": "X", "kind": "myspace", "settings": {}}, "kind"),
        ({"name": "X", "kind": "meta", "settings": {"account_id": "1"}}, "access_token"),
        ({"name": "X", "kind": "meta", "settings": SETTINGS["meta"] | {"url": "x"}}, "url"),
        ({"name": " ", "kind": "meta", "settings": SETTINGS["meta"]}, "name"),
        ({"name": "X", "kind": "webhook", "settings": {"url": "https://10.0.0.1/", "secret": SECRET}}, "url"),
        ({"name": "X", "kind": "webhook", "settings": {"url": "http://example.com/", "secret": SECRET}}, "url"),
        (
            {"name": "X", "kind": "webhook", "settings": {"url": "https://example.com/", "secret": "whsec_aGk="}},
            "secret",
        ),
        ({"name": "X", "kind": "meta", "settings": {"account_id": "1\r\nX: 1", "access_token": "t"}}, "account_id"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    api: APIClient, organization: Organization, body: dict[str, Any], place: str
) -> None:
    refused = api.post(URL, body)
    assert (refused.status_code, list(refused.json()["details"])) == (400, [place])
    assert not Destination.objects.exists()


def test_a_sync_over_the_api(api: APIClient, meta: Destination, segment: Segment) -> None:
    made = api.post(SYNCS, {"destination": meta.pk, "segment": segment.pk})
    again = api.post(SYNCS, {"destination": meta.pk, "segment": segment.pk})
    unknown = api.post(SYNCS, {"destination": meta.pk, "segment": segment.pk + 1})
    hostile = api.post(SYNCS, {"destination": meta.pk, "segment": segment.pk, "audience_id": "../../me?x="})

    assert (made.status_code, again.status_code, unknown.status_code, hostile.status_code) == (201, 409, 400, 400)
    assert (made.json()["audience_name"], made.json()["counts"]["to_add"]) == ("VIP", 0)
    address = f"{SYNCS}{made.json()['id']}/"
    assert api.post(f"{address}pause/").json()["status"] == "paused"
    assert api.post(f"{address}resume/", {"audience_id": "77"}).json()["audience_id"] == "77"
    assert api.delete(f"{URL}{meta.pk}/").status_code == 409
    with pytest.raises(Conflict):
        delete_segment(segment)
    assert api.delete(address).json()["status"] == "ending"
    assert api.post(f"{address}pause/").status_code == 409
    services.work(tenancy.required())
    assert api.get(address).status_code == 404
    assert api.delete(f"{URL}{meta.pk}/").status_code == 204


def test_the_log_by_record_and_by_request(
    api: APIClient, destination: Destination, platform: Platform, segment: Segment, drain: Any
) -> None:
    row = audience.create_contact(email="ada@example.com")
    audience.grant_consent([row.pk], "email", None, "form")
    segments.add_contacts(segment, [row.pk])
    sync = services.start_sync(destination, segment)
    drain()

    address = f"{SYNCS}{sync.pk}/"
    assert api.get(address).json()["counts"] == {"in_audience": 1, "to_add": 0, "to_remove": 0, "refused": 0}
    listed = api.get(f"{address}contacts/", {"status": "done"}).json()["results"]
    assert [(each["contact_id"], each["change"]) for each in listed] == [(row.pk, "add")]
    assert api.get(f"{address}contacts/", {"status": "failed"}).json()["results"] == []
    assert [each["record_count"] for each in api.get(f"{address}pushes/").json()["results"]] == [1]


def test_nothing_of_another_organisation_is_seen_or_used(
    stranger_api: APIClient, meta: Destination, segment: Segment
) -> None:
    sync = services.start_sync(meta, segment)
    assert stranger_api.get(URL).json()["results"] == stranger_api.get(SYNCS).json()["results"] == []
    assert stranger_api.get(f"{SYNCS}{sync.pk}/contacts/").status_code == 404
    assert stranger_api.post(SYNCS, {"destination": meta.pk, "segment": segment.pk}).status_code == 400
    assert stranger_api.delete(f"{SYNCS}{sync.pk}/").status_code == 404


# --- pages -------------------------------------------------------------------------------------------------


def test_a_colleague_connects_an_account(admin: Client, organization: Organization) -> None:
    assert "Google Ads Customer Match" in admin.get(f"{ADMIN}/destination/add/").content.decode()
    assert admin.get(f"{ADMIN}/destination/add/?kind=meta").status_code == 200
    refused = admin.post(
        f"{ADMIN}/destination/add/?kind=webhook", {"name": "Hook", "url": "https://127.0.0.1/", "secret": SECRET}
    )
    assert "127.0.0.1 is an address inside a network; give a public one." in refused.content.decode()
    assert not Destination.objects.exists()

    made = admin.post(f"{ADMIN}/destination/add/?kind=meta", {"name": "Meta"} | SETTINGS["meta"])
    assert made.status_code == 302
    row = Destination.objects.get()
    page = admin.get(f"{ADMIN}/destination/{row.pk}/change/").content.decode()
    assert "act_55" in page
    assert 'value="token"' not in page
    admin.post(f"{ADMIN}/destination/{row.pk}/change/", {"name": "Meta 2", "account_id": "9", "access_token": ""})
    row.refresh_from_db()
    assert (row.name, services.destinations.account_of(row)["access_token"]) == ("Meta 2", "token")


def test_a_segment_is_kept_somewhere_from_its_page(admin: Client, meta: Destination, segment: Segment) -> None:
    page = admin.get(f"/admin/segments/segment/{segment.pk}/overview/").content.decode()
    assert f"{ADMIN}/audiencesync/add/?segment={segment.pk}" in page

    form = {"destination": meta.pk, "segment": segment.pk, "channel": "email", "audience_name": "", "audience_id": ""}
    assert admin.post(f"{ADMIN}/audiencesync/add/", form).status_code == 302
    sync = AudienceSync.objects.get()
    assert sync.audience_name == "VIP"
    SyncedContact.objects.create(sync=sync, contact_id=5, change="add", fingerprint="x", status="failed", error="bad")
    shown = admin.get(f"{ADMIN}/audiencesync/{sync.pk}/change/").content.decode()
    assert "Send everybody again" in shown
    link = f"{ADMIN}/syncedcontact/?sync__id__exact={sync.pk}"
    for filters, count in [
        ("status__exact=failed", 1), ("status__exact=done", 0), ("status__in=pending,claimed&change__exact=add", 0),
    ]:  # fmt: skip
        listed = admin.get(f"{link}&{filters}").content.decode()
        assert listed.count("Contact 5</a>") == count, filters

    act = f"{ADMIN}/audiencesync/{sync.pk}/act"
    assert admin.get(f"{act}/pause/").status_code == 405
    admin.post(f"{act}/pause/")
    sync.refresh_from_db()
    assert sync.status == "paused"
    admin.post(f"{act}/forget/")
    assert not AudienceSync.objects.exists()


# --- two at once, and crashes ------------------------------------------------------------------------------


def test_one_worker_at_a_time_and_a_lost_lease_writes_nothing(meta: Destination, segment: Segment) -> None:
    row = audience.create_contact(email="ada@example.com")
    audience.grant_consent([row.pk], "email", None, "form")
    segments.add_contacts(segment, [row.pk])
    sync = services.start_sync(meta, segment, audience_id="1")
    services.plan(sync.pk)

    first = pushing._claim()
    assert first is not None
    assert pushing._claim() is None
    batch = pushing._next(first, pushing.PROVIDERS["meta"])
    assert batch is not None
    with clock.freeze(NOON + timedelta(seconds=pushing.LEASE_SECONDS + 1)):
        second = pushing._claim()
        assert second is not None
        with pytest.raises(pushing.LeaseLost):
            first.hold()
    # What the first was about to tell waits again, with the identifiers that may have arrived.
    waiting = SyncedContact.objects.get()
    assert (waiting.status, waiting.may_be_there, set(waiting.identifiers)) == ("pending", True, {"email", "id"})


def test_a_change_while_it_is_being_told_is_told_after_it(
    destination: Destination, platform: Platform, segment: Segment, monkeypatch: pytest.MonkeyPatch, drain: Any
) -> None:
    row = audience.create_contact(email="ada@example.com")
    audience.grant_consent([row.pk], "email", None, "form")
    segments.add_contacts(segment, [row.pk])
    sync = services.start_sync(destination, segment, audience_id="1")
    drain_after: list[int] = []
    settle = pushing._settle

    def withdraw_first(*arguments: Any) -> None:
        if not drain_after:
            drain_after.append(1)
            audience.withdraw_consent([row.pk], "email", None, "link")
            services.plan(sync.pk, [row.pk])
            assert SyncedContact.objects.get().change == "add"  # it is on its way: left alone
        settle(*arguments)

    monkeypatch.setattr(pushing, "_settle", withdraw_first)
    drain()

    assert (platform.audience, SyncedContact.objects.count()) == (set(), 0)


def test_planning_does_not_ask_contact_by_contact(
    meta: Destination, segment: Segment, django_assert_num_queries: Any
) -> None:
    rows = [audience.create_contact(email=f"p{number}@example.com") for number in range(30)]
    audience.grant_consent([row.pk for row in rows], "email", None, "form")
    audience.suppress("email", "p0@example.com", "complaint")
    segments.add_contacts(segment, [row.pk for row in rows])
    sync = services.start_sync(meta, segment)
    services.plan(sync.pk, [rows[1].pk])
    assert SyncedContact.objects.count() == 1

    with django_assert_num_queries(9):
        assert services.plan(sync.pk) == 28
    assert SyncedContact.objects.count() == 29
