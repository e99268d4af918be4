// Where blocks stand: the lists of a mail in the order of reading, and the next place of a block in each direction.
import { get, told } from "../blocks/tree.js";

// Every list with its path, outermost first: [{path, column: {row, index}}].
export function lists(language, root) {
  const found = [{ path: ["blocks"] }];
  root.blocks.forEach((node, at) => {
    const key = language.columnsKey(node);
    (key ? (node[key] ?? []) : []).forEach((_, index) =>
      found.push({ path: ["blocks", at, key, index, "blocks"], column: { row: ["blocks", at], key, index } }),
    );
  });
  return found;
}

export function walk(language, root, visit) {
  for (const { path } of lists(language, root)) {
    get(root, path).forEach((node, at) => visit(node, [...path, at]));
  }
}

export function pathOf(language, root, id) {
  let found = null;
  walk(language, root, (node, path) => {
    if (node.id === id) found = path;
  });
  return found;
}

// The places a block may stand in, in the order of reading; those inside the block itself are none.
function places(language, root, moving) {
  const node = get(root, moving);
  const found = [];
  root.blocks.forEach((other, at) => {
    found.push({ list: ["blocks"], index: at });
    const key = language.columnsKey(other);
    if (!key || other === node || language.isAtTopOnly(node.type)) return;
    other[key].forEach((column, index) => {
      const list = ["blocks", at, key, index, "blocks"];
      for (let place = 0; place <= column.blocks.length; place += 1) found.push({ list, index: place });
    });
  });
  found.push({ list: ["blocks"], index: root.blocks.length });
  return found;
}

// {list, index} for a move of the kernel, null at the end of the way.
export function stepOf(language, root, path, direction) {
  if (direction === "up" || direction === "down") return along(language, root, path, direction);
  return across(language, root, path, direction);
}

function along(language, root, path, direction) {
  const all = places(language, root, path);
  const list = told(path.slice(0, -1));
  const own = all.findIndex((place) => told(place.list) === list && place.index === path.at(-1));
  if (direction === "up") return all[own - 1] ?? null;
  // The place behind a block is where it stands already.
  const behind = all.findIndex((place) => told(place.list) === list && place.index === path.at(-1) + 1);
  return all[behind + 1] ?? null;
}

// Left and right go to the column beside, out of the outer ones, and from outside into a row above or below.
function across(language, root, path, direction) {
  const here = lists(language, root).find((list) => told(list.path) === told(path.slice(0, -1)));
  if (here?.column) {
    const { row, key, index } = here.column;
    const next = index + (direction === "in" ? 1 : -1);
    const columns = get(root, row)[key];
    if (!(next in columns)) return { list: ["blocks"], index: row.at(-1) + (direction === "in" ? 1 : 0) };
    return { list: [...row, key, next, "blocks"], index: Math.min(path.at(-1), columns[next].blocks.length) };
  }
  if (direction === "out" || language.isAtTopOnly(get(root, path).type)) return null;
  for (const at of [path.at(-1) - 1, path.at(-1) + 1]) {
    const key = root.blocks[at] && language.columnsKey(root.blocks[at]);
    if (key) return { list: ["blocks", at, key, 0, "blocks"], index: root.blocks[at][key][0].blocks.length };
  }
  return null;
}
