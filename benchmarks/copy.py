"""The copy assistant: how often its ranker names the better headline on tests it has not seen, and how long it takes.

The headline tests are read from ../shared/data (see campaigns/copy/MODEL_CARD.md); without them the figures of
accuracy are left out, and the table says so.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.blocks import twenty
from benchmarks.report import Figure
from campaigns.copy import ranker, reporting, training
from campaigns.copy.reporting import Judged

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "headlines" / "headline_tests.csv.gz"
GOAL_MS = 2_000.0
LINES = [
    "Your spring jumper is here", "Which jumper suits you?", "20% off jumpers until Sunday",
    "Warm and light: the new jumpers", "Ada, your jumper waits",
]  # fmt: skip


def run(*, smoke: bool) -> None:
    figures = [*accuracy(smoke=smoke), scoring(200 if smoke else 2_000), *asking(smoke=smoke)]
    report.publish("copy", figures, {"this process": report.peak_megabytes()})


def accuracy(*, smoke: bool) -> list[Figure]:
    """Shares of pairs whose better headline is named, beside choosing the longer one."""
    if not DATA.exists():
        print(f"There is no {DATA}: how often the ranker is right was not measured.", file=sys.stderr)
        return []
    arms = training.read(DATA)
    began = time.perf_counter()
    pairs = training.compare(arms[:2_000] if smoke else arms)
    found = {each.name: each for each in reporting.unseen(pairs)}
    seconds = time.perf_counter() - began
    return [
        *_beside(found, "cross-validated"),
        *_beside(found, "held out"),
        Figure("fitted six times and judged", seconds, "s"),
    ]


def _beside(found: dict[str, Judged], name: str) -> list[Figure]:
    ours, longer = found[name], found[f"{name}, the longer one"]
    figures = []
    for kind, mine, theirs in (
        ("sure pairs", ours.sure_pairs, longer.sure_pairs),
        ("all pairs", ours.all_pairs, longer.all_pairs),
    ):
        told = f"{name}, {kind} ({100 * mine.low:.1f} to {100 * mine.high:.1f})"
        figures.append(Figure(told, 100 * mine.share, "%", "the longer one", 100 * theirs.share))
    return figures


def scoring(rounds: int) -> Figure:
    """Milliseconds to rank five lines."""
    general = ranker.general()
    began = time.perf_counter()
    for _ in range(rounds):
        general.to_win(general.scores(LINES))
    return Figure("five lines ranked", 1_000 * (time.perf_counter() - began) / rounds, "ms")


def asking(*, smoke: bool) -> list[Figure]:
    """The whole request with a mail of 20 blocks: without a language model, and with one that never answers."""
    from django.conf import settings
    from rest_framework.test import APIClient

    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from campaigns.models import CopySettings
    from common import tenancy

    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _, key = accounts.issue_key("bench", ApiKeyKind.SECRET)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    body: dict[str, Any] = {"subject": "News", "blocks": {"blocks": twenty()}}

    def times(rounds: int) -> list[float]:
        found = []
        for _ in range(rounds):
            began = time.perf_counter()
            answer = client.post("/api/v1/copy/suggestions/", body, format="json")
            found.append(1_000 * (time.perf_counter() - began))
            assert answer.status_code == 201 and len(answer.json()["variants"]) == 5, answer.content
        return found

    times(1)  # the ranker is read once
    offline = report.percentile(times(5 if smoke else 100), 0.95)
    with tenancy.organization(organization.pk):
        CopySettings.objects.create(uses_endpoint=True)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.COPY_LLM_URL, settings.COPY_LLM_MODEL = f"http://127.0.0.1:{silent.getsockname()[1]}/", "silent"
        waiting = report.percentile(times(1 if smoke else 20), 0.95)
    return [
        Figure("five lines for a mail, p95", offline, "ms", goal=f"≤ {GOAL_MS:.0f} ms", is_met=offline <= GOAL_MS),
        Figure("… with a silent model, p95", waiting, "ms", goal=f"≤ {GOAL_MS:.0f} ms", is_met=waiting <= GOAL_MS),
    ]
