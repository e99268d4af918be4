// What is wrong with a rule, beside the very field: places are those the server tells, `rules[2].rules[0].value`.
import { el, freshId, icon } from "../blocks/dom.js";
import { get, read, told } from "../blocks/tree.js";

// Show `problems` = {place: sentence} on the stage; a block of which `isQuiet(node)` is not scolded yet.
export function placeProblems(stage, state, problems, isQuiet) {
  for (const line of stage.querySelectorAll(".rb-problem")) line.remove();
  for (const box of stage.querySelectorAll("[aria-invalid]")) {
    box.removeAttribute("aria-invalid");
    box.removeAttribute("aria-describedby");
  }
  for (const [place, sentence] of Object.entries(problems)) {
    const spot = spotOf(stage, read(place));
    const block = spot.closest("[data-block]");
    if (!block || !isQuiet(get(state, read(block.dataset.block)))) put(spot, get(state, read(place)), sentence);
  }
}

// All of them in one text, for the JSON view.
export const listed = (problems) =>
  Object.entries(problems)
    .map(([place, sentence]) => `${place}: ${sentence}`)
    .join("\n");

function put(spot, value, sentence) {
  const boxes = spot.matches(".rb-field, .rb-part") ? [...spot.querySelectorAll("input, select")] : [];
  const isMissing = value === undefined || value === null || (Array.isArray(value) && value.includes(null));
  const empty = isMissing ? boxes.find((box) => !box.value && !box.hidden) : undefined;
  const words = empty ? (empty.localName === "select" ? "Choose one." : "Fill this in.") : sentence;
  const line = el("p", { class: "rb-problem", id: freshId("rb-problem") }, icon("error"), el("span", {}, words));
  // Under a narrow select a sentence would be a column of words: there it takes the width of the card.
  (spot.matches(".rb-field--subject, .rb-field--operator") ? spot.parentElement : spot).append(line);
  const box = empty ?? boxes[0];
  box?.setAttribute("aria-invalid", "true");
  box?.setAttribute("aria-describedby", line.id);
}

// The element of a place, or of the nearest place around it that is on the page.
function spotOf(stage, path) {
  for (let length = path.length; length > 0; length -= 1) {
    const found = stage.querySelector(`[data-at="${CSS.escape(told(path.slice(0, length)))}"]`);
    if (found) return found.matches("ol") ? found.parentElement : found;
  }
  return stage.firstElementChild;
}
