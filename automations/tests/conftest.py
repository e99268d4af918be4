"""Fixtures that several files of these tests share."""

import pytest

from automations.tests import making
from automations.tests.step_world import World
from common import tenancy
from experiments import services as experiments
from segments import services as segments


@pytest.fixture
def world(organization, stranger, owner) -> World:
    with tenancy.organization(stranger.pk):
        theirs = making.template(name="Theirs").pk
    banner = {"placement": "banner", "title": "Hi there"}
    message = making.template(name="Hi there", slug="hi", subject="", html="", channel="in_app", fields=banner)
    experiments.create_experiment({"name": "Paths"}, [experiments.ArmDraft("short"), experiments.ArmDraft("long")])
    segment = segments.create_segment(name="Friends", kind="static")
    other = making.automation(name="Other", is_active=False)
    return World(owner, making.template().pk, theirs, message.pk, segment, other)
