"""The kernel of the block editors by itself: operations on trees, in a browser because that is where they live."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

# A random tree, random moves; each must keep every leaf, leave the old tree alone and land where it says.
WALK = """async (seed) => {
  const { get, move, step, told } = await import("/static/blocks/tree.js");
  let state = seed;
  const random = (below) => { state = (state * 1103515245 + 12345) % 2147483648; return state % below; };
  let name = 0;
  const child = (depth) => (depth && random(3) === 0 ? tree(depth - 1) : { leaf: (name += 1) });
  const tree = (depth) => ({ rules: Array.from({ length: 1 + random(3) }, () => child(depth)) });
  const listOf = (node) => (node.rules ? "rules" : undefined);
  const leaves = (node) => (node.rules ? node.rules.flatMap(leaves) : [node.leaf]);
  const inner = (node, path) => (node.rules ?? []).flatMap((child, at) => paths(child, [...path, "rules", at]));
  const paths = (node, path = []) => [...(path.length ? [path] : []), ...inner(node, path)];
  const wrong = [];
  for (let round = 0; round < 60; round += 1) {
    const root = tree(3);
    const before = JSON.stringify(root);
    const all = paths(root);
    const path = all[random(all.length)];
    const node = get(root, path);
    for (const direction of ["up", "down", "in", "out"]) {
      const target = step(root, path, direction, listOf);
      if (!target) continue;
      const what = `${direction} of ${told(path)}`;
      const moved = move(root, path, target.list, target.index);
      if (!moved) { wrong.push(`${what} ends inside itself`); continue; }
      if (get(moved.root, moved.path) !== node) wrong.push(`${what} is not at ${told(moved.path)}`);
      if (leaves(moved.root).sort().join() !== leaves(root).sort().join()) wrong.push(`${what} loses`);
      const back = { up: "down", down: "up" }[direction];
      if (back) {
        const home = step(moved.root, moved.path, back, listOf);
        const again = move(moved.root, moved.path, home.list, home.index);
        if (JSON.stringify(again.root) !== before) wrong.push(`${back} does not undo ${what}`);
      }
    }
    if (node.rules && move(root, path, [...path, "rules"], 0) !== null) wrong.push(`${told(path)} went into itself`);
    if (JSON.stringify(root) !== before) wrong.push("the old tree was changed");
  }
  return wrong;
}"""


@pytest.fixture
def page(visit: Any) -> Page:
    opened: Page = visit("/").page
    return opened


@pytest.mark.parametrize("seed", range(1, 6))
def test_moves_keep_every_leaf_and_steps_undo_each_other(page: Page, seed: int) -> None:
    assert page.evaluate(WALK, seed) == []


def test_paths_are_told_and_read(page: Page) -> None:
    found = page.evaluate(
        """async () => {
          const { read, told, set } = await import("/static/blocks/tree.js");
          return [told(["rules", 2, "rules", 0, "value"]), read("rules[2].where[0].value"), told(read("rule")),
                  set({ a: { b: 1, c: 2 } }, ["a", "b"], undefined), set({}, ["then", "event"], "x")];
        }"""
    )
    assert found == [
        "rules[2].rules[0].value",
        ["rules", 2, "where", 0, "value"],
        "rule",
        {"a": {"c": 2}},
        {"then": {"event": "x"}},
    ]


def test_history_joins_strokes_and_forgets_what_was_undone(page: Page) -> None:
    found = page.evaluate(
        """async () => {
          const { History } = await import("/static/blocks/history.js");
          const history = new History(0);
          history.push(1, "name"); history.push(2, "name"); history.push(3, "other"); history.push(4);
          const seen = [history.states.slice()];
          history.undo(); history.undo(); history.push(9);
          return [...seen, history.states, history.redo(), history.undo(), history.undo(), history.undo()];
        }"""
    )
    assert found == [[0, 2, 3, 4], [0, 2, 9], False, True, True, False]
