"""Own tests: made from a line, read by what people clicked, learnt from, and counted as success or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from django.utils.text import slugify
from rest_framework.test import APIClient

from accounts.models import Organization
from campaigns import services
from campaigns.copy import learning, own, ranker, success
from campaigns.copy.own import OwnTest
from campaigns.models import CopyLearning, CopyRequest, CopyTest, EmailTemplate
from campaigns.tests import making
from campaigns.tests.test_copy_assistant import BLOCKS, URL
from common import clock
from experiments import services as experiments
from experiments.models import Experiment, ExperimentStatus, MetricDaily

pytestmark = pytest.mark.django_db


def mail(subject: str = "Our knits") -> EmailTemplate:
    return services.create_template(
        {"name": f"Mail “{subject}”", "slug": slugify(subject) or "knits", "subject": subject, "blocks": BLOCKS}
    )


def asked(api: APIClient, template: EmailTemplate) -> int:
    return int(api.post(URL, {"template_id": template.pk}, format="json").json()["id"])


def made_test(api: APIClient, template: EmailTemplate | None = None) -> CopyTest:
    answer = api.post(f"{URL}{asked(api, template or mail())}/test/", {"variant": 0}, format="json")
    assert answer.status_code == 201, answer.json()
    return CopyTest.objects.get(pk=answer.json()["id"])


def counted(test: CopyTest, metric: str, own_counts: tuple[int, int], ours: tuple[int, int]) -> None:
    """People and how many did, as the counting of experiments leaves it."""
    for arm, (people, did) in ((test.own_arm, own_counts), (test.assistant_arm, ours)):
        MetricDaily.objects.create(
            experiment=test.experiment, arm=arm, metric=metric, day=clock.now().date(), n=people, y=did, yy=did
        )


# --- making one -------------------------------------------------------------------------------------------------


def test_it_is_two_published_mails_that_differ_in_their_subject(organization: Organization, api: APIClient) -> None:
    template = mail()

    test = made_test(api, template)

    copy = EmailTemplate.objects.get(pk=test.assistant_arm.payload["template_id"])
    template.refresh_from_db()
    assert test.own_arm.payload == {"template_id": template.pk}
    assert (template.published.content.subject, test.own_text) == ("Our knits", "Our knits")
    assert copy.published.content.subject == test.assistant_text == test.request.variants[0]["text"]
    assert copy.published.content.html == template.published.content.html
    assert (test.experiment.status, test.own_arm.is_control, test.exclusion) == ("draft", True, "")
    assert [metric["key"] for metric in test.experiment.metrics] == ["clicked", "opened", "left"]


def test_it_is_made_once(organization: Organization, api: APIClient) -> None:
    test = made_test(api)

    again = api.post(f"{URL}{test.request_id}/test/", {"variant": 0}, format="json")

    assert again.json()["id"] == test.pk
    assert (CopyTest.objects.count(), Experiment.objects.count(), EmailTemplate.objects.count()) == (1, 1, 2)


@pytest.mark.parametrize(("subject", "variant"), [("", 0), ("Our knits", 7)])
def test_what_cannot_be_tested_is_refused_and_leaves_nothing(
    organization: Organization, api: APIClient, subject: str, variant: int
) -> None:
    answer = api.post(f"{URL}{asked(api, mail(subject))}/test/", {"variant": variant}, format="json")

    assert answer.status_code == 409
    assert (CopyTest.objects.count(), Experiment.objects.count(), EmailTemplate.objects.count()) == (0, 0, 1)
    assert EmailTemplate.objects.get().published is None


def test_a_mail_that_cannot_be_published_makes_no_test(organization: Organization, api: APIClient) -> None:
    template = mail()
    request_id = asked(api, template)
    services.save_draft(template, {"preheader": "{{ contact.nonsense }}"})

    answer = api.post(f"{URL}{request_id}/test/", {"variant": 0}, format="json")

    assert answer.status_code == 400
    assert (CopyTest.objects.count(), EmailTemplate.objects.count()) == (0, 1)


def test_the_assistant_against_itself_does_not_count(organization: Organization, api: APIClient) -> None:
    template = mail()
    first = CopyRequest.objects.get(pk=asked(api, template)).variants[0]["text"]
    services.update_template(template, {"subject": first.upper()})

    test = made_test(api, template)
    experiments.start(test.experiment)
    counted(test, "clicked", (5_000, 100), (5_000, 400))

    told = api.get("/api/v1/copy/success/").json()
    assert "proposed by the assistant, too" in test.exclusion
    assert (told["won"], told["excluded"], told["rate"], told["lift"]) == (0, 1, None, None)


# --- success ----------------------------------------------------------------------------------------------------


def test_a_test_that_nobody_started_is_no_result(organization: Organization, api: APIClient) -> None:
    made_test(api)

    told = api.get("/api/v1/copy/success/").json()
    assert (told["results"], told["rate"]) == ([], None)
    assert told["sentence"].startswith("No test has begun")


@pytest.mark.parametrize(
    ("clicks", "others", "outcome"),
    [
        (((5_000, 100), (5_000, 400)), {}, "won"),
        (((5_000, 400), (5_000, 100)), {}, "lost"),
        (((5_000, 100), (5_000, 110)), {}, "open"),
        (((5_000, 100), (3_000, 240)), {}, "open"),  # people of one arm are missing
        (((5_000, 100), (5_000, 400)), {"left": ((5_000, 5), (5_000, 90))}, "open"),
        (((5_000, 100), (5_000, 400)), {"bought": ((5_000, 400), (5_000, 100))}, "open"),
        (((0, 0), (0, 0)), {}, "open"),
    ],
)
def test_only_a_proof_without_harm_is_a_success(
    organization: Organization, api: APIClient, clicks: Any, others: Any, outcome: str
) -> None:
    test = made_test(api)
    experiments.start(test.experiment)
    for metric, counts in {"clicked": clicks, **others}.items():
        counted(test, metric, *counts)

    told = api.get("/api/v1/copy/success/").json()

    assert [result["outcome"] for result in told["results"]] == [outcome]
    assert (told["rate"] is None) == (outcome == "open")


def test_stopping_or_letting_it_run_without_a_proof_is_no_success(organization: Organization, api: APIClient) -> None:
    stopped, old = made_test(api), made_test(api, mail("Other knits"))
    for test in (stopped, old):
        experiments.start(test.experiment)
        counted(test, "clicked", (5_000, 100), (5_000, 110))
    Experiment.objects.filter(pk=stopped.experiment_id).update(status=ExperimentStatus.STOPPED)
    Experiment.objects.filter(pk=old.experiment_id).update(started_at=clock.now() - timedelta(days=31))

    told = api.get("/api/v1/copy/success/").json()

    assert (told["won"], told["even"], told["open"], told["rate"]) == (0, 2, 0, 0)
    assert 0.6 < told["high"] < 0.7 and told["low"] == 0
    assert told["lift"] == pytest.approx(0.1)


def test_the_rate_is_over_all_that_are_over(organization: Organization, api: APIClient) -> None:
    test = made_test(api)
    experiments.start(test.experiment)
    counted(test, "clicked", (5_000, 100), (5_000, 400))
    result = success.success().results[0]
    even = replace(result, outcome=success.EVEN)

    found = success.summed([result, result, result, even, replace(result, outcome=success.OPEN)])

    assert (found.won, found.even, found.open, found.rate) == (3, 1, 1, 0.75)
    assert found.low == pytest.approx(0.3006, abs=1e-4) and found.high == pytest.approx(0.9544, abs=1e-4)
    assert found.rate_shown == "75% (30% to 95%)"


# --- learning ---------------------------------------------------------------------------------------------------


def own_tests(count: int, *, better: int, worse: int) -> list[OwnTest]:
    """Tests in which the line with a number got `better` clicks of 4 000, the one without `worse`."""
    of = ("harbour", "garden", "kitchen", "window", "market")
    return [
        OwnTest(
            [f"News of the {of[number % 5]} {'x' * (number % 3)}", f"{3 + number % 6} ways to the {of[number % 5]}"],
            [4_000, 4_000], [worse, better],
        )
        for number in range(count)
    ]  # fmt: skip


def test_without_own_tests_the_general_ranker_stands() -> None:
    learnt = own.learn([], ranker.general())

    assert (learnt.tests, learnt.is_better) == (0, False)
    assert learnt.score(0.3, np.ones(len(learnt.mean) - 1)) == pytest.approx(0.3)


def test_what_own_readers_like_is_learnt_and_foretold_before_it_is_used() -> None:
    like, dislike = (own.learn(own_tests(24, better=b, worse=w), ranker.general()) for b, w in ((90, 160), (160, 90)))
    few = own.learn(own_tests(5, better=90, worse=160), ranker.general())

    judge = learning.Judge(ranker.general(), "en", like)
    with_number, without = judge.scores(["4 ways to the harbour", "News from the harbour"])
    assert like.is_better and with_number < without  # here readers like it the other way round
    assert like.traits["number"] == (0, 24) and dislike.traits["number"] == (24, 24)
    assert not few.is_better
    assert learning.Judge(ranker.general(), "en", few).scores(["a b", "c d"]) == pytest.approx(
        list(ranker.general().scores(["a b", "c d"]))
    )


def test_noise_is_not_used() -> None:
    random = np.random.default_rng(5)
    tests = [
        replace(each, clicked=random.binomial(4_000, 0.03, 2).tolist()) for each in own_tests(40, better=1, worse=1)
    ]

    assert not own.learn(tests, ranker.general()).is_better


def test_what_was_learnt_is_kept_and_read_again() -> None:
    learnt = own.learn(own_tests(12, better=160, worse=90), ranker.general())

    assert own.read(learnt.as_json()) == learnt
    assert own.read(learnt.as_json() | {"mean": [1.0, 2.0]}) == own.Learnt()


def test_started_tests_of_subjects_are_learnt_from_at_night(organization: Organization, api: APIClient) -> None:
    test = made_test(api)
    waiting = made_test(api, mail("A draft"))
    other = services.create_template({"name": "Other", "subject": "Other", "html": making.HTML})
    services.publish_template(other)
    mixed = experiments.create_experiment(
        {"name": "Mixed", "metrics": test.experiment.metrics},
        [
            experiments.ArmDraft("a", payload=test.own_arm.payload),
            experiments.ArmDraft("b", payload={"template_id": other.pk}),
            experiments.ArmDraft("c", payload={"template_id": "none"}),
        ],
    )
    for experiment in (test.experiment, mixed):
        experiments.start(experiment)
    counted(test, "clicked", (4_000, 90), (4_000, 160))
    counted(waiting, "clicked", (4_000, 90), (4_000, 160))

    learning.learn_everywhere()

    row = CopyLearning.objects.get()
    assert (row.test_count, row.is_used, list(row.weights)) == (1, False, ["en"])
    request_id = asked(api, mail("Third"))
    assert any(
        "Your own 1 tests do not foretell better" in note for note in CopyRequest.objects.get(pk=request_id).notes
    )


def test_own_tests_count_for_their_language_and_a_chance_is_said_only_where_it_was_measured(
    organization: Organization, api: APIClient
) -> None:
    taught = own.learn(own_tests(24, better=160, worse=90), ranker.general())
    html = (
        "<h1>Neue Stricksachen für den Herbst sind da</h1>"
        "<p>Sie kommen aus Schottland und halten warm, auch bei Regen und Wind.</p>"
    )
    german = services.create_template({"name": "Herbst", "subject": "Herbst", "html": html, "locale": "de"})

    def told() -> tuple[list[bool], list[str]]:
        row = CopyRequest.objects.get(pk=asked(api, german))
        assert row.language == "de"
        return [each["chance"] is None for each in row.variants], row.notes

    CopyLearning.objects.create(test_count=24, is_used=True, weights={"en": taught.as_json()})
    unsure, notes = told()
    assert all(unsure) and unsure
    assert any("nobody has measured" in note for note in notes) and not any("Your own" in note for note in notes)

    CopyLearning.objects.update(weights={"de": taught.as_json()})
    unsure, notes = told()
    assert not any(unsure)
    assert any("Your own 24 tests correct the ranking" in note for note in notes)
    assert not any("nobody has measured" in note for note in notes)


def test_a_line_shorter_than_any_that_was_tested_says_so() -> None:
    judge = learning.Judge(ranker.general(), "en")
    lines = ["Sale", "New knits for the first cold evenings"]

    unsure, sure = judge.chances(lines, judge.scores(lines))

    assert unsure is None and sure is not None and 0 < sure < 1
    assert learning.Judge(ranker.general(), "de").chances(lines, [0.0, 0.0]) == [None, None]


# --- pages ------------------------------------------------------------------------------------------------------


def test_the_pages_say_what_now(organization: Organization, owner: Any, client: Any, api: APIClient) -> None:
    client.force_login(owner.user)
    page = reverse("admin:campaigns_copyrequest_success")
    assert "No test has begun" in client.get(page).content.decode()

    test = made_test(api)
    assert "Not started yet" in client.get(page).content.decode()
    experiments.start(test.experiment)
    counted(test, "clicked", (5_000, 100), (5_000, 400))

    shown = client.get(page).content.decode()
    assert "100% (21% to 100%)" in shown and "400 of 5,000 against 100 of 5,000" in shown
    log = client.get(reverse("admin:campaigns_copyrequest_changelist"))
    row = client.get(reverse("admin:campaigns_copyrequest_change", args=[test.request_id]))
    assert (log.status_code, row.status_code) == (200, 200)
    assert "Recommended" in row.content.decode()


def test_settings_are_saved_and_used(organization: Organization, owner: Any, client: Any, api: APIClient) -> None:
    client.force_login(owner.user)
    page = reverse("admin:campaigns_copyrequest_settings")
    assert "COPY_LLM_URL" in client.get(page).content.decode()

    answer = client.post(page, {"avoided": "Knits, cool  evenings,", "is_formal": "on"})
    refused = client.post(page, {"avoided": "x" * 41})

    assert (answer.status_code, refused.status_code) == (302, 200)
    assert "at most 40 letters" in refused.content.decode()
    variants = CopyRequest.objects.get(pk=asked(api, mail())).variants
    assert variants
    assert not any("knits" in each["text"].lower() or "first_name" in each["text"] for each in variants)
