"""Fill the demo organisation with a real retail history, through the public ingest endpoint."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from audience.models import Contact, IngestBatch
from campaigns import services as campaigns
from campaigns.models import CampaignStatus
from common import clock, doorbell, tenancy
from common.errors import AppError
from common.models import NoticeDelivery, WorkStatus
from delivery.models import Message, MessageStatus
from marketing_site.demo import retail, sdk, stage, story
from marketing_site.demo.stage import Stage
from marketing_site.demo.story import Story

DEMO_EMAIL = "demo@groundswell.example"
LONGEST_WAIT_SECONDS = 600
NEW_CUSTOMERS = 12


class Command(BaseCommand):
    help = (
        "Fill the demo organisation: a year of real orders sent as an SDK would, segments, letters, a workflow,\n"
        "campaigns and referrals. Running it twice changes nothing.\n\n"
        "Examples:\n  manage.py load_demo\n  manage.py load_demo --url http://127.0.0.1:8000"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="", help="the running server to post to; empty: work in this process")
        parser.add_argument("--email", default=DEMO_EMAIL, help="the owner's address")
        parser.add_argument("--most-customers", type=int, default=0, help="only so many customers; 0: all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        self.url: str = options["url"]
        password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(12)
        began = time.monotonic()
        try:
            prepared = stage.open_organization(options["email"], password)
            with tenancy.organization(prepared.organization.pk):
                self._play(prepared, _history(options["most_customers"]))
        except AppError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"The demo organisation is filled, in {time.monotonic() - began:.0f} s.")
        if "DEMO_PASSWORD" not in os.environ:
            self.stdout.write(f"Sign in as {options['email']}; a new account's password is {password}")

    def _play(self, prepared: Stage, history: Story) -> None:
        self._send("Customers", history.people, prepared)
        self._settle("Getting to know them")
        stage.agree()
        past = stage.remember()
        codes = stage.invite(history.inviters)
        calls = list(story.events(history, codes))
        self._send("A year of orders", calls, prepared)
        stage.spend()
        self._settle("Working through the year")
        stage.group()
        self._settle("Building segments")
        templates = stage.write()
        stage.automate(templates["welcome-letter"])
        stage.prepare()
        stage.show(past)
        self._send("New customers today", _newcomers(), prepared)
        self._settle("Welcoming them")
        stage.date_back()
        stage.close(past)
        campaign = stage.announce(templates["thank-you-letter"], templates[stage.QUESTION])
        if campaign.status == CampaignStatus.DRAFT:
            campaigns.launch(campaign)
        self._settle("Sending letters")
        stage.engage(campaign)
        stage.analyse()
        self._settle("Counting what came back, and looking for campaigns worth making")

    def _send(self, label: str, calls: Iterable[dict[str, Any]], prepared: Stage) -> None:
        """Post calls in batches; with a server, not so far ahead that its backlog grows without bound."""
        waiting = list(calls)
        sender = sdk.over_http(self.url) if self.url else sdk.in_process()
        with self._bar(label, len(waiting), "events") as bar:
            for count, body in sdk.batches(waiting, prepared.write_key):
                sdk.post(sender, body)
                bar.update(count)

    def _settle(self, label: str) -> None:
        """Wait for the workers; without a server, do their work here."""
        organization_id = tenancy.required()
        if not self.url:
            self.stdout.write(f"{label} …")
            doorbell.drain(organization_id, rounds=10_000)
            return
        with self._bar(label, _left(), "pieces of work") as bar:
            for done in _watch():
                bar.update(max(0, done - bar.n))

    def _bar(self, label: str, total: int, unit: str) -> tqdm[Any]:
        return tqdm(total=total, desc=label, unit=f" {unit}", mininterval=1.0, disable=None)


def _history(most_customers: int) -> Story:
    last_day = (clock.now() - timedelta(days=1)).date()
    invoices = retail.invoices(last_day)
    if not most_customers:
        return story.tell(invoices)
    kept: set[int] = set()
    chosen = []
    for invoice in invoices:
        if invoice.customer in kept or len(kept) < most_customers:
            kept.add(invoice.customer)
            chosen.append(invoice)
    return story.tell(chosen)


def _newcomers() -> list[dict[str, Any]]:
    """A handful of simulated sign-ups of today, whom the welcome workflow greets. The same ones every time."""
    return story.newcomers(NEW_CUSTOMERS, clock.now())


def _left() -> int:
    """Pieces of work that somebody still has to do in this organisation."""
    batches = IngestBatch.objects.filter(status=WorkStatus.PENDING).count()
    notices = NoticeDelivery.objects.filter(status=WorkStatus.PENDING).count()
    leaving = Message.objects.filter(status=MessageStatus.SENDING).count()
    return (
        batches
        + notices
        + leaving
        + sum(tenancy.required() in work.organizations_due() for work in doorbell.WORK.values())
    )


def _watch() -> Iterator[int]:
    """How much of the work seen so far is done, until none is left twice in a row."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    most = quiet = 0
    while quiet < 2:
        if time.monotonic() > deadline:
            raise CommandError(
                f"The workers did not finish within {LONGEST_WAIT_SECONDS} s ({_left()} pieces of work are left, "
                f"{Contact.objects.count()} contacts so far). Are worker and Beat running? Another load_demo goes on."
            )
        left = _left()
        most = max(most, left)
        quiet = quiet + 1 if left == 0 else 0
        yield most - left
        time.sleep(0.5)
