"""For the proofs of "effectively once": workers in processes of their own that die where they are told to, and
counting at the receiving end by our own message id."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from delivery import links
from delivery.models import Message
from delivery.tests.making import Sink

# A worker that kills itself without a word at the nth passing of a point of the send path.
WORKER = """
import os, signal, sys
import django
django.setup()
from delivery.services import claiming, sending, settling, straining
from delivery import services

organization, point, nth = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
passed = 0

def reach():
    global passed
    passed += 1
    if passed == nth:
        os.kill(os.getpid(), signal.SIGKILL)

def around(module, name, before=None, after=None):
    original = getattr(module, name)
    def wrapped(*args, **named):
        if before and before(*args):
            reach()
        result = original(*args, **named)
        if after and after(*args):
            reach()
        return result
    setattr(module, name, wrapped)

always = lambda *args: True
if point == "before the claim":
    around(claiming, "claim", before=always)
elif point == "after the claim":
    around(claiming, "claim", after=always)
elif point == "before the mark":
    around(settling, "turn", before=lambda results, upcoming, *rest: bool(upcoming))
elif point == "after the mark":
    around(settling, "turn", after=lambda results, upcoming, *rest: bool(upcoming))
elif point == "after the call":
    around(sending, "_fly", after=always)
elif point == "before the last outcomes":
    around(settling, "turn", before=lambda results, upcoming, *rest: not upcoming)
elif point == "after the last outcomes":
    around(settling, "turn", after=lambda results, upcoming, *rest: not upcoming)
elif point == "after the end":
    around(claiming, "finish", after=always)
while services.send_due(organization):
    pass
"""
POINTS = (
    "before the claim",
    "after the claim",
    "before the mark",
    "after the mark",
    "after the call",
    "before the last outcomes",
    "after the last outcomes",
    "after the end",
)
IN_THE_CALL = "in the call"


def start_worker(organization_id: int, *, point: str = "", nth: int = 0, **more: str) -> subprocess.Popen[bytes]:
    """A worker of the test's database; with `point` it dies there."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "marketing_site.settings",
        "DATABASE_URL": database,
        "LOG_LEVEL": "ERROR",
        **more,
    }
    command = [sys.executable, "-c", WORKER, str(organization_id), point, str(nth)]
    return subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)


def received(sink: Sink) -> Counter[int]:
    """How often each message arrived by SMTP, by our id in its Message-ID."""
    counted: Counter[int] = Counter()
    for mail in sink.mails:
        known = links.read(links.REPORT, str(mail["Message-ID"]).strip("<>").split("@")[0])
        assert known is not None
        counted[known.message_id] += 1
    return counted


def judge(arrived: Counter[int], *, meanwhile: bool = False) -> dict[str, int]:
    """Nothing twice, nothing lost: what did not arrive, and is not waiting, is listed as uncertain.

    `meanwhile`: some may still be a vanished worker's.
    """
    statuses = dict(Message.objects.values_list("pk", "status"))
    assert set(arrived) <= set(statuses)
    twice = {pk: count for pk, count in arrived.items() if count > 1}
    assert not twice, f"arrived more than once: {twice}"
    lost = {pk for pk, status in statuses.items() if status == "sent" and pk not in arrived}
    assert not lost, f"said to be sent, and never arrived: {lost}"
    known = {"sent", "uncertain", "refused", "queued", "held"} | ({"sending"} if meanwhile else set())
    assert set(statuses.values()) <= known, set(statuses.values()) - known
    again = {pk for pk, status in statuses.items() if status in ("queued", "held", "refused") and pk in arrived}
    assert not again, f"arrived, and would go again: {again}"
    return dict(Counter(statuses.values()))
