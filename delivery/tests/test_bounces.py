"""Mails that come back: bounces by RFC 3464, complaints by RFC 5965, and what only looks like one."""

from __future__ import annotations

import base64
import contextlib
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Suppression
from common import clock
from common.errors import Invalid
from delivery import links, services
from delivery.domain import bounces
from delivery.domain.http_answers import Answer, judge, retry_after
from delivery.domain.outcomes import OutcomeKind
from delivery.domain.reports import Finding, ReportKind, is_about_the_address
from delivery.models import Message, Provider, ProviderCall
from delivery.services import reports
from delivery.tests.making import contact, queue

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
REFERENCE = "A" * 43


def returned(reference: str = REFERENCE, *, action: str = "failed", status: str = "5.1.1", **more: str) -> bytes:
    """A bounce as Postfix writes it."""
    fields = (
        "Reporting-MTA: dns; mx.example\n\n"
        "Final-Recipient: rfc822; ada@example.com\n"
        f"Action: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {more.get('said', '550 5.1.1 no such user')}\n"
    )
    original = f"Message-ID: <{reference}@acme.example>\nSubject: News\n"
    parts = [
        ("text/plain", "I'm sorry to have to inform you …\n"),
        ("message/delivery-status", fields),
        (more.get("original", "text/rfc822-headers"), original),
    ]
    return _mail("delivery-status", parts)


def complaint(reference: str = REFERENCE, kind: str = "abuse") -> bytes:
    fields = f"Feedback-Type: {kind}\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: <ada@example.com>\n"
    original = f"Message-ID: <{reference}@acme.example>\nSubject: News\n\nHello\n"
    parts = [("text/plain", "This is an abuse report.\n"), ("message/feedback-report", fields)]
    return _mail("feedback-report", [*parts, ("message/rfc822", original)])


def _mail(kind: str, parts: list[tuple[str, str]]) -> bytes:
    head = (
        "From: MAILER-DAEMON@mx.example\nTo: bounces@acme.example\nSubject: Undelivered Mail Returned to Sender\n"
        "Message-ID: <report-1@mx.example>\nDate: Wed, 18 Nov 2026 11:30:00 +0000\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="=_b"\n\n'
    )
    body = "".join(f"--=_b\nContent-Type: {name}\n\n{text}\n" for name, text in parts)
    return f"{head}{body}--=_b--\n".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("mail", "kind", "finding"),
    [
        (returned(), ReportKind.BOUNCED, Finding.DEAD),
        (returned(original="message/rfc822"), ReportKind.BOUNCED, Finding.DEAD),
        (returned(status="5.2.2", said="552 mailbox full"), ReportKind.BOUNCED, Finding.NOTHING),
        (returned(status="5.7.1", said="550 5.7.1 policy"), ReportKind.BOUNCED, Finding.NOTHING),
        (returned(status="5.0.0", said="550 no such user"), ReportKind.BOUNCED, Finding.DEAD),
        (returned(action="delayed", status="4.4.1"), ReportKind.DEFERRED, Finding.NOTHING),
        (returned(action="delivered", status="2.0.0"), ReportKind.DELIVERED, Finding.NOTHING),
        (returned(action="relayed", status="2.0.0"), ReportKind.OTHER, Finding.NOTHING),
        (complaint(), ReportKind.COMPLAINED, Finding.COMPLAINED),
        (complaint(kind="opt-out"), ReportKind.UNSUBSCRIBED, Finding.UNSUBSCRIBED),
        (complaint(kind="not-spam"), ReportKind.OTHER, Finding.NOTHING),
    ],
)
def test_what_a_returned_mail_says(mail: bytes, kind: ReportKind, finding: Finding) -> None:
    (report,) = bounces.read(mail, NOW)
    assert (report.kind, report.finding, report.reference, report.address) == (
        kind, finding, REFERENCE, "ada@example.com",
    )  # fmt: skip
    assert report.happened_at == datetime(2026, 11, 18, 11, 30, tzinfo=UTC)
    assert report.key == bounces.read(mail, NOW)[0].key


@pytest.mark.parametrize("mail", [b"", b"Subject: Out of office\r\n\r\nBack on Monday", b"\xff\x00" * 50])
def test_other_mail_is_no_report(mail: bytes) -> None:
    with pytest.raises(Invalid, match="no report"):
        bounces.read(mail, NOW)


@given(st.binary(max_size=400), st.integers(0, 900))
def test_broken_mails_are_refused_or_read_and_never_more(noise: bytes, at: int) -> None:
    mail = returned()
    with contextlib.suppress(Invalid):
        bounces.read(mail[:at] + noise + mail[at:], NOW)


@pytest.fixture
def sent(organization: Organization, noon: Any) -> Message:
    (message,) = queue(contact("ada@example.com"))
    Message.objects.update(status="sent", address="ada@example.com", sent_at=clock.now())
    return message


def test_the_command_files_a_mail_for_whom_it_concerns(
    organization: Organization, sent: Message, monkeypatch: Any, tmp_path: Any
) -> None:
    reference = links.reference(organization.pk, sent.pk)

    def give(mail: bytes) -> None:
        monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": io.BytesIO(mail)}))
        call_command("file_bounce")

    give(returned(reference))
    (tmp_path / "1").write_bytes(returned(reference))
    (tmp_path / "2").write_bytes(b"Subject: hello\r\n\r\n")
    call_command("file_bounce", str(tmp_path))
    reports.work(organization.pk)
    assert [row.address for row in Suppression.objects.all()] == ["ada@example.com"]
    assert ProviderCall.objects.count() == 1
    sent.refresh_from_db()
    assert sent.bounced_at is not None
    with pytest.raises(CommandError, match="did not send"):
        give(returned("B" * 43))
    with pytest.raises(CommandError, match="no report"):
        give(b"Subject: hello\r\n\r\n")
    assert ProviderCall.objects.count() == 1


def test_a_returned_mail_is_posted_with_the_account_s_password(organization: Organization, sent: Message) -> None:
    row = services.save_provider(
        Provider(kind="smtp", channel="email", name="Own"),
        {"host": "127.0.0.1", "tls": "none", "hook_password": "long word"},
    )
    path = links.hook_url(organization.pk, row.pk).removeprefix("http://127.0.0.1:8000")
    mail = returned(links.reference(organization.pk, sent.pk))
    for word, status in (("wrong", 403), ("long word", 200)):
        proof = "Basic " + base64.b64encode(f"groundswell:{word}".encode()).decode()
        answer = Client().generic("POST", path, mail, content_type="message/rfc822", HTTP_AUTHORIZATION=proof)
        assert answer.status_code == status
    assert Client().generic("POST", path, mail, content_type="message/rfc822").status_code == 401
    reports.work(organization.pk)
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "said", "is_dead"),
    [
        ("5.1.1", "", True),
        ("5.1.10", "", True),
        ("5.1.8", "", False),
        ("5.2.1", "", True),
        ("5.2.2", "", False),
        ("", "550 5.1.1 gone", True),
        ("", "550 5.7.1 spam", False),
        ("", "550 gone", True),
        ("", "552 full", False),
        ("5.0.0", "550 gone", True),
        ("", "said 15501 things", False),
    ],
)
def test_which_codes_are_about_the_address(status: str, said: str, is_dead: bool) -> None:
    assert is_about_the_address(status, said) is is_dead


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 18 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 18 Nov 2020 12:00:30 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 12)}, 12.0),
        ({"x-ratelimit-reset": "3"}, 3.0),
        ({"retry-after": "999999999"}, 86_400.0),
        ({}, None),
    ],
)
def test_how_long_a_provider_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.integers(100, 999), st.text(max_size=300), st.dictionaries(st.just("retry-after"), st.text(max_size=20)))
def test_every_answer_has_a_meaning(status: int, text: str, headers: dict[str, str]) -> None:
    outcome = judge(Answer(status, text, headers), NOW)
    assert outcome.kind != OutcomeKind.SENT  # a yes is recognised elsewhere
    assert len(outcome.answer) <= 300
    if 200 <= status < 300:
        assert outcome.kind == OutcomeKind.UNCERTAIN
