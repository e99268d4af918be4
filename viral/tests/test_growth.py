"""K and the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Organization
from common.periods import Period
from viral import selectors, services, subscribers
from viral.models import Program, Referral, ReferralCode, Reward
from viral.tests.river import NOON, Happening, code_of, contact, order, program, sign_up, store

pytestmark = pytest.mark.django_db
MONTH = Period(NOON - timedelta(days=30), NOON + timedelta(days=1))


@pytest.fixture
def scene(organization: Organization) -> Program:
    """Two inviters; three sign-ups, of whom two bought; one refused; one order was refunded."""
    friends = program()
    ada, cid = contact("Ada"), contact("Cid")
    adas, cids = code_of(friends, ada), code_of(friends, cid)
    people = [contact(name) for name in ("Ben", "Dan", "Eve", "Fay")]
    subscribers.on_events(
        store(
            [
                sign_up(people[0], adas.code, 24 * 9),
                order(people[0], 5000, 24 * 8, "B1"),
                sign_up(people[1], adas.code, 24 * 2),
                order(people[1], 2000, 24, "D1"),
                sign_up(people[2], cids.code, 24 * 2),
                sign_up(people[3], cids.code, 24 * 2),
                order(people[3], 700, 24, "F1"),
                Happening(people[3], "order_refunded", 1, {"order_id": "F1"}),
                sign_up(ada, adas.code, 5),
            ]
        )
    )
    return friends


def test_k_is_conversions_per_distinct_inviter(scene: Program) -> None:
    found = selectors.coefficient(MONTH)

    assert (found.conversions, found.sign_ups, found.inviters) == (2, 3, 2)
    assert (found.coefficient, found.sign_up_coefficient) == (1.0, 1.5)
    assert (found.invitations, found.invitations_per_inviter, found.rejected) == (3, 1.5, 2)
    assert found.revenue_minor == 7000
    assert found.median_days_to_qualify == 1
    assert [(step.name, step.count, step.rate) for step in found.steps] == [
        ("invited", 3, None), ("clicked", 3, 1), ("signed_up", 3, 1), ("qualified", 2, 2 / 3), ("rewarded", 2, 1),
    ]  # fmt: skip
    assert [(week.inviters, week.conversions, week.coefficient) for week in found.weeks] == [(1, 1, 1), (2, 1, 0.5)]


def test_k_is_of_its_period_and_programme(scene: Program) -> None:
    assert selectors.coefficient(MONTH, scene.pk + 1).coefficient is None
    later = Period(NOON - timedelta(hours=30), NOON)
    assert (selectors.coefficient(later).conversions, selectors.coefficient(later).inviters) == (1, 1)
    assert selectors.coefficient(Period(NOON + timedelta(days=1), NOON + timedelta(days=2))).coefficient is None


def test_the_lists_behind_the_figures_hold_as_many_rows(scene: Program, admin: Any) -> None:
    found = selectors.coefficient(MONTH)

    for name, count in (("conversions", 2), ("sign_ups", 3), ("rejected", 2)):
        page = admin.get(found.rows[name])
        assert page.status_code == 200
        assert len(page.context["cl"].result_list) == count


def test_the_coefficient_over_the_api(scene: Program, api: APIClient) -> None:
    found = api.get("/api/v1/viral/coefficient?from=2026-05-20&until=2026-06-16").json()

    assert (found["coefficient"], found["conversions"]) == (1.0, 2)
    assert api.get("/api/v1/viral/coefficient?program=x").status_code == 400


def test_a_programme_is_made_changed_and_kept_over_the_api(organization: Organization, api: APIClient) -> None:
    body = {"name": "Friends", "slug": "friends", "landing_url": "https://shop.example/f", "inviter_reward_amount": 5}

    made = api.post("/api/v1/viral/programs", body)
    again = api.post("/api/v1/viral/programs", body)
    wrong = api.post("/api/v1/viral/programs", {**body, "slug": "x", "landing_url": "javascript:x"})
    changed = api.patch(f"/api/v1/viral/programs/{made.json()['id']}", {"goal_event_name": "trial_started"})

    assert (made.status_code, again.status_code, wrong.status_code) == (201, 409, 400)
    assert list(wrong.json()["details"]) == ["landing_url"]
    assert changed.json()["goal_event_name"] == "trial_started"
    assert Program.objects.count() == 1
    assert AuditEntry.objects.filter(object_type="viral.program").count() == 2


def test_a_programme_with_referrals_is_not_deleted(scene: Program, api: APIClient) -> None:
    assert api.delete(f"/api/v1/viral/programs/{scene.pk}").status_code == 409
    assert Program.objects.count() == 1


def test_an_app_gets_a_contacts_code_link_and_share_kit(organization: Organization, api: APIClient) -> None:
    program()
    ada = contact("Ada", user_id="u1")

    first = api.post("/api/v1/viral/codes/", {"contact_id": ada.pk})
    second = api.post("/api/v1/viral/codes/", {"user_id": "u1", "program": "friends"})

    assert first.status_code == 200
    assert first.json() == second.json()
    assert first.json()["share_kit"]["link"] == first.json()["link"]
    assert urlsplit(first.json()["link"]).path == f"/r/{first.json()['code']}"


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"contact_id": 1, "user_id": "x"}, 400), ({"contact_id": 10**12}, 404), ({"user_id": "no"}, 404),
     ({"contact_id": 1, "program": "nothing"}, 404), ({"contact_id": 10**30}, 400)],
)  # fmt: skip
def test_a_wrong_wish_for_a_code_makes_none(
    organization: Organization, api: APIClient, body: dict[str, Any], status: int
) -> None:
    program()

    assert api.post("/api/v1/viral/codes/", body).status_code == status
    assert ReferralCode.objects.count() == 0


def test_referrals_and_rewards_over_the_api(scene: Program, api: APIClient) -> None:
    rejected = api.get("/api/v1/viral/referrals?status=rejected").json()["results"]
    rewards = api.get("/api/v1/viral/rewards?status=approved&side=inviter").json()["results"]

    assert sorted(row["reason"] for row in rejected) == ["refunded", "same_contact"]
    assert [row["amount"] for row in rewards] == [1000, 1000]
    answer = api.post(f"/api/v1/viral/rewards/{rewards[0]['id']}/reverse", {"reason": "Fraud"})
    assert answer.json()["status"] == "reversed"
    assert api.post(f"/api/v1/viral/rewards/{rewards[0]['id']}/reverse", {"reason": "x"}).status_code == 409
    assert api.post(f"/api/v1/viral/rewards/{rewards[0]['id']}/approve").json()["status"] == "reversed"


def test_invitations_over_the_api(organization: Organization, api: APIClient) -> None:
    code = code_of(program(), contact("Ada"))

    made = api.post("/api/v1/viral/referrals/", {"code": code.code, "emails": ["ben@example.com"]})

    assert made.status_code == 201
    assert made.json()[0]["status"] == "invited"
    assert api.post("/api/v1/viral/referrals/", {"code": "NOPE-22222222", "emails": ["a@b.c"]}).status_code == 404


def test_another_organisation_sees_and_changes_nothing(scene: Program, stranger_api: APIClient) -> None:
    referral, reward, code = Referral.objects.first(), Reward.objects.first(), ReferralCode.objects.first()

    for address in (
        f"programs/{scene.pk}", f"codes/{code.pk}", f"referrals/{referral.pk}", f"rewards/{reward.pk}",
    ):  # fmt: skip
        assert stranger_api.get(f"/api/v1/viral/{address}").status_code == 404
    assert stranger_api.post(f"/api/v1/viral/rewards/{reward.pk}/reverse", {"reason": "x"}).status_code == 404
    assert stranger_api.post("/api/v1/viral/referrals", {"code": code.code, "emails": ["a@b.c"]}).status_code == 404
    assert (
        stranger_api.post("/api/v1/viral/codes", {"contact_id": code.contact_id, "program_id": scene.pk}).status_code
        == 404
    )
    assert stranger_api.get("/api/v1/viral/coefficient?days=3000").json()["inviters"] == 0
    assert Reward.objects.get(pk=reward.pk).status == reward.status


def test_pages_of_the_admin_open_and_say_what_is_wrong(scene: Program, admin: Any) -> None:
    referral = Referral.objects.filter(status="rejected").first()
    for address in (
        "program/", "program/add/", f"program/{scene.pk}/change/", "referralcode/", "referral/", "reward/",
        f"referral/{referral.pk}/change/", f"referralcode/{referral.code_id}/change/",
        f"reward/{Reward.objects.first().pk}/change/",
    ):  # fmt: skip
        assert admin.get(f"/admin/viral/{address}").status_code == 200, address

    form = {field: getattr(scene, field) for field in services.programs.FIELDS} | {
        "landing_url": "javascript:alert(1)"
    }
    said = admin.post(f"/admin/viral/program/{scene.pk}/change/", form)
    assert "Write a whole address" in said.content.decode()
    assert Program.objects.get().landing_url == scene.landing_url


def test_rewards_are_approved_from_the_list(organization: Organization, admin: Any) -> None:
    ben, code = contact("Ben"), code_of(program(requires_approval=True), contact("Ada"))
    subscribers.on_events(store([sign_up(ben, code.code), order(ben)]))
    ids = list(Reward.objects.values_list("pk", flat=True))

    admin.post("/admin/viral/reward/", {"action": "approve_chosen", "_selected_action": ids})

    assert set(Reward.objects.values_list("status", flat=True)) == {"approved"}
    assert Referral.objects.get().status == "rewarded"
