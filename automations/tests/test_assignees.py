import threading
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Member
from audience.models import Contact
from automations import assignees, services
from automations.models import Automation, RunStatus, Task, TaskStatus
from automations.tests import making
from common import tenancy
from common.errors import Invalid, Permanent

pytestmark = pytest.mark.django_db


def _team(count: int) -> list[int]:
    users = [accounts.ensure_user(f"agent{number}@example.com") for number in range(count)]
    return [accounts.add_member(user, Role.AGENT).pk for user in users]


def _take(method: Any, team: list[int], count: int, step: str = "s") -> list[int]:
    automation = _automation()
    return assignees.take(method, team, count, automation_id=automation, step_id=step)


def _automation() -> int:
    found = Automation.objects.first() or making.automation(making.task(), name="Team")
    return found.pk


def test_colleagues_take_turns_across_calls(organization) -> None:
    ann, ben, cy = team = _team(3)

    assert _take("in_turn", team, 2) == [ann, ben]
    assert _take("in_turn", team, 2) == [cy, ann]
    assert _take("in_turn", [cy, ben, ann], 1) == [ben]
    assert _take("in_turn", team, 1, "another step") == [ann]


def test_work_goes_to_whoever_has_least_to_do(organization) -> None:
    ann, ben, cy = team = _team(3)
    for status in (TaskStatus.OPEN, TaskStatus.OPEN, TaskStatus.OPEN):
        services.create_task({"title": "x", "assignee_id": ann, "status": status})
    making.contact(assignee_id=ben)
    making.contacts(4, assignee_id=cy, status="won")
    services.create_task({"title": "x", "assignee_id": cy, "status": TaskStatus.DONE})

    assert sorted(_take("least_busy", team, 3)) == sorted([cy, ben, cy])
    assert sorted(_take("least_busy", team, 8)) == sorted([cy, cy, cy, cy, ben, ben, ben, ann])


def test_equals_come_in_turn(organization) -> None:
    team = _team(3)

    assert [_take("least_busy", team, 1)[0] for _ in range(4)] == [*team, team[0]]


@pytest.mark.parametrize("method", ["in_turn", "least_busy"])
def test_whoever_is_away_is_passed_over(organization, method) -> None:
    ann, ben = team = _team(2)
    Member.objects.filter(pk=ann).update(is_active=False)
    assert _take(method, team, 3) == [ben, ben, ben]

    Member.objects.filter(pk=ben).update(is_active=False)
    with pytest.raises(Permanent, match="None of the members"):
        _take(method, team, 1)


def test_a_stranger_gets_nothing(organization, stranger) -> None:
    with tenancy.organization(stranger.pk):
        theirs = _team(1)
    with pytest.raises(Permanent):
        _take("least_busy", theirs, 1)


def test_steps_share_work_between_colleagues(organization) -> None:
    ann, ben = team = _team(2)
    automation = making.automation(
        {"action_type": "assign", "configuration": {"method": "least_busy", "member_ids": team}},
        making.task("Call", assign_to="in_turn", member_ids=team),
        making.task("Write", assign_to="least_busy", member_ids=team),
        making.task("Greet"),
    )
    people = making.contacts(4)
    services.start(automation, [person.pk for person in people])
    making.work()

    assert set(automation.runs.values_list("status", flat=True)) == {RunStatus.COMPLETED}
    for title in ("Call", "Write"):
        takers = Task.objects.filter(title=title).values_list("assignee_id", flat=True)
        assert sorted(takers) == [ann, ann, ben, ben]
    by_contact = dict(Contact.objects.values_list("pk", "assignee_id"))
    assert dict(Task.objects.filter(title="Greet").values_list("contact_id", "assignee_id")) == by_contact


@pytest.mark.parametrize(
    "configuration",
    [{"assign_to": "in_turn"}, {"assign_to": "member"}, {"assign_to": "least_busy", "member_ids": [9_999_999]}],
)
def test_a_team_of_nobody_is_refused(organization, configuration) -> None:
    with pytest.raises(Invalid):
        making.automation(making.task(**configuration))


@pytest.mark.django_db(transaction=True)
def test_two_engines_never_give_by_the_same_count(organization) -> None:
    team = _team(2)
    automation_id = _automation()
    taken: list[int] = []
    both = threading.Barrier(2)

    def engine(step: str) -> None:
        try:
            both.wait()
            with tenancy.organization(organization.pk), transaction.atomic():
                for member_id in assignees.take("least_busy", team, 5, automation_id=automation_id, step_id=step):
                    Task.objects.create(title=step, assignee_id=member_id)
                    taken.append(member_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=engine, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [taken.count(member_id) for member_id in team] == [5, 5]
