"""A campaign to a million: claim, policy, rendering, MIME and a null SMTP server, by one and by two workers.

The messages are queued before the clock starts; then one worker sends a part of them, and two the rest. Workers
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
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Sent:
    """What a number of workers did: messages a second, and the peak memory of the largest process."""

    per_second: float
    megabytes: float


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    contacts, part = (600, 300) if smoke else (1_000_000, 300_000)
    few = 200 if smoke else 20_000
    organization = accounts.create_organization("Bench", "bench")
    with ground.child(sys.executable, "-m", "benchmarks.sink", str(SINK_PORT)), tenancy.organization(organization.pk):
        campaign.wait_for_sink()
        queued = _queue(organization.pk, contacts)
        one = _work(1, until=part)
        two = _work(2, until=contacts)
        assert campaign.taken() == contacts, f"the sink took {campaign.taken()} of {contacts}"
        limits = {name: count(few) for name, count in LIMITS.items()}
        loops = {name: count(few // 20) for name, count in LOOPS.items()}
    figures = [
        Figure("queueing", queued, "messages/s"),
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


def _work(workers: int, *, until: int) -> Sent:
    """Let workers send until the sink has taken `until` messages."""
    from common import doorbell

    with _workers(workers) as process:
        _ring_until_first(doorbell.ring)
        before, started = campaign.taken(), time.perf_counter()
        megabytes = 0.0
        while campaign.taken() < until:
            assert process.poll() is None, "the worker ended by itself"
            megabytes = max(megabytes, report.child_megabytes(process.pid))
            time.sleep(LOOK_SECONDS if until > 1_000 else 0.01)
        return Sent((campaign.taken() - before) / (time.perf_counter() - started), megabytes)


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
