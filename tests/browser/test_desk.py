"""My desk at two widths, worked by keys alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from accounts.models import Member
from automations import days, services
from automations.models import Task
from common import tenancy
from tests.browser.town import Town


def _tasks(town: Town) -> list[Task]:
    with tenancy.organization(town.organization_id):
        member = Member.objects.get(user=town.owner)
        made = [
            services.create_task(
                {
                    "title": f"Call about the offer {number}",
                    "contact_id": town.contact_id,
                    "assignee_id": member.pk,
                    "due_date": days.today() + timedelta(days=number - 3),
                }
            )
            for number in range(3)
        ]
        services.add_note(made[0], "Rang twice, no answer.")
    return made


def test_tasks_are_worked_by_keys_alone(visit: Any, town: Town, size: tuple[int, int]) -> None:
    first, second, third = _tasks(town)
    watched = visit("/desk/", size)
    page = watched.page
    assert watched.everything() == []

    page.keyboard.press("j")
    page.keyboard.press("r")
    page.wait_for_function("document.querySelector('.desk-said').textContent.includes('reached them')")
    page.wait_for_function(f"document.activeElement.dataset.task === '{second.pk}'")
    page.keyboard.press("t")
    page.wait_for_function(f"document.activeElement.dataset.task === '{third.pk}'")

    assert watched.everything() == []
    with tenancy.organization(town.organization_id):
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, first.outcome) == ("done", "reached")
        assert second.snoozed_until == days.today() + timedelta(days=1)
        Task.objects.filter(pk__in=[task.pk for task in (first, second, third)]).delete()
