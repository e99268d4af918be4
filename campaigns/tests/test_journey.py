"""A campaign through the real river: queue, policy, SMTP, and a worker killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from accounts import services as accounts
from accounts.models import Organization
from campaigns import selectors, services
from campaigns.models import Campaign, CampaignRun, Target
from campaigns.tests import making
from common import doorbell, tenancy
from delivery.models import Message
from delivery.tests.making import Sink

Drain = Callable[[], int]


@pytest.fixture
def doors(organization: Organization) -> None:
    making.open_doors()


@pytest.mark.django_db
@pytest.mark.usefixtures("doors")
def test_a_campaign_reaches_everybody_once_and_completes(drain: Drain, sink: Sink) -> None:
    agreed, silent = making.contacts(5), making.contacts(2, start=50, consented=False)
    campaign = services.launch(making.campaign([making.segment([*agreed, *silent])]))

    drain()

    assert sorted(sink.recipients) == sorted(contact.email for contact in agreed)
    assert {mail["Subject"] for mail in sink.mails} == {f"Sale for {contact.name}" for contact in agreed}
    campaign = Campaign.objects.get(pk=campaign.pk)
    progress = selectors.progress(campaign)
    assert campaign.status == "completed"
    assert (progress.sent_count, progress.refused_count, progress.percent) == (5, 2, 100)
    assert [refusal.count for refusal in progress.refusals] == [2]


@pytest.mark.django_db
@pytest.mark.usefixtures("doors")
def test_paused_three_times_and_resumed_it_reaches_everybody_once(drain: Drain, sink: Sink) -> None:
    people = making.contacts(30)
    campaign = services.launch(making.campaign([making.segment(people)]))
    for _ in range(3):
        services.work(campaign.organization_id)
        services.pause(campaign)
        drain()
        assert sink.recipients == []
        services.resume(campaign)

    drain()

    assert Counter(sink.recipients) == Counter(contact.email for contact in people)
    assert Campaign.objects.get().status == "completed"


@pytest.mark.django_db
@pytest.mark.usefixtures("doors")
def test_a_cancelled_campaign_sends_nothing_more(drain: Drain, sink: Sink) -> None:
    campaign = services.launch(making.campaign([making.segment(making.contacts(5))]))
    services.work(campaign.organization_id)
    services.cancel(campaign)

    drain()

    assert sink.recipients == []
    assert set(Message.objects.values_list("status", flat=True)) == {"cancelled"}


@pytest.mark.django_db
def test_a_test_mail_goes_to_the_colleague_in_the_contacts_words(
    drain: Drain, sink: Sink, owner: Any, doors: None
) -> None:
    (ada,) = making.contacts(name="Ada", consented=False)
    services.send_test(making.template(published=False), ada, "owner@acme.example")

    drain()

    assert sink.recipients == ["owner@acme.example"]
    assert sink.mails[0]["Subject"] == "Sale for Ada"


# The worker that is killed: it dies by SIGKILL inside the transaction of its n-th block, after writing it.
DOOMED = """
import json, os, signal, sys
import django
from django.conf import settings
django.setup()
from django.db import connection
from campaigns.domain import pacing
from campaigns.services import runs, steps
organization_id, blocks, name = json.loads(sys.argv[1])
settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
pacing.FULL_BLOCK = 4
written = 0
queue = steps.delivery.queue_selected
def dying(*args, **kwargs):
    global written
    count = queue(*args, **kwargs)
    written += 1
    if written == blocks:
        os.kill(os.getpid(), signal.SIGKILL)
    return count
steps.delivery.queue_selected = dying
runs.work(organization_id)
"""


@pytest.mark.django_db(transaction=True)
def test_workers_killed_between_blocks_lose_and_double_nothing() -> None:
    organization = accounts.create_organization("Crash", "crash")
    with tenancy.organization(organization.pk):
        making.open_doors()
        campaign = services.launch(making.campaign([making.segment(making.contacts(30))]))

    for blocks in (1, 2, 3):
        arguments = json.dumps([organization.pk, blocks, connection.settings_dict["NAME"]])
        killed = subprocess.run(
            [sys.executable, "-c", DOOMED, arguments],
            cwd=django_settings.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "marketing_site.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert killed.returncode == -9, killed.stderr
    with tenancy.organization(organization.pk):
        run = CampaignRun.objects.get()
        # Each died with its last block unwritten: 0 + 1 + 2 blocks of four stand.
        assert Message.objects.count() == 12
        assert (run.attempts, run.status) == (0, "pending")

        services.work(organization.pk)

        keys = list(Message.objects.values_list("idempotency_key", flat=True))
        assert len(keys) == len(set(keys)) == Target.objects.filter(campaign=campaign).count() == 30
    assert doorbell.WORK["campaign_runs"].organizations_due() == []
