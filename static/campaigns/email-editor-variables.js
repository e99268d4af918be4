// What a mail may say about the reader: found by name, put in at the caret, with what stands in where it is missing.
import { el, icon } from "../blocks/dom.js";
import { set } from "../blocks/tree.js";
import { body, dialog, foot, labelled, primary } from "./email-editor-dialogs.js";

// A button beside a label; `boxOf()` is the box that gets the words.
export function variableButton(editor, boxOf) {
  return el(
    "button",
    {
      type: "button",
      class: "mle-variable",
      "aria-label": "Insert a variable",
      title: "Insert a variable",
      onmousedown: (event) => event.preventDefault(),
      onclick: async () => {
        const box = boxOf();
        const caret = caretOf(box);
        const chosen = await askVariable(editor);
        if (chosen) put(box, `{{ ${chosen.name} }}`, caret);
        if (chosen?.standIn !== undefined) setStandIn(editor, chosen.name, chosen.standIn);
      },
    },
    icon("data_object"),
  );
}

const keyOf = (name) => name.split(".").at(-1);
const standInOf = (editor, name) => editor.state.defaults?.[keyOf(name)];

function setStandIn(editor, name, value) {
  if ((value || undefined) === standInOf(editor, name)) return;
  editor.change(set(editor.state, ["defaults", keyOf(name)], value || undefined), { isDrawn: false });
  editor.drawAround();
}

function caretOf(box) {
  if (box.isContentEditable) {
    const selection = getSelection();
    return selection.rangeCount && box.contains(selection.anchorNode) ? selection.getRangeAt(0).cloneRange() : null;
  }
  return [box.selectionStart ?? box.value.length, box.selectionEnd ?? box.value.length];
}

function put(box, text, caret) {
  box.focus();
  if (box.isContentEditable) {
    const selection = getSelection();
    selection.removeAllRanges();
    const range = caret ?? document.createRange();
    if (!caret) (range.selectNodeContents(box.lastElementChild ?? box), range.collapse(false));
    selection.addRange(range);
    document.execCommand("insertText", false, text);
    return;
  }
  box.setRangeText(text, caret[0], caret[1], "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

// {name, standIn} or undefined.
export function askVariable(editor) {
  return dialog("Insert a variable", (_, close) => {
    const search = el("input", {
      type: "search",
      placeholder: "Find, e.g. name or city",
      "aria-label": "Find a variable",
      autocomplete: "off",
      autofocus: true,
    });
    const list = el("div", { class: "mle-variables" });
    const more = el("div", { hidden: true });
    const show = () => {
      const wanted = search.value.trim().toLowerCase();
      const found = editor.variables.filter((one) => `${one.label} ${one.name}`.toLowerCase().includes(wanted));
      const groups = new Map();
      for (const one of found) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
      list.replaceChildren(
        ...[...groups].map(([label, ones]) =>
          el(
            "section",
            {},
            el("h3", {}, label),
            ones
              .slice(0, 60)
              .map((one) =>
                el(
                  "button",
                  { type: "button", class: "mle-variable-row", onclick: () => choose(one) },
                  el("span", {}, one.label, one.sample ? el("small", {}, one.sample) : null),
                  el("code", {}, `{{ ${one.name} }}`),
                ),
              ),
          ),
        ),
      );
      if (!found.length) list.append(el("p", { class: "mle-help" }, `Nothing is called “${search.value}”.`));
    };
    const choose = (one) => {
      if (one.is_always_there || !editor.hasStandIns) return close({ name: one.name });
      const words = el("input", {
        type: "text",
        value: String(standInOf(editor, one.name) ?? one.default ?? ""),
        placeholder: "e.g. there",
      });
      const done = () => close({ name: one.name, standIn: words.value });
      words.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), done()));
      more.replaceChildren(
        el("p", { class: "mle-chosen" }, icon("data_object"), el("code", {}, `{{ ${one.name} }}`)),
        labelled(
          "When a contact has none, say",
          words,
          "One stand-in serves the whole mail. Without it, who has none gets no mail.",
        ),
        foot(primary("Insert", done)),
      );
      list.hidden = search.hidden = true;
      more.hidden = false;
      words.select();
      return undefined;
    };
    search.addEventListener("input", show);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") (event.preventDefault(), list.querySelector("button")?.click());
      if (event.key === "ArrowDown") (event.preventDefault(), list.querySelector("button")?.focus());
    });
    list.addEventListener("keydown", (event) => {
      const rows = [...list.querySelectorAll("button")];
      const next = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!next) return;
      event.preventDefault();
      (rows[rows.indexOf(document.activeElement) + next] ?? search).focus();
    });
    show();
    return body(search, list, more);
  });
}
