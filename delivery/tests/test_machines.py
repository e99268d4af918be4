"""Machines told from people, measured on a labelled set; and each sign alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.domain import machines
from delivery.domain.machines import CLICK, OPEN, Seen
from delivery.tests.labelled_visits import CHROME, GMAIL, HARD, SENT, STORIES, Visit


def judged(story: list[Visit]) -> list[str]:
    return machines.judge([visit.seen() for visit in story], SENT)


@pytest.mark.parametrize("name", STORIES)
def test_every_plain_story_is_told_right(name: str) -> None:
    story = STORIES[name]

    assert [bool(signal) for signal in judged(story)] == [visit.is_machine for visit in story]


def test_the_measure_over_all_stories_hard_ones_too(record_property: Callable[[str, object], None]) -> None:
    pairs = [
        (visit, bool(signal))
        for story in [*STORIES.values(), *HARD.values()]
        for visit, signal in zip(story, judged(story), strict=True)
    ]
    for kind, most_missed in ((OPEN, 0.15), (CLICK, 0.05)):
        own = [(visit.is_machine, told) for visit, told in pairs if visit.kind == kind]
        caught = sum(is_machine and told for is_machine, told in own)
        recall = caught / sum(is_machine for is_machine, _ in own)
        precision = caught / sum(told for _, told in own)
        record_property(kind, f"{recall:.0%} of the machines found, {precision:.0%} of those called so are")
        assert recall >= 1 - most_missed
        assert precision >= 0.93


def test_every_signal_has_a_sentence_and_a_story() -> None:
    given_signals = {signal for story in STORIES.values() for signal in judged(story) if signal}

    assert given_signals == set(machines.SIGNALS)


@given(st.randoms(use_true_random=False), st.sampled_from([*STORIES, *HARD]))
def test_the_order_in_which_visits_arrive_does_not_matter(shuffler: random.Random, name: str) -> None:
    story = {**STORIES, **HARD}[name]
    mixed = story[:]
    shuffler.shuffle(mixed)

    there = dict(zip(story, judged(story), strict=True))
    here = dict(zip(mixed, judged(mixed), strict=True))

    assert there == here


def test_a_message_that_is_not_sent_yet_judges_nobody_by_haste() -> None:
    seen = [Seen(OPEN, SENT, GMAIL), Seen(CLICK, SENT + timedelta(seconds=1), CHROME, "https://shop.example/a")]

    assert machines.judge(seen[1:], None) == [""]
