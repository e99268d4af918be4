"""Why a line is proposed, in words that a marketer reads."""

from __future__ import annotations

from campaigns.copy import features
from campaigns.copy.forms import FORMS, STATES
from campaigns.copy.learning import Judge
from campaigns.copy.material import Material
from campaigns.copy.own import Learnt
from campaigns.copy.ranker import LANGUAGE, Effect, Ranker
from campaigns.copy.writing import HOW_MANY, INBOX, PHONE, Brief, Line, plain

LEAST_OWN, OFTEN = 4, 0.66
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
    """Sentences: what it does, whether it fits, for whom it is, what own tests and tests of headlines say."""
    found = [f"It {FORMS[line.form].reason}.", _length(line, brief)]
    if line.form == "state" and brief.state:
        found.append(f"It is written for {STATES[brief.state]}.")
    if line.form in ("offer", "urgency") and material.offer:
        found.append(f"“{material.offer}” stands in the message.")
    if judge is None:
        return found
    if not judge.is_measured(plain(line.text)):
        found.append(TOO_SHORT if judge.language == LANGUAGE else UNMEASURED)
    has = {name for name, value in zip(features.NAMES, features.traits(plain(line.text)), strict=True) if value > 0}
    own = _own_evidence(has, judge.learnt)
    return found + (own or (_evidence(has, judge.ranker) if judge.language == LANGUAGE else []))


def _own_evidence(has: set[str], learnt: Learnt) -> list[str]:
    """Traits that did well in most of the own tests in which just one line had them."""
    rows = [(name, *learnt.traits[name]) for name in SEEN if name in has and name in learnt.traits]
    good = [row for row in rows if row[2] >= LEAST_OWN and row[1] >= OFTEN * row[2]]
    return [
        f"It {SEEN[name]}: that did well in {won} of your last {asked} tests of it."
        for name, won, asked in sorted(good, key=lambda row: -row[1] / row[2])[:2]
    ]


def _length(line: Line, brief: Brief) -> str:
    if brief.longest > INBOX:
        return f"{line.length} characters of at most {brief.longest}."
    if line.length <= PHONE:
        return f"{line.length} characters fit on a phone."
    return f"{line.length} characters: a phone may cut it at {PHONE}."


def _evidence(has: set[str], ranker: Ranker) -> list[str]:
    """What surely helped or hurt in the tests of headlines: the largest of each, what helped first."""
    known = {name: ranker.effects[name] for name in SEEN if name in has and name in ranker.effects}
    helped = [(name, effect) for name, effect in known.items() if effect.low > 0]
    hurt = [(name, effect) for name, effect in known.items() if effect.high < 0]
    ordered = [
        *sorted(helped, key=lambda each: -each[1].change)[:1],
        *sorted(hurt, key=lambda each: each[1].change)[:1],
    ]
    return [_told(SEEN[name], effect) for name, effect in ordered]


def _told(what: str, effect: Effect) -> str:
    low, high = sorted((abs(effect.low), abs(effect.high)))
    span = f"{low:.0%} to {high:.0%}, {effect.pairs:,} pairs of news headlines"
    if effect.change > 0:
        return f"It {what}: headlines that did were clicked {effect.change:.0%} more often ({span})."
    return f"Against it: it {what}, and headlines that did were clicked {-effect.change:.0%} less often ({span})."


FEW = "The message gives {count} lines that differ: the more it says, the more can be said of it."
NOT_RANKED = "These are not ranked: the tests we learned from were of headlines. The order is that of the forms."
NOT_OUR_LANGUAGE = (
    "Ranked by length, marks and numbers only: the tests we learned from were in English, and how often this order "
    "is right in another language nobody has measured. A test with your own readers decides; from eight of them on "
    "they rank."
)
UNMEASURED = "How sure its place is, is not known in this language."
TOO_SHORT = "How sure its place is, is not known: it is shorter than the lines that were tested."
A_HINT = "Ranked by what tests of news headlines showed, which is a hint: a test with your own readers decides."
OWN_USED = (
    "Your own {tests} tests correct the ranking: with them {own:.0f} of {pairs} better lines were foretold, "
    "without them {general:.0f}."
)
OWN_KEPT_OUT = "Your own {tests} tests do not foretell better than the general ranking yet, so they are left out."


def notes(reason: str, count: int, judge: Judge | None) -> list[str]:
    """What a reader of the lines should know: why the model was not used, how few they are, what orders them."""
    found = [reason] if reason else []
    if count < HOW_MANY:
        found.append(FEW.format(count=count))
    if judge is None:
        return [*found, NOT_RANKED]
    if judge.language == LANGUAGE:
        found.append(A_HINT)
    elif not judge.learnt.is_better:
        found.append(NOT_OUR_LANGUAGE)
    if learnt := judge.learnt if judge.learnt.tests else None:
        words = OWN_USED if learnt.is_better else OWN_KEPT_OUT
        found.append(
            words.format(tests=learnt.tests, own=learnt.own_right, general=learnt.general_right, pairs=learnt.pairs)
        )
    return found
