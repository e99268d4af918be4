"""What single kinds of step do beyond the cases that all share."""

from datetime import timedelta

import pytest

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Member
from audience.models import Contact
from automations import services
from automations.models import AutomationRun, Notification, RunStatus
from automations.selectors import reports
from automations.tests import making
from automations.tests.step_cases import step_of
from automations.tests.step_world import World
from common import clock
from common.errors import Invalid
from experiments import services as experiments
from experiments.models import Assignment, Experiment

pytestmark = pytest.mark.django_db


def test_another_organisations_template_is_not_there(world: World) -> None:
    with pytest.raises(Invalid, match=f"there is no template {world.stranger_template_id}"):
        making.automation(step_of("send_email", {"template_id": world.stranger_template_id}))


def test_paths_of_an_experiment_are_drawn_once_and_settled_at_its_end(world: World) -> None:
    arms = {"short": [{"action_type": "add_tag", "configuration": {"tag": "short"}}], "long": []}
    automation = making.automation(
        {"action_type": "experiment", "configuration": {"experiment": "paths"}, "branches": arms}
    )
    made = Experiment.objects.get()
    assert made.status == "running", "a draft begins with the workflow"
    people = making.contacts(40)
    services.start(automation, [person.pk for person in people[:30]])
    making.work()

    drawn = dict(Assignment.objects.values_list("contact_id", "arm__key"))
    tagged = {person.pk for person in Contact.objects.filter(tags__contains=["short"])}
    assert tagged == {contact_id for contact_id, arm in drawn.items() if arm == "short"}
    assert 0 < len(tagged) < 30
    experiments.stop(made, winner=made.arms.get(key="long"))
    services.start(automation, [person.pk for person in people[30:]])
    making.work()
    assert Assignment.objects.count() == 30
    assert Contact.objects.filter(tags__contains=["short"]).count() == len(tagged), "the winner's way, for everybody"


def test_the_branches_of_an_experiment_are_its_arms(world: World) -> None:
    wrong = {
        "action_type": "experiment",
        "configuration": {"experiment": "paths"},
        "branches": {"short": [], "x": []},
    }
    with pytest.raises(Invalid) as refused:
        making.automation(wrong)
    assert refused.value.details == {
        "actions[0].branches.x": "experiment has no such branch; it has short and long",
        "actions[0].branches.long": "is missing; give it a list of steps, which may be empty",
    }
    assert Experiment.objects.get().status == "draft"


def test_a_draft_template_is_published_with_the_workflow(world: World) -> None:
    from campaigns.models import EmailTemplate

    making.automation(step_of("send_email", {"template_id": world.template_id}))

    assert EmailTemplate.objects.get(pk=world.template_id).published is not None


def test_a_template_that_cannot_be_published_is_refused(world: World) -> None:
    broken = making.template(slug="broken", html="<p>{% for %}</p>")

    with pytest.raises(Invalid, match=r"actions\[0\].configuration.template_id: .*cannot be published"):
        making.automation(step_of("send_email", {"template_id": broken.pk}))


def test_a_subject_that_is_no_template_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match=r"actions\[0\].configuration.subject: cannot be used"):
        making.automation(step_of("send_email", {"template_id": world.template_id, "subject": "Hi {{ contact."}))


def test_round_robin_goes_on_where_it_stopped_and_survives_a_new_version(world: World) -> None:
    users = [accounts.ensure_user(f"agent{number}@acme.example") for number in range(2)]
    agents = [accounts.add_member(user, Role.AGENT) for user in users]
    action = step_of("assign", {"method": "round_robin", "member_ids": [agent.pk for agent in agents]})
    automation = making.automation(action)
    people = making.contacts(5)

    services.start(automation, [person.pk for person in people[:3]])
    making.work()
    services.update_automation(automation, {"actions": [action, making.EXIT]})
    services.start(automation, [person.pk for person in people[3:]])
    making.work()

    turns = [Contact.objects.get(pk=person.pk).assignee_id for person in people]
    first, second = agents[0].pk, agents[1].pk
    assert turns == [first, second, first, second, first]


def test_a_colleague_who_left_gets_nothing_and_the_run_waits_among_the_dead_letters(world: World) -> None:
    automation = making.automation(step_of("assign", {"member_id": world.member.pk}))
    Member.objects.update(is_active=False)
    services.start(automation, [making.contact().pk])

    making.work()

    run = AutomationRun.objects.get()
    assert run.status == RunStatus.FAILED
    assert "has a seat any more" in run.error


def test_a_task_without_assignee_goes_to_the_contacts_own_and_is_due_days_later(world: World) -> None:
    automation = making.automation(making.task(due_date=3))
    mine, nobodys = making.contact(assignee=world.member), making.contact()
    services.start(automation, [mine.pk, nobodys.pk])

    making.work()

    task = mine.tasks.get()
    assert task.assignee == world.member
    assert task.due_date == (clock.now() + timedelta(days=3)).date()
    assert nobodys.tasks.get().assignee is None


def test_nobody_is_notified_about_a_contact_nobody_is_assigned_to(world: World) -> None:
    automation = making.automation(step_of("notify", {"message": "Look!"}))
    services.start(automation, [making.contact().pk])

    making.work()

    assert not Notification.objects.exists()
    assert making.outcomes(AutomationRun.objects.get()) == [("notify_1", "skipped")]


def test_the_outline_tells_the_workflow_in_words(world: World) -> None:
    automation = making.automation(
        making.branch(making.where("city", "Leeds"), [making.TAG], []),
        making.EXIT | {"is_active": False},
        trigger_type="status_changed",
        trigger_configuration={"to": "won", "filter": making.where("country", "GB")},
        entry_rule="again",
    )

    lines = reports.outline(automation.current_version)

    assert [(line.depth, line.text, line.is_active) for line in lines] == [
        (0, "When status changes to “won”, only for contacts where country is “GB”", True),
        (0, "Contacts may enter again after they have left", True),
        (0, "If city is “Leeds”", True),
        (1, "Then:", True),
        (2, "Add the tag “met”", True),
        (1, "Otherwise:", True),
        (2, "Go on", True),
        (0, "Leave the workflow", False),
    ]
