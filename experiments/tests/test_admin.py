"""The pages: an experiment is made, planned, started, read and stopped without a word of JSON."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organization
from audience.models import EventDefinition
from common import clock
from experiments import services
from experiments.models import Experiment, Reserve
from experiments.tests.making import NOON, ORDERED, REVENUE, later, people, running, share, stand

PAGE = "/admin/experiments/experiment"
METRIC = {
    "name": "Orders", "role": "primary", "kind": "conversion", "event": "order", "window_days": "14",
    "direction": "up", "cuped_days": "0", "tolerance": "0", "where_operator": "equals",
}  # fmt: skip
FORM: dict[str, Any] = {
    "name": "Checkout", "hypothesis": "Green sells.", "key": "", "unit": "contact", "seed": "", "coverage": "80",
    "allocation": "fixed", "namespace": "", "namespace_start": "0", "namespace_end": "100", "rule_is_on": "on",
    "rule_proof": "chance", "rule_minimum_days": "3", "rule_minimum_people": "50", "rule_chance": "95",
    "rule_loss": "0.5",
}  # fmt: skip


def _form(metrics: list[dict[str, str]], arms: list[dict[str, str]], **changes: str) -> dict[str, Any]:
    rows = {f"metrics-{place}-{name}": value for place, row in enumerate(metrics) for name, value in row.items()}
    rows |= {f"arms-{place}-{name}": value for place, row in enumerate(arms) for name, value in row.items()}
    counts = {"metrics-TOTAL_FORMS": len(metrics), "metrics-INITIAL_FORMS": 0}
    counts |= {"arms-TOTAL_FORMS": len(arms), "arms-INITIAL_FORMS": sum("id" in arm for arm in arms)}
    return FORM | counts | rows | changes


TWO = [{"name": "Old", "key": "old", "weight": "1", "is_control": "on"}, {"name": "New", "key": "new", "weight": "3"}]


def test_an_experiment_is_made_on_its_page(organization: Organization, admin: Any) -> None:
    assert admin.get(f"{PAGE}/add/").status_code == 200
    money = METRIC | {
        "name": "Revenue", "role": "secondary", "kind": "sum", "cap": "250.5", "where_property": "shop",
        "where_value": "12", "cuped_days": "30",
    }  # fmt: skip
    EventDefinition.objects.create(name="order", properties={"shop": "number"})
    answer = admin.post(f"{PAGE}/add/", _form([METRIC, money, {}], TWO))

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = Experiment.objects.get()
    assert answer["Location"] == f"{PAGE}/{made.pk}/change/"  # where it is started
    assert (made.key, made.coverage, made.namespace_end, made.winner_rule["chance"]) == ("checkout", 0.8, 1.0, 0.95)
    assert [(arm.key, arm.weight, arm.is_control) for arm in made.arms.all()] == [("old", 1, True), ("new", 3, False)]
    orders, revenue = made.metrics
    assert (orders["key"], orders["kind"]) == ("orders", "conversion")
    assert (revenue["cap"], revenue["where"]) == (
        25050, [{"property": "shop", "operator": "equals", "value": 12}],
    )  # fmt: skip

    page = admin.get(f"{PAGE}/{made.pk}/change/").content.decode()
    assert 'value="250.5' in page
    ids = [
        {**arm, "id": str(row.pk), "experiment": str(made.pk)} for arm, row in zip(TWO, made.arms.all(), strict=True)
    ]
    kept = [METRIC | {"key": "orders", "name": "Sales"}, money | {"key": "revenue", "remove": "on"}]
    answer = admin.post(f"{PAGE}/{made.pk}/change/", _form(kept, ids, key="checkout", opened_version="1"))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = Experiment.objects.get()
    assert [(one["key"], one["name"]) for one in made.metrics] == [("orders", "Sales")]
    assert made.version == 2
    late = admin.post(f"{PAGE}/{made.pk}/change/", _form(kept, ids, key="checkout", opened_version="1", name="X"))
    assert late.status_code == 200
    assert "not what you opened" in late.content.decode()


@pytest.mark.parametrize(
    ("metrics", "arms", "words"),
    [
        ([METRIC | {"event": ""}], TWO, "Some metrics are wrong"),
        ([METRIC | {"kind": "ratio"}], TWO, "Say which event it is divided by."),
        ([METRIC], TWO[:1], "An experiment compares two arms at least"),
    ],
)
def test_what_is_wrong_is_said_and_not_saved(
    organization: Organization, admin: Any, metrics: list[dict[str, str]], arms: list[dict[str, str]], words: str
) -> None:
    answer = admin.post(f"{PAGE}/add/", _form(metrics, arms))

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Experiment.objects.exists()


def test_from_start_to_winner(organization: Organization, admin: Any) -> None:
    made = services.create_experiment(
        {"name": "Checkout", "metrics": [ORDERED]}, services.arms_of(running(name="Other"))
    )
    plan = admin.get(f"{PAGE}/{made.pk}/plan/").content.decode()
    assert "Your events tell nothing of “Ordered” yet" in plan
    assert "Arms, shares, seed" in admin.get(f"{PAGE}/{made.pk}/act/start/").content.decode()
    assert admin.post(f"{PAGE}/{made.pk}/act/start/", {"version": "9"}).status_code == 409
    assert admin.post(f"{PAGE}/{made.pk}/act/start/", {"version": "1"}).status_code == 302

    winner = made.arms.get(key="treatment")
    page = admin.get(f"{PAGE}/{made.pk}/act/stop/").content.decode()
    assert f'<option value="{winner.pk}">Treatment</option>' in page
    assert admin.post(f"{PAGE}/{made.pk}/act/stop/", {"version": "2", "winner": winner.pk}).status_code == 302
    assert Experiment.objects.get(pk=made.pk).winner == winner
    assert admin.post(f"{PAGE}/{made.pk}/act/start/", {"version": "3"}).status_code == 409


def test_a_read_out_leads_to_its_people(organization: Organization, admin: Any) -> None:
    with clock.freeze(NOON):
        made = running(metrics=[ORDERED, REVENUE])
    stand(made, "ordered", share(10_000, 1000), share(10_000, 1300))
    stand(made, "ordered", share(500, 50), share(500, 60), day=1)
    services.assign(made.pk, [contact.pk for contact in people(6)], is_exposed=True)
    with clock.freeze(later(7)):
        page = admin.get(f"{PAGE}/{made.pk}/read-out/").content.decode()
        lists = admin.get(f"{PAGE}/").content.decode()

    sentence = "“Treatment” brings 29.5 % more Ordered than “Control”"
    assert sentence in page
    assert sentence in lists
    arm = made.arms.get(key="treatment")
    asked = f"experiment__id__exact={made.pk}&exposed_at__isnull=False&arm__id__exact={arm.pk}"
    assert asked.replace("&", "&amp;") in page
    found = admin.get(f"/admin/experiments/assignment/?{asked}")
    assert found.status_code == 200
    assert found.context["cl"].result_count == made.assignments.filter(arm=arm).count()


def test_a_bandit_shows_its_shares(organization: Organization, admin: Any) -> None:
    with clock.freeze(NOON):
        made = running(allocation="bandit")
    stand(made, "ordered", share(200, 20), share(200, 60))
    with clock.freeze(later(1)):
        services.allot(made)
        page = admin.get(f"{PAGE}/{made.pk}/read-out/").content.decode()
    assert "Shares over time" in page
    assert "99.0%" in page


def test_the_reserve_is_kept_on_its_page(organization: Organization, admin: Any) -> None:
    people(200)
    page = "/admin/experiments/reserve"
    assert admin.post(f"{page}/add/", {"percent": "60"}).status_code == 200
    assert not Reserve.objects.exists()
    assert admin.post(f"{page}/add/", {"percent": "10"}).status_code == 302
    held = Reserve.objects.get()
    assert held.share == 0.1
    assert "10.0% take part in no experiment" in admin.get(f"{page}/").content.decode()
    assert admin.post(f"{page}/{held.pk}/change/", {"percent": "12.5"}).status_code == 302
    assert Reserve.objects.get().share == 0.125
