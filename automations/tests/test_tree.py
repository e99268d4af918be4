"""The tree by itself: its two spellings say the same, and the way through it is what a plain reader walks."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from automations.domain import tree
from automations.domain.tree import Problems, Step


def _line(children: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    plain = st.fixed_dictionaries({"action_type": st.sampled_from(["a", "b"]), "is_active": st.booleans()})
    split = st.fixed_dictionaries(
        {
            "action_type": st.just("branch"),
            "is_active": st.booleans(),
            "branches": st.fixed_dictionaries({"then": children, "otherwise": children}),
        }
    )
    return st.lists(st.one_of(plain, split), max_size=3)


LINES = st.recursive(st.just([]), _line, max_leaves=12)


def _read(raw: Any) -> tuple[Step, ...]:
    problems = Problems()
    steps = tree.read_actions(raw, problems)
    assert problems == {}
    return steps


def _walked(steps: tuple[Step, ...], choice: str) -> list[str]:
    """A plain reader: down the list, into the chosen branch, on behind it."""
    met = []
    for step in steps:
        if step.is_active:
            met.append(step.id)
            met += _walked(step.branches.get(choice, ()), choice)
    return met


@given(LINES)
def test_both_spellings_say_the_same(raw: Any) -> None:
    steps = _read(raw)

    assert [step.id for step in tree.walk(_read(tree.actions(steps)))] == [step.id for step in tree.walk(steps)]
    assert tree.actions(_read(tree.actions(steps))) == tree.actions(steps)
    assert tree.read_steps(tree.write_steps(steps)) == steps


@given(LINES, st.sampled_from(["then", "otherwise"]))
def test_the_way_through_is_what_a_plain_reader_walks(raw: Any, choice: str) -> None:
    steps = _read(raw)
    ways = tree.ways(steps)

    met, here = [], ways.first
    while here:
        met.append(here)
        here = ways.entrances[here].get(choice, ways.following[here])

    assert met == _walked(steps, choice)


def test_steps_are_ordered_by_action_order_and_problems_name_the_place_as_sent() -> None:
    problems = Problems()
    raw = [{"action_type": "b", "action_order": 5}, {"action_type": "a", "action_order": 1}, {"action_type": 7}]

    steps = tree.read_actions(raw, problems)

    assert [(step.type, step.place, step.path) for step in steps] == [
        ("a", "actions[1]", "0"),
        ("", "actions[2]", "1"),
        ("b", "actions[0]", "2"),
    ]
    assert problems == {"actions[2].action_type": "is missing; it names the kind of step"}


def test_a_step_keeps_its_id_when_others_are_added_and_given_ids_are_never_taken() -> None:
    before = _read([{"action_type": "a"}, {"action_type": "b"}])
    after = _read([{"action_type": "c"}, {"action_type": "a"}, {"action_type": "b"}])
    mixed = _read([{"action_type": "a"}, {"action_type": "b", "id": "a_1"}])

    assert {step.id for step in before} < {step.id for step in after}
    assert [step.id for step in mixed] == ["a_2", "a_1"]


def test_too_many_steps_are_refused() -> None:
    problems = Problems()

    tree.read_actions([{"action_type": "a"}] * (tree.MOST_STEPS + 1), problems)

    assert problems == {"actions": "a workflow has at most 200 steps"}
