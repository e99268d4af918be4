// Boxes for one value, by the type the language tells. Each shows a value and says when it changed.
//
// input = {at, value, now(), type, part, kind, label, choices, isRequired, events, properties, suggest,
//          set(value, isDrawn, focus)}; `value` is what it was when drawn, `now()` what it is.
import { el, freshId, icon } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";

const UNITS = [
  ["days", "days"],
  ["hours", "hours"],
  ["minutes", "minutes"],
];

export const named = (input) => ({ "data-key": told(input.at) });

export function text(input) {
  const box = el("input", { type: "text", value: input.value ?? "", autocomplete: "off", ...named(input) });
  box.addEventListener("input", () => input.set(box.value === "" ? undefined : box.value));
  return suggesting(box, input);
}

function number(input, step = "any") {
  const box = el("input", {
    type: "number",
    step,
    inputmode: step === "1" ? "numeric" : "decimal",
    value: input.value ?? "",
    ...named(input),
  });
  box.addEventListener("input", () => input.set(box.value === "" ? undefined : Number(box.value)));
  return suggesting(box, input);
}

export function select(input, options, { read = (value) => value, empty = "" } = {}) {
  const known = options.some(([name]) => name === String(input.value ?? ""));
  const extra =
    !known && (input.value === undefined || input.value === null)
      ? [["", empty || "Choose …"]]
      : known
        ? empty
          ? [["", empty]]
          : []
        : [[String(input.value), `${input.value} (not known here)`]];
  const box = el(
    "select",
    named(input),
    [...extra, ...options].map(([name, label]) => el("option", { value: name }, label)),
  );
  box.value = String(input.value ?? "");
  box.addEventListener("change", () =>
    input.set(box.value === "" ? undefined : read(box.value), input.isDrawnOnChoice),
  );
  return box;
}

const choices = (input) => (input.choices ?? []).map((choice) => [String(choice.name), choice.label]);

export function choice(input) {
  const typed = new Map((input.choices ?? []).map((item) => [String(item.name), item.name]));
  return select(input, choices(input), {
    read: (name) => typed.get(name) ?? name,
    empty: input.isRequired ? "" : "Any",
  });
}

function boolean(input) {
  return select(
    input,
    [
      ["true", "Yes"],
      ["false", "No"],
    ],
    { read: (name) => name === "true" },
  );
}

export function date(input) {
  const [day, time] = String(input.value ?? "").split("T");
  const dayBox = el("input", { type: "date", value: day, ...named(input) });
  const timeBox = el("input", {
    type: "time",
    value: (time ?? "").slice(0, 5),
    "data-key": `${told(input.at)}#time`,
    "aria-label": "Time, UTC",
    title: "Time, UTC",
  });
  const put = () => {
    const moment = timeBox.hidden || !timeBox.value ? dayBox.value : `${dayBox.value}T${timeBox.value}:00Z`;
    input.set(dayBox.value ? moment : undefined);
  };
  timeBox.hidden = !time;
  const more = el(
    "button",
    {
      type: "button",
      class: "blk-icon",
      "aria-label": "With a time of day",
      title: "With a time of day (UTC)",
      "aria-pressed": String(Boolean(time)),
      onclick: () => {
        timeBox.hidden = !timeBox.hidden;
        more.setAttribute("aria-pressed", String(!timeBox.hidden));
        if (!timeBox.hidden) timeBox.focus();
        put();
      },
    },
    icon("schedule"),
  );
  dayBox.addEventListener("input", put);
  timeBox.addEventListener("input", put);
  return el("div", { class: "rb-row", "data-one": "" }, dayBox, input.isDayOnly ? null : [timeBox, more]);
}

export function span(input) {
  const raw = typeof input.value === "number" ? { days: input.value } : (input.value ?? {});
  const unit = Object.keys(raw)[0] ?? "days";
  const box = el("input", {
    type: "number",
    min: "1",
    step: "1",
    inputmode: "numeric",
    value: raw[unit] ?? "",
    ...named(input),
  });
  const known = UNITS.filter(([name]) => !input.kind || input.kind === name || name === unit);
  const units = el(
    "select",
    { "aria-label": `${input.label}: unit`, "data-key": `${told(input.at)}#unit` },
    known.map(([name, label]) => el("option", { value: name }, label)),
  );
  units.value = unit;
  const put = () => input.set(box.value === "" ? undefined : { [units.value]: Number(box.value) });
  box.addEventListener("input", put);
  units.addEventListener("change", put);
  return el("div", { class: "rb-row rb-row--span", "data-one": "" }, box, units);
}

// A native list of real values, asked for when the box is entered and while it is typed into.
export function suggesting(box, input) {
  if (!input.suggest) return box;
  const options = el("datalist", { id: freshId("rb-values") });
  box.setAttribute("list", options.id);
  const fill = async () => {
    const found = await input.suggest(box.value);
    if (!found) return;
    options.replaceChildren(
      ...found.map(({ value }) => Object.assign(el("option", { value: String(value) }), { raw: value })),
    );
  };
  box.addEventListener("focus", fill);
  box.addEventListener("input", fill);
  return el("div", { class: "rb-one", "data-one": "" }, box, options);
}

export const BOXES = { text, number, whole: (input) => number(input, "1"), boolean, date, choice };
