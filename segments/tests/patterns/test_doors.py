"""Patterns over HTTP and on their pages."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Organization
from segments.models import Analysis, AnalysisKind, Finding, PatternSettings, Segment
from segments.patterns import analyses
from segments.tests.patterns.shop import ORDER, buy, computed, people, shop

pytestmark = pytest.mark.usefixtures("at_noon")
BASE = "/api/v1/segments"


@pytest.fixture
def found() -> None:
    """A shop whose patterns and suggestions have been computed."""
    shop()
    buy([(who, 5, 10.0 * number) for number, who in enumerate(people(30), 1)])
    for kind in AnalysisKind:
        computed(kind)


def draft_of(key: str) -> str:
    return f"/segments/findings/{Finding.objects.get(key=key).pk}/draft/"


def test_patterns_are_read_with_sentence_and_evidence(api: APIClient, found: None) -> None:
    answer = api.get(f"{BASE}/patterns/").json()

    first = answer["results"][0]
    assert (answer["status"], answer["settings"]["purchase_event"]) == ("done", ORDER)
    assert (first["key"], first["size"], first["segment"]) == ("high-spender", 4, None)
    assert first["sentence"] == "Contacts where total of order_completed adds up to at least 270 in the last 90 days"
    assert first["evidence"]["threshold"] == 270
    reasons = {item["title"]: item["reason"] for item in answer["missing"]}
    assert reasons["Gone quiet"] == "Only 0 gaps between purchases are known; 30 are needed to say what is long."
    assert sum(cell[3] for cell in answer["summary"]["grid"]["cells"]) == 30


def test_nothing_computed_yet_reads_as_nothing(api: APIClient) -> None:
    answer = api.get(f"{BASE}/suggestions/").json()

    assert (answer["status"], answer["computed_at"], answer["results"], answer["missing"]) == ("", None, [], [])


@pytest.mark.parametrize("kind", ["patterns", "suggestions"])
def test_computing_again_is_asked_for_by_post(api: APIClient, organization: Organization, kind: str) -> None:
    answer = api.post(f"{BASE}/{kind}/")

    assert (answer.status_code, answer.json()) == (202, {"status": "pending"})
    assert analyses.run(organization.pk) == 1
    assert Analysis.objects.get().kind == kind


def test_a_draft_is_made_by_post(api: APIClient, found: None) -> None:
    answer = api.post(f"{BASE}/patterns/high-spender/draft/")

    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["is_active"]) == ("High spenders", False)
    assert api.post(f"{BASE}/patterns/high-spender/draft/").json()["id"] == answer.json()["id"]
    assert api.post(f"{BASE}/patterns/none/draft/").status_code == 404
    assert api.post(f"{BASE}/suggestions/high-spender/draft/").status_code == 404


def test_a_square_becomes_a_draft_by_post(api: APIClient, found: None) -> None:
    answer = api.post(f"{BASE}/patterns/square/draft/", {"r": 5, "f": 1, "m": 5})

    assert (answer.status_code, answer.json()["name"]) == (201, "RFM: R5 F1 M5")
    refused = api.post(f"{BASE}/patterns/square/draft/", {"r": 6, "f": 1})
    assert (refused.status_code, Segment.objects.count()) == (400, 1)


def test_who_only_reads_computes_and_drafts_nothing(organization: Organization, client: Any, found: None) -> None:
    analyst = accounts.add_member(accounts.ensure_user("ana@acme.example", name="Ana"), Role.ANALYST)
    client.force_login(analyst.user)

    assert client.get("/segments/patterns/").status_code == 200
    assert "Make a segment" not in client.get("/segments/patterns/").content.decode()
    assert client.post("/segments/patterns/compute/").status_code == 403
    assert client.post(draft_of("high-spender")).status_code == 403
    assert client.post("/segments/patterns/square/draft/", {"r": 5, "f": 1}).status_code == 403
    assert not Segment.objects.exists()
    assert set(Analysis.objects.values_list("status", flat=True)) == {"done"}


def test_the_gallery_shows_sizes_the_grid_and_what_is_missing(admin: Any, found: None) -> None:
    page = admin.get("/segments/patterns/").content.decode()

    assert "High spenders" in page and "<strong>4</strong> people" in page
    assert 'data-figure="figure-rfm"' in page
    assert "Only 0 gaps between purchases are known" in page
    assert "/segments/patterns/square/?r=5&amp;f=1" in page


def test_the_numbers_of_the_grid_are_a_file(admin: Any, found: None) -> None:
    answer = admin.get("/segments/patterns/?csv=rfm")

    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode("utf-8-sig").splitlines()[:2] == ["Recency,F1,F2,F3,F4,F5", "R5,30,0,0,0,0"]
    assert admin.get("/segments/patterns/?csv=other").status_code == 404


def test_a_square_lists_its_people_page_by_page(admin: Any) -> None:
    shop()
    buy([(who, 5, 10) for who in people(60)])
    computed()

    page = admin.get("/segments/patterns/square/?r=5&f=1").content.decode()
    older = page.split('href="?r=5&amp;f=1&amp;before=')[1].split('"')[0]
    rest = admin.get(f"/segments/patterns/square/?r=5&f=1&before={older}").content.decode()

    assert "60 people now" in page and page.count("Person ") == 50
    assert rest.count("Person ") == 10 and "Older contacts" not in rest


@pytest.mark.parametrize("query", ["", "?r=9&f=1", "?r=x&f=1"])
def test_a_square_that_is_none_is_refused(admin: Any, found: None, query: str) -> None:
    assert admin.get(f"/segments/patterns/square/{query}").status_code == 400


def test_a_click_makes_a_draft_and_opens_it(admin: Any, found: None) -> None:
    answer = admin.post(draft_of("high-spender"))

    segment = Segment.objects.get()
    assert answer["Location"] == f"/admin/segments/segment/{segment.pk}/change/"
    assert "Open the segment" in admin.get("/segments/patterns/").content.decode()
    assert admin.post("/segments/findings/1/draft/").status_code == 404


def test_the_page_waits_until_it_is_computed(admin: Any, organization: Organization) -> None:
    assert admin.post("/segments/suggestions/compute/")["Location"] == "/segments/suggestions/"
    assert "Being computed" in admin.get("/segments/suggestions/").content.decode()
    assert admin.get("/segments/suggestions/waiting/").status_code == 204

    analyses.run(organization.pk)

    assert admin.get("/segments/suggestions/waiting/")["HX-Refresh"] == "true"
    assert "Not offered, and why" in admin.get("/segments/suggestions/").content.decode()


def test_the_people_of_a_finding_are_listed(admin: Any, found: None) -> None:
    finding = Finding.objects.get(key="high-spender")

    page = admin.get(f"/segments/findings/{finding.pk}/people/").content.decode()

    assert "4 people now" in page
    assert admin.get(f"/segments/findings/{finding.pk + 1_000}/people/").status_code == 404
    Finding.objects.update(rule=None)
    assert admin.get(f"/segments/findings/{finding.pk}/people/")["Location"] == "/segments/patterns/"


def test_settings_are_saved_by_the_form_and_a_refusal_stands_at_its_field(admin: Any, found: None) -> None:
    values = {"window_days": 30, "top_percent": 10, "purchase_event": "odd"}

    refused = admin.post("/admin/segments/patternsettings/add/", values)
    assert "Nobody has sent “odd” yet" in refused.content.decode()
    assert not PatternSettings.objects.exists()

    admin.post("/admin/segments/patternsettings/add/", values | {"purchase_event": ORDER})
    assert PatternSettings.objects.get().window_days == 30
    assert admin.get("/admin/segments/patternsettings/add/").status_code == 403
