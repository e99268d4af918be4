"""The HTTP contract of campaigns, offers and templates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import CAPABILITIES, Role
from accounts.models import ApiKeyKind, Member, Organization
from audience.models import Contact, Identity, IdentityKind, IngestBatch
from campaigns import services
from campaigns.models import Campaign, CampaignRun, EmailTemplate, Target
from campaigns.tests import making
from common import clock
from delivery.models import Message

pytestmark = pytest.mark.django_db

CAMPAIGNS = "/api/v1/campaigns/"
TEMPLATES = "/api/v1/email-templates/"


@pytest.fixture(autouse=True)
def _open_doors(organization: Organization) -> None:
    making.open_doors()


@pytest.fixture
def people() -> list[Contact]:
    return making.contacts(3)


@pytest.fixture
def offer(people: list[Contact]) -> Campaign:
    return making.offer_campaign(people)


@pytest.fixture
def analyst(organization: Organization) -> APIClient:
    return _client(Role.ANALYST)


def _client(role: Role) -> APIClient:
    _, key = accounts.issue_key(role.value, ApiKeyKind.SECRET, scopes=sorted(CAPABILITIES[role]))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def _events() -> int:
    return sum(IngestBatch.objects.values_list("event_count", flat=True))


# --- campaigns -------------------------------------------------------------------------------------------


def test_a_campaign_goes_from_draft_to_sending_over_http(api: APIClient, people: list[Contact]) -> None:
    segment, template = making.segment(people), making.template()
    made = api.post(
        CAMPAIGNS,
        {
            "name": "Sale",
            "template_id": template.pk,
            "audience": {"include": [segment.pk]},
            "messages_per_minute": 600,
        },
    )
    assert made.status_code == 201, made.json()
    address = f"{CAMPAIGNS}{made.json()['id']}/"

    preview = api.get(f"{address}audience-preview/").json()
    launched = api.post(f"{address}launch/", {"version": made.json()["version"]})

    assert (preview["contact_count"], preview["reachable_count"]) == (3, 3)
    assert launched.status_code == 200, launched.json()
    assert launched.json()["status"] == "active"
    assert launched.json()["allowed_actions"] == ["pause", "complete", "cancel"]
    services.work(segment.organization_id)
    assert Message.objects.count() == 3
    progress = api.get(f"{address}progress/").json()
    assert (progress["target_count"], progress["queued_count"], progress["percent"]) == (3, 3, 0)


def test_schedule_is_another_word_for_launch_with_a_moment(api: APIClient, people: list[Contact]) -> None:
    campaign = making.campaign([making.segment(people)])
    at = clock.now() + timedelta(hours=1)

    answer = api.post(f"{CAMPAIGNS}{campaign.pk}/schedule/", {"at": at.isoformat()})

    assert answer.json()["status"] == "scheduled"
    assert CampaignRun.objects.get().run_at == at


def test_pause_resume_cancel_and_archive_over_http(api: APIClient, people: list[Contact]) -> None:
    campaign = services.launch(making.campaign([making.segment(people)]))
    address = f"{CAMPAIGNS}{campaign.pk}/"

    statuses = [api.post(f"{address}{act}/").json()["status"] for act in ("pause", "resume", "cancel", "archive")]

    assert statuses == ["paused", "active", "cancelled", "archived"]


def test_a_forbidden_move_says_what_is_possible(api: APIClient) -> None:
    campaign = making.campaign()

    answer = api.post(f"{CAMPAIGNS}{campaign.pk}/pause/")

    assert answer.status_code == 409
    assert answer.json() == {
        "code": "state_forbids",
        "message": "You cannot pause a campaign that is draft; possible now: launch, schedule, archive.",
        "details": {"status": "draft", "allowed": ["launch", "schedule", "archive"]},
    }


def test_a_stale_version_is_refused(api: APIClient) -> None:
    campaign = making.campaign()
    services.update_campaign(campaign, {"name": "First"})

    answer = api.patch(f"{CAMPAIGNS}{campaign.pk}/", {"name": "Second", "version": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert Campaign.objects.get().name == "First"


def test_what_was_read_can_be_put_back(api: APIClient, people: list[Contact]) -> None:
    campaign = making.campaign([making.segment(people)], offers=[services.OfferDraft("points", 50, "points")])  # type: ignore[arg-type]
    read = api.get(f"{CAMPAIGNS}{campaign.pk}/").json()

    answer = api.put(f"{CAMPAIGNS}{campaign.pk}/", {**read, "name": "Renamed"})

    assert answer.status_code == 200, answer.json()
    same = {
        key: value for key, value in answer.json().items() if key not in {"name", "version", "updated_at", "offers"}
    }
    assert same == {key: read[key] for key in same}
    assert answer.json()["name"] == "Renamed"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Sale", "nmae": "Sale"}, "nmae"),
        ({"name": "Sale", "audience": {"include": ["x"]}}, "audience.include"),
        ({"name": "Sale", "audience": {"include": [1], "without": [2]}}, "audience.without"),
        ({"name": "Sale", "audience": {"include": [999_999]}}, "audience"),
        ({"name": "Sale", "offers": [{"kind": "bribe", "value": 1}]}, "offers[0].kind"),
        ({"name": "Sale", "offers": [{"kind": "points", "value": -1}]}, "offers[0].value"),
        ({"name": "Sale", "cost_minor": -5}, "cost_minor"),
        ({"name": "Sale", "template_id": 10**30}, "template_id"),
        ({"name": "Sale", "messages_per_minute": "fast"}, "messages_per_minute"),
        ([], "request"),
        ("text", "request"),
    ],
)
def test_wrong_input_is_refused_with_its_place(api: APIClient, body: Any, place: str) -> None:
    answer = api.post(CAMPAIGNS, body)

    assert answer.status_code == 400
    assert any(key.startswith(place) for key in answer.json()["details"]), answer.json()
    assert not Campaign.objects.exists()


def test_the_list_works_with_and_without_a_slash(api: APIClient, offer: Campaign) -> None:
    making.campaign(name="Draft")

    with_slash = api.get(f"{CAMPAIGNS}?status=active&limit=5")
    without = api.get("/api/v1/campaigns?status=active&limit=5")

    assert with_slash.status_code == without.status_code == 200
    assert [row["id"] for row in without.json()["results"]] == [offer.pk]
    assert with_slash.json()["results"] == without.json()["results"]
    assert api.get(f"/api/v1/campaigns/{offer.pk}").json() == api.get(f"{CAMPAIGNS}{offer.pk}/").json()
    assert api.get(f"/api/v1/campaigns/{offer.pk}").json()["offers"][0]["code"] == "SUN15"


def test_lists_come_in_cursor_pages(api: APIClient) -> None:
    for number in range(5):
        making.campaign(name=f"C{number}")

    first = api.get(f"{CAMPAIGNS}?limit=3").json()
    second = api.get(first["next"]).json()

    assert [row["name"] for row in first["results"] + second["results"]] == ["C4", "C3", "C2", "C1", "C0"]
    assert (first["previous"], second["next"]) == (None, None)


def test_a_list_asks_the_same_few_questions_whatever_its_length(
    api: APIClient, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        making.campaign([making.segment(name=f"S{number}")], name=f"C{number}")

    with django_assert_max_num_queries(16):
        assert len(api.get(CAMPAIGNS).json()["results"]) == 6


def test_an_unknown_status_is_refused(api: APIClient) -> None:
    answer = api.get(f"{CAMPAIGNS}?status=lively")

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["status"])


# --- offers for apps ---------------------------------------------------------------------------------------


def test_apps_ask_which_offers_stand_for_a_contact(api: APIClient, offer: Campaign) -> None:
    making.campaign(name="Draft")

    mine = api.get(f"{CAMPAIGNS}?contact=user-1").json()["results"]

    assert [(row["id"], row["target_status"]) for row in mine] == [(offer.pk, "eligible")]
    assert api.get(f"{CAMPAIGNS}?contact=user-99").json()["results"] == []
    api.post(f"{CAMPAIGNS}{offer.pk}/conversion/", {"user_id": "user-1"})
    assert api.get(f"{CAMPAIGNS}?contact=user-1").json()["results"] == []


@pytest.mark.parametrize("ending", ["view/", "view"])
@pytest.mark.parametrize("name", ["contact_id", "user_id", "email", "anonymous_id"])
def test_a_view_is_taken_under_any_name_of_the_contact(
    api: APIClient, offer: Campaign, people: list[Contact], name: str, ending: str
) -> None:
    first = people[0]
    Identity.objects.create(contact=first, kind=IdentityKind.ANONYMOUS_ID, value="cookie-1")
    value = {
        "contact_id": first.pk,
        "user_id": "user-1",
        "email": " Person1@Crowd.example",
        "anonymous_id": "cookie-1",
    }[name]

    answer = api.post(f"{CAMPAIGNS}{offer.pk}/{ending}", {name: value})

    assert answer.status_code == 200, answer.json()
    assert (answer.json()["contact_id"], answer.json()["status"]) == (first.pk, "viewed")
    assert _events() == 1


def test_view_then_conversion_never_goes_back_and_counts_once(api: APIClient, offer: Campaign) -> None:
    address = f"{CAMPAIGNS}{offer.pk}/"
    api.post(f"{address}view/", {"user_id": "user-1"})
    api.post(f"{address}view/", {"user_id": "user-1"})
    first = api.post(f"{address}conversion/", {"user_id": "user-1", "value": "12.34", "currency": "gbp"}).json()
    again = api.post(f"{address}conversion/", {"user_id": "user-1", "value": "99.00", "currency": "GBP"}).json()
    late = api.post(f"{address}view/", {"user_id": "user-1"}).json()

    assert (first["status"], first["conversion_value_minor"], first["conversion_currency"]) == (
        "converted",
        1234,
        "GBP",
    )
    assert again == late == first
    assert _events() == 2
    report = api.get(f"{address}report/").json()
    assert (report["view_count"], report["conversion_count"]) == (1, 1)
    assert report["conversion_values"] == [{"currency": "GBP", "value_minor": 1234}]
    assert report["conversion_rate"] == 0.3333


def test_a_conversion_without_a_view_counts(api: APIClient, offer: Campaign) -> None:
    answer = api.post(f"{CAMPAIGNS}{offer.pk}/conversion/", {"user_id": "user-2"}).json()

    assert (answer["status"], answer["viewed_at"], answer["conversion_value_minor"]) == ("converted", None, None)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "contact_needed"),
        ({"user_id": "user-1", "email": "person1@crowd.example"}, 400, "contact_needed"),
        ({"user_id": "nobody"}, 404, "unknown_contact"),
        ({"contact_id": 999_999}, 404, "unknown_contact"),
        ({"user_id": "user-50"}, 409, "not_targeted"),
        ({"user_id": "user-1", "value": "-1", "currency": "GBP"}, 400, "invalid"),
        ({"user_id": "user-1", "value": "1"}, 400, "invalid"),
        ({"user_id": "user-1", "value": "1", "currency": "12"}, 400, "invalid"),
        ({"user_id": "user-1", "value": "NaN", "currency": "GBP"}, 400, "invalid"),
        ({"user_id": "user-1", "valeu": "1"}, 400, "invalid"),
    ],
)
def test_a_conversion_that_cannot_be_is_refused_and_writes_nothing(
    api: APIClient, offer: Campaign, body: dict[str, Any], status: int, code: str
) -> None:
    making.contacts(1, start=50)

    answer = api.post(f"{CAMPAIGNS}{offer.pk}/conversion/", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert set(Target.objects.values_list("status", flat=True)) == {"eligible"}
    assert _events() == 0


def test_views_need_a_standing_offer_and_conversions_may_come_late(api: APIClient, offer: Campaign) -> None:
    services.complete(offer)

    view = api.post(f"{CAMPAIGNS}{offer.pk}/view/", {"user_id": "user-1"})
    conversion = api.post(f"{CAMPAIGNS}{offer.pk}/conversion/", {"user_id": "user-1"})

    assert (view.status_code, view.json()["code"]) == (409, "campaign_not_open")
    assert conversion.json()["status"] == "converted"


# --- templates ---------------------------------------------------------------------------------------------


def test_a_template_goes_from_draft_to_published_over_http(api: APIClient) -> None:
    made = api.post(TEMPLATES, {"name": "Welcome", "subject": "Hello", "html": making.HTML})
    assert made.status_code == 201, made.json()
    address = f"{TEMPLATES}{made.json()['id']}/"

    published = api.post(f"{address}publish/", {"version": 1})

    assert (published.status_code, published.json()["number"]) == (201, 1)
    assert api.get(address).json()["published_version"] == 1
    assert api.patch(address, {"subject": "Hi", "version": 1}).json()["version"] == 2
    assert api.get(address).json()["published_version"] == 1


def test_mistakes_at_publish_come_back_with_their_places(api: APIClient) -> None:
    template = making.template(published=False, subject="{{ contact.nmae }}")

    answer = api.post(f"{TEMPLATES}{template.pk}/publish/")

    assert answer.status_code == 400
    assert "subject" in answer.json()["details"]
    assert EmailTemplate.objects.get().published is None


def test_a_preview_over_http_needs_only_reading(analyst: APIClient, people: list[Contact]) -> None:
    template = making.template(published=False)

    answer = analyst.post(f"{TEMPLATES}{template.pk}/preview/", {"user_id": "user-1"})

    assert answer.status_code == 200, answer.json()
    assert answer.json()["subject"] == "Sale for Person 1"


def test_a_test_goes_to_colleagues_only(api: APIClient, owner: Member, people: list[Contact]) -> None:
    address = f"{TEMPLATES}{making.template(published=False).pk}/test-send/"

    refused = api.post(address, {"user_id": "user-1", "to": "victim@elsewhere.example"})
    keyless = api.post(address, {"user_id": "user-1"})
    assert (refused.status_code, keyless.status_code) == (400, 400)
    assert not Message.objects.exists()

    sent = api.post(address, {"user_id": "user-1", "to": "owner@acme.example"})
    assert sent.status_code == 202, sent.json()
    message = Message.objects.get()
    assert (message.source_type, message.address, message.contact_id) == ("test", "owner@acme.example", people[0].pk)


# --- strangers and roles -----------------------------------------------------------------------------------

ACTS = ["launch", "schedule", "unschedule", "pause", "resume", "cancel", "complete", "archive", "duplicate"]
WRITES = [*ACTS, "view", "conversion"]


@pytest.fixture
def everything(offer: Campaign) -> Iterator[list[tuple[str, str]]]:
    """Every address of this room with an object in it: (method, address)."""
    template = EmailTemplate.objects.first() or making.template()
    campaign_at, template_at = f"{CAMPAIGNS}{offer.pk}/", f"{TEMPLATES}{template.pk}/"
    yield [
        *[(method, at) for at in (campaign_at, template_at) for method in ("get", "put", "patch", "delete")],
        *[("get", f"{campaign_at}{name}/") for name in ("audience-preview", "progress", "report")],
        *[("post", f"{campaign_at}{name}/") for name in WRITES],
        *[("post", f"{template_at}{name}/") for name in ("publish", "archive", "duplicate", "preview", "test-send")],
    ]


def test_another_organisation_finds_nothing(stranger_api: APIClient, everything: list[tuple[str, str]]) -> None:
    for method, address in everything:
        answer = getattr(stranger_api, method)(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), address
    assert stranger_api.get(CAMPAIGNS).json()["results"] == []
    assert stranger_api.get(TEMPLATES).json()["results"] == []
    assert Campaign.objects.get().status == "active"


def test_an_analyst_reads_and_cannot_act(analyst: APIClient, everything: list[tuple[str, str]]) -> None:
    for method, address in everything:
        answer = getattr(analyst, method)(address)
        reads = method == "get" or address.endswith("/preview/")
        assert (answer.status_code != 403) is reads, (method, address, answer.status_code)
    assert analyst.post(CAMPAIGNS, {"name": "Mine"}).status_code == 403
    assert Campaign.objects.get().status == "active"


def test_a_repeated_request_with_its_key_is_done_once(api: APIClient) -> None:
    body = {"name": "Once"}

    first = api.post(CAMPAIGNS, body, headers={"Idempotency-Key": "k1"})
    again = api.post(CAMPAIGNS, body, headers={"Idempotency-Key": "k1"})

    assert first.json() == again.json()
    assert Campaign.objects.count() == 1
