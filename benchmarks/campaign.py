"""(e) A campaign to 100 000 contacts into a null SMTP server: snapshot, policy, ledger, rendering, MIME, SMTP.

Yardsticks of the same run and template: bare sandboxed rendering, bare SMTP of a prepared message with
pipelining, and a plain loop of Django's `EmailMultiAlternatives` over one connection.
"""

from __future__ import annotations

import contextlib
import smtplib
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import ground, report
from benchmarks.report import Figure

SINK_PORT = 18_025
SUBJECT = "Spring, {{ contact.name }}"
HTML = """<html><body><h1>Hello {{ contact.name }}</h1>
<p>Spring is here in {{ contact.city }}, and so are new things for your home.</p>
<p><a href="https://shop.example/spring">See what is new</a></p>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>"""


BODY = ("Subject: Spring\r\n\r\n" + "x" * 72 + "\r\n").encode() * 30


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    contacts = 300 if smoke else 100_000
    organization = accounts.create_organization("Bench", "bench")
    with ground.child(sys.executable, "-m", "benchmarks.sink", str(SINK_PORT)), tenancy.organization(organization.pk):
        wait_for_sink()
        campaign = prepare(organization.pk, contacts)
        seconds = _send(organization.pk, campaign)
        assert taken() == contacts, f"the sink took {taken()} of {contacts}"
        ours = contacts / seconds
        rendering = bare_rendering(min(contacts, 20_000))
        smtp = bare_smtp(min(contacts, 20_000))
        plain = plain_loop(min(contacts, 2_000))
    limit = 1 / (1 / rendering + 1 / smtp)
    report.publish(
        "campaign",
        [
            Figure("campaign, one worker", ours, "messages/s", "bare rendering, then bare SMTP", limit),
            Figure("beside bare rendering", ours, "messages/s", "bare rendering", rendering),
            Figure("beside bare SMTP", ours, "messages/s", "bare SMTP", smtp),
            Figure("beside a plain loop", ours, "messages/s", "Django mail loop", plain),
        ],
        {"worker": report.peak_megabytes()},
    )


def prepare(organization_id: int, contacts: int, html: str = HTML) -> Any:
    """People who agreed, a template, a static segment and a campaign to it."""
    from django.db import connection

    from campaigns import services as campaigns
    from campaigns.models import Campaign, CampaignAudience, EmailTemplate
    from common import clock, tenancy
    from delivery.models import DeliveryPolicy
    from segments.models import Segment

    now = clock.now()
    segment = Segment.objects.create(name="All", slug="all", kind="static")
    DeliveryPolicy.objects.create(quiet_from="00:00", quiet_until="00:00")
    values = {"organization": organization_id, "contacts": contacts, "now": now, "segment": segment.pk}
    with tenancy.engine(), connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, values)
        cursor.execute("ANALYZE")
    template = EmailTemplate.objects.create(name="Spring", slug="spring", subject=SUBJECT, html=html)
    campaigns.publish_template(template)
    campaign = Campaign.objects.create(name="Spring", template=template)
    CampaignAudience.objects.create(campaign=campaign, segment=segment)
    return campaign


FILL = [
    """INSERT INTO audience_contact (organization_id, name, email, city, timezone, first_seen_at, last_seen_at,
                                     created_at, updated_at)
       SELECT %(organization)s, 'Person ' || n, 'person-' || n || '@shop.example', 'Leeds', 'Europe/London',
              %(now)s, %(now)s, %(now)s, %(now)s FROM generate_series(1, %(contacts)s) AS n""",
    """INSERT INTO audience_consent (organization_id, contact_id, channel, state, how, wording, proof, happened_at)
       SELECT organization_id, id, 'email', 'granted', 'benchmark', '', '{}', %(now)s FROM audience_contact""",
    """INSERT INTO segments_membership (organization_id, segment_id, contact_id, entered_at)
       SELECT organization_id, %(segment)s, id, %(now)s FROM audience_contact""",
]


def _send(organization_id: int, campaign: Any) -> float:
    """Launch and do the work of one worker in this process; returns seconds to the last message."""
    from campaigns import services as campaigns
    from common import doorbell

    started = time.perf_counter()
    campaigns.launch(campaign)
    doorbell.drain(organization_id, rounds=100_000)
    return time.perf_counter() - started


def bare_rendering(count: int, html_source: str = HTML, text_source: str = HTML) -> float:
    """HTML, text and subject by Jinja2's own sandbox, compiled once; mails a second."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(autoescape=True)
    html, text, subject = (environment.from_string(part) for part in (html_source, text_source, SUBJECT))
    started = time.perf_counter()
    for number in range(count):
        values = {
            "contact": {"name": f"Person {number}", "city": "Leeds", "email": f"person-{number}@shop.example"},
            "unsubscribe_url": "https://x.example/u/1",
        }
        html.render(values)
        text.render(values)
        subject.render(values)
    return count / (time.perf_counter() - started)


def bare_smtp(count: int, body: bytes = BODY) -> float:
    """Prepared bytes over one connection, the commands of a message in one packet."""
    import socket

    packet = b"MAIL FROM:<a@shop.example>\r\nRCPT TO:<b@shop.example>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", SINK_PORT)) as connection:
        lines = connection.makefile("rb")
        lines.readline()
        connection.sendall(b"EHLO bench\r\n")
        while lines.readline()[3:4] == b"-":
            pass
        started = time.perf_counter()
        for _ in range(count):
            connection.sendall(packet)
            for _ in range(3):
                lines.readline()
            connection.sendall(body + b"\r\n.\r\n")
            lines.readline()
        return count / (time.perf_counter() - started)


def plain_loop(count: int, html_source: str = HTML) -> float:
    from django.core.mail import EmailMultiAlternatives, get_connection

    host = {"host": "127.0.0.1", "port": SINK_PORT}
    with get_connection("django.core.mail.backends.smtp.EmailBackend", **host) as connection:
        started = time.perf_counter()
        for number in range(count):
            html = html_source.replace("{{ contact.name }}", f"Person {number}")
            mail = EmailMultiAlternatives(
                "Spring", html, "a@shop.example", [f"p{number}@shop.example"], connection=connection
            )
            mail.attach_alternative(html, "text/html")
            mail.send()
        return count / (time.perf_counter() - started)


@contextlib.contextmanager
def mail_settings() -> Iterator[None]:
    """Django's own mail leads to the sink."""
    from django.test import override_settings

    backend = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=SINK_PORT):
        yield


def wait_for_sink() -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            count = taken()
        except OSError:
            time.sleep(0.1)
            continue
        assert count == 0, f"another sink still listens on port {SINK_PORT}: stop it first"
        return
    raise TimeoutError("the SMTP sink did not start")


def taken() -> int:
    with smtplib.SMTP("127.0.0.1", SINK_PORT) as client:
        return int(client.verify("count")[1].split()[0])
