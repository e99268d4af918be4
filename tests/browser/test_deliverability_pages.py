"""The pages of deliverability in a browser: sound at two widths, and a record that is copied by one click."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from common import clock, tenancy
from delivery.domain.checkup import Check, Status, Write
from delivery.models import (
    DkimKey,
    LaneDay,
    Message,
    ReputationCheck,
    Sender,
    SendingDomain,
    SendingPause,
    SlowLane,
)
from delivery.services import domains, warmups
from tests.browser.town import Town

RECORD = "v=spf1 a:mail.harbour.example include:_spf.relay.example ~all"


@pytest.fixture(scope="module")
def domain(town: Town, django_db_blocker: Any) -> Iterator[SendingDomain]:
    """A domain in the middle of its warm-up, paused, with a key and a report; committed, the server reads it."""
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        sender = Sender.objects.create(name="Harbour news", address="news@deliver.harbour.example")
        made = warmups.start("deliver.harbour.example", 20_000)
        now = clock.now()
        report = [
            Check("spf", "SPF: which servers may send", Status.FAIL, "v=spf1 +all (0 of 10 look-ups)",
                  "“+all” lets the whole world send in your name.", Write("TXT", made.name, RECORD), "a: b\n  c: d"),
            Check("dmarc", "DMARC: what happens to forgeries", Status.PASS, "v=DMARC1; p=none", "Enough for Gmail."),
        ]  # fmt: skip
        SendingDomain.objects.filter(pk=made.pk).update(
            tier=3, report=[each.plain() for each in report], report_status="fail", checked_at=now, broken=["spf"]
        )
        domains.make_key(made)
        LaneDay.objects.update_or_create(domain=made, provider="", day=now.date(), defaults={"used": 130})
        SlowLane.objects.create(
            domain=made, provider="microsoft", reduction=1, reason="Microsoft put off 30 of 60 mails in a day (50 %)."
        )
        pause = SendingPause.objects.create(
            scope="domain", target=made.name, measure="complaints", sent=4_000, bad=9,
            reason=f"Marketing from {made.name} is paused: 9 of 4,000 mails were reported as spam.",
        )  # fmt: skip
        kept = list(Message.objects.values_list("pk", "handed_at", "address"))
        for number, (pk, *_) in enumerate(kept):
            where = ("gmail.com", "outlook.com", "yahoo.com", "gmx.de", "firm.example")[number % 5]
            left = now - timedelta(days=number % 9)
            Message.objects.filter(pk=pk, status="sent").update(handed_at=left, address=f"p{number}@{where}")
        yield made
        pause.delete()
        DkimKey.objects.all().delete()
        SlowLane.objects.all().delete()
        LaneDay.objects.all().delete()
        SendingDomain.objects.all().delete()
        ReputationCheck.objects.all().delete()
        sender.delete()
        for pk, handed_at, address in kept:
            Message.objects.filter(pk=pk).update(handed_at=handed_at, address=address)
    connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/deliverability/",
        "/deliverability/plan/?volume=20000",
        "/deliverability/domains/{pk}/",
        "/dashboards/deliverability/?period=30d",
    ],
)
def test_pages_of_deliverability_are_sound(visit: Any, domain: SendingDomain, path: str) -> None:
    assert visit(path.format(pk=domain.pk)).everywhere() == {}


def test_a_record_is_copied_by_one_click_and_the_keyboard(visit: Any, domain: SendingDomain) -> None:
    watched = visit(f"/deliverability/domains/{domain.pk}/")
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    watched.page.locator('[data-copy="record-spf"]').focus()
    watched.page.keyboard.press("Enter")

    watched.page.get_by_text("Copied").wait_for()
    assert watched.page.evaluate("navigator.clipboard.readText()") == RECORD


def test_what_stands_still_is_said_on_other_pages(visit: Any, domain: SendingDomain) -> None:
    watched = visit("/admin/audience/topic/")

    watched.page.get_by_role("link", name="What now?").first.click()
    watched.page.get_by_role("heading", name="Some marketing stands still").wait_for()
