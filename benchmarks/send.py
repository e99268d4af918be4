"""A campaign to a million: claim, policy, rendering, MIME and a null SMTP server, by one and by two workers.

Messages are queued before the clock starts; one worker sends those of one organisation, two those of another. Workers
are Celery processes as production starts them. Yardsticks of the same run and mail, each alone on one core: bare
sandboxed rendering, bare MIME bytes, bare SMTP with pipelining, and Django's `send_mail` in a loop.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import campaign, ground, report
from benchmarks.campaign import HTML, SINK_PORT
from benchmarks.report import Figure

SHARE = 0.6  # of the slowest bare limit
TIMES = 5  # a plain loop
MOST_MEGABYTES = 200
LOOK_SECONDS = 0.25
STUCK_SECONDS = 60


@dataclass(frozen=True)
class Sent:
    """What a number of workers did, in messages a second, and the peak memory of the largest process."""

    queued_per_second: float
    per_second: float
    megabytes: float


def run(*, smoke: bool) -> None:
    one_part, two_part = (300, 600) if smoke else (300_000, 700_000)
    few = 200 if smoke else 20_000
    with ground.child(sys.executable, "-m", "benchmarks.sink", str(SINK_PORT)):
        campaign.wait_for_sink()
        one = _campaign("one", 1, one_part)
        two = _campaign("two", 2, two_part)
        limits = {name: count(few) for name, count in LIMITS.items()}
        loops = {name: count(few // 20) for name, count in LOOPS.items()}
    figures = [
        Figure("queueing, snapshot included", two.queued_per_second, "messages/s"),
        *_beside("one worker", one, limits, loops),
        *_beside("two workers", two, limits, loops),
    ]
    report.publish("send", figures, {"largest worker": max(one.megabytes, two.megabytes)})


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


def _queue(organization_id: int, contacts: int) -> float:
    """Launch a campaign and write its messages; returns messages a second, snapshot included."""
    from campaigns import services as campaigns

    chosen = campaign.prepare(organization_id, contacts)
    started = time.perf_counter()
    campaigns.launch(chosen)
    while campaigns.work(organization_id):
        pass
    return contacts / (time.perf_counter() - started)


def _campaign(name: str, workers: int, contacts: int) -> Sent:
    """One organisation's campaign, queued and then sent to the last message."""
    from accounts import services as accounts
    from common import doorbell, tenancy

    organization = accounts.create_organization(name, name)
    with tenancy.organization(organization.pk):
        queued = _queue(organization.pk, contacts)
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


# --- bare limits -------------------------------------------------------------------------------------


def _rendering(count: int) -> float:
    """HTML, text and subject by Jinja2's own sandbox, compiled once."""
    return campaign.bare_rendering(count)


def _mime(count: int) -> float:
    """Rendered parts to the bytes of a mail."""
    from common import clock
    from delivery.domain import mime

    html = HTML * 3  # about as long as with its tracked links
    text = "Spring is here in Leeds, and so are new things for your home.\n" * 4
    now = clock.now()
    started = time.perf_counter()
    for number in range(count):
        address = f"person-{number}@shop.example"
        mime.build(
            mime.Letter(
                f"{number}.1@shop.example", now, "Bench", "a@shop.example", f"Person {number}", address,
                f"Spring, Person {number}", html, text,
            )
        )  # fmt: skip
    return count / (time.perf_counter() - started)


# --- plain loops -------------------------------------------------------------------------------------

SEND_MAIL = "send_mail in a loop"


def _send_mail(count: int) -> float:
    """As Django's documentation has it: a template rendered, `send_mail` called, for each person."""
    from django.core.mail import send_mail
    from django.template import Context, Engine

    template = Engine().from_string(HTML)
    with campaign.mail_settings():
        started = time.perf_counter()
        for number in range(count):
            values = {
                "contact": {"name": f"Person {number}", "city": "Leeds"},
                "unsubscribe_url": "https://x.example",
            }
            html = template.render(Context(values))
            send_mail(f"Spring, Person {number}", html, "a@shop.example", [f"p{number}@shop.example"],
                      html_message=html)  # fmt: skip
        return count / (time.perf_counter() - started)


LIMITS = {"bare rendering": _rendering, "bare MIME": _mime, "bare SMTP, pipelined": campaign.bare_smtp}
LOOPS = {SEND_MAIL: _send_mail, "Django mail over one connection": campaign.plain_loop}
