"""Ready rules to begin with: those whose fields and events this organisation has. Edited like any other rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from audience.message_events import MessageEvent, name_of
from audience.models import MessageChannel
from common.errors import Invalid
from segments.patterns import meaning
from segments.patterns.leaves import did, did_not, every, on
from segments.rules import parser
from segments.rules.catalogue import Catalogue

Rule = dict[str, Any]
SENT, OPENED = (name_of(MessageChannel.EMAIL, what) for what in (MessageEvent.SENT, MessageEvent.OPENED))


@dataclass(frozen=True)
class Starter:
    """A rule with its name and a sentence of why one would want it."""

    label: str
    note: str
    rule: Rule


def offered(known: Catalogue) -> list[dict[str, Any]]:
    """The starters that can be read here, as plain JSON. To add one: a line below."""
    return [asdict(starter) for starter in _all(known) if _is_readable(starter.rule, known)]


def _all(known: Catalogue) -> Iterator[Starter]:
    if bought := meaning.purchase_event(known):
        yield Starter(
            "Recent customers", "Bought in the last 30 days: thank them, ask for a review.", every(did(bought, 1, 30))
        )
        yield Starter(
            "Loyal customers", "Bought three times or more in half a year: early access, rewards.",
            every(did(bought, 3, 180)),
        )  # fmt: skip
        yield Starter(
            "Slipping away", "Bought before, but not in the last 90 days: win them back.",
            every(did(bought), did_not(bought, 1, 90)),
        )  # fmt: skip
        yield Starter(
            "Never bought", "Known for a week or longer and no purchase yet: a first offer.",
            every(did_not(bought), on("first_seen_at", "more_than_ago", {"days": 7})),
        )  # fmt: skip
    if SENT in known.events:
        yield Starter(
            "Reads our e-mails", "Opened one in the last 30 days: the audience that listens.",
            every(did(OPENED, 1, 30)),
        )  # fmt: skip
        yield Starter(
            "Has stopped reading", "Three e-mails or more in 60 days and opened none: write less, or ask.",
            every(did(SENT, 3, 60), did_not(OPENED, 1, 60)),
        )  # fmt: skip
    yield Starter(
        "New here",
        "First seen in the last 14 days: welcome them.",
        every(on("first_seen_at", "in_last", {"days": 14})),
    )
    yield Starter(
        "May be written to", "Said yes to e-mail: the base of every mailing.",
        every({"consent": "email", "operator": "granted"}),
    )  # fmt: skip


def _is_readable(rule: Rule, known: Catalogue) -> bool:
    try:
        parser.parse(rule, known)
    except Invalid:
        return False
    return True
