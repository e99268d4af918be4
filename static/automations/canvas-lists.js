// Lists in a configuration: of objects such as named ways, and of plain values, one a line.
import { el, icon, iconButton } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";
import { fields } from "./canvas-panel.js";

// An object's own fields.
export function object(input) {
  return el("div", { class: "wf-object" }, fields(input.canvas, input.field.fields, input.at, input.value ?? {}, input.put));
}

export function list(input) {
  return input.field.fields.length ? objects(input) : lines(input);
}

function lines(input) {
  const value = input.value ?? input.field.default ?? [];
  const box = el("textarea", { rows: 3, class: "wf-grow", value: value.join("\n"), placeholder: "One a line", "data-key": told(input.at), "data-main": "" }); // prettier-ignore
  const isNumbers = value.length > 0 && value.every((one) => typeof one === "number");
  box.addEventListener("input", () => {
    const found = box.value.split("\n").map((line) => line.trim()).filter(Boolean); // prettier-ignore
    input.set(isNumbers && found.every((one) => !Number.isNaN(Number(one))) ? found.map(Number) : found);
  });
  return box;
}

function objects(input) {
  const rows = input.value ?? input.field.default ?? [];
  const noun = input.field.label.toLowerCase().replace(/s$/, "");
  const put = (next, focus) => input.set(next, true, focus);
  const move = (index, by) => {
    const next = [...rows];
    next.splice(index + by, 0, ...next.splice(index, 1));
    put(next, `${told([...input.at, index + by])}#row`);
  };
  return el(
    "div",
    { class: "wf-rows" },
    rows.map((row, index) => {
      const at = [...input.at, index];
      return el(
        "fieldset",
        { class: "wf-row", "data-at": told(at) },
        el("legend", { class: "gs-hidden" }, `${noun} ${index + 1}`),
        el("div", { class: "wf-row__fields" }, fields(input.canvas, input.field.fields, at, row ?? {}, input.put)),
        el(
          "div",
          { class: "wf-row__tools" },
          iconButton("arrow_upward", `Move ${noun} ${index + 1} up`, () => move(index, -1), { disabled: !index, "data-key": `${told(at)}#row` }), // prettier-ignore
          iconButton("close", `Remove ${noun} ${index + 1}`, () => put(rows.filter((_, place) => place !== index), `${told(input.at)}#add`)), // prettier-ignore
        ),
      );
    }),
    el(
      "button",
      { type: "button", class: "wf-link", "data-key": `${told(input.at)}#add`, onclick: () => put([...rows, blank(input.field.fields, rows)], told([...input.at, rows.length, input.field.fields[0].name])) }, // prettier-ignore
      icon("add"),
      `Add ${noun}`,
    ),
  );
}

// A way that is added has a name of its own, since names are what tells branches apart.
function blank(told, rows) {
  if (!told.some((field) => field.name === "name")) return {};
  const taken = new Set(rows.map((row) => row?.name));
  for (let serial = rows.length + 1; ; serial += 1) {
    const name = `way_${serial}`;
    if (!taken.has(name)) return { name };
  }
}
