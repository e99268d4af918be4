"""Whose rows Beat's are: code's follow the code, people's stay as people left them."""

from typing import Any

import pytest
from celery.schedules import crontab
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import User
from marketing_site import beat
from marketing_site.schedule import SCHEDULE

pytestmark = pytest.mark.django_db
JOBS: dict[str, dict[str, Any]] = {
    "sweep": {"task": "common.sweep", "schedule": 1.0, "options": {"queue": "river", "expires": 5}},
    "purge": {"task": "common.purge", "schedule": crontab(minute=17, hour=3), "options": {"queue": "default"}},
}
LIST = reverse("admin:django_celery_beat_periodictask_changelist")


def _rows() -> dict[str, tuple[str, bool]]:
    return {row.name: (str(row.schedule), row.enabled) for row in PeriodicTask.objects.all()}


def _peoples(name: str = "mine", **values: Any) -> PeriodicTask:
    every = IntervalSchedule.objects.get_or_create(every=1, period="seconds")[0]
    return PeriodicTask.objects.create(**({"name": name, "task": "common.purge", "interval": every} | values))


@pytest.fixture
def superuser(client, organization) -> Any:
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


def test_every_job_of_the_code_gets_a_row() -> None:
    beat.bring_up_to_date(SCHEDULE)

    assert set(_rows()) == {f"groundswell: {name}" for name in SCHEDULE}


def test_a_deploy_changes_and_removes_codes_rows_and_leaves_peoples() -> None:
    beat.bring_up_to_date(JOBS)
    _peoples(enabled=False)
    _peoples("purge")
    beat.of_code().filter(name="groundswell: sweep").update(enabled=False)

    changed = {"sweep": {**JOBS["sweep"], "schedule": 2.0}}
    for _ in range(2):
        beat.bring_up_to_date(changed)

    assert _rows() == {
        "groundswell: sweep": ("<freq: 2.00 seconds>", True),
        "mine": ("<freq: 1.00 second>", False),
        "purge": ("<freq: 1.00 second>", True),
    }


def test_rows_from_before_the_mark_are_taken_over_once() -> None:
    _peoples("sweep", task="common.sweep", total_run_count=7)
    _peoples("purge", task="delivery.fold_counts")

    beat.bring_up_to_date(JOBS)
    _peoples("sweep", task="common.sweep")
    beat.bring_up_to_date(JOBS)

    assert set(_rows()) == {"groundswell: sweep", "groundswell: purge", "purge", "sweep"}
    assert PeriodicTask.objects.get(name="groundswell: sweep").total_run_count == 7


def test_people_cannot_touch_codes_rows(superuser) -> None:
    beat.bring_up_to_date(JOBS)
    mine = _peoples()
    code = PeriodicTask.objects.get(name="groundswell: sweep")
    before = _rows()

    page = superuser.get(LIST).content.decode()
    assert "Groundswell&#x27;s own" in page and "People&#x27;s" in page
    for action in ("disable_tasks", "toggle_tasks", "delete_selected"):
        chosen = {"action": action, "_selected_action": [code.pk], "post": "yes"}
        superuser.post(LIST, chosen)
    edit = reverse("admin:django_celery_beat_periodictask_change", args=[code.pk])
    assert superuser.get(edit).status_code == 200
    assert superuser.post(edit, {"name": "stolen"}).status_code == 403
    delete = reverse("admin:django_celery_beat_periodictask_delete", args=[code.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 403
    every = reverse("admin:django_celery_beat_intervalschedule_delete", args=[code.interval_id])
    assert superuser.post(every, {"post": "yes"}).status_code == 403
    assert _rows() == before

    superuser.post(LIST, {"action": "disable_tasks", "_selected_action": [mine.pk, code.pk]})
    assert _rows()["mine"][1] is False
    assert _rows()["groundswell: sweep"][1] is True


def test_people_make_rows_of_their_own_but_not_in_codes_name(superuser) -> None:
    every = IntervalSchedule.objects.create(every=5, period="minutes")
    form = {
        "name": "groundswell: mine", "regtask": "common.purge", "task": "", "enabled": "on", "interval": every.pk,
        "args": "[]", "kwargs": "{}", "headers": "{}", "description": "",
    }  # fmt: skip
    add = reverse("admin:django_celery_beat_periodictask_add")

    refused = superuser.post(add, form)
    assert "belong to Groundswell" in refused.content.decode()
    assert not PeriodicTask.objects.exists()
    assert superuser.post(add, form | {"name": "mine"}).status_code == 302
    beat.bring_up_to_date(JOBS)
    assert "mine" in _rows()
