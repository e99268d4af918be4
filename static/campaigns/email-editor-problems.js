// What is wrong, beside the very field: places are those the server tells, `blocks[2].columns[0].blocks[1].href`.
import { el, freshId, icon } from "../blocks/dom.js";
import { read, told } from "../blocks/tree.js";

// Show `problems` = {place: sentence}; each card says how many stand in it, for it may be closed.
export function placeProblems(editor, problems) {
  for (const line of editor.querySelectorAll(".mle-problem, .mle-faults")) line.remove();
  for (const box of editor.querySelectorAll(".mle-main [aria-invalid]")) box.removeAttribute("aria-invalid");
  const counts = new Map();
  for (const [place, sentence] of Object.entries(problems)) {
    const spot = spotOf(editor, read(place));
    if (!spot || editor.fresh.has(spot.closest(".mle-card")?.dataset.id)) continue;
    if (spot.matches(".mle-card")) {
      counts.set(spot, [...(counts.get(spot) ?? []), sentence]);
      continue;
    }
    const line = el("p", { class: "mle-problem", id: freshId("mle-problem") }, icon("error"), el("span", {}, sentence));
    spot.append(line);
    const box = spot.querySelector("[data-main]") ?? spot.querySelector("input, select, textarea");
    box?.setAttribute("aria-invalid", "true");
    box?.setAttribute("aria-describedby", line.id);
    const card = spot.closest(".mle-card");
    if (card) counts.set(card, [...(counts.get(card) ?? []), null]);
  }
  for (const [card, sentences] of counts) {
    const shown = sentences.filter(Boolean);
    const title = shown.join(" ");
    card
      .querySelector(":scope > .mle-head .mle-open")
      .append(
        el(
          "span",
          { class: "mle-faults", title },
          icon("error"),
          el("span", { class: "gs-hidden" }, title || "Something is to be mended here."),
        ),
      );
    if (editor.chosen === card.dataset.id && shown.length) {
      card
        .querySelector(":scope > .mle-properties")
        ?.prepend(el("p", { class: "mle-problem" }, icon("error"), el("span", {}, title)));
    }
  }
}

// The element of a place, or of the nearest place around it that is on the page.
function spotOf(editor, path) {
  for (let length = path.length; length > 0; length -= 1) {
    const found = editor.querySelector(`[data-at="${CSS.escape(told(path.slice(0, length)))}"]`);
    if (found) return found.matches("ol") ? found.closest(".mle-card") : found;
  }
  return null;
}
