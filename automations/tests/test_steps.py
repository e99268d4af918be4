"""Every kind of step goes through the same cases."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automations import configuration, services
from automations.models import Automation, AutomationRun, RunStatus
from automations.steps import STEPS
from automations.tests import making
from automations.tests.step_cases import CASES, step_of
from automations.tests.step_world import World
from common.errors import Invalid

pytestmark = pytest.mark.django_db
WRONG = [(step, name) for step, case in CASES.items() for name in case.wrong]


def test_every_step_has_a_case() -> None:
    assert CASES.keys() == STEPS.keys()


@pytest.mark.parametrize("step", CASES)
def test_a_step_does_its_work_for_the_whole_group_in_constant_statements(step: str, world: World) -> None:
    case = CASES[step]
    counts = []
    for size in (2, 60):
        automation = making.automation(step_of(step, case.good(world)), name=f"{step.replace('_', '-')} {size}")
        people = making.contacts(size, tags=["old"])
        services.start(automation, [person.pk for person in people])
        with CaptureQueriesContext(connection) as queries:
            making.work()
        counts.append(len(queries))
        if not step.startswith("wait"):
            assert set(automation.runs.values_list("status", "attempts")) <= {
                (RunStatus.COMPLETED, 0),
                (RunStatus.EXITED, 0),
            }
        assert [case.written(person) for person in people] == [case.expected(world)] * size
    assert counts[1] <= counts[0], "\n".join(query["sql"][:150] for query in queries)


@pytest.mark.parametrize("step", CASES)
def test_a_step_says_what_it_does(step: str, world: World) -> None:
    kind = STEPS[step]

    assert kind.sentence(configuration.read(kind.configuration, CASES[step].good(world))) == CASES[step].sentence
    assert kind.label
    assert kind.doc.endswith(".")


@pytest.mark.parametrize(("step", "name"), WRONG)
def test_a_wrong_configuration_is_refused_with_its_place_and_writes_nothing(step, name, world) -> None:
    settings, answer = CASES[step].wrong[name]

    with pytest.raises(Invalid) as refusal:
        making.automation(step_of(step, settings))

    told = [f"{place}: {sentence}" for place, sentence in refusal.value.details.items()]
    assert any(answer in line for line in told), told
    assert all(line.startswith(("actions[0].configuration", "actions[0].branches")) for line in told)
    assert not AutomationRun.objects.exists()
    assert not Automation.objects.exclude(pk=world.other.pk).exists()
