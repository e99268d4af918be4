"""When an experiment may name its winner by itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from common.errors import Invalid
from experiments.domain.read_outs import MetricReadOut


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


def waits_for(rule: WinnerRule, primary: MetricReadOut, days: int) -> str:
    """Why no winner may be named yet by this rule, or an empty text."""
    if days < rule.minimum_days:
        return f"It runs for {days} of {rule.minimum_days} days."
    fewest = min(primary.people, default=0)
    if fewest < rule.minimum_people or primary.is_empty:
        return f"The smallest arm has {fewest:,} of {rule.minimum_people:,} people."
    return ""


def decide(rule: WinnerRule, primary: MetricReadOut, control: int, harmed: set[int]) -> tuple[int, str] | None:
    """The place of the winner and why, or None. `harmed` are arms that harm a guardrail: they never win.

    By the interval that holds at any look, a treatment that is better than the control wins, the likeliest best one
    if several are; and the control, when every treatment is worse. By chance, the arm that is best likely enough,
    when what is lost if not is small.
    """
    if rule.proof == Proof.CHANCE:
        return _by_chance(rule, primary, control, harmed)
    sign = primary.metric.sign
    shown = {one.place: one.at_any_time.value * sign for one in primary.compared if one.is_shown}
    better = [place for place, value in shown.items() if value > 0 and place not in harmed]
    if better:
        place = max(better, key=lambda one: primary.arms[one].to_be_best)
        return place, "It is better than the control by an interval that holds however often one looks."
    if len(shown) == len(primary.compared) and all(value < 0 for value in shown.values()):
        return control, "Every other arm is worse, by intervals that hold however often one looks."
    return None


def _by_chance(rule: WinnerRule, primary: MetricReadOut, control: int, harmed: set[int]) -> tuple[int, str] | None:
    place = primary.best
    if place is None or place in harmed:
        return None
    arm, base = primary.arms[place], abs(primary.arms[control].value)
    lost = arm.expected_loss / base if base else arm.expected_loss
    if arm.to_be_best < rule.chance or lost > rule.loss:
        return None
    return place, f"It is the best with a chance of {arm.to_be_best:.1%}, and little is lost if it is not."
