"""Sending domains from key to signature: checked by a standard verifier that asks a real DNS server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dkim as verifier
import pytest
from django.conf import settings as site
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from accounts.models import AuditEntry, Organization
from common import clock, sealing
from common.errors import Conflict, Invalid
from delivery import services
from delivery.domain import dkim, mime
from delivery.domain.mime import Letter
from delivery.domain.zone import Unreachable
from delivery.models import DkimKey, MailboxDomain, Message, Sender, SendingDomain
from delivery.resolver import Resolver
from delivery.services import domains
from delivery.tests.conftest import NOON
from delivery.tests.dns_server import DnsServer
from delivery.tests.making import Sink, contact, content, queue, send

DOMAIN = "news.acme.example"
PRIVATE, PUBLIC = dkim.new_key()


@pytest.fixture
def dns(settings: Any) -> Iterator[DnsServer]:
    server = DnsServer()
    with server.listening() as where:
        settings.DNS_RESOLVER = where
        yield server


@pytest.fixture
def domain(organization: Organization, noon: Any) -> SendingDomain:
    services.save_sender(Sender(name="Acme & Söhne", address=f"hello@{DOMAIN}", reply_to="answers@acme.example"))
    return domains.all_domains()[0]


def by_dns(name: bytes, timeout: int = 5) -> bytes:
    found = Resolver().txt(name.decode())
    return found[0].encode() if found else b""


def publish(dns: DnsServer, key: DkimKey) -> None:
    dns.txt(f"{key.selector}._domainkey.{DOMAIN}", dkim.record(key.public_key))


def test_a_key_is_made_shown_verified_and_then_signs_what_a_standard_verifier_accepts(
    dns: DnsServer, domain: SendingDomain, sink: Sink, organization: Organization
) -> None:
    key = domains.make_key(domain)
    with pytest.raises(Conflict, match="Write the key's record into the zone"):
        domains.set_signing(domain, signs=True)
    publish(dns, key)
    domains.check(domain)
    domains.set_signing(domain, signs=True)
    queue(contact("ada@example.com"), made=content(subject="Grüße, und ein langer Betreff " * 5))

    send(organization)

    mail = sink.envelopes[0].content
    assert isinstance(mail, bytes)
    assert mail.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=news.acme.example; s=gs2026")
    assert verifier.verify(mail, dnsfunc=by_dns)
    assert not verifier.verify(mail.replace(b"\r\nTo: ", b"\r\nTo: Eve "), dnsfunc=by_dns)
    assert not verifier.verify(mail[:-40] + b"AAAA" + mail[-36:], dnsfunc=by_dns)
    assert not verifier.verify(b"From: eve@evil.example\r\n" + mail, dnsfunc=by_dns)
    assert sink.mails[0]["Subject"].startswith("Grüße")


def test_unsigned_stays_unsigned_and_other_domains_too(
    dns: DnsServer, domain: SendingDomain, sink: Sink, organization: Organization
) -> None:
    publish(dns, domains.make_key(domain))
    domains.check(domain)
    queue(contact("ada@example.com"))
    send(organization)
    domains.set_signing(SendingDomain.objects.get(pk=domain.pk), signs=True)
    other = services.save_sender(Sender(name="Other", address="hello@other.example"))
    queue(contact("eve@example.com"), sender_id=other.pk, key="other")
    send(organization)

    assert [mail["DKIM-Signature"] for mail in sink.mails] == [None, None]


def test_the_private_key_is_stored_sealed_and_never_in_the_audit_log(domain: SendingDomain) -> None:
    key = domains.make_key(domain)

    assert "PRIVATE" not in key.secret
    assert "BEGIN PRIVATE KEY" in sealing.unseal(key.secret)["private"]
    entry = AuditEntry.objects.get(object_type="delivery.dkimkey")
    assert "secret" not in entry.after
    assert key.secret not in str(entry.after)


def test_a_new_key_replaces_the_old_one_and_signing_waits_for_it(dns: DnsServer, domain: SendingDomain) -> None:
    old = domains.make_key(domain)
    publish(dns, old)
    domains.check(domain)
    domains.set_signing(domain, signs=True)

    with clock.travel(timedelta(seconds=1)):
        new = domains.make_key(domain)

    assert new.selector != old.selector
    assert DkimKey.objects.count() == 1
    assert not SendingDomain.objects.get(pk=domain.pk).signs


def test_a_record_that_vanishes_stops_signing_and_warns_but_a_deaf_resolver_does_not(
    dns: DnsServer, domain: SendingDomain
) -> None:
    key = domains.make_key(domain)
    publish(dns, key)
    dns.txt(DOMAIN, "v=spf1 ip4:192.0.2.1 ~all")
    domains.check(domain)
    domains.set_signing(domain, signs=True)
    place = f"{key.selector}._domainkey.{DOMAIN}"

    dns.failing |= {place, DOMAIN}
    domains.check(domain)
    assert (domain.signs, domain.broken) == (True, [])
    assert next(line for line in domain.report if line["name"] == "spf")["status"] == "pass"

    dns.failing.clear()
    del dns.records[(place, "TXT")]
    dns.txt(DOMAIN, "v=spf1 +all")
    domains.check(domain)
    assert (domain.signs, sorted(domain.broken), domain.report_status) == (False, ["dkim", "spf"], "fail")

    publish(dns, key)
    dns.txt(DOMAIN, "v=spf1 ip4:192.0.2.1 ~all")
    domains.check(domain)
    assert domain.broken == []


def test_checking_is_refused_where_nobody_may_be_asked(domain: SendingDomain) -> None:
    with pytest.raises(Unreachable, match="switched off"):
        domains.check(domain)
    assert SendingDomain.objects.get(pk=domain.pk).checked_at is None
    assert domains.daily_round() == 0


@pytest.mark.parametrize("selector", ["bad selector", "_x", "a" * 64, "x.y;", "-a"])
def test_a_selector_that_cannot_be_is_refused(domain: SendingDomain, selector: str) -> None:
    with pytest.raises(Invalid):
        domains.set_relay_selector(domain, selector)
    assert SendingDomain.objects.get(pk=domain.pk).relay_selector == ""


def test_new_recipient_domains_are_looked_up_once_by_their_mx(dns: DnsServer, domain: SendingDomain) -> None:
    dns.records[("firm.example", "MX")] = ["10 aspmx.l.google.com.", "20 alt1.aspmx.l.google.com."]
    dns.records[("school.example", "MX")] = ["0 school-example.mail.protection.outlook.com."]
    dns.failing.add("ill.example")
    made, who = content(), contact("ada@firm.example")
    for number, name in enumerate(["firm.example", "school.example", "ill.example", "gmail.com", "own.example"]):
        Message.objects.create(
            contact=who, content=made, idempotency_key=f"m{number}", source_type="api", address=f"a@{name}",
            handed_at=NOON, status="sent",
        )  # fmt: skip

    assert domains.look_up_mailboxes(Resolver()) == 4

    assert dict(MailboxDomain.objects.values_list("name", "provider")) == {
        "firm.example": "gmail", "school.example": "microsoft", "own.example": "other",
    }  # fmt: skip
    assert ("gmail.com", "MX") not in dns.asked
    assert domains.look_up_mailboxes(Resolver()) == 1  # only the one that did not answer


SIGNER = dkim.Signer("acme.example", "s1", dkim.private_key(PRIVATE))
texts = st.text(max_size=200)


@effort(max_examples=60, deadline=None)
@given(subject=texts, name=texts, html=st.text(max_size=2000), text=st.text(max_size=500), value=texts)
def test_whatever_a_mail_says_its_signature_holds(subject: str, name: str, html: str, text: str, value: str) -> None:
    letter = Letter(
        message_id="1.1@acme.example", sent_at=NOON, sender_name=name, sender_address="a@acme.example",
        recipient_name=name, recipient_address="b@example.com", subject=subject, html=html, text=text,
        headers=(("List-Unsubscribe", f"<{value}>"),),
    )  # fmt: skip

    mail = SIGNER.sign(mime.build(letter), NOON)

    record = dkim.record(PUBLIC).encode()
    assert verifier.verify(
        mail, dnsfunc=lambda name, timeout=5: record if name.startswith(b"s1._domainkey.") else b""
    )


def test_keys_are_of_the_length_that_receivers_ask_for() -> None:
    assert SIGNER.key.key_size == dkim.KEY_BITS == 2048
    assert site.DNS_RESOLVER == "off"
