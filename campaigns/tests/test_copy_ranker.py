"""The ranker: what it sees of a line, that it learns what is there, and that it is judged on what it has not seen."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from campaigns.copy import features, ranker, reporting, training
from campaigns.copy.training import Arm

NOUNS = ("harbour", "garden", "kitchen", "window", "mountain", "river", "market", "bridge", "orchard", "island")


def arms(tests: int = 150) -> list[Arm]:
    """Tests of two lines: the one with a number is clicked half as often again."""
    rows = []
    for number in range(tests):
        noun, other = NOUNS[number % 10], NOUNS[number // 10 % 10]
        rows += [
            Arm(
                f"t{number}",
                f"{3 + number % 7} things about the {noun} and the {other} {number // 100}",
                "p",
                4000,
                240,
            ),
            Arm(
                f"t{number}", f"Some things about the {noun} and the {other} {'x' * (number // 100)}", "p", 4000, 160
            ),
        ]
    return rows


def test_traits_are_what_a_reader_sees() -> None:
    seen = dict(zip(features.NAMES, features.traits("3 reasons why your garden waits?"), strict=True))

    assert (seen["question"], seen["number"], seen["number_first"], seen["second_person"], seen["why"]) == (1,) * 5
    assert (seen["exclamation"], seen["percent"], seen["shouted"]) == (0, 0, 0)
    assert seen["characters"] == 32 / 50


def test_pieces_are_the_same_everywhere_and_of_length_one() -> None:
    places, values = features.pieces("Spring is here")

    again = features.pieces("Spring is here")
    assert np.array_equal(places, again[0])
    assert np.sum(values**2) == pytest.approx(2, abs=0.1)  # words, and letters
    assert all(0 <= place < features.BUCKETS for place in places)


def test_an_odd_line_has_a_score() -> None:
    scores = ranker.general().scores(["", " ", "🎉", "\ud800", "a" * 100_00, "{{ contact.first_name }}"])

    assert np.isfinite(scores).all()


def test_it_learns_what_is_there_and_says_how_much() -> None:
    pairs = training.compare(arms())

    learned = training.trained(pairs)

    first, second = learned.scores(["4 things about the harbour", "Some things about the harbour"])
    assert first > second
    assert learned.to_win(np.array([first, second]))[0] > 0.8
    assert learned.effects["number"].change == pytest.approx(0.4, abs=0.03)
    assert learned.effects["number"].low > 0.3


def test_headlines_are_compared_under_the_same_picture_only() -> None:
    pairs = training.compare(
        [Arm("t", "One", "a", 1000, 50), Arm("t", "Two", "b", 1000, 10), Arm("t", "Three", "a", 1000, 40)]
    )

    assert [
        (pairs.lines[first], pairs.lines[second]) for first, second in zip(pairs.first, pairs.second, strict=True)
    ] == [("Three", "One")]
    assert pairs.difference[0] == pytest.approx(-0.01 / (91 / 2002))


def test_tests_that_share_a_headline_stay_together() -> None:
    pairs = training.compare(
        [
            Arm("t1", "One", "a", 100, 5), Arm("t1", "Two", "a", 100, 5),
            Arm("t2", "two", "a", 100, 5), Arm("t2", "Three", "a", 100, 5),
            Arm("t3", "Four", "a", 100, 5), Arm("t3", "Five", "a", 100, 5),
        ]
    )  # fmt: skip

    first, second, third = training.groups(pairs)
    assert first == second != third


def test_it_is_judged_beside_length_on_tests_it_has_not_seen() -> None:
    found = {each.name: each for each in reporting.unseen(training.compare(arms()))}

    assert found["held out"].sure_pairs.share == 1
    assert found["held out, the longer one"].sure_pairs.share < 1
    assert found["held out"].sure_pairs.pairs + found["cross-validated"].sure_pairs.pairs == 150


def test_noise_is_not_learned() -> None:
    random = np.random.default_rng(7)
    rows = [
        Arm(
            f"t{number}",
            " ".join(random.choice(NOUNS, 5)) + f" {number}",
            "p",
            3000,
            int(random.binomial(3000, 0.04)),
        )
        for number in np.repeat(np.arange(200), 2)
    ]
    pairs = training.compare(rows)
    everything = np.ones(len(pairs), dtype=bool)

    told = training.cross_validated(pairs, training.table(pairs.lines), everything, training.groups(pairs))

    judged = training.accuracy(pairs, told, everything)
    assert judged.low < 0.5 < judged.high


def test_the_file_holds_what_was_saved(tmp_path: Path) -> None:
    learned = training.trained(training.compare(arms(40)))
    ranker.save(learned, tmp_path / "ranker.npz")

    read = ranker.load(tmp_path / "ranker.npz")

    lines = ["4 things about the harbour", "Some things about the river"]
    assert read.scores(lines) == pytest.approx(learned.scores(lines), abs=0.01)
    assert (read.slope, read.effects) == (learned.slope, learned.effects)


def test_the_card_says_what_the_committed_file_was_judged_at() -> None:
    card = ranker.FILE.with_name("MODEL_CARD.md").read_text()

    told = {each["name"]: each for each in ranker.general().about["unseen"]}
    for name in ("cross-validated", "cross-validated, the longer one", "held out", "held out, the longer one"):
        for pairs in ("sure_pairs", "all_pairs"):
            assert f"{told[name][pairs]['share'] * 100:.1f} %" in card
    assert "CC BY 4.0" in card
    assert ranker.FILE.stat().st_size < 300_000


def test_a_file_of_tests_is_judged_by_command(tmp_path: Path) -> None:
    path, output = tmp_path / "tests.csv", StringIO()
    rows = [f"{arm.test},{arm.headline},{arm.picture},{arm.shown},{arm.clicked}" for arm in arms(12)]
    path.write_text("\n".join(["test_id,headline,image_id,impressions,clicks", *rows]))

    call_command("judge_copy_ranker", path, as_json=True, stdout=output)

    assert json.loads(output.getvalue())[0]["sure_pairs"]["pairs"] == 12
    with pytest.raises(CommandError):
        call_command("judge_copy_ranker", tmp_path / "none.csv")
