// The flow as cards: what starts it, its steps, and branches beside each other. They only draw; what happens on a
// click is the canvas's.
import { el, icon, iconButton } from "../blocks/dom.js";
import { menuButton } from "../blocks/menu.js";
import { told } from "../blocks/tree.js";
import { numbersOf, wayNumbers } from "./canvas-numbers.js";
import { TOP, inside } from "./canvas-moves.js";

export function flow(canvas) {
  return el(
    "div",
    { class: "wf-flow" },
    start(canvas),
    list(canvas, canvas.state.actions, TOP),
    el("p", { class: "wf-end" }, icon("flag"), "End"),
  );
}

// --- what starts it, who may enter again, what ends it early ---------------------------------------------

const EDGES = {
  trigger: { icon: "play_arrow", label: "Starts" },
  entry: { icon: "login", label: "How often" },
  goal: { icon: "emoji_events", label: "Goal" },
  exit: { icon: "logout", label: "Leaves early" },
};

function start(canvas) {
  return el(
    "div",
    { class: "wf-start" },
    edge(canvas, "trigger"),
    el("div", { class: "wf-edges" }, ["entry", "goal", "exit"].map((name) => edge(canvas, name))),
  );
}

function edge(canvas, name) {
  const words = canvas.sentences[name] || canvas.wordsOf(name);
  const inner = [
    el("span", { class: "wf-glyph" }, icon(EDGES[name].icon)),
    el("span", { class: "wf-words" }, el("small", {}, EDGES[name].label), el("strong", { "data-words": name }, words)),
  ];
  const className = `wf-card wf-edge wf-edge--${name}${canvas.chosen === name ? " wf-card--chosen" : ""}`;
  if (canvas.isReadOnly) return el("section", { class: className }, el("div", { class: "wf-open" }, inner), name === "trigger" ? numbersOf(canvas, "") : null); // prettier-ignore
  return el(
    "section",
    { class: className, "data-card": name },
    el(
      "button",
      { type: "button", class: "wf-open", "data-key": `${name}#open`, "aria-expanded": String(canvas.chosen === name), "aria-controls": "wf-panel", onclick: () => canvas.choose(name) },
      inner,
    ),
  ); // prettier-ignore
}

// --- steps -----------------------------------------------------------------------------------------------

function list(canvas, steps, path) {
  return [
    el(
      "ol",
      { class: "wf-list", "data-list": canvas.isReadOnly ? null : told(path) },
      steps.map((step, index) => item(canvas, step, [...path, index])),
    ),
    canvas.isReadOnly ? null : plus(canvas, path, steps.length, true),
  ];
}

function plus(canvas, path, index, isLast = false) {
  const key = isLast ? `${told(path)}#add` : `${told([...path, index])}#before`;
  const label = isLast ? "Add a step here" : `Add a step before step ${index + 1}`;
  return el(
    "div",
    { class: "wf-plus" },
    el(
      "button",
      { type: "button", "data-key": key, "aria-label": label, title: label, onclick: () => canvas.askToAdd(path, index) }, // prettier-ignore
      icon("add"),
    ),
  );
}

function item(canvas, step, path) {
  const isFolded = canvas.folded.has(step.id);
  return el(
    "li",
    { class: `wf-item${step.is_active === false ? " wf-item--off" : ""}`, "data-block": told(path), "data-id": step.id },
    canvas.isReadOnly ? el("div", { class: "wf-line" }) : plus(canvas, path.slice(0, -1), path.at(-1)),
    card(canvas, step, path),
    step.branches ? (isFolded ? folded(canvas, step) : ways(canvas, step, path)) : null,
  ); // prettier-ignore
}

function card(canvas, step, path) {
  const isChosen = canvas.chosen === step.id;
  const words = el(
    "span",
    { class: "wf-words" },
    el("small", {}, canvas.language.label(step), step.is_active === false ? " · switched off" : ""),
    el("strong", { "data-words": step.id }, canvas.sentenceOf(step)),
  );
  const glyph = el("span", { class: "wf-glyph" }, icon(canvas.language.icon(step.action_type)));
  const numbers = numbersOf(canvas, step.id);
  if (canvas.isReadOnly) {
    return el("article", { class: "wf-card", "data-card": step.id }, el("div", { class: "wf-head" }, el("div", { class: "wf-open" }, glyph, words), step.branches ? fold(canvas, step) : null), numbers); // prettier-ignore
  }
  const name = canvas.nameOf(step);
  return el(
    "article",
    { class: `wf-card${isChosen ? " wf-card--chosen" : ""}`, "data-card": step.id },
    el(
      "div",
      { class: "wf-head" },
      el("button", { type: "button", class: "blk-grip", "data-key": `${told(path)}#grip`, "aria-label": `Move ${name}`, title: "Drag, or move with Alt and the arrow keys; Delete takes it out", "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Alt+ArrowLeft Alt+ArrowRight Delete" }, icon("drag_indicator")),
      el("button", { type: "button", class: "wf-open", "data-key": `${told(path)}#open`, "aria-expanded": String(isChosen), "aria-controls": "wf-panel", onclick: () => canvas.choose(step.id) }, glyph, words),
      step.branches ? fold(canvas, step) : null,
      tools(canvas, step, path, name),
    ),
    numbers,
  ); // prettier-ignore
}

function fold(canvas, step) {
  const isFolded = canvas.folded.has(step.id);
  const label = isFolded ? "Show the branches" : "Hide the branches";
  return iconButton(isFolded ? "unfold_more" : "unfold_less", label, () => canvas.fold(step.id), {
    "aria-expanded": String(!isFolded),
    "data-key": `${step.id}#fold`,
  });
}

function tools(canvas, step, path, name) {
  const more = iconButton("more_vert", `More for ${name}`, () => {}, { "data-key": `${told(path)}#more` });
  const may = (direction) => Boolean(canvas.stepOf(path, direction));
  const move = (label, glyph, direction, hint) => ({ label, icon: glyph, hint, isOff: !may(direction), act: () => canvas.step(path, direction) }); // prettier-ignore
  const isOff = step.is_active === false;
  return menuButton(more, () => [
    { label: "Settings", icon: "tune", act: () => canvas.choose(step.id) },
    { label: isOff ? "Switch on" : "Switch off", icon: isOff ? "toggle_on" : "toggle_off", act: () => canvas.toggle(path) },
    { label: "Duplicate", icon: "content_copy", act: () => canvas.clone(path) },
    move("Move up", "arrow_upward", "up", "Alt ↑"),
    move("Move down", "arrow_downward", "down", "Alt ↓"),
    move("Move to the branch before", "arrow_back", "out", "Alt ←"),
    move("Move to the next branch", "arrow_forward", "in", "Alt →"),
    { label: "Delete", icon: "delete", hint: "Del", act: () => canvas.delete(path) },
  ]); // prettier-ignore
}

// --- branches --------------------------------------------------------------------------------------------

function ways(canvas, step, path) {
  const names = canvas.language.branchNames(step);
  return el(
    "div",
    { class: "wf-ways", style: `--ways: ${Object.keys(step.branches).length}` },
    Object.entries(step.branches).map(([name, steps]) => {
      const isGone = names !== null && !names.includes(name);
      const label = canvas.language.branchLabel(step, name);
      return el(
        "section",
        { class: `wf-way${isGone ? " wf-way--gone" : ""}`, "aria-label": `${label} of ${canvas.nameOf(step)}` },
        el("p", { class: "wf-way__name" }, isGone ? icon("error") : null, label, isGone ? " (no such way any more)" : "", wayNumbers(canvas, step.id, name)),
        list(canvas, steps, [...path, "branches", name]),
      );
    }),
  ); // prettier-ignore
}

function folded(canvas, step) {
  const count = inside(step);
  const names = Object.keys(step.branches).map((name) => canvas.language.branchLabel(step, name));
  return el(
    "button",
    { type: "button", class: "wf-folded", onclick: () => canvas.fold(step.id) },
    `${names.join(" · ")} – ${count} ${count === 1 ? "step" : "steps"} hidden`,
  );
}
