// Groups and conditions as elements. They only draw; what happens on a click is the builder's.
import { el, icon, iconButton, options } from "../blocks/dom.js";
import { menuButton } from "../blocks/menu.js";
import { told } from "../blocks/tree.js";
import { bound, filters } from "./rule-filters.js";
import { field } from "./rule-inputs.js";
import { isGroup } from "./rule-language.js";

const JOINTS = { all: "and", any: "or", none: "nor", at_least: "or" };

export function group(builder, node, path) {
  const list = [...path, "rules"];
  const items = node.rules.map((child, index) =>
    item(builder, child, [...list, index], index ? (JOINTS[node.match] ?? "") : ""),
  );
  return el(
    "fieldset",
    {
      class: "rb-group",
      "data-match": node.match,
      "data-at": told(path),
      "data-depth": path.length ? "inner" : "outer",
    },
    el(
      "legend",
      { class: "gs-hidden" },
      path.length ? `Group: ${builder.labelOfMatch(node)}` : "Who fits the rule",
    ),
    el(
      "div",
      { class: "rb-head" },
      path.length ? grip(builder, node, path) : null,
      match(builder, node, path),
      path.length ? tools(builder, node, path) : null,
    ),
    el("ol", { class: "rb-list", "data-list": told(list), "data-at": told(list) }, items),
    adders(builder, list, node.rules.length),
  );
}

function item(builder, node, path, joint) {
  return el(
    "li",
    {
      class: isGroup(node) ? "rb-item rb-item--group" : "rb-item rb-item--leaf",
      "data-block": told(path),
      "data-joint": joint || null,
    },
    isGroup(node) ? group(builder, node, path) : leaf(builder, node, path),
  );
}

function adders(builder, list, count) {
  const button = (key, name, label, node) =>
    el(
      "button",
      {
        type: "button",
        class: "rb-add",
        "data-key": `${told(list)}${key}`,
        onclick: () => builder.grow(list, count, node()),
      },
      icon(name),
      label,
    );
  return el(
    "div",
    { class: "rb-adders" },
    button("#add", "add", "Condition", () => builder.language.blank(builder.usual)),
    button("#add-group", "library_add", "Group", () => ({
      match: "any",
      rules: [builder.language.blank(builder.usual)],
    })),
  );
}

// How the conditions of a group combine.
function match(builder, node, path) {
  const box = el(
    "select",
    { "data-key": `${told(path)}#match`, "aria-label": "How these conditions combine" },
    options(builder.language.matches),
  );
  box.value = node.match;
  box.addEventListener("change", () => builder.rematch(path, box.value));
  const inputs = builder.language
    .inputsOfMatch(node)
    .map((input) => field(bound(builder, node, path, input, null), { className: "rb-field--match" }));
  return el(
    "div",
    { class: "rb-match" },
    el("div", { class: "rb-field", "data-at": told([...path, "match"]) }, box),
    inputs,
  );
}

function grip(builder, node, path) {
  return el(
    "button",
    {
      type: "button",
      class: "blk-grip",
      "data-key": `${told(path)}#grip`,
      "aria-label": `Move ${builder.nameOf(node)}`,
      title: "Drag, or move with Alt and the arrow keys",
      "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Delete",
    },
    icon("drag_indicator"),
  );
}

function tools(builder, node, path) {
  const name = builder.nameOf(node);
  const more = iconButton("more_horiz", `More for ${name}`, () => {}, { "data-key": `${told(path)}#more` });
  const step = (label, hint, direction, glyph) => ({
    label,
    hint,
    icon: glyph,
    isOff: !builder.stepOf(path, direction),
    act: () => builder.step(path, direction),
  });
  menuButton(more, () => [
    step("Move up", "Alt ↑", "up", "arrow_upward"),
    step("Move down", "Alt ↓", "down", "arrow_downward"),
    step("Move out of the group", "Alt ←", "out", "logout"),
    step("Move into the group beside it", "Alt →", "in", "login"),
    { label: "Put into a group of its own", icon: "select_all", act: () => builder.wrap(path) },
    ...(isGroup(node) ? [{ label: "Dissolve the group", icon: "deselect", act: () => builder.dissolve(path) }] : []),
  ]);
  return el(
    "div",
    { class: "rb-tools" },
    iconButton("content_copy", `Clone ${name}`, () => builder.clone(path), { "data-key": `${told(path)}#clone` }),
    iconButton("delete", `Delete ${name}`, () => builder.delete(path), { "data-key": `${told(path)}#delete` }),
    more,
  );
}

function leaf(builder, node, path) {
  const { language } = builder;
  const operators = language.operators(node);
  const inputs = language.inputs(node);
  const kind = language.kindOfField(node);
  const draw = (input) => drawn(builder, node, path, input, kind);
  const further = inputs.filter((input) => !speaks(input, node) && input.type !== "filters");
  const rare = further.filter((input) => !input.required && input.type === "text");
  return el(
    "div",
    { class: "rb-leaf", "data-at": told(path) },
    grip(builder, node, path),
    el(
      "div",
      { class: "rb-fields" },
      el(
        "div",
        { class: "rb-field rb-field--subject", "data-at": told([...path, language.keyOf(node)]) },
        subject(builder, node, path),
      ),
      operators.length
        ? el(
            "div",
            { class: "rb-field rb-field--operator", "data-at": told([...path, "operator"]) },
            operator(builder, node, path, operators),
          )
        : null,
      inputs.filter((input) => speaks(input, node)).map(draw),
      further.length
        ? el("div", { class: "rb-further" }, further.filter((input) => !rare.includes(input)).map(draw))
        : null,
      rare.length
        ? el(
            "details",
            { class: "rb-more" },
            el("summary", {}, "More"),
            el("div", { class: "rb-further" }, rare.map(draw)),
          )
        : null,
      inputs.filter((input) => input.type === "filters").map(draw),
    ),
    tools(builder, node, path),
  );
}

// Inputs that read on from the operator without a label of their own: they stay on its line.
const speaks = (input, node) =>
  ("field" in node && input.name === "value") ||
  input.name === "count" ||
  input.type === "window" ||
  input.type === "segment";

function subject(builder, node, path) {
  const box = builder.subjectBox();
  const value = builder.language.subjectOf(node);
  box.setAttribute("data-key", `${told(path)}#subject`);
  if (![...box.options].some((option) => option.value === value)) {
    box.prepend(
      el(
        "option",
        { value },
        value
          ? `${builder.language.labelOfSubject(node)} (${"event" in node ? "not seen yet" : "unknown"})`
          : "Choose …",
      ),
    );
  }
  box.value = value;
  box.addEventListener("change", () => builder.resubject(path, box.value));
  return box;
}

function operator(builder, node, path, operators) {
  const known = operators.some(({ name }) => name === node.operator);
  const box = el(
    "select",
    { "data-key": `${told(path)}#operator`, "aria-label": `${builder.language.labelOfSubject(node)}: operator` },
    known
      ? null
      : el("option", { value: node.operator ?? "" }, node.operator ? `${node.operator} (unknown)` : "Choose …"),
    options(operators),
  );
  box.value = node.operator ?? "";
  box.addEventListener("change", () => builder.reoperate(path, box.value));
  return box;
}

function drawn(builder, node, path, input, kind) {
  if (input.type === "filters") return filters(builder, node, path, input);
  if (input.name === "count")
    return field(bound(builder, node, path, input, kind), { isSuffix: true, className: "rb-field--count" });
  return field(bound(builder, node, path, input, kind), { isQuiet: speaks(input, node) });
}
