// Boxes of a configuration by the type that the catalogue tells. Each shows a value and says when it changed.
//
// input = {canvas, field, at (its path), value, set(value, isDrawn), siblings (the object it stands in)}
import { el, freshId } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";
import { list, object } from "./canvas-lists.js";
import { attribute, event, rule, tag, where } from "./canvas-rules.js";

// A labelled box; `data-at` is where its problems belong.
export function frame(input) {
  const { field, at } = input;
  const made = (BOXES[field.type] ?? BOXES.text)(input);
  const boxes = made.matches?.("input, select, textarea") ? [made] : [...made.querySelectorAll("[data-main]")];
  const box = boxes[0];
  const help = field.help ? el("p", { class: "wf-help", id: freshId("wf-help") }, field.help) : null;
  if (box) box.id ||= freshId("wf");
  if (box && help) box.setAttribute("aria-describedby", help.id);
  const isGroup = GROUPS.has(field.type);
  const label = [field.label, field.required ? null : OPTIONAL.has(field.type) ? el("span", { class: "wf-optional" }, " optional") : null]; // prettier-ignore
  const attributes = { class: `wf-field wf-field--${field.type}`, "data-at": told(at) };
  if (field.type === "boolean") return el("div", attributes, el("label", { class: "wf-tick" }, made, el("span", {}, field.label)), help); // prettier-ignore
  if (isGroup) return el("fieldset", attributes, el("legend", { class: "wf-label" }, label), help, made);
  return el("div", attributes, el("label", { class: "wf-label", for: box?.id }, label), made, help);
}

const GROUPS = new Set(["span", "choices", "members", "list", "object", "rule", "rules_where"]);
const OPTIONAL = new Set(["text", "long_text", "template", "segment", "member", "offer", "date", "day", "time", "rule"]);

const key = (input) => ({ "data-key": told(input.at), "data-main": "" });
const shown = ({ value, field }) => value ?? field.default;
const orNothing = (text) => (text === "" ? undefined : text);

function text(input, more = {}) {
  const box = el("input", { type: "text", autocomplete: "off", value: shown(input) ?? "", ...key(input), ...more });
  box.addEventListener("input", () => input.set(input.field.required ? box.value : orNothing(box.value)));
  return box;
}

function longText(input) {
  const box = el("textarea", { rows: 3, class: "wf-grow", value: shown(input) ?? "", ...key(input) });
  box.addEventListener("input", () => input.set(input.field.required ? box.value : orNothing(box.value)));
  return box;
}

// What is typed and no number is sent as it stands, so that the server says what is wrong with it.
function number(input, more = {}) {
  const { minimum, maximum } = input.field;
  const box = el("input", { type: "number", inputmode: "decimal", step: "any", min: minimum, max: maximum, value: shown(input) ?? "", ...key(input), ...more }); // prettier-ignore
  box.addEventListener("input", () => input.set(box.value === "" ? undefined : Number(box.value)));
  return box;
}

const integer = (input) => number(input, { inputmode: "numeric", step: "1" });

function boolean(input) {
  const box = el("input", { type: "checkbox", ...key(input) });
  box.checked = Boolean(shown(input));
  box.addEventListener("change", () => input.set(box.checked));
  return box;
}

// A value that is no choice any more is shown as what it is, and not lost.
function choice(input) {
  const { field } = input;
  const value = shown(input);
  const known = field.choices.some((one) => one.value === value);
  const empty = !field.required || value === undefined || value === null;
  const box = el(
    "select",
    key(input),
    empty ? el("option", { value: "" }, field.choices.length ? "Choose …" : "There is none yet") : null,
    known || value === undefined || value === null ? null : el("option", { value: "?" }, `${value} (not there any more)`), // prettier-ignore
    field.choices.map((one, index) => el("option", { value: String(index) }, one.label)),
  );
  box.value = known ? String(field.choices.findIndex((one) => one.value === value)) : value == null ? "" : "?";
  box.addEventListener("change", () => {
    if (box.value !== "?") input.set(box.value === "" ? undefined : field.choices[Number(box.value)].value, true);
  });
  return box;
}

// A template is opened beside: whoever writes a workflow looks at what it sends.
function template(input) {
  const box = choice(input);
  const address = input.canvas.page.addresses.template;
  const value = shown(input);
  if (!address || !value) return box;
  const href = address.replace("/0/", `/${value}/`);
  return el("div", { class: "wf-beside" }, box, el("a", { class: "gs-button gs-button--quiet", href, target: "_blank", rel: "noopener" }, "Open", el("span", { class: "gs-hidden" }, " the template in a new tab"))); // prettier-ignore
}

function choices(input) {
  const now = () => shown(input) ?? [];
  const chosen = new Set(now());
  const known = new Set(input.field.choices.map((one) => one.value));
  const gone = now().filter((value) => !known.has(value)).map((value) => ({ value, label: `${value} (not there any more)` })); // prettier-ignore
  const all = [...input.field.choices, ...gone];
  if (!all.length) return el("p", { class: "wf-help" }, "There is none yet.");
  return el(
    "div",
    { class: "wf-ticks" },
    all.map(({ value, label }) => {
      const box = el("input", { type: "checkbox", "data-key": `${told(input.at)}#${value}`, "data-main": "" });
      box.checked = chosen.has(value);
      box.addEventListener("change", () => {
        if (box.checked) chosen.add(value);
        else chosen.delete(value);
        input.set(all.map((one) => one.value).filter((one) => chosen.has(one)));
      });
      return el("label", { class: "wf-tick" }, box, el("span", {}, label));
    }),
  );
}

// Days, hours, minutes and seconds of an object; without a name they lie flat in the one around it.
const PARTS = ["days", "hours", "minutes", "seconds"];
function span(input) {
  const now = { ...(shown(input) ?? {}) };
  return el(
    "div",
    { class: "wf-span" },
    PARTS.map((part) => {
      const box = el("input", { type: "number", min: 0, step: 1, inputmode: "numeric", id: freshId("wf"), value: now[part] || "", placeholder: "0", "data-key": `${told(input.at)}#${part}`, "data-main": "" }); // prettier-ignore
      box.addEventListener("input", () => {
        if (box.value === "") delete now[part];
        else now[part] = Number(box.value);
        input.set({ ...now });
      });
      return el("label", { for: box.id }, box, el("span", {}, part));
    }),
  );
}

function json(input) {
  const value = shown(input);
  const isText = typeof value === "string";
  const box = el("textarea", { rows: 4, class: "gs-code wf-grow", spellcheck: "false", value: value === undefined || value === null ? "" : isText ? value : JSON.stringify(value, null, 2), ...key(input) }); // prettier-ignore
  box.addEventListener("input", () => input.set(orNothing(parsed(box.value))));
  return box;
}

// What is JSON is taken as such, everything else as text.
function parsed(words) {
  try {
    return JSON.parse(words);
  } catch {
    return words;
  }
}

// A number of days from the step, or a date.
function day(input) {
  const set = (words) => input.set(words === undefined ? undefined : parsed(words.trim()));
  return text({ ...input, set });
}

const BOXES = {
  text, long_text: longText, integer, number, boolean, choice, choices, span, day, json, rule, event, tag, attribute, list, object, template,
  rules_where: where,
  time: (input) => text(input, { type: "time" }),
  date: (input) => text(input, { type: "date" }),
  cron: (input) => text(input, { placeholder: "0 9 * * mon", spellcheck: "false" }),
  members: choices, member: choice, segment: choice, offer: choice, experiment: choice, automation: choice,
}; // prettier-ignore
