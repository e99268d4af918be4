// Inputs of a condition tied to their places in the tree, and the conditions on properties of an event.
import { el, icon, iconButton, options } from "../blocks/dom.js";
import { get, told } from "../blocks/tree.js";
import { control, field } from "./rule-inputs.js";
import { nameOfInput } from "./rule-language.js";

// An input of the language, tied to its place in the tree.
export function bound(builder, node, path, input, kind) {
  const { language } = builder;
  const name = nameOfInput(input);
  const at = [...path, ...name];
  const type = language.typeOf(input, kind);
  const isMany = input.type === "list" || input.type === "pair";
  const event = name.length > 1 ? get(node, [...name.slice(0, -1), "event"]) : node.event;
  return {
    at,
    value: get(node, name),
    now: () => get(builder.state, at),
    type: isMany ? input.type : type,
    part: type,
    label: input.label,
    kind: input.kind,
    choices: input.type === "segment" ? language.segments : input.choices,
    isRequired: input.required,
    isDrawnOnChoice: input.type === "event" || input.name === "compare",
    events: [...language.events.keys()],
    properties: language.properties(event, input.type === "property" ? input.kind : ""),
    suggest:
      "field" in node && input.kind === "same" && type !== "date"
        ? (starts) => builder.suggest({ field: node.field }, starts)
        : null,
    set: (value, isDrawn = false, focus = "") => builder.edit(path, name, value, { isDrawn, focus }),
  };
}

export function filters(builder, node, path, input) {
  const name = nameOfInput(input);
  const at = [...path, ...name];
  const event = name.length > 1 ? get(node, [...name.slice(0, -1), "event"]) : node.event;
  const rows = get(node, name) ?? [];
  const now = () => get(builder.state, at) ?? [];
  const put = (next, focus) => builder.edit(path, name, next.length ? next : undefined, { isDrawn: true, focus });
  const add = () => {
    const property = builder.language.properties(event)[0]?.name ?? "";
    const first = builder.language.operatorsOfProperty(builder.language.kindOfProperty(event, { property }))[0];
    put([...now(), { property, operator: first?.name }], `${told([...at, rows.length, "property"])}`);
  };
  const drop = (place) => () =>
    put(
      now().filter((_, index) => index !== place),
      `${told(at)}#add`,
    );
  return el(
    "div",
    { class: "rb-where", "data-at": told(at) },
    rows.map((row, place) =>
      filter(builder, { row, event, at: [...at, place], path, name: [...name, place], drop: drop(place) }),
    ),
    el(
      "button",
      { type: "button", class: "rb-add rb-add--small", "data-key": `${told(at)}#add`, onclick: add },
      icon("filter_alt"),
      `${input.label} property`,
    ),
  );
}

function filter(builder, { row, event, at, path, name, drop }) {
  const { language } = builder;
  const kind = language.kindOfProperty(event, row);
  const isKnown = language.properties(event).length > 0;
  const put = (next, focus) => builder.edit(path, name, next, { isDrawn: true, focus });
  const property = control({
    type: "property",
    at: [...at, "property"],
    value: row.property,
    properties: language.properties(event),
    label: "Property",
    set: (value = "") => {
      if (!isKnown) return builder.edit(path, [...name, "property"], value);
      const found = language.operatorsOfProperty(language.kindOfProperty(event, { property: value }));
      return put({ property: value, operator: found[0]?.name }, told([...at, "property"]));
    },
  });
  (property.matches("input, select") ? property : property.querySelector("input")).setAttribute(
    "aria-label",
    "Property",
  );
  const operators = language.operatorsOfProperty(kind);
  const box = el(
    "select",
    { "data-key": told([...at, "operator"]), "aria-label": `${row.property}: operator` },
    options(operators),
  );
  box.value = row.operator ?? "";
  box.addEventListener("change", () => {
    const current = get(builder.state, at);
    put(
      { property: current.property, operator: box.value, ...keptValue(language, current, box.value, kind) },
      told([...at, "operator"]),
    );
  });
  const inputs = language.inputsOfFilter(row, kind).map((input) => {
    const made = bound(builder, row, at, input, language.kindOfComparison(kind, row.operator));
    const canSuggest = input.kind === "same" && row.property && (made.part === "text" || made.part === "number");
    const set = (value, isDrawn = false, focus = "") =>
      builder.edit(path, [...name, ...nameOfInput(input)], value, { isDrawn, focus });
    return field(
      {
        ...made,
        set,
        suggest: canSuggest ? (starts) => builder.suggest({ event, property: row.property }, starts) : null,
      },
      { isQuiet: true },
    );
  });
  return el(
    "div",
    {
      class: "rb-filter",
      role: "group",
      "aria-label": `Only where ${row.property || "a property"}`,
      "data-at": told(at),
    },
    el("span", { class: "rb-word" }, "with"),
    el("div", { class: "rb-field", "data-at": told([...at, "property"]) }, property),
    el("div", { class: "rb-field", "data-at": told([...at, "operator"]) }, box),
    inputs,
    iconButton("close", `Remove the condition on ${row.property || "a property"}`, drop),
  );
}

function keptValue(language, row, operator, kind) {
  const before = language.inputsOfFilter(row, kind)[0];
  const after = language.inputsOfFilter({ ...row, operator }, kind)[0];
  const isAlike = language.kindOfComparison(kind, row.operator) === language.kindOfComparison(kind, operator);
  const fits = isAlike && before && after && before.type === after.type && before.name === "value" && after.name === "value";
  return fits && row.value !== undefined ? { value: row.value } : {};
}
