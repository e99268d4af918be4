"""The pages and the API of deliverability: numbers that lead to their rows, buttons that do what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry, Organization
from common import tenancy
from delivery import services
from delivery.models import DkimKey, Message, Sender, SendingDomain, SendingPause
from delivery.services import domains, reputation, warmups
from delivery.tests.conftest import NOON
from delivery.tests.dns_server import DnsServer
from delivery.tests.making import contact, content, queue

DOMAIN = "news.acme.example"


@pytest.fixture
def domain(organization: Organization, noon: Any) -> SendingDomain:
    services.save_sender(Sender(name="Acme", address=f"hello@{DOMAIN}"))
    return domains.all_domains()[0]


@pytest.fixture
def dns(settings: Any) -> Iterator[DnsServer]:
    server = DnsServer()
    with server.listening() as where:
        settings.DNS_RESOLVER = where
        yield server


def message(number: int, address: str, **fields: Any) -> Message:
    made = content()
    who = contact(f"c{number}@example.com", agreed=False)
    values: dict[str, Any] = {"status": "sent", "handed_at": NOON, "attempts": 1, "source_type": "campaign"}
    key = f"n{number}"
    return Message.objects.create(contact=who, content=made, idempotency_key=key, address=address, **values | fields)


@pytest.fixture
def traffic(domain: SendingDomain) -> None:
    """Ten mails: 6 to Gmail (1 opened, 1 clicked), 3 to Microsoft (1 failed, 1 late), 1 elsewhere (complained)."""
    for number in range(4):
        message(number, f"p{number}@gmail.com")
    message(4, "p4@googlemail.com", opened_at=NOON)
    message(5, "p5@gmail.com", opened_at=NOON, clicked_at=NOON)
    message(6, "p6@outlook.com", status="failed")
    message(7, "p7@hotmail.com", attempts=2)
    message(8, "p8@live.com")
    message(9, "p9@firm.example", complained_at=NOON)
    message(10, "p10@gmail.com", source_type="test")
    message(11, "p11@gmail.com", status="queued", handed_at=None)


def test_each_number_of_the_board_leads_to_exactly_its_messages(traffic: None, admin: Any) -> None:
    page = admin.get("/dashboards/deliverability/?from=2026-11-18&to=2026-11-18").content.decode()

    links = re.findall(r'<a href="([^"]*became=[^"]*)">([\d,]+)(?: \([\d.]+%\))?</a>', page)
    assert len(links) >= 12
    for link, number in links:
        rows = admin.get(unescape(link)).context["cl"].result_count
        assert rows == int(number.replace(",", "")), link
    assert "Gmail took most: 6 mails." in page


def test_the_api_counts_by_mailbox_provider(traffic: None, api: APIClient) -> None:
    answer = api.get("/api/v1/deliverability/providers/?from=2026-11-18&until=2026-11-18").json()

    assert answer["total"] == {
        "sent": 10, "delivered": 9, "deferred": 1, "bounced": 1, "complained": 1, "opened": 2, "clicked": 1,
    }  # fmt: skip
    assert [(line["provider"], line["sent"]) for line in answer["providers"]] == [
        ("gmail", 6), ("microsoft", 3), ("other", 1),
    ]  # fmt: skip


def test_pauses_and_domains_are_read_over_the_api_and_strangers_see_none(
    domain: SendingDomain, api: APIClient, stranger_api: APIClient
) -> None:
    warmups.start(DOMAIN, 5_000)
    pause(domain)

    found = api.get("/api/v1/deliverability/domains/").json()["domains"]
    assert [(line["name"], line["step"], line["per_day"], line["is_paused"]) for line in found] == [
        (DOMAIN, 1, 50, True)
    ]
    assert found[0]["needs"][0] == "2 days more that use half of the day's amount"
    stop = api.get("/api/v1/deliverability/pauses/").json()["pauses"][0]
    assert (stop["target"], stop["recovers_at"]) == (DOMAIN, "2026-11-20T12:00:00Z")
    assert stranger_api.get("/api/v1/deliverability/pauses/").json() == {"pauses": []}


def test_a_plan_over_the_api(organization: Organization, api: APIClient) -> None:
    days = api.get("/api/v1/deliverability/plan/?volume=400").json()["days"]

    assert [day["mails"] for day in days] == [50, 50, 100, 100, 200, 200, 400]
    for volume in ("", "50", "-1", "1e6", "99999999999", "٣٠٠"):
        assert api.get("/api/v1/deliverability/plan/", {"volume": volume}).status_code == 400


def pause(domain: SendingDomain) -> SendingPause:
    return SendingPause.objects.create(
        scope="domain", target=domain.name, measure="bounces", sent=300, bad=30, paused_at=NOON,
        reason=f"Marketing from {domain.name} is paused: 30 of 300 mails bounced.",
    )  # fmt: skip


def test_a_pause_is_said_on_every_page_with_what_to_do_and_resumed_by_a_person(
    domain: SendingDomain, admin: Any, owner: Any
) -> None:
    stopped = pause(domain)
    held = queue(contact("ada@example.com"))[0]
    Message.objects.filter(pk=held.pk).update(status="held", reason=stopped.reason)

    home = admin.get("/admin/audience/topic/").content.decode()
    assert "is paused: 30 of 300 mails bounced." in home
    assert 'href="/deliverability/">What now?</a>' in home
    page = admin.get("/deliverability/").content.decode()
    assert "Find out where these addresses came from" in page
    assert "goes on by itself 20 Nov 2026, 12:00 UTC" in page
    health = admin.get("/health/").content.decode()
    assert f"1 paused: {DOMAIN}" in health

    admin.post(f"/deliverability/pauses/{stopped.pk}/resume/")

    stopped.refresh_from_db()
    assert stopped.resumed_by == "owner@acme.example"
    assert Message.objects.get(pk=held.pk).status == "queued"
    assert AuditEntry.objects.get(action="resume").object_name == f"Pause of {DOMAIN}"
    assert "is paused" not in admin.get("/deliverability/").content.decode().split("Earlier pauses")[0]


def test_the_plan_starts_the_warm_up_and_its_card_says_what_comes_next(domain: SendingDomain, admin: Any) -> None:
    page = admin.get("/deliverability/plan/?volume=5,000").content.decode()
    assert "From 50 a day to 5,000 in 15 days" in page
    assert "Begin the warm-up of news.acme.example" in page

    admin.post("/deliverability/plan/start/", {"domain": DOMAIN, "volume": "5000"})

    domain.refresh_from_db()
    assert (domain.tier, domain.goal_per_day) == (0, 5_000)
    card = admin.get("/deliverability/").content.decode()
    assert "Step 1 of 8" in card
    assert "0 of 50 mails" in card
    assert "The next step, 100 a day, needs:" in card
    admin.post(f"/deliverability/domains/{domain.pk}/change/", {"act": "stop_warmup"})
    domain.refresh_from_db()
    assert domain.tier is None


@pytest.mark.parametrize("volume", ["", "abc", "-5", "9" * 30, "<script>", "0"])
def test_an_odd_volume_gives_a_plan_and_no_error(domain: SendingDomain, admin: Any, volume: str) -> None:
    answer = admin.get("/deliverability/plan/", {"volume": volume, "domain": "<b>x"})

    assert answer.status_code == 200
    assert b"<script>9" not in answer.content
    assert b"<b>x" not in answer.content


def test_the_checker_goes_from_key_to_signing(dns: DnsServer, domain: SendingDomain, admin: Any) -> None:
    place = f"/deliverability/domains/{domain.pk}/"
    dns.txt(DOMAIN, 'v=spf1 include:<img/src=x onerror="alert(1)"> +all'.replace('"', "'"))
    admin.post(f"{place}change/", {"act": "check"})
    page = admin.get(place).content.decode()
    assert "lets the whole world send in your name" in page
    assert "<img/src" not in page
    assert f"TXT record at <code>_dmarc.{DOMAIN}</code>" in page

    admin.post(f"{place}change/", {"act": "make_key"})
    key = DkimKey.objects.get()
    assert f"v=DKIM1; k=rsa; p={key.public_key}" in admin.get(place).content.decode()
    admin.post(f"{place}change/", {"act": "sign"})
    assert not SendingDomain.objects.get().signs
    dns.txt(f"{key.selector}._domainkey.{DOMAIN}", f"v=DKIM1; k=rsa; p={key.public_key}")
    admin.post(f"{place}change/", {"act": "check"})
    admin.post(f"{place}change/", {"act": "sign"})
    assert SendingDomain.objects.get().signs
    assert "is signed with this key" in admin.get(place).content.decode()


def test_a_record_that_breaks_is_said_on_every_page(dns: DnsServer, domain: SendingDomain, admin: Any) -> None:
    dns.txt(DOMAIN, "v=spf1 ip4:192.0.2.1 -all")
    domains.check(domain)
    dns.txt(DOMAIN, "v=spf1 +all")
    assert domains.daily_round() == 1

    assert (
        f"{DOMAIN} no longer passes: SPF: which servers may send." in admin.get("/deliverability/").content.decode()
    )
    assert "Senders" in admin.get("/health/").content.decode()


def test_who_only_reads_sees_no_buttons_and_changes_nothing(domain: SendingDomain, client: Any) -> None:
    reader = accounts.add_member(
        accounts.ensure_user("ann@acme.example", name="Ann", password="x" * 12), Role.ANALYST
    )
    client.force_login(reader.user)
    stopped = pause(domain)

    page = client.get("/deliverability/").content.decode()
    assert "Resume" not in page
    for address, body in (
        (f"/deliverability/pauses/{stopped.pk}/resume/", {}),
        ("/deliverability/plan/start/", {"domain": DOMAIN, "volume": "5000"}),
        (f"/deliverability/domains/{domain.pk}/change/", {"act": "make_key"}),
    ):
        assert client.post(address, body).status_code == 403
    stopped.refresh_from_db()
    assert stopped.resumed_at is None
    assert not DkimKey.objects.exists()
    assert not SendingDomain.objects.filter(tier__isnull=False).exists()


def test_another_organisations_domain_and_pause_are_not_there(
    organization: Organization, stranger: Organization, admin: Any, noon: Any
) -> None:
    with tenancy.organization(stranger.pk):
        theirs = warmups.domain_row("other.example")
        stopped = pause(theirs)

    assert admin.get(f"/deliverability/domains/{theirs.pk}/").status_code == 404
    assert admin.post(f"/deliverability/domains/{theirs.pk}/change/", {"act": "make_key"}).status_code == 404
    assert admin.post(f"/deliverability/pauses/{stopped.pk}/resume/").status_code == 404
    with tenancy.organization(stranger.pk):
        assert SendingPause.objects.get().resumed_at is None
        assert reputation.earlier_pauses(stopped) == 0
