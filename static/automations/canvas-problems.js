// What is wrong, beside the very field, on its card, and in a list that leads there. Places are those the server
// tells: `actions[0].branches.then[1].configuration.template_id`.
import { el, freshId, icon } from "../blocks/dom.js";
import { get, told } from "../blocks/tree.js";

const CARDS = { trigger_type: "trigger", trigger_configuration: "trigger", entry_rule: "entry", entry_days: "entry", entry_key: "entry", goal_rule: "goal", exit_rule: "exit" }; // prettier-ignore

// The path of a place, read along the tree: names of branches may hold what paths are written with.
export function pathOfPlace(root, place) {
  const path = [];
  let rest = place;
  let node = root;
  while (rest) {
    const index = /^\[(\d+)\]/.exec(rest);
    const body = rest.startsWith(".") ? rest.slice(1) : rest;
    const key = index ? Number(index[1]) : longest(node, body);
    rest = index ? rest.slice(index[0].length) : body.slice(key.length);
    path.push(key);
    node = node?.[key];
  }
  return path;
}

function longest(node, text) {
  const known = Object.keys(node && typeof node === "object" && !Array.isArray(node) ? node : {});
  const fitting = known.filter((key) => key && text.startsWith(key) && [undefined, ".", "["].includes(text[key.length]));
  return fitting.sort((one, other) => other.length - one.length)[0] ?? (/^[^.[\]]+/.exec(text)?.[0] || text);
}

// [{place, path, card, sentence}] of {place: sentence}; `card` is the id of the step, or the card at the top.
export function located(root, problems) {
  return Object.entries(problems).map(([place, sentence]) => {
    const path = pathOfPlace(root, place);
    return { place, path, card: CARDS[path[0]] ?? stepAt(root, path), sentence };
  });
}

// "E-mail: is missing": a problem away from its field says which field is meant.
export function labelled(canvas, { path, sentence }) {
  const at = path.findLastIndex((key) => key === "configuration" || key === "trigger_configuration");
  const owner = path[at] === "configuration" ? get(canvas.state, path.slice(0, at)) : null;
  const { steps, triggers } = canvas.language;
  const kind = owner ? steps.get(owner.action_type) : triggers.get(canvas.state.trigger_type);
  const field = at < 0 ? null : kind?.fields.find(({ name }) => name && name === path[at + 1]);
  return field ? `${field.label}: ${sentence}` : sentence;
}

function stepAt(root, path) {
  for (let length = path.length; length > 1; length -= 1) {
    const node = get(root, path.slice(0, length));
    if (node?.action_type !== undefined && typeof path[length - 1] === "number") return node.id;
  }
  return null;
}

export function placeProblems(canvas) {
  for (const old of canvas.querySelectorAll(".wf-faults, .wf-field > .wf-problem, .wf-problems-here > .wf-problem")) old.remove(); // prettier-ignore
  for (const box of canvas.panel.querySelectorAll(".wf-field [aria-invalid]")) box.removeAttribute("aria-invalid");
  const cards = new Map();
  for (const one of canvas.found) {
    cards.set(one.card, [...(cards.get(one.card) ?? []), one]);
    if (one.card === canvas.chosen && !canvas.fresh.has(one.card)) besideField(canvas, one);
  }
  for (const [id, found] of cards) mark(canvas, id, found);
}

function mark(canvas, id, found) {
  const card = id && canvas.stage.querySelector(`[data-card="${CSS.escape(id)}"]`);
  if (!card || canvas.fresh.has(id)) return;
  const words = found.map((one) => one.sentence).join(" ");
  const faults = el("span", { class: "wf-faults", title: words }, icon("error"), el("span", { class: "gs-hidden" }, "To be mended: ", words)); // prettier-ignore
  card.querySelector(".wf-open").append(faults);
}

function besideField(canvas, { path, sentence }) {
  const spot = spotOf(canvas, path);
  if (!spot) return;
  // The rule builder says itself what is wrong inside of a rule.
  if (spot.matches(".wf-field--rule") && told(path) !== spot.dataset.at) return;
  const line = el("p", { class: "wf-problem", id: freshId("wf-problem") }, icon("error"), el("span", {}, sentence));
  spot.append(line);
  const box = spot.querySelector("[data-main]");
  box?.setAttribute("aria-invalid", "true");
  box?.setAttribute("aria-describedby", line.id);
}

// The field of a place, or the nearest one around it that is in the panel; else what stands for the whole card.
function spotOf(canvas, path) {
  for (let length = path.length; length > 0; length -= 1) {
    const at = CSS.escape(told(path.slice(0, length)));
    const found = canvas.panel.querySelector(`.wf-field[data-at="${at}"], .wf-problems-here[data-at="${at}"]`);
    if (found) return found;
  }
  return canvas.panel.querySelector(".wf-field, .wf-problems-here");
}

// To the card, and to the field where there is one.
export function goTo(canvas, one) {
  canvas.fresh.clear();
  if (!one.card) return;
  for (const id of [...canvas.folded]) canvas.folded.delete(id);
  canvas.choose(one.card, { isOpened: true });
  canvas.stage.querySelector(`[data-card="${CSS.escape(one.card)}"]`)?.scrollIntoView({ block: "center" });
  const spot = spotOf(canvas, one.path);
  spot?.scrollIntoView({ block: "nearest" });
  (spot?.querySelector("[data-main], input, select, textarea") ?? canvas.panel.querySelector("[data-main]"))?.focus();
}
