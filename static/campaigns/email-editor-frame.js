// The workspace around the blocks: the bar with its menu, the palette, the panes, and what a phone turns between.
import { el, icon, iconButton } from "../blocks/dom.js";
import { draggable } from "../blocks/drag.js";
import { menuButton } from "../blocks/menu.js";
import { read } from "../blocks/tree.js";
import { tile } from "./email-editor-dialogs.js";
import { turnJson } from "./email-editor-json.js";

export function lay(editor, field) {
  editor.undoButton = iconButton("undo", "Undo (Ctrl+Z)", () => editor.undo(), { "aria-keyshortcuts": "Control+Z" });
  editor.redoButton = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => editor.redo(), {
    "aria-keyshortcuts": "Control+Shift+Z",
  });
  editor.status = el("span", { class: "mle-status", role: "status" });
  const more = iconButton("more_vert", "More", () => {});
  menuButton(more, () => [
    ...editor.acts(),
    {
      label: editor.json.hidden ? "Show as JSON" : "Show as blocks",
      icon: "data_object",
      act: () => turnJson(editor),
    },
    { label: editor.settingsLabel, icon: "settings", act: () => editor.leaveTo(editor.page.addresses.settings) },
  ]);
  editor.querySelector(".mle-bar__tools").append(
    editor.status, editor.undoButton, editor.redoButton,
    ...editor.shortcuts(),
    el("button", { type: "button", class: "gs-button mle-publish", onclick: () => editor.publish() }, "Publish"),
    more,
  ); // prettier-ignore
  editor.rail = el("aside", { class: "mle-rail", "aria-label": "Blocks to add" });
  editor.head = el("div", { class: "mle-envelope" });
  editor.looks = el("details", { class: "mle-look" });
  editor.note = el(
    "p",
    { class: "mle-note", hidden: editor.page.draft.blocks !== null || !editor.page.draft.html },
    icon("code"),
    el(
      "span",
      {},
      "This mail was written as code, so it stands in one block here. Your first change keeps it as blocks. ",
      el("a", { href: editor.page.addresses.settings }, "Keep it as code"),
    ),
  );
  editor.cards = el("div", { class: "mle-stage" });
  field.setAttribute("aria-label", "The mail as JSON");
  field.hidden = false;
  editor.json = el(
    "div",
    { class: "mle-json", hidden: true },
    (editor.jsonNote = el("p", { class: "mle-alert", role: "alert", hidden: true })),
    field,
  );
  editor.side = el("aside", { class: "mle-show", "aria-label": "Preview" });
  editor.views = ["edit", "show"].map((name) =>
    el(
      "button",
      { type: "button", "data-turn": name, "aria-pressed": String(name === "edit"), onclick: () => editor.turn(name) },
      icon(name === "edit" ? "edit" : "visibility"),
      name === "edit" ? "Edit" : "Preview",
    ),
  );
  editor.append(
    el(
      "div",
      { class: "mle-body" },
      editor.rail,
      el("main", { class: "mle-main" }, editor.note, editor.head, editor.looks, editor.cards, editor.json),
      editor.side,
    ),
    el("nav", { class: "mle-turn", "aria-label": "Edit or preview" }, editor.views),
  );
  fillRail(editor);
  editor.turn("edit");
}

// The palette: a click adds behind the chosen block, a drag to where it is dropped.
function fillRail(editor) {
  editor.railList?.();
  const tiles = editor.language.blocks
    .filter((block) => block.name !== "snippet")
    .map((block) => {
      const made = tile(editor.language.icon(block.name), block.label, () => editor.grow(block.name));
      made.dataset.type = block.name;
      return made;
    });
  editor.rail.replaceChildren(...tiles);
  editor.railList = draggable([editor.rail], {
    group: { name: "blocks", pull: "clone", put: false },
    scope: editor.className,
    sort: false,
    moved: (item, from, to, index) => {
      fillRail(editor);
      if (to === editor.rail) return;
      editor.grow(item.dataset.type, read(to.dataset.list), index);
    },
  });
}
