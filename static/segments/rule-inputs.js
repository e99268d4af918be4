// Every input of the language by its type; none knows any operator.
import { el, freshId } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";
import { BOXES, choice, date, select, span, text } from "./rule-boxes.js";
import { list, pair } from "./rule-lists.js";

export function control(input) {
  return (CONTROLS[input.type] ?? CONTROLS.text)(input);
}

// A labelled control; `data-at` is where its problems belong.
export function field(input, { isQuiet = false, isSuffix = false, className = "" } = {}) {
  const made = control(input);
  const inner = made.matches?.("input, select") ? made : made.querySelector("input, select");
  if (inner && !inner.id) inner.id = freshId("rb");
  const isOne = made.matches?.("input, select") || made.dataset.one !== undefined;
  const label = isOne
    ? el(
        "label",
        { for: inner?.id, class: isQuiet ? "gs-hidden" : "rb-label" },
        isSuffix ? input.label.toLowerCase() : input.label,
      )
    : el("span", { class: isQuiet ? "gs-hidden" : "rb-label", "aria-hidden": "true" }, input.label);
  const parts = isSuffix ? [made, label] : [label, made];
  return el("div", { class: `rb-field rb-field--${input.type} ${className}`, "data-at": told(input.at) }, parts);
}

// --- from the catalogue ---------------------------------------------------------------------------------

function event(input) {
  return select(
    input,
    input.events.map((name) => [name, name]),
  );
}

function property(input) {
  const names = input.properties.map((item) => item.name);
  if (names.length)
    return select(
      { ...input, isDrawnOnChoice: true },
      names.map((name) => [name, name]),
    );
  return text({ ...input, suggest: null });
}

// Ever, in the last …, or between two days.
function windowOf(input) {
  const value = input.value;
  const isFixed = typeof value === "object" && value && ("from" in value || "to" in value);
  const mode = isFixed ? "dates" : value ? "last" : "ever";
  const modes = [
    ["ever", input.isRequired ? "Choose …" : "at any time"],
    ["last", "in the last"],
    ["dates", "between"],
  ];
  const box = el(
    "select",
    { "data-key": `${told(input.at)}#mode`, "aria-label": "When" },
    modes.map(([name, label]) => el("option", { value: name }, label)),
  );
  box.value = mode;
  box.addEventListener("change", () => {
    const next = { ever: undefined, last: { days: 30 }, dates: { from: daysAgo(30), to: daysAgo(0) } }[box.value];
    input.set(next, true, `${told(input.at)}#mode`);
  });
  const set = (key) => (day) => input.set({ ...input.now(), [key]: day });
  const day = (key, word) => {
    const at = [...input.at, key];
    const made = date({ ...input, at, value: value[key], set: set(key), isDayOnly: true });
    made.querySelector("input").setAttribute("aria-label", word);
    return el("div", { class: "rb-part", "data-at": told(at) }, made);
  };
  const rest = {
    ever: () => [],
    last: () => [span({ ...input, label: "Span" })],
    dates: () => [day("from", "First day"), day("to", "Last day")],
  }[mode]();
  for (const made of rest) made.querySelector("input:not([aria-label])")?.setAttribute("aria-label", "How long");
  return el("div", { class: "rb-row" }, box, rest);
}

const daysAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

const CONTROLS = { ...BOXES, span, list, pair, event, property, segment: choice, window: windowOf };
