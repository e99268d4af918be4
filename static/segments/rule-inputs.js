// Inputs by the type the language tells. Each shows a value and says when it changed; none knows any operator.
//
// input = {at, value, now(), type, part, kind, label, choices, isRequired, events, properties, suggest,
//          set(value, isDrawn, focus)}; `value` is what it was when drawn, `now()` what it is.
import { el, freshId, icon } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";

const UNITS = [["days", "days"], ["hours", "hours"], ["minutes", "minutes"]];

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
    ? el("label", { for: inner?.id, class: isQuiet ? "gs-hidden" : "rb-label" }, isSuffix ? input.label.toLowerCase() : input.label)
    : el("span", { class: isQuiet ? "gs-hidden" : "rb-label", "aria-hidden": "true" }, input.label);
  const parts = isSuffix ? [made, label] : [label, made];
  return el("div", { class: `rb-field rb-field--${input.type} ${className}`, "data-at": told(input.at) }, parts);
}

const named = (input) => ({ "data-key": told(input.at) });

// --- one value ------------------------------------------------------------------------------------------

function text(input) {
  const box = el("input", { type: "text", value: input.value ?? "", autocomplete: "off", ...named(input) });
  box.addEventListener("input", () => input.set(box.value === "" ? undefined : box.value));
  return suggesting(box, input);
}

function number(input, step = "any") {
  const box = el("input", {
    type: "number", step, inputmode: step === "1" ? "numeric" : "decimal", value: input.value ?? "", ...named(input),
  });
  box.addEventListener("input", () => input.set(box.value === "" ? undefined : Number(box.value)));
  return suggesting(box, input);
}

function select(input, options, { read = (value) => value, empty = "" } = {}) {
  const known = options.some(([name]) => name === String(input.value ?? ""));
  const extra = !known && (input.value === undefined || input.value === null)
    ? [["", empty || "Choose …"]]
    : known ? (empty ? [["", empty]] : []) : [[String(input.value), `${input.value} (not known here)`]];
  const box = el(
    "select",
    named(input),
    [...extra, ...options].map(([name, label]) => el("option", { value: name }, label)),
  );
  box.value = String(input.value ?? "");
  box.addEventListener("change", () => input.set(box.value === "" ? undefined : read(box.value), input.isDrawnOnChoice));
  return box;
}

const choices = (input) => (input.choices ?? []).map((choice) => [String(choice.name), choice.label]);

function choice(input) {
  const typed = new Map((input.choices ?? []).map((item) => [String(item.name), item.name]));
  return select(input, choices(input), { read: (name) => typed.get(name) ?? name, empty: input.isRequired ? "" : "Any" });
}

function boolean(input) {
  return select(input, [["true", "Yes"], ["false", "No"]], { read: (name) => name === "true" });
}

function date(input) {
  const [day, time] = String(input.value ?? "").split("T");
  const dayBox = el("input", { type: "date", value: day, ...named(input) });
  const timeBox = el("input", { type: "time", value: (time ?? "").slice(0, 5), "data-key": `${told(input.at)}#time`, "aria-label": "Time, UTC", title: "Time, UTC" });
  const put = () => {
    const moment = timeBox.hidden || !timeBox.value ? dayBox.value : `${dayBox.value}T${timeBox.value}:00Z`;
    input.set(dayBox.value ? moment : undefined);
  };
  timeBox.hidden = !time;
  const more = el("button", {
    type: "button", class: "blk-icon", "aria-label": "With a time of day", title: "With a time of day (UTC)", "aria-pressed": String(Boolean(time)),
    onclick: () => {
      timeBox.hidden = !timeBox.hidden;
      more.setAttribute("aria-pressed", String(!timeBox.hidden));
      if (!timeBox.hidden) timeBox.focus();
      put();
    },
  }, icon("schedule"));
  dayBox.addEventListener("input", put);
  timeBox.addEventListener("input", put);
  return el("div", { class: "rb-row", "data-one": "" }, dayBox, input.isDayOnly ? null : [timeBox, more]);
}

function span(input) {
  const raw = typeof input.value === "number" ? { days: input.value } : (input.value ?? {});
  const unit = Object.keys(raw)[0] ?? "days";
  const box = el("input", { type: "number", min: "1", step: "1", inputmode: "numeric", value: raw[unit] ?? "", ...named(input) });
  const known = UNITS.filter(([name]) => !input.kind || input.kind === name || name === unit);
  const units = el("select", { "aria-label": `${input.label}: unit`, "data-key": `${told(input.at)}#unit` }, known.map(([name, label]) => el("option", { value: name }, label)));
  units.value = unit;
  const put = () => input.set(box.value === "" ? undefined : { [units.value]: Number(box.value) });
  box.addEventListener("input", put);
  units.addEventListener("change", put);
  return el("div", { class: "rb-row rb-row--span", "data-one": "" }, box, units);
}

// --- several values -------------------------------------------------------------------------------------

const PLAIN = { text, number, whole: (input) => number(input, "1"), boolean, date, choice };

function pair(input) {
  const both = Array.isArray(input.value) ? input.value : [];
  const part = (place, word) => {
    const at = [...input.at, place];
    const set = (value) => {
      both[place] = value ?? null;
      input.set(both.some((item) => item !== null && item !== undefined) ? [both[0] ?? null, both[1] ?? null] : undefined);
    };
    const made = PLAIN[input.part]({ ...input, at, value: both[place] ?? undefined, set, label: word });
    const inner = made.matches("input") ? made : made.querySelector("input");
    inner.setAttribute("aria-label", word);
    return el("div", { class: "rb-part", "data-at": told(at) }, made);
  };
  return el("div", { class: "rb-row", role: "group", "aria-label": input.label }, part(0, "From"), el("span", { class: "rb-word" }, "and"), part(1, "To"));
}

function list(input) {
  return input.choices?.length ? ticks(input) : chips(input);
}

// A few known values: boxes to tick.
function ticks(input) {
  const chosen = new Set(Array.isArray(input.value) ? input.value : []);
  const boxes = input.choices.map((item) => {
    const box = el("input", { type: "checkbox", "data-key": `${told(input.at)}#${item.name}` });
    box.checked = chosen.has(item.name);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(item.name);
      else chosen.delete(item.name);
      const inOrder = input.choices.map((each) => each.name).filter((name) => chosen.has(name));
      input.set(inOrder.length ? inOrder : undefined);
    });
    return el("label", { class: "rb-tick" }, box, el("span", {}, item.label));
  });
  return el("div", { class: "rb-ticks", role: "group", "aria-label": input.label }, boxes);
}

// Any values: chips with a box to add more.
function chips(input) {
  let values = Array.isArray(input.value) ? input.value : [];
  const isNumber = input.part === "number" || input.part === "whole";
  const box = el("input", {
    type: input.part === "date" ? "date" : "text", inputmode: isNumber ? "decimal" : null, autocomplete: "off", ...named(input),
    "aria-label": `${input.label}: add one`, enterkeyhint: "done",
  });
  const shelf = el("ul", {});
  const draw = () => {
    box.value = "";
    box.placeholder = values.length ? "Add another" : "Type and press Enter";
    shelf.hidden = !values.length;
    shelf.replaceChildren(...values.map((value, place) =>
      el("li", { class: "rb-chip", "data-at": told([...input.at, place]) }, el("span", {}, String(value)),
        el("button", { type: "button", "aria-label": `Remove ${value}`, title: `Remove ${value}`, onclick: () => change(values.filter((_, at) => at !== place)) }, icon("close")))));
  };
  const put = (next) => {
    values = next;
    input.set(next.length ? next : undefined);
  };
  const change = (next) => {
    put(next);
    draw();
    box.focus();
  };
  const take = (texts, show = draw) => {
    const made = texts.map((text) => text.trim()).filter(Boolean).map((text) => typed(text, box, isNumber));
    const fresh = made.filter((value, place) => !values.includes(value) && made.indexOf(value) === place);
    if (fresh.length) put([...values, ...fresh]);
    show();
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || (event.key === "," && isNumber)) {
      event.preventDefault();
      take([box.value]);
    } else if (event.key === "Backspace" && !box.value && values.length) {
      event.preventDefault();
      change(values.slice(0, -1));
    }
  });
  box.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").split(/[\n\r\t;,]+/);
    if (lines.length < 2) return;
    event.preventDefault();
    take(lines);
  });
  // Whoever chose from the suggestions or went on without Enter meant it, too.
  // The chip comes a moment later: a click that ended the typing must still meet what it was aimed at.
  box.addEventListener("change", () => take([box.value], () => setTimeout(draw, 200)));
  draw();
  return el("div", { class: "rb-chips", role: "group", "aria-label": input.label }, shelf, suggesting(box, input));
}

function typed(text, box, isNumber) {
  const known = box.list && [...box.list.options].find((option) => option.value === text)?.raw;
  if (known !== undefined && known !== null && known !== false) return known;
  return isNumber && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

// --- from the catalogue ---------------------------------------------------------------------------------

function event(input) {
  return select(input, input.events.map((name) => [name, name]));
}

function property(input) {
  const names = input.properties.map((item) => item.name);
  if (names.length) return select({ ...input, isDrawnOnChoice: true }, names.map((name) => [name, name]));
  return text({ ...input, suggest: null });
}

// Ever, in the last …, or between two days.
function windowOf(input) {
  const value = input.value;
  const isFixed = typeof value === "object" && value && ("from" in value || "to" in value);
  const mode = isFixed ? "dates" : value ? "last" : "ever";
  const modes = [["ever", input.isRequired ? "Choose …" : "at any time"], ["last", "in the last"], ["dates", "between"]];
  const box = el("select", { "data-key": `${told(input.at)}#mode`, "aria-label": "When" }, modes.map(([name, label]) => el("option", { value: name }, label)));
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
  const rest = { ever: () => [], last: () => [span({ ...input, label: "Span" })], dates: () => [day("from", "First day"), day("to", "Last day")] }[mode]();
  for (const made of rest) made.querySelector("input:not([aria-label])")?.setAttribute("aria-label", "How long");
  return el("div", { class: "rb-row" }, box, rest);
}

const daysAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

// --- suggestions ----------------------------------------------------------------------------------------

// A native list of real values, asked for when the box is entered and while it is typed into.
function suggesting(box, input) {
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

export const CONTROLS = { ...PLAIN, span, list, pair, event, property, segment: choice, window: windowOf };
