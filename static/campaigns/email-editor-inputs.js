// The boxes of a block by the type the server tells. Each shows a value and says when it changed.
//
// input = {name, type, label, help, required, choices, least, most, at (its path), value, set(value, {isDrawn}),
//          editor}
import { el, freshId, icon, iconButton } from "../blocks/dom.js";
import { insert, move, remove, set, told } from "../blocks/tree.js";
import { contrast, isColor } from "./email-editor-colors.js";
import { richText } from "./email-editor-text.js";
import { variableButton } from "./email-editor-variables.js";

export function field(input) {
  const make = BOXES[input.type] ?? BOXES.text;
  const made = make(input);
  const box = made.matches?.("input, select, textarea") ? made : made.querySelector("[data-main]");
  if (box && !box.id) box.id = freshId("mle");
  const isGroup = input.type === "rows";
  const words = [input.label, input.required ? null : null];
  const help = input.help ? el("p", { class: "mle-help", id: freshId("mle-help") }, input.help) : null;
  if (box && help) box.setAttribute("aria-describedby", help.id);
  const frame = isGroup
    ? el("fieldset", {}, el("legend", { class: "mle-label" }, words), made, help)
    : el("div", {}, input.type === "boolean" ? null : label(input, box), made, help);
  frame.className = `mle-field mle-field--${input.type}`;
  frame.dataset.at = told(input.at);
  return frame;
}

function label(input, box) {
  const text = el(box?.matches("input, select, textarea") ? "label" : "span", { class: "mle-label" }, input.label);
  if (text.localName === "label") text.setAttribute("for", box.id);
  else if (box) box.setAttribute("aria-label", input.label);
  if (!input.takesVariables) return text;
  return el(
    "div",
    { class: "mle-labels" },
    text,
    variableButton(input.editor, () => box),
  );
}

const key = (input) => ({ "data-key": told(input.at), "data-main": "" });

function text(input) {
  const isLong = (input.longest ?? 0) > 500 && (String(input.value ?? "").length > 60 || LONG.has(input.name));
  const box = el(isLong ? "textarea" : "input", {
    ...(isLong ? { rows: 2, class: "mle-grow" } : { type: "text" }),
    autocomplete: "off",
    value: input.value ?? "",
    maxlength: input.longest || null,
    ...key(input),
  });
  box.addEventListener("input", () => input.set(box.value === "" ? undefined : box.value));
  if (!input.suggest) return box;
  const offered = el(
    "datalist",
    { id: freshId("mle-offered") },
    input.suggest.map((value) => el("option", { value })),
  );
  box.setAttribute("list", offered.id);
  return el("div", {}, box, offered);
}
const LONG = new Set(["description", "address", "note"]);

function url(input) {
  const box = text({ ...input, longest: null });
  box.setAttribute("inputmode", "url");
  box.setAttribute("placeholder", "https://");
  box.setAttribute("spellcheck", "false");
  return box;
}

function code(input) {
  const box = el("textarea", {
    rows: 12,
    class: "gs-code",
    spellcheck: "false",
    value: input.value ?? "",
    ...key(input),
  });
  box.addEventListener("input", () => input.set(box.value === "" ? undefined : box.value));
  return box;
}

function whole(input) {
  const value = Number(input.value ?? input.default ?? input.least ?? 0);
  const box = el("input", {
    type: "number", step: "1", inputmode: "numeric", min: input.least, max: input.most,
    value: input.value ?? input.default ?? "", ...key(input),
  }); // prettier-ignore
  const slide = el("input", {
    type: "range", step: "1", min: input.least, max: input.most, value, tabindex: "-1", "aria-hidden": "true",
  }); // prettier-ignore
  box.addEventListener("input", () => {
    slide.value = box.value;
    input.set(box.value === "" ? undefined : Number(box.value));
  });
  slide.addEventListener("input", () => {
    box.value = slide.value;
    input.set(Number(slide.value));
  });
  return el("div", { class: "mle-whole" }, slide, box);
}

function boolean(input) {
  const box = el("input", { type: "checkbox", id: freshId("mle"), ...key(input) });
  box.checked = Boolean(input.value ?? input.default);
  box.addEventListener("change", () => input.set(box.checked));
  return el("label", { class: "mle-tick", for: box.id }, box, el("span", {}, input.label));
}

// A few choices lie open; many stand in a list.
function choice(input) {
  const choices = input.choices ?? [];
  if (choices.length > 3 || input.isList) return select(input, choices);
  const name = freshId("mle-choice");
  const value = input.value ?? input.default;
  return el(
    "div",
    { class: "mle-segments", role: "radiogroup", "aria-label": input.label },
    choices.map((one, at) => {
      const box = el("input", { type: "radio", name, value: one.name, "data-key": `${told(input.at)}#${one.name}` });
      box.checked = one.name === value || (!at && !choices.some((other) => other.name === value));
      box.addEventListener("change", () => input.set(one.name, { focus: box.dataset.key }));
      return el(
        "label",
        {},
        box,
        el(
          "span",
          {},
          ALIGNS[one.name] && input.name === "align" ? icon(ALIGNS[one.name]) : null,
          el("span", { class: input.name === "align" ? "gs-hidden" : "" }, one.label),
        ),
      );
    }),
  );
}
const ALIGNS = { left: "format_align_left", center: "format_align_center", right: "format_align_right" };

function select(input, choices) {
  const box = el(
    "select",
    key(input),
    input.required && input.value === undefined && input.default === undefined
      ? el("option", { value: "" }, "Choose …")
      : null,
    choices.map((one) => el("option", { value: one.name }, one.label)),
  );
  box.value = String(input.value ?? input.default ?? "");
  box.addEventListener("change", () => input.set(box.value === "" ? undefined : box.value));
  return box;
}

function color(input) {
  const value = () => (isColor(box.value) ? box.value : "");
  const well = el("input", {
    type: "color",
    value: isColor(input.value) ? six(input.value) : "#ffffff",
    "aria-label": `${input.label}: choose`,
    title: "Choose a colour",
  });
  const box = el("input", {
    type: "text",
    spellcheck: "false",
    maxlength: 7,
    placeholder: input.default ?? "as the mail",
    value: input.value ?? "",
    ...key(input),
  });
  const hint = el("span", { class: "mle-contrast", role: "status" });
  const show = () => {
    well.classList.toggle("mle-well--none", !value());
    hint.replaceChildren(...contrastWords(input, box.value));
  };
  box.addEventListener("input", () => {
    if (value()) well.value = six(value());
    input.set(box.value === "" ? undefined : box.value);
    show();
  });
  well.addEventListener("input", () => {
    box.value = well.value;
    input.set(well.value);
    show();
  });
  show();
  return el("div", { class: "mle-color" }, well, box, hint);
}

const six = (value) => (value.length === 4 ? `#${[...value.slice(1)].map((one) => one + one).join("")}` : value);

// Letters against what they stand on: 4.5 to 1 is what WCAG asks for.
function contrastWords(input, value) {
  const pair = input.against?.(value);
  if (!pair || !isColor(pair[0]) || !isColor(pair[1])) return [];
  const ratio = contrast(pair[0], pair[1]);
  const isGood = ratio >= 4.5;
  return [
    icon(isGood ? "check_circle" : "warning"),
    el(
      "span",
      { class: isGood ? "" : "mle-contrast--low" },
      `${ratio.toFixed(1)} : 1${isGood ? "" : " – hard to read, 4.5 is needed"}`,
    ),
  ];
}

function image(input) {
  const picture = el("img", { alt: "", loading: "lazy" });
  const show = (value) => {
    const shown = input.editor.locally(value ?? "");
    picture.hidden = !/^(https?:)?\//.test(shown) || shown.includes("{{");
    if (!picture.hidden) picture.src = shown;
  };
  picture.addEventListener("error", () => (picture.hidden = true));
  const box = url(input);
  box.addEventListener("input", () => show(box.value));
  show(input.value);
  const pick = el(
    "button",
    {
      type: "button",
      class: "gs-button gs-button--quiet mle-small",
      "data-key": `${told(input.at)}#pick`,
      onclick: () => input.editor.pickPicture(input),
    },
    icon("photo_library"),
    "Choose or upload",
  );
  return el("div", { class: "mle-image" }, picture, el("div", {}, pick, box));
}

function snippet(input) {
  const known = input.editor.snippets;
  if (!known.length)
    return el(
      "p",
      { class: "mle-help", "data-main": "", tabindex: "-1" },
      "There are no snippets yet: save any block as one by its menu.",
    );
  return select(
    input,
    known.map((one) => ({ name: one.slug, label: one.name })),
  );
}

// --- several of the same ----------------------------------------------------------------------------------

function rows(input) {
  const list = Array.isArray(input.value) ? input.value : [];
  const change = (next, focus) => input.set(next, { isDrawn: true, focus });
  const at = (place) => [...input.at, place];
  const items = list.map((row, place) =>
    el(
      "li",
      { class: "mle-row", "data-at": told(at(place)) },
      el(
        "div",
        { class: "mle-row__fields" },
        input.inputs.map((one) =>
          field({
            ...one,
            at: [...at(place), one.name],
            value: row[one.name],
            editor: input.editor,
            set: (value, more = {}) =>
              input.set(set(input.now(), [place, one.name], value), { key: told([...at(place), one.name]), ...more }),
          }),
        ),
      ),
      el(
        "div",
        { class: "mle-row__tools" },
        iconButton(
          "arrow_upward",
          "Move up",
          () => change(move({ list }, ["list", place], ["list"], place - 1).root.list, `${told(at(place - 1))}#up`),
          { disabled: place === 0, "data-key": `${told(at(place))}#up` },
        ),
        iconButton(
          "close",
          "Remove",
          () => change(remove({ list }, ["list", place]).list, `${told(input.at)}#add`),
          {},
        ),
      ),
    ),
  );
  const add = el(
    "button",
    {
      type: "button",
      class: "mle-add-row",
      "data-key": `${told(input.at)}#add`,
      onclick: () =>
        change(
          insert({ list }, ["list"], list.length, input.editor.language.blankRow(input)).list,
          told([...at(list.length), input.inputs[0].name]),
        ),
    },
    icon("add"),
    "Add",
  );
  return el("div", {}, el("ol", { class: "mle-rows" }, items), add);
}

const BOXES = { text, rich: richText, code, url, image, color, whole, boolean, choice, rows, snippet };
