// What was found: told below the preview, shown beside the very field, and a way there. Places are those
// the server tells, `blocks[2].columns[0].blocks[1].href`.
import { el, freshId, icon } from "../blocks/dom.js";
import { get, read, told } from "../blocks/tree.js";
import { pathOf } from "./email-editor-moves.js";

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

// What the server said of the state it drew: {problems, checks}.
export function showFindings(editor, { problems, checks: found }) {
  editor.problems = problems ?? {};
  placeProblems(editor, editor.problems);
  const faults = Object.entries(editor.problems).map(([path, sentence]) => ({
    level: "error",
    sentence,
    path,
    where: whereOf(editor, path),
  }));
  // A field that is told to be wrong need not be told a second time by what it does to the mail.
  const faulty = new Set(faults.map(({ path }) => blockOf(editor, read(path))));
  const others = found.filter((one) => !(one.level === "error" && one.block && faulty.has(one.block)));
  editor.found = [
    ...faults,
    ...others.map((one) => ({ ...one, where: one.block ? whereOf(editor, null, one.block) : "" })),
  ];
  editor.showChecks(editor.found);
  editor.preview.mark(editor.chosen);
}

// A check or a problem: to its field where it is told, else to its block.
export function goTo(editor, { block, path }) {
  editor.fresh.clear();
  const at = path ? read(path) : null;
  const id = block || blockOf(editor, at);
  editor.turn("edit");
  if (id) editor.choose(id);
  else if (at?.[0] === "settings") editor.looks.open = true;
  const spot = path && editor.querySelector(`[data-at="${CSS.escape(path)}"]`);
  const card = id && editor.querySelector(`[data-id="${CSS.escape(id)}"]`);
  (spot || card)?.scrollIntoView({ block: "center" });
  const box =
    spot?.querySelector("[data-main], input, select, textarea") ?? card?.querySelector(".mle-properties [data-main]");
  box?.focus();
}

function whereOf(editor, path, id = blockOf(editor, path && read(path))) {
  const place = id && pathOf(editor.language, editor.state, id);
  return place ? editor.nameOf(get(editor.state, place)) : "";
}

function blockOf(editor, path) {
  for (let length = path?.length ?? 0; length > 1; length -= 1) {
    const node = get(editor.state, path.slice(0, length));
    if (node?.id && node.type) return node.id;
  }
  return null;
}
