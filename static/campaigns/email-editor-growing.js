// How the tree grows: a block put in, a row arranged anew, a snippet taken apart.
import { get, insert, remove, set, told } from "../blocks/tree.js";
import { renamed } from "./email-editor-language.js";
import { pathOf } from "./email-editor-moves.js";

// Without a place: behind the chosen block, else at the end.
export function insertNode(editor, node, listPath = null, index = null) {
  const after = listPath ? null : editor.chosen && pathOf(editor.language, editor.state, editor.chosen);
  const isInner = after && after.length > 2 && !editor.language.isAtTopOnly(node.type);
  const place = listPath ?? (after ? (isInner ? after.slice(0, -1) : ["blocks"]) : ["blocks"]);
  const at = index ?? (after ? (isInner ? after.at(-1) : after[1]) + 1 : editor.state.blocks.length);
  editor.chosen = node.id;
  editor.fresh.add(node.id);
  editor.add(place, at, node, "#open");
  editor.preview.mark(node.id);
  const card = editor.querySelector(`[data-id="${CSS.escape(node.id)}"]`);
  card?.scrollIntoView({ block: "nearest" });
  card?.querySelector(".mle-properties [data-main]")?.focus();
}

export function arrange(editor, path, widths, label) {
  const columns = get(editor.state, [...path, "columns"]);
  const next = widths.map((width, at) => ({ width, blocks: columns[at]?.blocks ?? [] }));
  // What stood in a column that is gone goes into the last one: nothing is lost.
  next.at(-1).blocks = [...next.at(-1).blocks, ...columns.slice(widths.length).flatMap((column) => column.blocks)];
  editor.change(set(editor.state, [...path, "columns"], next), {
    say: label,
    focus: `${told(path)}#arrange-${widths.join("-")}`,
  });
}

// The blocks of a snippet in its place: from now on they are this mail's own.
export function takeApart(editor, path) {
  const { snippet } = get(editor.state, path);
  const blocks = renamed(editor.snippets.find((one) => one.slug === snippet)?.blocks ?? []);
  const list = path.slice(0, -1);
  const state = blocks.reduce(
    (root, block, place) => insert(root, list, path.at(-1) + place, block),
    remove(editor.state, path),
  );
  editor.chosen = blocks[0]?.id ?? null;
  editor.change(state, {
    say: "The snippet is taken apart; its blocks are this mail's own now.",
    focus: `${told(path)}#open`,
  });
}
