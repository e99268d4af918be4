"""Checks of a sending domain against a real DNS server that the test runs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from delivery.domain import checkup, spf, tags
from delivery.domain.checkup import Check, Selector, Status, Subject
from delivery.domain.zone import Unreachable
from delivery.resolver import Resolver
from delivery.tests.dns_server import DnsServer

DOMAIN = "acme.example"
KEY_2048 = (
    rsa.generate_private_key(65537, 2048)
    .public_key()
    .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def public(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    raw = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b64encode(raw).decode()


@pytest.fixture
def dns(settings: Any) -> Iterator[DnsServer]:
    server = DnsServer()
    with server.listening() as where:
        settings.DNS_RESOLVER = where
        yield server


def look(name: str, **subject: Any) -> Check:
    checks = checkup.examine(Subject(DOMAIN, **subject), Resolver())
    return next(check for check in checks if check.name == name)


# --- SPF -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "status", "means"),
    [
        ("v=spf1 ip4:192.0.2.0/24 ~all", "pass", "The record is sound."),
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass", "The record is sound."),
        ("v=spf1 +all", "fail", "“+all” lets the whole world send in your name."),
        ("v=spf1 all", "fail", "“+all” lets the whole world send in your name."),
        ("v=spf1 ip4:192.0.2.1 ?all", "warn", "It says nothing about everybody else."),
        ("v=spf1 ip4:192.0.2.1", "warn", "It says nothing about everybody else."),
        ("v=spf1 ip4:not-an-address ~all", "warn", "“ip4:not-an-address” in the record of acme.example is not"),
        ("v=spf1 nonsense ~all", "warn", "“nonsense” in the record of acme.example is not SPF"),
        ("v=spf1 ptr ~all", "warn", "“ptr” is slow"),
        ("v=spf1 include:missing.example ~all", "warn", "missing.example has no SPF record"),
        ("v=spf1 include:acme.example ~all", "warn", "acme.example includes itself"),
        ("v=spf1 redirect=all.example", "fail", "“+all” lets the whole world"),
    ],
)
def test_spf_by_what_it_says(dns: DnsServer, record: str, status: str, means: str) -> None:
    dns.txt(DOMAIN, "google-site-verification=abc", record)
    dns.txt("all.example", "v=spf1 +all")

    check = look("spf")

    assert (check.status, check.means[: len(means)]) == (status, means)


def test_spf_missing_and_spf_twice_say_what_to_write(dns: DnsServer) -> None:
    dns.txt(DOMAIN, "something else")
    missing = look("spf", outgoing_host="mail.acme.example")
    assert missing.status == Status.FAIL
    assert missing.write == checkup.Write("TXT", DOMAIN, "v=spf1 a:mail.acme.example ~all")

    dns.txt(DOMAIN, "v=spf1 -all", "v=spf1 ~all")
    assert look("spf").means.startswith("There are 2 SPF records; only one may stand.")


def test_spf_counts_look_ups_through_includes_as_receivers_do(dns: DnsServer) -> None:
    dns.txt(DOMAIN, "v=spf1 include:one.example include:two.example mx ~all")
    dns.records[(DOMAIN, "MX")] = ["10 mail.acme.example."]
    dns.records[("mail.acme.example", "A")] = ["192.0.2.9"]
    dns.txt("one.example", "v=spf1 a:mail.acme.example exists:%{i}.list.example ip4:192.0.2.1 -all")
    dns.txt("two.example", "v=spf1 " + " ".join(f"include:n{number}.example" for number in range(5)) + " -all")
    for number in range(5):
        dns.txt(f"n{number}.example", "v=spf1 ip4:198.51.100.1 -all")

    ten = look("spf")
    assert ten.found.endswith("(10 of 10 look-ups)")
    assert ten.status == Status.PASS
    assert "  two.example: v=spf1 include:n0.example" in ten.details

    dns.txt("n0.example", "v=spf1 a:mail.acme.example -all")
    eleven = look("spf")
    assert (eleven.status, eleven.found[-19:]) == (Status.FAIL, "(11 of 10 look-ups)")


def test_spf_stops_where_names_lead_nowhere(dns: DnsServer) -> None:
    dns.txt(DOMAIN, "v=spf1 a:x.example a:y.example a:z.example ~all")

    assert look("spf").means == "3 names in it lead nowhere; receivers stop after 2."


def test_spf_says_whether_our_server_may_send(dns: DnsServer) -> None:
    dns.records[("mail.acme.example", "A")] = ["192.0.2.9"]
    dns.txt(DOMAIN, "v=spf1 include:relay.example ~all")
    dns.txt("relay.example", "v=spf1 ip4:198.51.100.0/24 -all")

    refused = look("spf", outgoing_host="mail.acme.example")
    assert refused.means == "It does not let our own server mail.acme.example (192.0.2.9) send."
    assert refused.write is not None
    assert refused.write.value == "v=spf1 a:mail.acme.example include:relay.example ~all"

    dns.txt(DOMAIN, refused.write.value)
    assert look("spf", outgoing_host="mail.acme.example").means == "The record is sound and lets our server send."


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("192.0.2.1", "pass"), ("192.0.2.200", "pass"), ("203.0.113.1", "pass"), ("2001:db8::7", "pass"),
        ("198.51.100.4", "fail"), ("8.8.8.8", "softfail"),
    ],
)  # fmt: skip
def test_who_may_send_by_the_whole_tree(dns: DnsServer, address: str, verdict: str) -> None:
    dns.txt(DOMAIN, "v=spf1 -ip4:198.51.100.4 a/24 ip6:2001:db8::/32 include:relay.example ~all")
    dns.records[(DOMAIN, "A")] = ["192.0.2.1"]
    dns.txt("relay.example", "v=spf1 ip4:203.0.113.0/24 -all")

    assert spf.permits(spf.walk(DOMAIN, Resolver()).record, address) == verdict


# --- DKIM ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "status", "words"),
    [
        (f"v=DKIM1; k=rsa; p={b64encode(KEY_2048).decode()}", "pass", "RSA key with 2,048 bits"),
        (f"p={b64encode(KEY_2048).decode()}", "pass", "RSA key with 2,048 bits"),
        (f"v=DKIM1; t=s:y; p={b64encode(KEY_2048).decode()}", "warn", "“t=y” says that you are testing"),
        (f"v=DKIM1; p={public(1024)}", "warn", "1,024 still passes"),
        ("v=DKIM1; p=", "fail", "the key was revoked"),
        ("v=DKIM1; k=rsa", "fail", "there is no key in it"),
        ("v=DKIM1; p=MIIBIjANBgkqhkiG9w0B", "fail", "the key in it is damaged"),
        (f"p={b64encode(KEY_2048).decode()}; v=DKIM1", "fail", "“v=DKIM1” must come first"),
        ("v=DKIM1; k=dsa; p=abcd", "fail", "nobody knows the key type “dsa”"),
        (f"v=DKIM1; h=sha1; p={b64encode(KEY_2048).decode()}", "fail", "it allows no SHA-256"),
        ("just words", "fail", "the record is not a list of tags"),
    ],
)
def test_dkim_by_its_record(dns: DnsServer, record: str, status: str, words: str) -> None:
    dns.txt(f"s1._domainkey.{DOMAIN}", record)

    check = look("dkim", selectors=(Selector("s1"),))

    assert check.status == status
    assert words in f"{check.found} {check.means}"


def test_dkim_knows_ed25519_short_keys_and_another_key_than_ours(dns: DnsServer) -> None:
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    dns.txt(f"s1._domainkey.{DOMAIN}", f"v=DKIM1; k=ed25519; p={b64encode(raw).decode()}")
    assert look("dkim", selectors=(Selector("s1"),)).status == Status.WARN
    assert tags.dkim_key(f"k=ed25519; p={b64encode(raw[:31]).decode()}").problem.startswith("an Ed25519 key has 32")

    dns.txt(f"s1._domainkey.{DOMAIN}", f"v=DKIM1; p={b64encode(KEY_2048).decode()}")
    other = look("dkim", selectors=(Selector("s1", "another", "v=DKIM1; k=rsa; p=another"),))
    assert (other.status, other.proven) == (Status.FAIL, ())
    assert other.write == checkup.Write("TXT", f"s1._domainkey.{DOMAIN}", "v=DKIM1; k=rsa; p=another")
    assert look("dkim").means.startswith("Make a key below")


# --- DMARC, MX, names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "status", "words"),
    [
        ("v=DMARC1; p=none; rua=mailto:d@acme.example", "pass", "Enough for Gmail and Yahoo"),
        ("v=DMARC1; p=reject; rua=mailto:d@acme.example", "pass", "Forgeries are refused."),
        ("v=DMARC1; p=quarantine; pct=20; rua=mailto:d@acme.example", "warn", "Only 20 % of forgeries"),
        ("v=DMARC1; p=reject", "warn", "Nobody gets reports"),
        ("v=DMARC1; p=maybe", "fail", "“p=” must be none, quarantine or reject"),
        ("v=DMARC1; rua=mailto:d@acme.example", "fail", "“p=” must be none"),
        ("v=DMARC1; p=none; rua=d@acme.example", "fail", "“rua=” must be addresses like"),
        ("v=DMARC1; p=none; pct=lots", "fail", "“pct=” must be a number"),
    ],
)
def test_dmarc_by_its_record(dns: DnsServer, record: str, status: str, words: str) -> None:
    dns.txt(f"_dmarc.{DOMAIN}", record)

    check = look("dmarc")

    assert check.status == status
    assert words in check.means


def test_a_subdomain_goes_by_the_policy_above_it(dns: DnsServer) -> None:
    dns.txt("_dmarc.acme.example", "v=DMARC1; p=none; sp=reject; rua=mailto:d@acme.example")
    subject = Subject("news.acme.example")

    check = next(each for each in checkup.examine(subject, Resolver()) if each.name == "dmarc")

    assert check.means == "Forgeries are refused."
    assert check.found.endswith("(at _dmarc.acme.example)")


def test_mx_reverse_names_and_unsubscribing(dns: DnsServer) -> None:
    assert look("mx").status == Status.FAIL
    dns.records[(DOMAIN, "MX")] = ["0 ."]
    assert look("mx").found == "Null MX."
    dns.records[(DOMAIN, "MX")] = ["20 b.example.", "10 a.example."]
    dns.records[("a.example", "A")] = ["192.0.2.1"]
    assert look("mx").means == "b.example has no address."
    dns.records[("b.example", "AAAA")] = ["2001:db8::1"]
    assert (look("mx").status, look("mx").found) == (Status.PASS, "a.example, b.example")

    assert look("reverse").status == Status.SKIPPED
    dns.records[("out.acme.example", "A")] = ["192.0.2.9"]
    assert look("reverse", outgoing_host="out.acme.example").found == "192.0.2.9 has no reverse name."
    dns.records[("9.2.0.192.in-addr.arpa", "PTR")] = ["vps9.host.example."]
    assert look("reverse", outgoing_host="out.acme.example").status == Status.FAIL
    dns.records[("9.2.0.192.in-addr.arpa", "PTR")] = ["out.acme.example."]
    assert look("reverse", outgoing_host="out.acme.example").status == Status.PASS

    assert look("unsubscribe", public_url="http://acme.example").status == Status.FAIL
    assert look("unsubscribe", public_url="https://go.acme.example").status == Status.PASS


def test_a_resolver_that_fails_or_keeps_silent_is_said_and_nothing_else_suffers(
    dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.resolver.SECONDS_PER_QUESTION", 0.3)
    dns.failing.add(DOMAIN)
    dns.silent.add(f"_dmarc.{DOMAIN}")

    checks = {check.name: check for check in checkup.examine(Subject(DOMAIN), Resolver())}

    assert checks["spf"].status == checks["dmarc"].status == Status.SKIPPED
    assert checks["spf"].found == f"The DNS gave no answer about {DOMAIN} (TXT); try again in a minute."
    assert checks["alignment"].status == Status.PASS


@pytest.mark.parametrize(
    "name", ["a" * 64 + ".example", "a..example", "x." * 200 + "example", "\x00", "%{i}.example"]
)
def test_names_that_the_dns_cannot_hold_give_nothing(dns: DnsServer, name: str) -> None:
    dns.txt(DOMAIN, f"v=spf1 include:{name} ~all")

    assert look("spf").status in (Status.WARN, Status.PASS)
    assert Resolver().txt(name) == [] or name.startswith("%")


def test_a_zone_of_endless_slow_names_is_given_up(dns: DnsServer) -> None:
    dns.txt(DOMAIN, "v=spf1 ~all")
    zone = Resolver(seconds=-1)

    with pytest.raises(Unreachable, match="The DNS took too long"):
        zone.txt(DOMAIN)
    assert dns.asked == []


def test_nobody_to_ask_is_an_error_with_a_sentence(settings: Any) -> None:
    settings.DNS_RESOLVER = "127.0.0.1:9"
    with pytest.raises(Unreachable, match=r"The DNS gave no answer about acme\.example"):
        Resolver().mx(DOMAIN)
