"""Predictions come in by thousands, one counts per contact and name, and they follow people through merges."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Organization
from audience import services
from audience.models import Contact, ContactPrediction, PredictionDefinition
from audience.tests.helpers import identify, segment, track
from common import clock
from common.errors import Conflict, Invalid
from common.models import OutboxNotice

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "/api/v1/predictions/"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.freeze(NOW):
        yield


@pytest.fixture
def churn(organization: Organization) -> PredictionDefinition:
    return services.define_prediction(name="churn", label="Churn risk", valid_days=14)


@pytest.fixture
def ada(organization: Organization) -> Contact:
    return services.create_contact(email="ada@example.com", user_id="u1", name="Ada")


def record(*rows: dict[str, Any], **shared: Any) -> list[str]:
    return [answer.status for answer in services.record_predictions(rows, {"prediction": "churn"} | shared)]


def stands() -> list[tuple[Any, ...]]:
    rows = ContactPrediction.objects.order_by("contact_id", "name")
    return list(rows.values_list("contact_id", "name", "value", "band", "made_at", "valid_until", "model_version"))


def told() -> list[tuple[str, list[int]]]:
    """What was announced, and forget it."""
    rows = OutboxNotice.objects.filter(kind__endswith="PredictionsChanged").order_by("pk")
    found = [(row.payload["name"], row.payload["contact_ids"]) for row in rows]
    OutboxNotice.objects.all().delete()
    return found


# --- what counts ------------------------------------------------------------------------------------------


def test_a_prediction_is_kept_with_its_band_and_validity(churn: Any, ada: Contact) -> None:
    assert record({"email": " ADA@example.com", "value": 0.66}, model_version="gbm-7") == ["written"]

    assert stands() == [(ada.pk, "churn", Decimal("0.66"), "high", NOW, NOW + 14 * DAY, "gbm-7")]
    assert told() == [("churn", [ada.pk])]


def test_the_one_made_last_counts_in_whatever_order_they_come(churn: Any, ada: Contact) -> None:
    old, new = (NOW - 3 * DAY).isoformat(), (NOW - DAY).isoformat()

    assert record({"user_id": "u1", "value": 0.5, "made_at": new}) == ["written"]
    assert record({"contact_id": ada.pk, "value": 0.1, "made_at": old}) == ["older"]
    assert record({"contact_id": ada.pk, "value": 0.5, "made_at": new}) == ["unchanged"]
    both = record(
        {"user_id": "u1", "value": 0.9, "made_at": NOW.isoformat()}, {"user_id": "u1", "value": 0.2, "made_at": old}
    )
    assert both == ["written", "older"]
    assert [row[2] for row in stands()] == [Decimal("0.9")]


def test_who_is_expected_the_same_for_longer_is_no_news(churn: Any, ada: Contact) -> None:
    record({"user_id": "u1", "value": 0.5})
    told()

    with clock.freeze(NOW + DAY):
        assert record({"user_id": "u1", "value": 0.5}) == ["written"]
        assert told() == []
        assert record({"user_id": "u1", "value": 0.6}) == ["written"]
        assert told() == [("churn", [ada.pk])]
    with clock.freeze(NOW + 20 * DAY):  # it had lapsed
        assert record({"user_id": "u1", "value": 0.6}) == ["written"]
        assert told() == [("churn", [ada.pk])]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"value": 0.5}, "no_contact"),
        ({"value": 0.5, "user_id": "u1", "email": "ada@example.com"}, "no_contact"),
        ({"value": 0.5, "user_id": "nobody"}, "unknown_contact"),
        ({"value": 0.5, "contact_id": 2**70}, "unknown_contact"),
        ({"value": 0.5, "user_id": "u1\x00"}, "unknown_contact"),
        ({"value": 1.5, "user_id": "u1"}, "bad_value"),
        ({"value": -0.1, "user_id": "u1"}, "bad_value"),
        ({"value": 10**400, "user_id": "u1"}, "bad_value"),
        ({"value": "0.5", "user_id": "u1"}, "malformed_row"),
        ({"value": True, "user_id": "u1"}, "malformed_row"),
        ({"value": 0.5, "user_id": "u1", "score": 1}, "malformed_row"),
        ({"value": 0.5, "user_id": "u1", "prediction": "ltv"}, "unknown_prediction"),
        ({"value": 0.5, "user_id": "u1", "made_at": "2026-06-15T13:00:00Z"}, "made_in_the_future"),
        ({"value": 0.5, "user_id": "u1", "made_at": "2026-06-15T11:00:00"}, "bad_moment"),
        ({"value": 0.5, "user_id": "u1", "valid_until": "2026-06-15T11:00:00Z"}, "bad_validity"),
        ({"value": 0.5, "user_id": "u1", "valid_until": "2046-06-15T11:00:00Z"}, "bad_validity"),
        ({"value": 0.5, "user_id": "u1", "model_version": "x" * 101}, "bad_model_version"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_and_stops_no_other(
    churn: Any, ada: Contact, row: dict[str, Any], code: str
) -> None:
    bob = services.create_contact(user_id="u2")
    answers = services.record_predictions([row, {"user_id": "u2", "value": 0.1}], {"prediction": "churn"})

    assert [(answer.status, answer.code) for answer in answers] == [("refused", code), ("written", "")]
    assert [row[0] for row in stands()] == [bob.pk]


def test_thousands_cost_as_many_statements_as_ten(churn: Any) -> None:
    people = [services.create_contact(user_id=f"p{number}") for number in range(12)]

    def count(rows: list[Contact]) -> int:
        with CaptureQueriesContext(connection) as queries:
            record(*({"user_id": row.user_id, "value": 0.5} for row in rows))
        return len(queries)

    assert count(people[:2]) == count(people)


# --- what names mean ---------------------------------------------------------------------------------------


def test_new_limits_move_bands_and_say_for_whom(churn: PredictionDefinition, ada: Contact) -> None:
    bob = services.create_contact(user_id="u2")
    record({"user_id": "u1", "value": 0.5}, {"user_id": "u2", "value": 0.1})
    told()

    services.change_definition(churn, high_from=Decimal("0.5"))

    assert [row[3] for row in stands()] == ["high", "low"]
    assert (told(), bob.pk) == ([("churn", [ada.pk])], bob.pk)
    assert AuditEntry.objects.filter(object_type="audience.predictiondefinition").count() == 2


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"medium_from": Decimal("0.7")}, "high_from"),
        ({"high_from": Decimal("1.5")}, "high_from"),
        ({"valid_days": 0}, "valid_days"),
        ({"label": ""}, "label"),
    ],
)
def test_limits_that_make_no_sense_are_refused(churn: PredictionDefinition, fields: Any, place: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.change_definition(churn, **fields)

    assert list(caught.value.details) == [place]
    churn.refresh_from_db()
    assert (churn.medium_from, churn.high_from, churn.valid_days) == (Decimal("0.33"), Decimal("0.66"), 14)


def test_a_name_is_one_word_and_taken_once(churn: Any) -> None:
    for name in ("Churn", "1st", "a b", "", "x" * 61):
        with pytest.raises(Invalid):
            services.define_prediction(name=name, label="Churn")
    with pytest.raises(Conflict):
        services.define_prediction(name="churn", label="Again")
    assert PredictionDefinition.objects.count() == 1


# --- merges and erasure ------------------------------------------------------------------------------------


def test_a_merge_keeps_the_prediction_made_last(churn: Any, write_key: str, drain: Any) -> None:
    services.define_prediction(name="ltv", label="Worth", unit="amount", medium_from=100, high_from=1000)
    segment(write_key, identify("u1", {"plan": "pro"}), track("Looked", userId=None, anonymousId="phone"))
    drain()
    known, anonymous = Contact.objects.order_by("pk")
    record({"contact_id": known.pk, "value": 0.1, "made_at": (NOW - DAY).isoformat()})
    record({"contact_id": anonymous.pk, "value": 0.9})
    record({"contact_id": anonymous.pk, "value": 500, "prediction": "ltv"})

    segment(write_key, track("Signed in", anonymousId="phone"))
    drain()

    kept = [(row[0], row[1], row[2], row[3]) for row in stands()]
    assert kept == [(known.pk, "churn", Decimal("0.9"), "high"), (known.pk, "ltv", Decimal(500), "medium")]
    assert record({"contact_id": anonymous.pk, "value": 0.2}) == ["written"]  # whoever still has the old number
    assert [(row[0], row[2]) for row in stands()][:1] == [(known.pk, Decimal("0.2"))]


def test_what_was_predicted_goes_with_the_contact(churn: Any, ada: Contact) -> None:
    record({"user_id": "u1", "value": 0.5})
    services.delete_contact(ada)
    assert stands() == []


# --- doors -------------------------------------------------------------------------------------------------


def test_the_api_answers_row_by_row(api: APIClient, churn: Any, ada: Contact) -> None:
    rows = [{"email": "ada@example.com", "value": 0.9}, {"user_id": "nobody", "value": 0.9}]
    answer = api.post(URL, {"prediction": "churn", "model_version": "m1", "predictions": rows})

    assert answer.status_code == 200
    assert answer.json() == {
        "written": 1, "unchanged": 0, "older": 0, "refused": 1,
        "rows": [
            {"index": 0, "status": "written"},
            {"index": 1, "status": "refused", "code": "unknown_contact",
             "reason": "There is no contact with the user_id 'nobody'."},
        ],
    }  # fmt: skip
    listed = api.get(URL, {"prediction": "churn", "band": "high", "stale": "false"}).json()["results"]
    assert [(row["contact_id"], row["value"], row["is_stale"]) for row in listed] == [(ada.pk, 0.9, False)]
    with clock.freeze(NOW + 14 * DAY):
        assert api.get(URL, {"stale": "false"}).json()["results"] == []
        assert api.get(URL, {"at_least": "0.8"}).json()["results"][0]["is_stale"] is True


@pytest.mark.parametrize("body", [{}, {"predictions": []}, {"predictions": {}}, [], {"predictions": [1], "score": 1}])
def test_a_body_that_is_no_list_of_rows_is_refused(api: APIClient, churn: Any, body: Any) -> None:
    assert api.post(URL, body).status_code == 400
    assert ContactPrediction.objects.count() == 0


def test_definitions_over_the_api(api: APIClient, churn: PredictionDefinition, ada: Contact) -> None:
    made = api.post(f"{URL}definitions/", {"name": "ltv", "label": "Worth", "unit": "amount", "medium_from": "100",
                                          "high_from": "1000"})  # fmt: skip
    again = api.post(f"{URL}definitions/", {"name": "ltv", "label": "Worth"})
    renamed = api.patch(f"{URL}definitions/churn/", {"name": "other"})
    changed = api.patch(f"{URL}definitions/churn/", {"high_from": "0.9"})

    assert (made.status_code, again.status_code, renamed.status_code, changed.status_code) == (201, 409, 400, 200)
    assert (made.json()["unit"], changed.json()["high_from"]) == ("amount", 0.9)
    record({"user_id": "u1", "value": 0.5})
    assert api.delete(f"{URL}definitions/churn/").status_code == 204
    assert (stands(), api.get(f"{URL}definitions/churn/").status_code) == ([], 404)


def test_another_organisation_neither_reads_nor_names_our_contacts(
    stranger_api: APIClient, churn: Any, ada: Contact
) -> None:
    record({"user_id": "u1", "value": 0.5})
    assert stranger_api.post(f"{URL}definitions/", {"name": "churn", "label": "Churn"}).status_code == 201

    answer = stranger_api.post(URL, {"prediction": "churn", "predictions": [{"contact_id": ada.pk, "value": 0.9}]})

    assert answer.json()["rows"][0]["code"] == "unknown_contact"
    assert stranger_api.get(URL).json()["results"] == []
    assert [row[2] for row in stands()] == [Decimal("0.5")]


def test_a_file_is_imported_in_blocks_and_only_once(
    churn: Any, ada: Contact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, errors = tmp_path / "scores.csv", tmp_path / "refused.csv"
    file.write_text("user_id,value,note\nu1,0.7,x\nnobody,0.1,y\nu1,high,z\nu1\n")
    os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    arguments = ("import_predictions", str(file), "--prediction", "churn", "--model", "m1", "--json")

    def run(*more: str) -> str:
        with pytest.raises(SystemExit) as ended:
            call_command(*arguments, *more)
        assert ended.value.code == 3
        return capsys.readouterr().out.strip()

    assert run("--dry-run") == '{"written": 1, "unchanged": 0, "older": 0, "refused": 3}'
    assert stands() == []
    assert run("--errors", str(errors)) == '{"written": 1, "unchanged": 0, "older": 0, "refused": 3}'
    assert run() == '{"written": 0, "unchanged": 1, "older": 0, "refused": 3}'
    assert [(row[2], row[6]) for row in stands()] == [(Decimal("0.7"), "m1")]
    assert [line.split(",")[:2] for line in errors.read_text().splitlines()[1:]] == [
        ["2", "unknown_contact"], ["3", "malformed_row"], ["4", "malformed_row"],
    ]  # fmt: skip


@pytest.mark.usefixtures("churn")
def test_pages_show_what_is_predicted_and_what_is_stale(admin: Any, ada: Contact) -> None:
    record({"user_id": "u1", "value": 0.9}, model_version="gbm-7")

    page = admin.get(f"/contacts/{ada.pk}/").content.decode()
    assert "Churn risk: <strong>90 %</strong>" in page
    assert "by gbm-7" in page
    assert "Stale since" not in page
    listed = admin.get("/admin/audience/contactprediction/").content.decode()
    assert "Until 29 Jun 2026" in listed
    with clock.freeze(NOW + 20 * DAY):
        assert "Stale since 29 Jun 2026" in admin.get(f"/contacts/{ada.pk}/").content.decode()


def test_a_colleague_defines_a_prediction(admin: Any, organization: Organization) -> None:
    form = {
        "name": "ltv",
        "label": "Worth",
        "unit": "amount",
        "medium_from": "100",
        "high_from": "50",
        "valid_days": 9,
    }
    refused = admin.post("/admin/audience/predictiondefinition/add/", form)
    assert "High must begin above medium." in refused.content.decode()
    assert PredictionDefinition.objects.count() == 0

    assert admin.post("/admin/audience/predictiondefinition/add/", form | {"high_from": "500"}).status_code == 302
    assert PredictionDefinition.objects.get().valid_days == 9
