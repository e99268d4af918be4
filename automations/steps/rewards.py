"""Give points, or another reward: written to the ledger of rewards by the room that keeps it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from audience.notices import Promised, RewardsPromised
from automations.configuration import Wrong, says
from automations.models import Automation
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import counted
from common import outbox

MOST = 10**9
LABELS = {"credit": "Store credit", "coupon": "A coupon", "cash": "Cash"}


class PointsConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    points: Annotated[int, says("Points", minimum=1, examples=[100])]


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` is in minor units; without a currency it is the organisation's."""

    kind: Annotated[Literal["credit", "coupon", "cash"], says("What", labels=LABELS, examples=["credit"])]
    amount: Annotated[int, says("Amount", "In minor units, such as cents.", minimum=1, examples=[500])]
    currency: Annotated[str, says("Currency", "Left empty: yours.")] = ""
    needs_approval: Annotated[bool, says("A colleague approves it first")] = True


def check_points(configuration: PointsConfiguration, wrong: Wrong) -> None:
    if not 1 <= configuration.points <= MOST:
        wrong("points", f"must be from 1 to {MOST:,}")


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not 1 <= configuration.amount <= MOST:
        wrong("amount", f"must be from 1 to {MOST:,}")
    currency = configuration.currency
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        wrong("currency", "must be a code of three capitals such as EUR")


def give_points(configuration: PointsConfiguration, group: Group) -> Results:
    """One notice for the whole group."""
    return _promise(group, "points", configuration.points)


def give(configuration: Configuration, group: Group) -> Results:
    """One notice for the whole group."""
    return _promise(
        group, configuration.kind, configuration.amount, configuration.currency, configuration.needs_approval
    )


def _promise(group: Group, kind: str, amount: int, currency: str = "", needs_approval: bool = False) -> Results:
    """Written with the step; the key of each makes a second telling give nothing."""
    name = Automation.objects.values_list("name", flat=True).get(pk=group.automation_id)
    promised = [Promised(run.contact_id, group.key(run)) for run in group.runs]
    reason = f"Workflow “{name}”"[:200]
    outbox.publish(RewardsPromised(promised, kind, amount, currency, needs_approval, reason))
    return ALL_DONE


def _said(configuration: Configuration) -> str:
    text = f"Give {configuration.amount / 100:,.2f} {configuration.currency}".rstrip()
    word = {"credit": "store credit", "coupon": "as a coupon", "cash": "in cash"}[configuration.kind]
    approval = ", once a colleague approves it" if configuration.needs_approval else ""
    return f"{text} {word}{approval}"


POINTS = StepKind(
    "Give points",
    "Books points for the contact in the ledger of rewards.",
    PointsConfiguration,
    give_points,
    lambda configuration: f"Give {counted(configuration.points, 'point')}",
    check_points,
    group="Rewards",
)
REWARD = StepKind(
    "Give a reward",
    "Books store credit, a coupon or cash for the contact in the ledger of rewards.",
    Configuration,
    give,
    _said,
    check,
    group="Rewards",
)
