"""A campaign to a million: claim, policy, rendering, MIME and a null SMTP server, by one and by two workers.

A short mail goes to a million people, a newsletter of 13 KB with sixteen links to fewer. Messages are queued before
the clock starts; each measured part belongs to an organisation of its own. Workers are Celery processes as production
starts them. Yardsticks of the same run and mail, each alone on one core: bare sandboxed rendering, bare MIME bytes,
bare SMTP with pipelining, and Django's `send_mail` in a loop.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import campaign, ground, newsletter, report
from benchmarks.campaign import HTML, SINK_PORT
from benchmarks.report import Figure

SHARE = 0.6  # of the slowest bare limit
TIMES = 5  # a plain loop
MOST_MEGABYTES = 200
LOOK_SECONDS = 0.25
STUCK_SECONDS = 60
SEND_MAIL = "send_mail in a loop"


@dataclass(frozen=True)
class Sent:
    """What a number of workers did, in messages a second, and the peak memory of the largest process."""

    queued_per_second: float
    per_second: float
    megabytes: float


def run(*, smoke: bool) -> None:
    figures: list[Figure] = []
    memory: dict[str, float] = {}
    mails = {"short mail": (HTML, (300_000, 700_000)), "newsletter": (newsletter.html(), (60_000, 120_000))}
    if smoke:
        mails = {"newsletter": (newsletter.html(), (60, 120))}
    with ground.child(sys.executable, "-m", "benchmarks.sink", str(SINK_PORT)):
        campaign.wait_for_sink()
        for name, (html, parts) in mails.items():
            measured = _measured(name, html, parts, 60 if smoke else 20_000)
            figures += report.told(measured)
            memory[name] = max(figure.ours for figure in measured if figure.unit == "MB")
    report.publish("send", figures, memory)


def _measured(name: str, html: str, parts: tuple[int, int], few: int) -> list[Figure]:
    """One mail, sent by one worker to the first part of the people and by two to the second."""
    sent = [_campaign(f"{name} {count}", count, people, html) for count, people in zip((1, 2), parts, strict=True)]
    limits = {limit: measure(few, html) for limit, measure in LIMITS.items()}
    loops = {loop: measure(few // 20, html) for loop, measure in LOOPS.items()}
    figures = [Figure(f"{name}: queueing, snapshot included", sent[1].queued_per_second, "messages/s")]
    for words, each in zip(("one worker", "two workers"), sent, strict=True):
        figures += _beside(f"{name}, {words}", each, limits, loops)
    return figures


def _beside(name: str, sent: Sent, limits: dict[str, float], loops: dict[str, float]) -> list[Figure]:
    slowest = min(limits, key=limits.__getitem__)
    figures = []
    for limit, rate in limits.items():
        goal = {"goal": f"≥ {SHARE:.0%} of the slowest", "is_met": sent.per_second >= SHARE * rate}
        figures.append(Figure(name, sent.per_second, "messages/s", limit, rate, **(goal if limit == slowest else {})))
    for loop, rate in loops.items():
        goal = {"goal": f"≥ {TIMES} ×", "is_met": sent.per_second >= TIMES * rate}
        figures.append(Figure(name, sent.per_second, "messages/s", loop, rate, **(goal if loop == SEND_MAIL else {})))
    fits = sent.megabytes <= MOST_MEGABYTES
    return [*figures, Figure(f"{name}, memory", sent.megabytes, "MB", goal=f"≤ {MOST_MEGABYTES} MB", is_met=fits)]


# --- ours --------------------------------------------------------------------------------------------


def _queue(organization_id: int, contacts: int, html: str) -> float:
    """Launch a campaign and write its messages; returns messages a second, snapshot included."""
    from campaigns import services as campaigns

    chosen = campaign.prepare(organization_id, contacts, html)
    started = time.perf_counter()
    campaigns.launch(chosen)
    while campaigns.work(organization_id):
        pass
    return contacts / (time.perf_counter() - started)


def _campaign(name: str, workers: int, contacts: int, html: str) -> Sent:
    """One organisation's campaign, queued and then sent to the last message."""
    from accounts import services as accounts
    from common import doorbell, tenancy

    organization = accounts.create_organization(name, name.replace(" ", "-"))
    with tenancy.organization(organization.pk):
        queued = _queue(organization.pk, contacts, html)
        before = campaign.taken()
        with _workers(workers) as process:
            _ring_until_first(doorbell.ring)
            started, megabytes, seen = time.perf_counter(), 0.0, campaign.taken()
            first, moved = seen, started
            while seen < before + contacts:
                assert process.poll() is None, "the worker ended by itself"
                assert time.perf_counter() - moved < STUCK_SECONDS, f"stuck after {seen - before} of {contacts}"
                megabytes = max(megabytes, report.child_megabytes(process.pid))
                time.sleep(LOOK_SECONDS)
                latest = campaign.taken()
                moved, seen = (time.perf_counter() if latest > seen else moved), latest
            return Sent(queued, (seen - first) / (time.perf_counter() - started), megabytes)


def _workers(count: int) -> Any:
    from marketing_site import processes

    return ground.child(*processes.worker_command(f"sending{count}", "delivery", count, "WARNING"))


def _ring_until_first(ring: Callable[[str], None]) -> None:
    """Starting a worker is not sending: wait for the first mail."""
    before, deadline = campaign.taken(), time.monotonic() + 30
    while campaign.taken() == before:
        assert time.monotonic() < deadline, "no worker began to send"
        ring("messages")
        time.sleep(0.05)


# --- bare limits: each of the very mail that was sent ------------------------------------------------


def _letter(html: str) -> Any:
    """The mail to one person as our worker writes it, tracked links included."""
    from common import clock
    from delivery.domain import mime
    from delivery.links import Links
    from delivery.services import rendering

    words = rendering.compile_words(_Words(html), is_tracked=True)
    fields = dict.fromkeys(rendering.FIELDS, "") | {"tags": [], "value_minor": 0, "currency": "USD"}
    person = {"id": 1, "name": "Person 1", "email": "person-1@shop.example", "city": "Leeds"}
    values = rendering.values_for(rendering.contact_values(fields | person, {}, {}), {}, {}, "Bench")
    rendering.add_links(values, Links(1, 1))
    filled = words.render(values)
    return mime.Letter(
        "1.1@shop.example", clock.now(), "Bench", "a@shop.example", "Person 1", "person-1@shop.example",
        filled.subject, filled.html, filled.text,
    )  # fmt: skip


@dataclass(frozen=True)
class _Words:
    """Content as `campaigns.publish_template` makes it: the text is derived from the HTML."""

    html: str
    subject: str = campaign.SUBJECT
    preheader: str = ""

    @property
    def text(self) -> str:
        from delivery.domain import plaintext

        return plaintext.derived_text(self.html)

    @property
    def defaults(self) -> dict[str, Any]:
        return {}


def _rendering(count: int, html: str) -> float:
    return campaign.bare_rendering(count, html, _Words(html).text)


def _mime(count: int, html: str) -> float:
    """Rendered parts to the bytes of a mail."""
    from delivery.domain import mime

    letter = _letter(html)
    started = time.perf_counter()
    for _ in range(count):
        mime.build(letter)
    return count / (time.perf_counter() - started)


def _smtp(count: int, html: str) -> float:
    from delivery.domain import mime

    return campaign.bare_smtp(count, mime.build(_letter(html)))


# --- plain loops -------------------------------------------------------------------------------------


def _send_mail(count: int, html: str) -> float:
    """As Django's documentation has it: a template rendered, `send_mail` called, for each person."""
    from django.core.mail import send_mail
    from django.template import Context, Engine

    template = Engine().from_string(html)
    with campaign.mail_settings():
        started = time.perf_counter()
        for number in range(count):
            values = {
                "contact": {"name": f"Person {number}", "city": "Leeds", "email": f"p{number}@shop.example"},
                "unsubscribe_url": "https://x.example",
            }
            filled = template.render(Context(values))
            send_mail(f"Spring, Person {number}", filled, "a@shop.example", [f"p{number}@shop.example"],
                      html_message=filled)  # fmt: skip
        return count / (time.perf_counter() - started)


LIMITS: dict[str, Callable[[int, str], float]] = {
    "bare rendering": _rendering, "bare MIME": _mime, "bare SMTP, pipelined": _smtp,
}  # fmt: skip
LOOPS: dict[str, Callable[[int, str], float]] = {
    SEND_MAIL: _send_mail, "Django mail over one connection": campaign.plain_loop,
}  # fmt: skip
