"""In-app messages over the API: whose they are, what the contact does with them, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization
from audience.models import Consent, Contact, Device, IngestBatch
from common import clock, tenancy
from delivery import services
from delivery.models import Engagement, InboxMessage, Message, Provider
from delivery.providers import webpush
from delivery.tests.fake_http import VAPID, browser_keys
from delivery.tests.making import contact, queue, send


def waiting(owner: Contact, organization: Organization, title: str = "Hello", **fields: Any) -> InboxMessage:
    """A message in the inbox of a contact, sent through the ledger."""
    words = {"placement": "inbox", "title": title, "url": "https://shop.example/"} | fields
    made = services.publish_message("Test", "transactional", "in_app", words, {})
    (message,) = queue(owner, made=made, key=f"{title}:{owner.pk}")
    send(organization)
    return InboxMessage.objects.get(message=message)


def app_of(api: APIClient, owner: Contact, hours: int = 24) -> APIClient:
    """An app that was handed a token for the contact."""
    answer = api.post("/api/v1/contact-tokens/", {"contact_id": owner.pk, "hours": hours})
    assert answer.status_code == 201
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.data['token']}")
    return client


@pytest.fixture
def ada(organization: Organization, noon: Any) -> Contact:
    return contact()


@pytest.fixture
def app(api: APIClient, ada: Contact) -> APIClient:
    return app_of(api, ada)


def events() -> str:
    return " ".join(bytes(batch.body).decode("latin-1") for batch in IngestBatch.objects.all())


def test_the_inbox_lists_what_waits_for_its_contact_newest_first(
    app: APIClient, ada: Contact, organization: Organization
) -> None:
    first = waiting(ada, organization, "First")
    second = waiting(ada, organization, "Second", placement="modal", body="More", button="Go", days=1)
    waiting(contact("bob@example.com"), organization, "Not hers")

    rows = app.get("/api/v1/inbox/").data["results"]
    assert [row["id"] for row in rows] == [second.pk, first.pk]
    assert {name: rows[0][name] for name in ("placement", "title", "body", "button", "url", "read_at")} == {
        "placement": "modal", "title": "Second", "body": "More", "button": "Go", "url": "https://shop.example/",
        "read_at": None,
    }  # fmt: skip
    assert [row["id"] for row in app.get("/api/v1/inbox/?placement=inbox").data["results"]] == [first.pk]
    with clock.travel(timedelta(hours=23)):
        assert app.get("/api/v1/inbox/unread/").data == {"unread": 2}


def test_what_expired_is_gone(api: APIClient, ada: Contact, organization: Organization) -> None:
    waiting(ada, organization, "Short", days=1)
    app = app_of(api, ada, hours=100)
    with clock.travel(timedelta(hours=25)):
        assert app.get("/api/v1/inbox/").data["results"] == []


def test_reading_clicking_and_dismissing_come_back_as_events_once(
    app: APIClient, ada: Contact, organization: Organization
) -> None:
    row = waiting(ada, organization)
    for _ in range(2):
        assert app.post(f"/api/v1/inbox/{row.pk}/click/").status_code == 200
    assert app.get("/api/v1/inbox/?unread=true").data["results"] == []
    assert app.post(f"/api/v1/inbox/{row.pk}/dismiss/").status_code == 200
    assert app.post(f"/api/v1/inbox/{row.pk}/dismiss/").status_code == 404

    assert sorted(Engagement.objects.values_list("kind", "url")) == [("click", "https://shop.example/"), ("open", "")]
    message = Message.objects.get()
    assert (message.opened_at, message.clicked_at) == (clock.now(), clock.now())
    told = events()
    assert f'"message_id":{message.pk}' in told.replace(" ", "")
    assert [told.count(f"in_app_{what}:") for what in ("opened", "clicked", "dismissed")] == [1, 1, 1]
    assert app.get("/api/v1/inbox/").data["results"] == []


def test_a_click_on_a_message_without_a_link_is_refused(
    app: APIClient, ada: Contact, organization: Organization
) -> None:
    row = waiting(ada, organization, url="")
    answer = app.post(f"/api/v1/inbox/{row.pk}/click/")

    assert (answer.status_code, answer.data["code"]) == (409, "no_url")
    assert not Engagement.objects.exists()


def test_everything_is_read_at_once(app: APIClient, ada: Contact, organization: Organization) -> None:
    for title in ("A", "B"):
        waiting(ada, organization, title)
    assert app.post("/api/v1/inbox/read-all/").data == {"unread": 0}
    assert Engagement.objects.count() == 2


def test_nobody_touches_the_inbox_of_somebody_else(
    app: APIClient, api: APIClient, stranger_api: APIClient, ada: Contact, organization: Organization
) -> None:
    row = waiting(contact("bob@example.com"), organization)

    assert app.post(f"/api/v1/inbox/{row.pk}/read/").status_code == 404
    # A token says whose it is; a parameter does not change that.
    assert app.get(f"/api/v1/inbox/?contact_id={row.contact_id}").data["results"] == []
    assert stranger_api.get(f"/api/v1/inbox/?contact_id={row.contact_id}").status_code == 404
    assert stranger_api.post("/api/v1/contact-tokens/", {"contact_id": ada.pk}).status_code == 404
    for path in ("/api/v1/messages/", "/api/v1/contacts/", "/api/v1/contact-tokens/"):
        assert app.get(path).status_code in (401, 403)
    assert app.post("/api/v1/contact-tokens/", {"contact_id": row.contact_id}).status_code in (401, 403)
    assert api.get("/api/v1/inbox/").status_code == 400
    assert api.get(f"/api/v1/inbox/?contact_id={row.contact_id}").data["results"][0]["id"] == row.pk
    assert not Engagement.objects.exists()


def test_a_token_runs_out_and_a_forged_one_opens_nothing(api: APIClient, ada: Contact) -> None:
    app = app_of(api, ada, hours=1)
    with clock.travel(timedelta(hours=2)):
        assert app.get("/api/v1/inbox/").status_code == 401
    for forged in ("ct_", "ct_x", "ct_WzEsMSw5OTk5OTk5OTk5XQ:1:abc"):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {forged}")
        assert client.get("/api/v1/inbox/").status_code == 401


def test_after_a_merge_the_survivor_sees_the_messages(
    api: APIClient, ada: Contact, organization: Organization
) -> None:
    row, app = waiting(ada, organization), app_of(api, ada)
    bob = contact("bob@example.com")
    Contact.objects.filter(pk=ada.pk).update(merged_into=bob)

    assert [each["id"] for each in app.get("/api/v1/inbox/").data["results"]] == [row.pk]
    assert [each["id"] for each in app_of(api, bob).get("/api/v1/inbox/").data["results"]] == [row.pk]


def test_a_browser_of_any_site_may_call(app: APIClient) -> None:
    ask = APIClient().options("/api/v1/inbox/", HTTP_ORIGIN="https://shop.example")
    assert (ask.status_code, ask["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
    assert "authorization" in ask["Access-Control-Allow-Headers"] and "DELETE" in ask["Access-Control-Allow-Methods"]
    answer = app.get("/api/v1/inbox/", HTTP_ORIGIN="https://shop.example")
    assert answer["Access-Control-Allow-Origin"] == "https://shop.example"


# --- devices ----------------------------------------------------------------------------------------

SUBSCRIPTION = {"kind": "web_push", "token": "https://push.example/abc", "keys": browser_keys()}


def test_a_browser_is_registered_moves_with_its_person_and_is_forgotten(
    app: APIClient, api: APIClient, ada: Contact
) -> None:
    answer = app.post("/api/v1/devices/", SUBSCRIPTION | {"agreed": True, "wording": "Tell me", "platform": "Linux"})
    assert answer.status_code == 201
    device = Device.objects.get()
    assert (device.contact_id, device.keys, device.platform) == (ada.pk, browser_keys(), "Linux")
    consent = Consent.objects.get(channel="push")
    assert (consent.state, consent.wording, consent.proof) == ("granted", "Tell me", {"device_id": device.pk})

    bob = contact("bob@example.com")
    other = app_of(api, bob)
    other.post("/api/v1/devices/", SUBSCRIPTION)
    assert Device.objects.get().contact_id == bob.pk
    removal = {"kind": "web_push", "token": SUBSCRIPTION["token"]}
    assert app.delete("/api/v1/devices/", removal).status_code == 204
    assert Device.objects.exists(), "it is not hers any more"
    other.delete("/api/v1/devices/", removal)
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"token": "http://127.0.0.1/push"}, "token"),
        ({"token": "https://[::ffff:10.0.0.1]/"}, "token"),
        ({"token": "file:///etc/passwd"}, "token"),
        ({"token": "https://user:word@push.example/"}, "token"),
        ({"keys": {"p256dh": "x" * 20}}, "keys"),
        ({"keys": {"p256dh": "x" * 20, "auth": "y"}}, "keys"),
        ({"kind": "pigeon"}, "kind"),
    ],
)
def test_a_device_that_cannot_be_is_refused(app: APIClient, change: dict[str, Any], place: str) -> None:
    answer = app.post("/api/v1/devices/", SUBSCRIPTION | change)

    assert answer.status_code == 400 and place in answer.data["details"]
    assert not Device.objects.exists()


def test_the_public_key_is_told_once_push_is_set_up(app: APIClient, organization: Organization) -> None:
    assert app.get("/api/v1/push-key/").status_code == 404
    row = Provider(channel="push", kind="web_push", name="Push")
    services.save_provider(row, {"private_key": VAPID, "subject": "mailto:a@b.example"})

    assert app.get("/api/v1/push-key/").data == {"public_key": webpush.public_key(VAPID)}
    with tenancy.organization(organization.pk):
        assert len(webpush.public_key(VAPID)) == 87
