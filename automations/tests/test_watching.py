"""The log and the funnel of a workflow: what each step did, with the rows behind each number."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from automations import selectors, services
from automations.domain import slots
from automations.models import StepRun
from automations.selectors import log as logs
from automations.selectors.funnel import funnel
from automations.selectors.log import Wanted
from automations.tests import making
from common import clock

pytestmark = pytest.mark.django_db
SPLIT = making.branch(making.where("city", "Leeds"), [making.wait(days=1)], [making.EXIT])


def _played():
    """Three from Leeds wait, two from Bath have left."""
    automation = making.automation(making.task(), SPLIT)
    people = [*making.contacts(3, city="Leeds"), *making.contacts(2, city="Bath")]
    services.start(automation, [one.pk for one in people])
    making.work()
    return automation, people


def test_the_log_pages_both_ways_and_filters(organization) -> None:
    automation, people = _played()
    everything = list(StepRun.objects.order_by("-happened_at", "-pk").values_list("pk", flat=True))

    first = logs.page(automation, Wanted(), size=5)
    second = logs.page(automation, Wanted(), first.older, size=5)
    assert [entry.record.pk for page in (first, second) for entry in page.entries] == everything[:10]
    assert (first.newer, logs.page(automation, Wanted(), second.newer, size=5).entries) == ("", first.entries)
    last = logs.page(automation, Wanted(), second.older, size=5)
    assert (len(last.entries), last.older) == (2, "")

    def count(**wanted: object) -> int:
        return len(logs.page(automation, Wanted(**wanted)).entries)  # type: ignore[arg-type]

    assert (count(outcome="exited"), count(step_id="branch_1"), count(contact_id=people[0].pk)) == (2, 5, 2)
    assert (count(version_number=1), count(version_number=2)) == (12, 0)
    assert (count(since=clock.now()), count(until=clock.now())) == (0, 12)


def test_the_log_is_a_page_and_a_file(admin, organization) -> None:
    automation, people = _played()
    people[0].name = "=1+1"
    people[0].save()
    address = reverse("automation-log", args=[automation.pk])

    page = admin.get(address, {"contact": people[0].pk}).content.decode()
    assert page.count('data-label="Outcome"') == 2
    file = b"".join(admin.get(address, {"contact": people[0].pk, "csv": 1}).streaming_content).decode()
    lines = file.splitlines()
    assert len(lines) == 3
    assert ",'=1+1," in lines[1]
    assert admin.get(address, {"cursor": "older.x"}).status_code == 400
    assert admin.get(address, {"step": "\0", "version": "9" * 18, "contact": "9" * 18}).status_code == 200
    assert "Nothing fits these filters" in admin.get(address, {"outcome": "failed"}).content.decode()


def test_the_funnel_says_who_came_how_far_and_how_long_it_took(organization) -> None:
    automation, _ = _played()
    with clock.travel(timedelta(days=1, minutes=1)):
        making.work()
        today = clock.now().date()

    found = funnel(automation.current_version)
    stages = {stage.step_id: stage for stage in found.stages}
    assert (found.entered, found.completed) == (5, 3)
    assert [(stage.step_id, stage.depth, stage.way) for stage in found.stages] == [
        ("create_task_1", 0, ""), ("branch_1", 0, ""), ("wait_1", 1, "then"), ("exit_1", 1, "otherwise"),
    ]  # fmt: skip
    wait, leave = stages["wait_1"], stages["exit_1"]
    assert (wait.reached, wait.done, wait.now, wait.share) == (3, 3, 0, 0.6)
    assert wait.median_seconds == pytest.approx(86_460, rel=0.1)
    assert (leave.reached, leave.left) == (2, 2)
    assert stages["branch_1"].ways == {"then": 3, "otherwise": 2}
    later = {stage.step_id: stage.reached for stage in funnel(automation.current_version, since=today).stages}
    assert (later["create_task_1"], later["wait_1"]) == (0, 3)


def test_the_funnel_page_links_its_numbers_and_is_a_file(admin, organization) -> None:
    automation, _ = _played()
    address = reverse("automation-funnel", args=[automation.pk])

    page = admin.get(address).content.decode()

    assert "5 entered; 0 came to the end. Most left at “Leave the workflow”: 2." in page
    version = automation.current_version_id
    here = f"version__id__exact={version}&step_id__exact=wait_1&status__in=running,held,failed"
    assert here.replace("&", "&amp;") in page
    runs = reverse("admin:automations_automationrun_changelist")
    listed = admin.get(f"{runs}?{here}&automation__id__exact={automation.pk}")
    assert listed.context["cl"].result_count == 3
    assert admin.get(address, {"csv": "funnel"}).content.decode().count("\n") == 5


def test_versions_tell_their_numbers(admin, organization) -> None:
    automation, _ = _played()

    page = admin.get(reverse("automation-versions", args=[automation.pk])).content.decode()

    report = selectors.version_reports(automation)[0]
    assert (report.entered, report.inside, report.exited, report.conversion) == (5, 3, 2, None)
    assert "status__in=running,held,failed" in page


@pytest.mark.parametrize(
    ("times", "seconds"), [({}, None), ({0: 3}, 0.0), ({0: 1, 4: 3}, 1.18), ({4: 1, 40: 5, 60: 1}, 1115.2)]
)
def test_a_median_of_slots(times: dict[int, int], seconds: float | None) -> None:
    assert slots.median(times) == (seconds if seconds is None else pytest.approx(seconds, rel=0.01))
