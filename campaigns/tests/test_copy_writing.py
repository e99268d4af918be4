"""Lines are written from the message's own pieces: different, short enough, and never more than it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from campaigns.copy import facts, material, ranker, writing
from campaigns.copy.forms import FORMS, STATES
from campaigns.copy.languages import LANGUAGES
from campaigns.copy.writing import Brief
from delivery.domain import template_rules
from delivery.domain.template_rules import Vocabulary

MAIL: dict[str, Any] = {
    "headings": ["Spring is here: light knits for cool evenings"],
    "texts": [
        "Hello {{ contact.name }},",
        "Our new jumpers are knitted from organic cotton. They keep you warm without being heavy. "
        "Save 20% off all knits until Sunday with code SPRING20.",
    ],
    "products": ["Sea green jumper", "Wool socks"],
    "buttons": ["See the knits"],
    "subject": "Spring is here",
}
BRIEF = {
    "headings": ["Der Frühling ist da"],
    "texts": ["Unsere neuen Pullover sind aus Biobaumwolle. Bis Sonntag 20 % Rabatt auf alles."],
    "products": ["Pullover Meer", "Wollsocken"],
}


def rank(lines: Sequence[str]) -> list[float]:
    return [float(score) for score in ranker.general().scores(lines)]


def test_the_pieces_of_a_mail_are_its_own_words() -> None:
    found = material.gather(**MAIL)

    assert (found.headline, found.products) == (MAIL["headings"][0], ("Sea green jumper", "Wool socks"))
    assert (found.offer, found.deadline, found.code) == ("Save 20% off", "Sunday", "SPRING20")
    assert (found.has_both, found.is_new, found.action) == (True, True, "See the knits")
    assert found.sentences[0] == "Our new jumpers are knitted from organic cotton"
    assert "{{" not in found.text


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        ("Register by 24 December.", "24 December"), ("It ends tonight.", "tonight"),
        ("Nur noch bis Freitag!", "Freitag"),
        ("Nur bis zum 24.12. gültig.", "24.12"), ("Hurry, it is going fast!", ""), ("Bald ist Weihnachten.", ""),
        ("We met by Monday street", "Monday"),
    ],
)  # fmt: skip
def test_a_deadline_is_a_day_or_a_date_that_the_mail_gives(text: str, deadline: str) -> None:
    assert material.gather(texts=[text]).deadline == deadline


def test_there_are_five_that_differ_in_form_and_one_holds_the_offer() -> None:
    lines = writing.subjects(material.gather(**MAIL), Brief(), rank)

    assert len(lines) == 5
    assert len({line.form for line in lines}) == 5
    assert any("20%" in line.text and line.form in ("offer", "urgency") for line in lines)
    assert all(line.length <= 60 and 30 <= len(line.preheader) <= 110 for line in lines)
    assert len({line.preheader for line in lines}) == 5


def test_german_is_written_formally_where_the_brand_does() -> None:
    mail = material.gather(**BRIEF)

    familiar = " ".join(line.text for line in writing.subjects(mail, Brief("de"), rank))
    formal = " ".join(line.text for line in writing.subjects(mail, Brief("de", is_formal=True), rank))

    assert "dir" in familiar or "dich" in familiar
    assert "Ihnen" in formal or "Sie" in formal
    assert " du " not in f" {formal} "


@pytest.mark.parametrize("state", [state for state in STATES if state])
def test_one_line_speaks_to_where_the_readers_stand(state: str) -> None:
    for language in LANGUAGES:
        mail = material.gather(**(MAIL if language == "en" else BRIEF))
        lines = writing.subjects(mail, Brief(language, state), rank)

        assert len(lines) == 5
        assert "state" in {line.form for line in lines}


def test_who_complained_is_neither_hurried_nor_quizzed() -> None:
    forms = {line.form for line in writing.subjects(material.gather(**MAIL), Brief(state="complained"), rank)}

    assert not forms & {"urgency", "question", "offer", "curious", "news"}


def test_without_a_deadline_nothing_presses() -> None:
    mail = material.gather(headings=["Spring knits"], texts=["They keep you warm without being heavy."])

    lines = writing.subjects(mail, Brief(), rank)

    assert {line.form for line in lines}.isdisjoint({"urgency", "offer", "news"})
    assert not any("until" in line.text.lower() for line in lines)


def test_shown_and_avoided_words_do_not_come_again() -> None:
    mail = material.gather(**MAIL)
    first = writing.subjects(mail, Brief(), rank)

    again = writing.subjects(
        mail, Brief(shown=frozenset(line.text.casefold() for line in first), avoided=frozenset({"jumper"})), rank
    )

    assert not {line.text for line in first} & {line.text for line in again}
    assert not any("jumper" in line.text.lower().split() for line in again)


@pytest.mark.parametrize(
    ("line", "invented"),
    [
        ("20% off until Sunday", []), ("Seven things for spring", ["7"]), ("50% off", ["50", "50%"]),
        ("20 days left", ["20 days"]),
        ("Save €20", ["€", "€20"]), ("A free gift", ["free", "gift"]), ("Ends tomorrow", ["tomorrow", "Ends"]),
        ("Last chance", ["Last chance"]), ("Guaranteed warm", ["Guaranteed"]), ("The new jumper", []),
        ("Until Monday", ["Monday"]), ("Only 3 left", ["3", "Only 3"]),
    ],
)  # fmt: skip
def test_what_the_mail_does_not_say_is_found(line: str, invented: list[str]) -> None:
    assert facts.inventions(line, material.gather(**MAIL)) == invented


def test_placeholders_are_templates_that_may_be_published() -> None:
    for key, language in LANGUAGES.items():
        lines = writing.subjects(material.gather(headings=["Spring knits"]), Brief(key), rank)
        named = [line.text for line in lines if line.form == "personal"]

        assert named and language.name_slot in named[0]
        assert template_rules.faults(named[0], Vocabulary()) == []
        assert not any(
            "{{" in line.text
            for line in writing.subjects(material.gather(**MAIL), Brief(key, takes_name=False), rank)
        )


@pytest.mark.parametrize(
    "text", ["{{" * 9_000, "1" * 19_000, "9,9" * 6_000, "up to " * 3_000, "( " * 9_000, "A. " * 6_000]
)
def test_hostile_texts_come_to_an_end(text: str) -> None:
    # Patterns without limits need minutes for these.
    lines = writing.subjects(material.gather(texts=[text], headings=[text]), Brief(), rank)

    assert all(line.length <= 60 for line in lines)


def test_short_texts_keep_their_link_and_fit() -> None:
    lines = writing.texts(material.gather(**MAIL), Brief(longest=159 - 20), "https://shop.example")

    assert len(lines) == 5
    assert all(line.text.endswith(" https://shop.example") and line.length <= 160 for line in lines)


def test_every_form_has_wordings_in_every_language() -> None:
    for language in LANGUAGES.values():
        assert set(language.subjects) == set(FORMS) - {"state"}
        assert set(language.states) == set(STATES) - {""}
        assert set(language.texts) == set(language.subjects)


@settings(max_examples=25, deadline=None)
@given(
    some.lists(some.text(max_size=80), max_size=3),
    some.lists(some.text(max_size=300), max_size=3),
    some.sampled_from(sorted(LANGUAGES)),
)
def test_whatever_a_mail_says_lines_are_true_short_and_publishable(
    headings: list[str], texts: list[str], language: str
) -> None:
    mail = material.gather(headings=headings, texts=texts)

    for line in writing.subjects(mail, Brief(language), lambda lines: [0.0] * len(lines)):
        assert line.length <= 60
        assert facts.inventions(line.text, mail) == []
        assert template_rules.faults(line.text, Vocabulary()) == []
