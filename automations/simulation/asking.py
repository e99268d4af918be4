"""Segment rules asked about the past, in sets: which pairs of contact and moment meet a rule, and when next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from automations.simulation.moments import NEVER, column, moments
from common.later import later
from segments import rules
from segments import selectors as segments
from segments.rules import needs
from segments.rules.conditions import condition_of
from segments.rules.tree import AttributeRule, EventRule, Rule, leaves

if TYPE_CHECKING:
    import numpy as np

    from automations.simulation.moments import Ids, Moments, Truths
else:
    np = later("numpy")

# Looks at one wait before its outcome is taken for the time-out: only a contact whose events come by the thousand,
# none of them the awaited one, is looked at more often.
MOST_LOOKS = 2_000


def is_as_today(rule: Rule) -> bool:
    """Whether a rule reads what is only known as it is today: attributes, fields, predictions."""
    return any(isinstance(leaf, AttributeRule) or type(leaf).__name__ == "PredictionRule" for leaf in leaves(rule))


def _is_steady(rule: Rule) -> bool:
    """Whether the answer is the same at every moment of the past."""
    return all(
        needs.is_timeless(leaf)
        and not isinstance(leaf, EventRule)
        and (isinstance(leaf, AttributeRule) or condition_of(leaf).turns is None)
        for leaf in leaves(rule)
    )


def truths(rule_json: Any, contacts: Ids, at: Moments) -> Truths:
    """Which of these contacts met the rule at the moment beside each; shape (len(contacts),)."""
    rule = rules.parse_stored(rule_json)
    return _answers(rule, contacts, at)[0]


def _answers(rule: Rule, contacts: Ids, at: Moments) -> tuple[Truths, Moments]:
    """Truth, and the next moment that may change it. Nobody is asked about twice for one moment."""
    if not len(contacts):
        return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64)
    moment = np.zeros_like(at) if _is_steady(rule) else at
    pairs, places = np.unique(np.stack([contacts, moment]), axis=1, return_inverse=True)
    asked = moments(pairs[1]) if not _is_steady(rule) else moments(np.full(pairs.shape[1], at[0]))
    found = segments.past_verdicts(rule, pairs[0].tolist(), asked)
    truth = np.array([is_match for is_match, _ in found], dtype=np.bool_)
    flips = column([flips_at for _, flips_at in found])
    places = places.reshape(-1)
    return truth[places], flips[places]


def first_truths(rule_json: Any, contacts: Ids, since: Moments, until: Moments) -> Moments:
    """The first moment from `since` to `until` at which each contact meets the rule; `NEVER` where there is none.

    Each look says when the next one is due, so a contact is looked at as often as something happens to it.
    """
    rule = rules.parse_stored(rule_json)
    found = np.full(len(contacts), NEVER, dtype=np.int64)
    waiting, at = np.arange(len(contacts)), since.copy()
    for _ in range(MOST_LOOKS):
        if not len(waiting):
            break
        truth, flips = _answers(rule, contacts[waiting], at[waiting])
        found[waiting[truth]] = at[waiting[truth]]
        at[waiting] = flips
        waiting = waiting[~truth & (flips <= until[waiting])]
    return found
