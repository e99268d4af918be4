// Blocks as cards. They only draw; what happens on a click is the editor's.
import { el, freshId, icon, iconButton } from "../blocks/dom.js";
import { menuButton } from "../blocks/menu.js";
import { get, told } from "../blocks/tree.js";
import { against } from "./email-editor-colors.js";
import { field } from "./email-editor-inputs.js";
import { conditions } from "./email-editor-conditions.js";

export function list(editor, nodes, path) {
  const items = nodes.flatMap((node, at) => card(editor, node, [...path, at]));
  const isInner = path.length > 1;
  return el(
    "div",
    { class: isInner ? "mle-inner" : "mle-outer" },
    el(
      "ol",
      {
        class: "mle-list",
        "data-list": told(path),
        "data-at": told(path),
        "data-empty": nodes.length ? null : "Drop a block here",
      },
      items,
    ),
    el(
      "button",
      {
        type: "button",
        class: "mle-add",
        "data-key": `${told(path)}#add`,
        onclick: () => editor.askToAdd(path, nodes.length),
      },
      icon("add"),
      isInner ? "Add" : "Add a block",
    ),
  );
}

// The words on a card follow what is typed into it, without drawing it anew under the caret.
export function reword(editor, path) {
  for (let length = path.length; length > 1; length -= 1) {
    const at = path.slice(0, length);
    const node = get(editor.state, at);
    const shown = node?.type && editor.querySelector(`[data-block="${CSS.escape(told(at))}"]`);
    if (shown) shown.querySelector(".mle-words span").textContent = editor.language.summary(node);
  }
}

function card(editor, node, path) {
  const isChosen = editor.chosen === node.id;
  const propertiesId = `properties-${node.id}`;
  const name = editor.nameOf(node);
  return el(
    "li",
    { class: `mle-card${isChosen ? " mle-card--chosen" : ""}`, "data-block": told(path), "data-at": told(path), "data-type": node.type, "data-id": node.id },
    el(
      "div",
      { class: "mle-head" },
      el(
        "button",
        {
          type: "button", class: "blk-grip", "data-key": `${told(path)}#grip`, "aria-label": `Move ${name}`,
          title: "Drag, or move with Alt and the arrow keys", "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Delete",
        },
        icon("drag_indicator"),
      ),
      el(
        "button",
        {
          type: "button", class: "mle-open", "data-key": `${told(path)}#open`, "aria-expanded": String(isChosen),
          "aria-controls": isChosen ? propertiesId : null, onclick: () => editor.choose(isChosen ? null : node.id),
        },
        el("span", { class: "mle-glyph" }, icon(editor.language.icon(node.type))),
        el("span", { class: "mle-words" }, el("strong", {}, editor.language.label(node)), el("span", {}, editor.language.summary(node))),
        marks(node),
      ),
      tools(editor, node, path, name),
    ),
    node.columns && isChosen ? null : null,
    isChosen ? properties(editor, node, path, propertiesId) : null,
    node.columns ? columns(editor, node, path) : null,
  ); // prettier-ignore
}

const marks = (node) => [
  node.show_when
    ? el(
        "span",
        { class: "mle-mark", title: "Shown to some" },
        icon("visibility"),
        el("span", { class: "gs-hidden" }, "Shown to some."),
      )
    : null,
  node.repeat
    ? el(
        "span",
        { class: "mle-mark", title: "Repeated" },
        icon("repeat"),
        el("span", { class: "gs-hidden" }, "Repeated."),
      )
    : null,
];

function columns(editor, node, path) {
  return el(
    "div",
    { class: "mle-columns", "data-count": node.columns.length },
    node.columns.map((column, at) =>
      el(
        "section",
        {
          class: "mle-column",
          "aria-label": `Column ${at + 1} of ${node.columns.length}`,
          style: `--share: ${column.width || 100 / node.columns.length}`,
        },
        list(editor, column.blocks ?? [], [...path, "columns", at, "blocks"]),
      ),
    ),
  );
}

function tools(editor, node, path, name) {
  const more = iconButton("more_horiz", `More for ${name}`, () => {}, { "data-key": `${told(path)}#more` });
  const step = (label, hint, direction, glyph) => ({
    label, hint, icon: glyph, isOff: !editor.stepOf(path, direction), act: () => editor.step(path, direction),
  }); // prettier-ignore
  menuButton(more, () => [
    {
      label: "Add a block above",
      icon: "vertical_align_top",
      act: () => editor.askToAdd(path.slice(0, -1), path.at(-1)),
    },
    {
      label: "Add a block below",
      icon: "vertical_align_bottom",
      act: () => editor.askToAdd(path.slice(0, -1), path.at(-1) + 1),
    },
    step("Move up", "Alt ↑", "up", "arrow_upward"),
    step("Move down", "Alt ↓", "down", "arrow_downward"),
    step("To the column on the left", "Alt ←", "out", "arrow_back"),
    step("To the column on the right", "Alt →", "in", "arrow_forward"),
    ...(node.type === "snippet" ? apart(editor, node, path) : kept(editor, node)),
  ]);
  return el(
    "div",
    { class: "mle-card__tools" },
    iconButton("content_copy", `Duplicate ${name}`, () => editor.clone(path), { "data-key": `${told(path)}#clone` }),
    iconButton("delete", `Delete ${name}`, () => editor.delete(path), { "data-key": `${told(path)}#delete` }),
    more,
  );
}

const apart = (editor, node, path) => [
  {
    label: "Take it apart",
    note: "Its blocks become this mail's own",
    icon: "bookmark_remove",
    isOff: !editor.snippets.some((one) => one.slug === node.snippet),
    act: () => editor.takeApart(path),
  },
];

const kept = (editor, node) =>
  editor.saveSnippet
    ? [{ label: "Save as a snippet", icon: "bookmark_add", act: () => editor.saveSnippet(node) }]
    : [];

// --- properties -------------------------------------------------------------------------------------------

const VARIABLES = new Set(["text", "rich", "url"]);
const LOOKS = new Set(["color", "whole", "choice", "boolean"]);

function properties(editor, node, path, id) {
  const inputs = editor.language.inputs(node).filter((input) => !(node.type === "imported" && input.type === "code" && node[input.name] === undefined && editor.language.inputs(node).some((other) => node[other.name] !== undefined))); // prettier-ignore
  const words = inputs.filter((input) => !LOOKS.has(input.type));
  const looks = inputs.filter((input) => LOOKS.has(input.type));
  return el(
    "div",
    { class: "mle-properties", id, role: "group", "aria-label": `Properties of ${editor.nameOf(node)}` },
    words.map((input) => field(bound(editor, node, path, input))),
    node.columns ? arrangement(editor, node, path) : null,
    looks.length
      ? el(
          "div",
          { class: "mle-looks" },
          looks.map((input) => field(bound(editor, node, path, input))),
        )
      : null,
    conditions(editor, node, path),
  );
}

export function bound(editor, node, path, input) {
  const at = [...path, input.name];
  return {
    ...input,
    at,
    editor,
    value: node[input.name],
    takesVariables: VARIABLES.has(input.type),
    against: input.type === "color" ? against(node, input.name, editor.settings) : null,
    now: () => editor.valueAt(at),
    set: (value, more = {}) => editor.edit(at, value, more),
  };
}

const ARRANGEMENTS = [
  [[0, 0], "Two alike"], [[33, 67], "Narrow, wide"], [[67, 33], "Wide, narrow"], [[0, 0, 0], "Three alike"],
  [[25, 50, 25], "Wide middle"], [[0, 0, 0, 0], "Four alike"], [[0], "One"],
]; // prettier-ignore

function arrangement(editor, node, path) {
  const now = node.columns.map((column) => column.width ?? 0).join();
  const title = freshId("mle");
  return el(
    "div",
    { class: "mle-field", "data-at": told([...path, "columns"]) },
    el("span", { class: "mle-label", id: title }, "Arrangement"),
    el(
      "div",
      { class: "mle-arrangements", role: "group", "aria-labelledby": title },
      ARRANGEMENTS.map(([widths, label]) =>
        el(
          "button",
          {
            type: "button",
            "aria-label": label,
            title: label,
            "aria-pressed": String(widths.join() === now),
            "data-key": `${told(path)}#arrange-${widths.join("-")}`,
            onclick: () => editor.arrange(path, widths, label),
          },
          widths.map((width) => el("i", { style: `flex: ${width || 1}` })),
        ),
      ),
    ),
  );
}
