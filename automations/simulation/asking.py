"""Segment rules asked about the past, in sets: which pairs of contact and moment meet a rule, and when next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.later import later
from common.moments import NEVER
from segments.past import Past
from segments.rules.tree import AttributeRule, PredictionRule, Rule, leaves

if TYPE_CHECKING:
    import numpy as np

    from common.moments import Ids, Moments, Truths
else:
    np = later("numpy")

# Looks at one wait before its outcome is taken for the time-out: only a contact whose events come by the thousand,
# none of them the awaited one, is looked at more often.
MOST_LOOKS = 2_000


def is_as_today(rule: Rule) -> bool:
    """Whether a rule reads what is only known as it is today: attributes, fields, predictions."""
    return any(isinstance(leaf, AttributeRule | PredictionRule) for leaf in leaves(rule))


def truths(past: Past, rule_json: Any, contacts: Ids, at: Moments) -> Truths:
    """Which of these contacts met the rule at the moment beside each; shape (len(contacts),)."""
    return past.verdicts(past.rule(rule_json), contacts, at)[0]


def first_truths(past: Past, rule_json: Any, contacts: Ids, since: Moments, until: Moments) -> Moments:
    """The first moment from `since` to `until` at which each contact meets the rule; `NEVER` where there is none.

    Each look says when the next one is due, so a contact is looked at as often as something happens to it.
    """
    rule = past.rule(rule_json)
    found = np.full(len(contacts), NEVER, dtype=np.int64)
    waiting, at = np.arange(len(contacts)), since.copy()
    for _ in range(MOST_LOOKS):
        if not len(waiting):
            break
        truth, flips = past.verdicts(rule, contacts[waiting], at[waiting])
        found[waiting[truth]] = at[waiting[truth]]
        at[waiting] = flips
        waiting = waiting[~truth & (flips <= until[waiting])]
    return found
