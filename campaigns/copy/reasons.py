"""Why a line is proposed, in words that a marketer reads."""

from __future__ import annotations

import numpy as np

from campaigns.copy import features
from campaigns.copy.forms import FORMS, STATES
from campaigns.copy.learning import Judge
from campaigns.copy.material import Material
from campaigns.copy.ranker import LANGUAGE, Effect, Ranker
from campaigns.copy.writing import INBOX, PHONE, Brief, Line, plain

# Traits that a reader sees, as the beginning of a sentence; forms say the others.
SEEN = {
    "number": "names a number",
    "question": "asks a question",
    "exclamation": "has an exclamation mark",
    "colon": "has a colon",
    "denial": "says what is not",
    "superlative": "says “all”, “best” or “only”",
    "contrast": "has a “but”",
    "turn": "says “before”, “after” or “until”",
    "this": "says “this” or “here”",
    "what": "says “what”",
}


def reasons(line: Line, material: Material, brief: Brief, judge: Judge | None) -> list[str]:
    """Sentences: what it does, whether it fits, what tests of headlines say of lines like it, for whom it is."""
    found = [f"It {FORMS[line.form].reason}.", _length(line, brief)]
    if line.form == "state" and brief.state:
        found.append(f"It is written for {STATES[brief.state]}.")
    if line.form in ("offer", "urgency") and material.offer:
        found.append(f"“{material.offer}” stands in the message.")
    return found + (_evidence(line, judge.ranker) if judge and judge.language == LANGUAGE else [])


def _length(line: Line, brief: Brief) -> str:
    if brief.longest > INBOX:
        return f"{line.length} characters of at most {brief.longest}."
    if line.length <= PHONE:
        return f"{line.length} characters fit on a phone."
    return f"{line.length} characters: a phone may cut it at {PHONE}."


def _evidence(line: Line, ranker: Ranker) -> list[str]:
    """What surely helped or hurt in the tests, the largest first; at most two sentences."""
    has = dict(zip(features.NAMES, np.asarray(features.traits(plain(line.text))) > 0, strict=True))
    known = {name: ranker.effects[name] for name in SEEN if has[name] and name in ranker.effects}
    sure = {name: effect for name, effect in known.items() if effect.low > 0 or effect.high < 0}
    ordered = sorted(sure.items(), key=lambda each: -abs(each[1].change))
    return [_told(SEEN[name], effect) for name, effect in ordered[:2]]


def _told(what: str, effect: Effect) -> str:
    way = "more" if effect.change > 0 else "less"
    low, high = sorted((abs(effect.low), abs(effect.high)))
    span = f"{low:.0%} to {high:.0%}, {effect.pairs:,} pairs of news headlines"
    return f"It {what}: headlines that did were clicked {abs(effect.change):.0%} {way} often ({span})."
