// Where steps stand: walks through the tree, and the next place of a step in each direction.
import { get, told } from "../blocks/tree.js";

export const TOP = ["actions"];

export function walk(nodes, visit, list = TOP) {
  nodes.forEach((node, index) => {
    visit(node, [...list, index]);
    for (const [name, steps] of Object.entries(node.branches ?? {})) {
      walk(steps, visit, [...list, index, "branches", name]);
    }
  });
}

export function pathOf(root, id) {
  let found = null;
  walk(root.actions, (node, path) => {
    if (node.id === id) found = path;
  });
  return found;
}

export function idsOf(root) {
  const ids = new Set();
  walk(root.actions, (node) => ids.add(node.id));
  return ids;
}

// How many steps stand in a step's branches, at any depth.
export function inside(node) {
  let count = 0;
  for (const steps of Object.values(node.branches ?? {})) walk(steps, () => (count += 1));
  return count;
}

// The path of the step whose branch a list is; null for the outermost list.
export const ownerOf = (list) => (list.length > 1 ? list.slice(0, -2) : null);

// {list, index} for a move of the kernel, null at the end of the way.
export function stepOf(root, path, direction) {
  if (direction === "up" || direction === "down") return along(root, path, direction);
  return across(root, path, direction);
}

// The places a step may stand in, in the order of reading; those inside the step itself are none.
function places(root, moving) {
  const found = [];
  const lay = (nodes, list) => {
    nodes.forEach((node, index) => {
      found.push({ list, index });
      if (node === moving) return;
      for (const [name, steps] of Object.entries(node.branches ?? {})) lay(steps, [...list, index, "branches", name]);
    });
    found.push({ list, index: nodes.length });
  };
  lay(root.actions, TOP);
  return found;
}

function along(root, path, direction) {
  const all = places(root, get(root, path));
  const list = told(path.slice(0, -1));
  const at = (index) => all.findIndex((place) => told(place.list) === list && place.index === index);
  if (direction === "up") return all[at(path.at(-1)) - 1] ?? null;
  return all[at(path.at(-1) + 1) + 1] ?? null; // the place behind a step is where it stands already
}

// Left and right go to the branch beside and out of the outermost; right goes into a branching neighbour, too.
function across(root, path, direction) {
  const list = path.slice(0, -1);
  const owner = ownerOf(list);
  if (owner) {
    const names = Object.keys(get(root, owner).branches);
    const next = names[names.indexOf(list.at(-1)) + (direction === "in" ? 1 : -1)];
    if (next === undefined) return { list: owner.slice(0, -1), index: owner.at(-1) + (direction === "in" ? 1 : 0) };
    const steps = get(root, [...owner, "branches", next]);
    return { list: [...owner, "branches", next], index: Math.min(path.at(-1), steps.length) };
  }
  if (direction === "out") return null;
  for (const at of [path.at(-1) - 1, path.at(-1) + 1]) {
    const name = Object.keys(get(root, list)[at]?.branches ?? {})[0];
    if (name !== undefined) {
      const into = [...list, at, "branches", name];
      return { list: into, index: get(root, into).length };
    }
  }
  return null;
}
