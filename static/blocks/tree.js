// Trees of plain JSON, edited without changing them: each operation returns a new root that shares what stayed.
//
// A path is a list of keys, ["rules", 2, "value"]; told to people and by the server it is "rules[2].value".
// A node stands in a list, so its path ends with a number. Names people give may hold dots and brackets; told, they
// are written as in an address.

const escaped = (key) => key.replace(/[%.[\]]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
const plain = (key) => key.replace(/%(25|2e|5b|5d)/g, (_, code) => String.fromCharCode(parseInt(code, 16)));

export const told = (path) =>
  path.map((key, place) => (typeof key === "number" ? `[${key}]` : `${place ? "." : ""}${escaped(key)}`)).join("");

export const read = (text) =>
  [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? plain(key) : Number(index),
  );

export const get = (root, path) => path.reduce((node, key) => node?.[key], root);

export function set(root, path, value) {
  if (!path.length) return value;
  const [key, ...rest] = path;
  const copy = Array.isArray(root) ? [...root] : { ...root };
  const next = set(root?.[key], rest, value);
  if (next === undefined && !Array.isArray(copy)) delete copy[key];
  else copy[key] = next;
  return copy;
}

export function insert(root, listPath, index, node) {
  const list = [...(get(root, listPath) ?? [])];
  list.splice(index, 0, node);
  return set(root, listPath, list);
}

export function remove(root, path) {
  const list = [...get(root, path.slice(0, -1))];
  list.splice(path.at(-1), 1);
  return set(root, path.slice(0, -1), list);
}

export const copyOf = (node) => structuredClone(node);

const starts = (path, beginning) => beginning.every((key, place) => path[place] === key);

// Where a list or node stands once the node at `gone` was taken out.
function withoutNode(path, gone) {
  const list = gone.slice(0, -1);
  const at = path[list.length];
  if (path.length <= list.length || !starts(path, list) || at <= gone.at(-1)) return path;
  return [...list, at - 1, ...path.slice(list.length + 1)];
}

// Take the node at `path` and put it at `index` of another (or the same) list, both as they stand before the move.
// {root, path} of what came of it, or null when a node would have to stand inside itself.
export function move(root, path, listPath, index) {
  if (starts(listPath, path)) return null;
  const node = get(root, path);
  const isSameList = told(listPath) === told(path.slice(0, -1));
  const target = withoutNode(listPath, path);
  const place = isSameList && index > path.at(-1) ? index - 1 : index;
  return { root: insert(remove(root, path), target, place, node), path: [...target, place] };
}

// One step of a node by keyboard, as a list and an index for `move`; null at the end of the way.
// Up and down walk through the neighbours, into the group that is met and out of the one that ends.
// `listOf(node)` is the key of a node's own list, or undefined when it holds none.
export function step(root, path, direction, listOf) {
  const list = path.slice(0, -1);
  const at = path.at(-1);
  const owner = list.slice(0, -1);
  const outside = owner.length ? owner.slice(0, -1) : null;
  const neighbour = (place) => {
    const key = listOf(get(root, [...list, place]) ?? {});
    return key === undefined ? null : [...list, place, key];
  };
  if (direction === "out") return outside && { list: outside, index: owner.at(-1) + 1 };
  if (direction === "in") {
    const into = neighbour(at - 1) ?? neighbour(at + 1);
    return into && { list: into, index: neighbour(at - 1) ? get(root, into).length : 0 };
  }
  const isDown = direction === "down";
  const next = at + (isDown ? 1 : -1);
  if (next < 0 || next >= get(root, list).length) {
    return outside && { list: outside, index: owner.at(-1) + (isDown ? 1 : 0) };
  }
  const into = neighbour(next);
  if (into) return { list: into, index: isDown ? 0 : get(root, into).length };
  return { list, index: isDown ? at + 2 : next };
}
