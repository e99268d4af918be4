"""Something happened to an invitation: a friend came by the link, signed up, or qualified."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from automations.configuration import Filter, Wrong, says
from automations.triggers.base import TriggerKind
from automations.triggers.event import admits, check_age, key_of
from automations.words import quoted

# The words of the events table, which the room of invitations writes.
WORDS = {"clicked": "comes by the link", "signed_up": "signs up", "qualified": "does what the programme asks for"}
ROLES = {"inviter": "The one who invited", "invitee": "The friend", "": "Both"}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`program` is its slug. A click has no friend yet whom we know: its contact is always the one who invited."""

    what: Annotated[
        Literal["clicked", "signed_up", "qualified"],
        says(
            "When a friend",
            labels={"clicked": "Comes by the link", "signed_up": "Signs up", "qualified": "Qualifies"},
            examples=["signed_up"],
        ),
    ]
    role: Annotated[Literal["inviter", "invitee", ""], says("Who starts", labels=ROLES)] = "inviter"
    program: Annotated[str, says("Only of the programme", "Its short name. Left empty: any.")] = ""
    within_hours: Annotated[
        int, says("Not older than, hours", "Older news starts nothing.", minimum=1, maximum=8784)
    ] = 72
    filter: Filter = None

    @property
    def name(self) -> str:
        """The event it waits for."""
        return f"referral_{self.what}"

    @property
    def where(self) -> list[dict[str, Any]]:
        """Its properties, as segment rules spell them."""
        wanted = {"role": self.role, "program": self.program}
        return [{"property": name, "operator": "equals", "value": value} for name, value in wanted.items() if value]


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_age(configuration.within_hours, wrong)
    if configuration.what == "clicked" and configuration.role == "invitee":
        wrong("role", "whoever clicks is not known yet; start the one who invited, or wait for the sign-up")


def sentence(configuration: Configuration) -> str:
    text = f"When an invited friend {WORDS[configuration.what]}"
    if configuration.program:
        text += f" in the programme {quoted(configuration.program)}"
    who = {"inviter": "the one who invited them", "invitee": "the friend", "": "both of them"}[configuration.role]
    return f"{text}, for {who}"


TRIGGER = TriggerKind(
    "Referral",
    "Starts when an invited friend comes by the link, signs up or qualifies, for either side.",
    Configuration,
    key=lambda configuration: key_of(configuration.name),
    sentence=sentence,
    admits=admits,
    check=check,
    group="Referrals",
)
