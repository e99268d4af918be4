"""ROI, the models side by side, journeys: as selectors and over the API."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Organization
from attribution import selectors, services, subscribers
from attribution.domain.returns import Tier
from attribution.models import Conversion, Cost, Touchpoint
from attribution.services import CostDraft
from attribution.tests.river import NOON, Happening, campaign, contact, message, order, store, visit
from common import tenancy
from common.errors import Invalid, NotFound
from common.periods import Period

pytestmark = pytest.mark.django_db

JUNE = Period(NOON - timedelta(days=14), NOON + timedelta(days=1))
DAY = (NOON - timedelta(days=2)).date()


def flow(*happenings: Happening) -> None:
    subscribers.on_events(store(happenings))
    services.work(tenancy.required())


@pytest.fixture
def scene(organization: Organization) -> Any:
    """A campaign that cost £10 and earned £60 of £100; one order is nobody's, one is in euro."""
    june = campaign("June", cost_minor=600)
    ada, ben, eve = contact("Ada"), contact("Ben"), contact("Eve")
    clicked = message(ada, june, opened_at=NOON, clicked_at=NOON)
    message(ben, june, opened_at=NOON)
    message(eve, june)
    message(eve, june, status="refused", sent_at=None)
    services.save_cost(CostDraft(DAY, 400, campaign_id=june.pk, channel="email"))
    flow(
        Happening(ada, "email_clicked", 2, {"message_id": clicked.pk}),
        order(ada, 6000, 1, "A1"),
        order(ben, 4000, 1, "B1"),
        Happening(eve, "order_completed", 1, value_minor=700, currency="EUR"),
    )
    return june


def test_roi_of_a_campaign(scene: Any) -> None:
    report = selectors.campaign_roi(JUNE, "last")

    found = report.campaigns[0]
    assert (found.campaign_id, found.sends, found.opened, found.clicked) == (scene.pk, 3, 2, 1)
    assert (found.open_rate, found.click_rate, found.conversion_rate) == (2 / 3, 1 / 3, 1 / 3)
    assert (found.revenue_minor, found.cost_minor, found.conversions) == (6000, 1000, 1)
    assert (found.roi_percent, found.roas, found.cac_minor, found.tier) == (500, 6, 1000, Tier.EXCELLENT)
    assert (report.total.revenue_minor, report.total.cost_minor, report.currency) == (6000, 1000, "GBP")


def test_totals_say_what_is_unattributed_and_what_is_left_out(scene: Any) -> None:
    totals = selectors.totals(JUNE)

    assert (totals.conversions, totals.revenue_minor) == (2, 10_000)
    assert (totals.unattributed_conversions, totals.unattributed_minor, totals.pending_conversions) == (1, 4000, 0)
    assert totals.left_out == [selectors.LeftOut("conversions", "EUR", 1, 700)]


def test_figures_are_of_their_period_only(scene: Any) -> None:
    before = Period(NOON - timedelta(days=60), NOON - timedelta(days=30))

    assert selectors.campaign_roi(before).campaigns == []
    assert selectors.totals(before).revenue_minor == 0


def test_a_second_order_is_no_new_customer(scene: Any) -> None:
    ada = Conversion.objects.get(order_id="A1").contact
    flow(order(ada, 1000, 0.5, "A2"))

    found = selectors.campaign_roi(JUNE, "last").campaigns[0]

    assert (found.conversions, found.new_customers, found.revenue_minor) == (2, 1, 7000)


def test_models_side_by_side_sum_with_the_unattributed_to_the_revenue(scene: Any) -> None:
    ada = Conversion.objects.get(order_id="A1").contact
    flow(visit(ada, 9, "google", "cpc", "brand"))

    found = selectors.revenue_by_model(JUNE)

    by_name = {line.campaign_name: line for line in found.lines}
    assert by_name["June"].revenue_minor["last"] == 6000
    assert by_name["brand"].revenue_minor["first"] == 6000
    assert by_name["brand"].revenue_minor["linear"] == by_name["June"].revenue_minor["linear"] == 3000
    for model in found.models:
        assert sum(line.revenue_minor[model] for line in found.lines) + found.totals.unattributed_minor == 10_000
        assert sum(line.revenue_minor[model] for line in found.channels) == 6000


def test_the_rows_behind_a_figure_sum_to_it(scene: Any, api: APIClient, admin: Any) -> None:
    report = api.get("/api/v1/attribution/campaigns?from=2026-06-01&until=2026-06-15&model=last").json()
    figure = report["campaigns"][0]

    rows = api.get(figure["rows"]["revenue"]["api"]).json()["results"]
    touches = api.get(figure["rows"]["touchpoints"]["api"]).json()["results"]
    costs = api.get(figure["rows"]["cost"]["api"]).json()["results"]
    page = admin.get(figure["rows"]["revenue"]["admin"])

    assert sum(row["net_minor"] for row in rows) == figure["revenue_minor"] == 6000
    assert len(touches) == 1
    assert [cost["amount_minor"] for cost in costs] == [400]
    assert page.status_code == 200
    assert [row.order_id for row in page.context["cl"].result_list] == ["A1"]
    for place in ("touchpoints", "cost"):
        assert admin.get(figure["rows"][place]["admin"]).status_code == 200


def test_the_unattributed_can_be_listed(scene: Any, api: APIClient, admin: Any) -> None:
    found = api.get("/api/v1/attribution/models/", {"from": "2026-06-01", "until": "2026-06-15"}).json()

    rows = api.get(found["unattributed"]["api"]).json()["results"]
    page = admin.get(found["unattributed"]["admin"])

    assert [row["order_id"] for row in rows] == ["B1"]
    assert [row.order_id for row in page.context["cl"].result_list] == ["B1"]


def test_a_journey_shows_stops_in_order_with_their_credit(scene: Any, api: APIClient) -> None:
    ada = Conversion.objects.get(order_id="A1").contact_id

    found = api.get(f"/api/v1/attribution/journeys/{ada}").json()

    assert [stop["kind"] for stop in found["stops"]] == ["click", "conversion"]
    assert {credit["model"]: credit["amount_minor"] for credit in found["stops"][0]["credits"]} == dict.fromkeys(
        ["first", "last", "linear", "time_decay", "position"], 6000
    )
    assert (found["stops"][1]["value_minor"], found["stops"][1]["is_attributed"]) == (6000, True)


def test_another_organisation_sees_nothing(scene: Any, stranger_api: APIClient) -> None:
    conversion = Conversion.objects.first()

    assert stranger_api.get(f"/api/v1/attribution/conversions/{conversion.pk}").status_code == 404
    assert stranger_api.get(f"/api/v1/attribution/journeys/{conversion.contact_id}").status_code == 404
    assert stranger_api.get("/api/v1/attribution/touchpoints").json()["results"] == []
    report = stranger_api.get("/api/v1/attribution/campaigns?from=2026-06-01&until=2026-06-15").json()
    assert (report["campaigns"], report["totals"]["revenue_minor"]) == ([], 0)
    refused = stranger_api.post(
        "/api/v1/attribution/costs", {"day": "2026-06-01", "amount_minor": 5, "campaign_id": scene.pk}
    )
    assert refused.status_code == 404
    assert Cost.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("model=magic", None),
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("from=2026-06-15&until=2026-06-01", "until"),
        ("from=1900-01-01&until=2026-01-01", "from"),
        ("days=0", "days"),
        ("days=1e9", "days"),
        ("goal=x", "goal"),
        ("limit=-1", "limit"),
    ],
)
def test_a_wrong_question_is_answered_with_its_place(api: APIClient, query: str, place: str | None) -> None:
    answer = api.get(f"/api/v1/attribution/campaigns?{query}")

    assert answer.status_code == 400
    assert place is None or place in answer.json()["details"]


@pytest.mark.parametrize(
    "query", ["campaign=99999999999999999999", "campaign=x", "model=x", "counted=revenue;x", "goal=1e99"]
)
def test_a_hostile_filter_lists_nothing_or_is_refused(scene: Any, api: APIClient, admin: Any, query: str) -> None:
    answer = api.get(f"/api/v1/attribution/conversions?{query}")

    assert answer.status_code == 400 or answer.json()["results"] == []
    assert admin.get(f"/admin/attribution/conversion/?{query}", follow=True).status_code == 200


def test_conversions_by_page_do_not_query_per_row(
    scene: Any, api: APIClient, django_assert_max_num_queries: Any
) -> None:
    flow(*[order(contact(f"P{index}"), 10, 1) for index in range(30)])

    with django_assert_max_num_queries(12):
        assert len(api.get("/api/v1/attribution/conversions?limit=50").json()["results"]) == 33


# --- costs --------------------------------------------------------------------------------------------


def test_a_cost_of_the_same_day_and_campaign_is_replaced(scene: Any, api: APIClient) -> None:
    body = {"day": DAY.isoformat(), "amount_minor": 900, "campaign_id": scene.pk, "channel": "email"}

    answer = api.post("/api/v1/attribution/costs", body)

    assert answer.status_code == 201
    assert list(Cost.objects.values_list("amount_minor", "currency")) == [(900, "GBP")]
    assert AuditEntry.objects.filter(object_type="attribution.cost").count() == 2


@pytest.mark.parametrize("change", [{"amount_minor": -1}, {"channel": "pigeon"}, {"currency": "£"}, {"day": "soon"}])
def test_a_wrong_cost_is_refused(organization: Organization, api: APIClient, change: dict[str, Any]) -> None:
    answer = api.post("/api/v1/attribution/costs", {"day": "2026-06-01", "amount_minor": 5} | change)

    assert answer.status_code == 400
    assert list(change) == list(answer.json()["details"])
    assert not Cost.objects.exists()


CSV = """day,campaign,channel,amount,currency
2026-06-01,June,email,12.50,
2026-06-02,june,,1000,JPY
2026-06-02,,paid_search,"1,200.00",GBP
"""


def test_costs_come_from_a_file_and_the_same_file_changes_nothing(
    scene: Any, organization: Organization, tmp_path
) -> None:
    path = tmp_path / "costs.csv"
    path.write_text(CSV)
    for _ in range(2):
        call_command("import_costs", str(path), "--organization", organization.slug, stdout=io.StringIO())

    stored = Cost.objects.exclude(day=DAY).order_by("day", "currency")
    assert list(stored.values_list("campaign_id", "channel", "amount_minor", "currency")) == [
        (scene.pk, "email", 1250, "GBP"),
        (None, "paid_search", 120_000, "GBP"),
        (scene.pk, "", 1000, "JPY"),
    ]
    assert selectors.LeftOut("costs", "JPY", 1, 1000) in selectors.totals(JUNE).left_out


def test_a_file_with_a_wrong_line_stores_nothing_and_says_which(organization: Organization) -> None:
    report = services.import_costs(
        io.StringIO("day,amount,campaign\n2026-06-01,5,\n2026-06-31,5,\n2026-06-01,x,\n2026-06-01,5,Nope")
    )

    assert set(report.wrong) == {3, 4, 5}
    assert not Cost.objects.exists()


@pytest.mark.parametrize("text", ["", "day\n", "day,amount,evil\n", "day,amount\n2026-06-01,\x00"])
def test_a_file_that_is_none_is_refused(organization: Organization, text: str) -> None:
    try:
        report = services.import_costs(io.StringIO(text))
        assert report.wrong
    except Invalid:
        pass
    assert not Cost.objects.exists()


def test_the_command_says_what_is_wrong(organization: Organization, tmp_path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("day,amount\n2026-06-01,-5\n")

    with pytest.raises(CommandError, match="line 2"):
        call_command("import_costs", str(path), "--organization", organization.slug)
    with pytest.raises(CommandError, match="no organisation"):
        call_command("import_costs", str(path), "--organization", "nobody")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_costs", str(tmp_path / "none.csv"), "--organization", organization.slug)
    assert not Cost.objects.exists()


def test_a_dry_run_stores_nothing(organization: Organization) -> None:
    assert services.import_costs(io.StringIO("day,amount\n2026-06-01,5\n"), dry_run=True).stored == 1
    assert not Cost.objects.exists()


def test_a_cost_of_a_campaign_that_is_not_there_is_refused(organization: Organization) -> None:
    with pytest.raises(NotFound):
        services.save_cost(CostDraft(DAY, 5, campaign_id=12345))
    assert not Cost.objects.exists()


def test_recompute_by_command(scene: Any, organization: Organization) -> None:
    said = io.StringIO()

    call_command("recompute_attribution", "--organization", organization.slug, stdout=said)

    assert said.getvalue() == "4 events read, 3 conversions credited.\n"
    assert selectors.campaign_roi(JUNE, "last").campaigns[0].revenue_minor == 6000


# --- admin --------------------------------------------------------------------------------------------


def test_costs_are_entered_and_imported_in_the_admin(scene: Any, admin: Any) -> None:
    form = {"day": "2026-06-03", "campaign": scene.pk, "channel": "", "amount": "12.34", "currency": "", "note": ""}
    assert admin.post("/admin/attribution/cost/add/", form).status_code == 302
    file = io.BytesIO(CSV.encode())
    file.name = "costs.csv"
    said = admin.post("/admin/attribution/cost/import/", {"file": file}, follow=True)

    assert Cost.objects.get(day="2026-06-03").amount_minor == 1234
    assert Cost.objects.count() == 5
    assert "3 costs are imported" in said.content.decode()


def test_a_wrong_file_is_explained_in_the_admin(organization: Organization, admin: Any) -> None:
    file = io.BytesIO(b"day,amount\n2026-06-01,lots\n")
    said = admin.post("/admin/attribution/cost/import/", {"file": file}, follow=True).content.decode()

    assert "line 2" in said
    assert not Cost.objects.exists()


def test_goals_are_changed_in_the_admin_and_refusals_stand_at_their_field(scene: Any, admin: Any) -> None:
    goal = {"name": "Trial", "event_name": "trial_started", "look_back_days": "0", "where": "[]", "is_active": "on"}

    refused = admin.post("/admin/attribution/goal/add/", goal)
    assert "Between 1 and 365 days." in refused.content.decode()
    assert admin.post("/admin/attribution/goal/add/", goal | {"look_back_days": "7"}).status_code == 302
    assert admin.get("/admin/attribution/goal/").status_code == 200


def test_the_last_goal_stays(scene: Any, admin: Any) -> None:
    goal = Conversion.objects.first().goal

    admin.post(f"/admin/attribution/goal/{goal.pk}/delete/", {"post": "yes"}, follow=True)

    assert Conversion.objects.count() == 3


def test_pages_of_conversions_and_touchpoints_open(scene: Any, admin: Any) -> None:
    conversion = Conversion.objects.get(order_id="A1")

    page = admin.get(f"/admin/attribution/conversion/{conversion.pk}/change/").content.decode()
    assert "Time decay" in page
    assert "£60.00" in page
    for address in ("conversion/", "touchpoint/", "cost/", "touchpoint/add/", "cost/add/", "goal/add/"):
        assert admin.get(f"/admin/attribution/{address}").status_code == 200


def test_an_offline_touchpoint_is_added_in_the_admin(scene: Any, admin: Any, organization: Organization) -> None:
    ben = Conversion.objects.get(order_id="B1").contact
    form = {"contact": ben.pk, "source": "Fair", "campaign": "", "campaign_name": ""}

    answer = admin.post(
        "/admin/attribution/touchpoint/add/", form | {"happened_at_0": "2026-06-10", "happened_at_1": "09:00:00"}
    )
    services.work(organization.pk)

    assert answer.status_code == 302
    assert Touchpoint.objects.get(source="Fair").kind == "offline"
    assert selectors.totals(JUNE).unattributed_conversions == 0
