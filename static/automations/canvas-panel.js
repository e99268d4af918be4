// The panel beside the flow: what the chosen card is set to.
import { el, freshId, icon, iconButton } from "../blocks/dom.js";
import { get, told } from "../blocks/tree.js";
import { frame } from "./canvas-fields.js";
import { pathOf } from "./canvas-moves.js";

const PARTS = ["days", "hours", "minutes", "seconds"];

// The boxes of an object's fields. `put(path, value, {isDrawn, focus})` writes into the tree.
export function fields(canvas, described, at, object, put) {
  return described.map((field) => {
    const isFlat = field.type === "span" && !field.name;
    const path = isFlat ? at : [...at, field.name];
    const value = isFlat ? Object.fromEntries(PARTS.filter((part) => part in object).map((part) => [part, object[part]])) : object[field.name]; // prettier-ignore
    const set = (next, isDrawn = false, focus = "") => {
      if (!isFlat) return put(path, next, { isDrawn, focus });
      const { days: _1, hours: _2, minutes: _3, seconds: _4, ...others } = get(canvas.state, at) ?? {};
      return put(at, { ...others, ...next }, { isDrawn, focus });
    };
    return frame({ canvas, field, at: path, value, set, put, siblings: object });
  });
}

export function panel(canvas) {
  const name = canvas.chosen;
  if (!name) return rest(canvas);
  const made = { trigger, entry, goal: ending, exit: ending }[name];
  if (made) return made(canvas, name);
  const path = pathOf(canvas.state, name);
  return path ? step(canvas, get(canvas.state, path), path) : rest(canvas);
}

function rest(canvas) {
  const steps = canvas.state.actions.length;
  return [
    head(canvas, "Your workflow", "account_tree", false),
    el("p", {}, canvas.page.description || "Choose a card to change what it does. The round + adds a step between two others."), // prettier-ignore
    steps ? null : el("button", { type: "button", class: "gs-button", onclick: () => canvas.askToAdd(["actions"], 0) }, icon("add"), "Add the first step"), // prettier-ignore
    el(
      "p",
      { class: "wf-help" },
      "Drag a step by its handle, or hold ", el("kbd", {}, "Alt"), " and press the arrow keys. ",
      el("kbd", {}, "Del"), " on the handle takes it out, ", el("kbd", {}, "Ctrl Z"), " brings it back.",
    ),
  ]; // prettier-ignore
}

function head(canvas, title, glyph, hasClose = true) {
  return el(
    "header",
    { class: "wf-panel__head" },
    el("span", { class: "wf-glyph" }, icon(glyph)),
    el("h2", { id: "wf-panel-title" }, title),
    hasClose ? iconButton("close", "Close the settings", () => canvas.choose(null), { "data-key": "panel#close" }) : null,
  );
}

// --- a step ----------------------------------------------------------------------------------------------

function step(canvas, node, path) {
  const kind = canvas.language.steps.get(node.action_type);
  const at = [...path, "configuration"];
  const put = (place, value, more) => canvas.put(place, value, more);
  return [
    head(canvas, canvas.language.label(node), canvas.language.icon(node.action_type)),
    kind ? el("p", { class: "wf-help" }, kind.doc) : el("p", { class: "wf-problem" }, icon("error"), el("span", {}, `“${node.action_type}” is not known here. Delete this step or import it where it is known.`)), // prettier-ignore
    el("div", { class: "wf-problems-here", "data-at": told(path) }),
    el("div", { class: "wf-fields", "data-at": told(at) }, kind ? fields(canvas, kind.fields, at, node.configuration ?? {}, put) : null),
    el(
      "div",
      { class: "wf-fields wf-fields--more" },
      policy(canvas, node, path),
      frame({ canvas, field: { name: "is_active", label: "Switched on", type: "boolean", required: true, default: true, help: "Switched off, people pass it by with all in its branches." }, at: [...path, "is_active"], value: node.is_active ?? true, set: (value) => canvas.toggle(path, value) }),
    ),
  ]; // prettier-ignore
}

function policy(canvas, node, path) {
  const { policies } = canvas.language;
  if (!policies.length) return null;
  const field = { name: "on_error", label: "When it fails for good", type: "choice", required: true, default: policies[0].value, choices: policies, help: "" }; // prettier-ignore
  const value = node.on_error ?? field.default;
  const set = (next) => canvas.put([...path, "on_error"], next === field.default ? undefined : next);
  return frame({ canvas, field, at: [...path, "on_error"], value, set });
}

// --- trigger, entry, goal and exit -----------------------------------------------------------------------

function trigger(canvas) {
  const { state, language } = canvas;
  const kind = language.triggers.get(state.trigger_type);
  const box = el(
    "select",
    { id: freshId("wf"), "data-key": "trigger_type", "data-main": "" },
    kind ? null : el("option", { value: state.trigger_type }, `${state.trigger_type} (not known)`),
    language.groups(language.triggers).map(({ label, kinds }) =>
      el("optgroup", { label }, kinds.map((one) => el("option", { value: one.type }, one.label))),
    ),
  ); // prettier-ignore
  box.value = state.trigger_type;
  box.addEventListener("change", () => canvas.retrigger(box.value));
  const at = ["trigger_configuration"];
  const described = (kind?.fields ?? []).map((field) =>
    field.name === "filter" ? { ...field, type: "rule", label: "Only contacts who", help: "Left empty, everybody enters whom the trigger names." } : field,
  ); // prettier-ignore
  return [
    head(canvas, "Starts when", "play_arrow"),
    el("div", { class: "wf-field", "data-at": "trigger_type" }, el("label", { class: "wf-label", for: box.id }, "What starts it"), box, kind ? el("p", { class: "wf-help" }, kind.doc) : null),
    el("div", { class: "wf-fields", "data-at": told(at) }, fields(canvas, described, at, state.trigger_configuration ?? {}, (place, value, more) => canvas.put(place, value, more))),
  ]; // prettier-ignore
}

function entry(canvas) {
  const { state, language } = canvas;
  const chosen = state.entry_rule ?? language.entryRules[0].value;
  const name = freshId("wf-entry");
  const radios = language.entryRules.map(({ value, label }) => {
    const box = el("input", { type: "radio", name, value, "data-key": `entry_rule#${value}`, "data-main": "" });
    box.checked = value === chosen;
    box.addEventListener("change", () => canvas.put(["entry_rule"], value, { isDrawn: true, focus: box.dataset.key }));
    return el("label", { class: "wf-tick" }, box, el("span", {}, label));
  });
  const more = {
    after_days: { name: "entry_days", label: "Days since they last entered", type: "integer", required: true, minimum: 1 },
    concurrent: { name: "entry_key", label: "One run for each", type: "text", required: true, help: "A property of the event that starts it, such as event.properties.order_id: somebody with two orders is inside twice." },
  }[chosen]; // prettier-ignore
  return [
    head(canvas, "How often people enter", "login"),
    el("fieldset", { class: "wf-field", "data-at": "entry_rule" }, el("legend", { class: "wf-label" }, "Somebody enters"), radios),
    more ? frame({ canvas, field: more, at: [more.name], value: state[more.name], set: (value) => canvas.put([more.name], value) }) : null,
  ]; // prettier-ignore
}

const ENDINGS = {
  goal: ["Goal", "emoji_events", "goal_rule", "People for whom this becomes true have done what the workflow is for: they leave it, and are counted as reached."],
  exit: ["Leaves early", "logout", "exit_rule", "People for whom this becomes true leave the workflow where they stand; nothing further is done for them."],
}; // prettier-ignore

function ending(canvas, name) {
  const [title, glyph, key, help] = ENDINGS[name];
  const field = { name: key, label: "Contacts who", type: "rule", required: true, help };
  const set = (value) => canvas.put([key], value);
  return [head(canvas, title, glyph), frame({ canvas, field, at: [key], value: canvas.state[key] ?? undefined, set })];
}
