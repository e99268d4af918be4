"""When an experiment may name its winner by itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from common.errors import Invalid


class Proof(StrEnum):
    ALWAYS_VALID = "always_valid"  # the interval that holds at any look leaves out no difference
    CHANCE = "chance"  # likely enough the best, and little lost if not


class WinnerRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After so many days and people in each arm, by this proof; the winner is named and the experiment stops.

    `chance` and `loss` (a share of control's value) belong to the proof by chance. Switched off it only advises.
    """

    is_on: bool = False
    proof: Proof = Proof.ALWAYS_VALID
    minimum_days: int = 7
    minimum_people: int = 100
    chance: float = 0.95
    loss: float = 0.005


def parse(document: object) -> WinnerRule:
    """Read a stored rule; an empty one is switched off. Raises `Invalid` by field."""
    try:
        rule = msgspec.convert(document or {}, WinnerRule)
    except msgspec.ValidationError as error:
        raise Invalid(
            f"The rule of the winner cannot be read: {error}.", details={"winner_rule": f"{error}."}
        ) from error
    wrong: dict[str, str] = {}
    if not 0 <= rule.minimum_days <= 365:
        wrong["winner_rule.minimum_days"] = "From 0 to 365 days."
    if rule.minimum_people < 2:
        wrong["winner_rule.minimum_people"] = "At least two people in each arm."
    if not 0.5 < rule.chance < 1:
        wrong["winner_rule.chance"] = "A chance between 0.5 and 1, such as 0.95."
    if not 0 <= rule.loss < 1:
        wrong["winner_rule.loss"] = "A share from 0 to below 1, such as 0.005."
    if wrong:
        raise Invalid(next(iter(wrong.values())), details=wrong)
    return rule


def dump(rule: WinnerRule) -> dict[str, Any]:
    """The JSON that `parse` reads."""
    plain: dict[str, Any] = msgspec.to_builtins(rule)
    return plain
