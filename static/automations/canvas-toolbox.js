// Which step to add: every kind by group, found by a word.
import { body, dialog } from "../blocks/dialog.js";
import { el, icon } from "../blocks/dom.js";

// The type of a kind, or undefined.
export function askKind(language) {
  return dialog("Add a step", (_, close) => {
    const search = el("input", { type: "search", placeholder: "Find a step", "aria-label": "Find a step", autocomplete: "off", autofocus: true }); // prettier-ignore
    const nothing = el("p", { class: "wf-help", role: "status" });
    const groups = language.groups().map(({ label, kinds }) =>
      el("section", {}, el("h3", {}, label), el("div", { class: "wf-kinds" }, kinds.map((kind) => tile(language, kind, close)))),
    ); // prettier-ignore
    const tiles = () => groups.flatMap((group) => [...group.querySelectorAll("button")]);
    search.addEventListener("input", () => {
      for (const one of tiles()) one.hidden = !fits(wordsOf(one), search.value);
      for (const group of groups) group.hidden = [...group.querySelectorAll("button")].every((one) => one.hidden);
      nothing.textContent = tiles().every((one) => one.hidden) ? "No step is called so. Try another word." : "";
    });
    search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      event.preventDefault();
      const shown = tiles().filter((one) => !one.hidden);
      const first = shown.find((one) => fits(one.querySelector("strong").textContent, search.value)) ?? shown[0];
      if (event.key === "Enter") search.value.trim() && first?.click();
      else first?.focus();
    });
    const content = body(search, nothing, groups);
    content.addEventListener("keydown", (event) => walk(event, tiles().filter((one) => !one.hidden), search)); // prettier-ignore
    return content;
  }, { isWide: true }); // prettier-ignore
}

const wordsOf = (one) => `${one.querySelector("strong").textContent} ${one.querySelector("small").textContent}`;

// Each word that is typed begins a word of the text.
function fits(text, typed) {
  const known = text.toLowerCase().split(/[^\p{L}\p{N}-]+/u);
  return typed.trim().toLowerCase().split(/\s+/).every((word) => known.some((one) => one.startsWith(word))); // prettier-ignore
}

function tile(language, kind, close) {
  return el(
    "button",
    { type: "button", class: "wf-kind", "data-kind": kind.type, onclick: () => close(kind.type) },
    el("span", { class: "wf-glyph" }, icon(language.icon(kind.type))),
    el("span", {}, el("strong", {}, kind.label), el("small", {}, kind.doc)),
  );
}

function walk(event, tiles, search) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = tiles.indexOf(document.activeElement);
  if (!by || at < 0) return;
  event.preventDefault();
  (tiles[at + by] ?? search).focus();
}
