// Fields that speak the language of segment rules: whole rules, filters on an event's properties, and the names of
// events, attributes and tags.
import { el, freshId } from "../blocks/dom.js";
import { get, told } from "../blocks/tree.js";
import { filters } from "../segments/rule-filters.js";

// A rule in the builder that segments have; it shows its own problems and who it finds.
export function rule(input) {
  const isEmpty = !input.value || !Object.keys(input.value).length;
  const field = el("textarea", { rows: 12, class: "gs-code", "aria-label": `${input.field.label}, as JSON`, value: isEmpty ? "" : JSON.stringify(input.value, null, 2) }); // prettier-ignore
  field.addEventListener("input", () => {
    const next = field.value.trim() ? parsed(field.value) : undefined;
    if (next !== null) input.set(next);
  });
  return el("rule-builder", { class: "rb", "data-page": "rule-language", "data-brief": "" }, field);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Conditions on the properties of the event that a sibling names.
export function where(input) {
  const { canvas, field, at } = input;
  const about = () => input.siblings?.name ?? input.siblings?.event ?? "";
  const host = el("div", { class: "rb wf-where" });
  const path = at.slice(0, -1);
  const state = () => ({ event: about(), [field.name]: get(canvas.state, at) });
  const builder = {
    language: canvas.ruleLanguage,
    suggest: (what, starts) => canvas.suggestions.ask(what, starts),
    get state() {
      return canvas.state;
    },
    edit(_, name, value, { isDrawn = false, focus = "" } = {}) {
      canvas.put([...path, ...name], value);
      if (isDrawn) draw(focus);
    },
  };
  const draw = (focus) => {
    host.replaceChildren(filters(builder, state(), path, { name: field.name, label: "Only with a" }));
    if (focus) host.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  };
  draw("");
  return host;
}

// A name out of those that are known, or one that is yet to come.
function named(input, known) {
  const offered = el("datalist", { id: freshId("wf-offered") }, known.map((one) => el("option", { value: one.name }, one.label ?? one.name))); // prettier-ignore
  const box = el("input", { type: "text", autocomplete: "off", spellcheck: "false", list: offered.id, value: input.value ?? input.field.default ?? "", "data-key": told(input.at), "data-main": "" }); // prettier-ignore
  box.addEventListener("input", () => input.set(box.value === "" && !input.field.required ? undefined : box.value));
  // Filters beside it know the properties of the event that is named.
  box.addEventListener("change", () => input.canvas.drawPanel(`${told(input.at)}`));
  return el("div", {}, box, offered);
}

export const event = (input) => named(input, [...input.canvas.ruleLanguage.events.keys()].map((name) => ({ name }))); // prettier-ignore
export const attribute = (input) => named(input, [...input.canvas.ruleLanguage.fields.values()]);

export function tag(input) {
  const made = named(input, []);
  const [box, offered] = made.children;
  box.addEventListener(
    "focus",
    async () => {
      const known = (await input.canvas.suggestions.ask({ field: "tags" }, "")) ?? [];
      offered.replaceChildren(...known.map((one) => el("option", { value: one.value ?? one })));
    },
    { once: true },
  );
  return made;
}
