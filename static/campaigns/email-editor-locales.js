// One mail in several languages. The tree on the page is that of one language; the others wait beside it under their
// codes, so that every change, move and undo is the same whichever language is open.
import { el } from "../blocks/dom.js";
import { alertLine, body, confirm, dialog, foot, labelled, primary } from "./email-editor-dialogs.js";

const WORDS = ["subject", "preheader", "text", "settings", "blocks"];
const MAIN = ""; // the language of whoever has none of the others
const OFFERED = [
  "ar", "bg", "cs", "da", "de", "el", "en", "en-GB", "en-US", "es", "es-MX", "et", "fi", "fr", "fr-CA", "ga", "he", "hi",
  "hr", "hu", "id", "is", "it", "ja", "ko", "lt", "lv", "nb", "nl", "pl", "pt", "pt-BR", "ro", "sk", "sl", "sr", "sv", "th",
  "tr", "uk", "vi", "zh-Hans", "zh-Hant",
]; // prettier-ignore

const names = new Intl.DisplayNames(["en"], { type: "language" });

export function nameOf(code) {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

const pick = (from) =>
  Object.fromEntries(WORDS.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

// The words of one language as the page keeps them. What was written as code stands in one block.
function opened({ subject, preheader, text, html, blocks }) {
  const tree = blocks ?? { settings: {}, blocks: html?.trim() ? [{ id: "imported", type: "imported", html }] : [] };
  return {
    subject: subject ?? "",
    preheader: preheader ?? "",
    text: text ?? "",
    settings: tree.settings ?? {},
    blocks: tree.blocks ?? [],
  };
}

const closed = ({ subject, preheader, text, settings, blocks }) => ({
  subject: subject ?? "", preheader: preheader ?? "", text: text ?? "", blocks: { settings: settings ?? {}, blocks },
}); // prettier-ignore

// From what the server keeps, with the language that is open.
export function stateOf(draft, editing = MAIN) {
  const others = Object.entries(draft.variants ?? {}).map(([code, words]) => [code, opened(words)]);
  const state = {
    ...opened(draft), defaults: draft.defaults ?? {}, locale: draft.locale ?? "", editing: MAIN, others: Object.fromEntries(others),
  }; // prettier-ignore
  return editing in state.others ? turned(state, editing) : state;
}

// What the server keeps.
export function draftOf(state) {
  const { defaults, locale, others } = turned(state, MAIN);
  const variants = Object.fromEntries(Object.entries(others).map(([code, words]) => [code, closed(words)]));
  // A mail is made of blocks or written as code, never both.
  return { ...closed(turned(state, MAIN)), html: "", defaults: defaults ?? {}, locale: locale ?? "", variants };
}

// The words that are open, as the server draws them.
export const wordsOf = (state) => ({
  ...closed(state),
  defaults: state.defaults ?? {},
  locale: state.editing || state.locale || "",
});

export function turned(state, code) {
  if (code === state.editing) return state;
  const { [code]: next, ...rest } = state.others;
  return { ...state, ...pick(next), editing: code, others: { ...rest, [state.editing]: pick(state) } };
}

const codes = (state) => [MAIN, ...[...Object.keys(state.others), state.editing].filter(Boolean).sort()];

// --- on the page ------------------------------------------------------------------------------------------

export function languageTabs(editor) {
  const { state } = editor;
  const all = codes(state);
  if (all.length < 2) return null;
  return el(
    "div",
    { class: "mle-languages", role: "group", "aria-label": "Language of the words" },
    all.map((code) =>
      el(
        "button",
        {
          type: "button",
          "aria-pressed": String(code === state.editing),
          "data-key": `language#${code}`,
          onclick: () => editor.turnLanguage(code),
        },
        code === MAIN ? (state.locale ? nameOf(state.locale) : "Everybody else") : nameOf(code),
      ),
    ),
  );
}

export function languageItems(editor) {
  const { state } = editor;
  return [
    { label: "Add a language", icon: "translate", act: () => addLanguage(editor) },
    ...(state.editing
      ? [{ label: `Remove ${nameOf(state.editing)}`, icon: "translate", act: () => removeLanguage(editor) }]
      : []),
  ];
}

function addLanguage(editor) {
  return dialog("Add a language", (_, close) => {
    const { state } = editor;
    const taken = new Set([...codes(state), state.locale]);
    const free = OFFERED.filter((code) => !taken.has(code)).sort((one, other) =>
      nameOf(one).localeCompare(nameOf(other)),
    );
    const box = el(
      "select",
      { autofocus: true },
      free.map((code) => el("option", { value: code }, nameOf(code))),
    );
    const main = el(
      "select",
      {},
      el("option", { value: "" }, "Not said"),
      OFFERED.map((code) => el("option", { value: code }, nameOf(code))),
    );
    main.value = state.locale ?? "";
    const { line, tell } = alertLine();
    const add = () => {
      if (box.value === main.value) return tell("The mail is in that language already.");
      const words = structuredClone(pick(state));
      editor.change(
        { ...state, locale: main.value, others: { ...state.others, [box.value]: words } },
        { isDrawn: false },
      );
      editor.turnLanguage(box.value);
      return close(true);
    };
    return [
      body(
        labelled(
          "New language",
          box,
          "It begins as a copy of what is open now. A contact gets it by their own language.",
        ),
        state.editing || editor.page.draft.locale === undefined
          ? null
          : labelled("The words so far are in", main, "Whoever speaks none of the languages gets these."),
        line,
      ),
      foot(primary("Add language", add)),
    ];
  });
}

async function removeLanguage(editor) {
  const { state } = editor;
  const code = state.editing;
  if (
    !(await confirm(
      `Remove ${nameOf(code)}?`,
      "Whoever speaks it gets the other words from then on. Control Z brings it back.",
      "Remove",
    ))
  )
    return;
  const main = turned(state, MAIN);
  const { [code]: _, ...others } = main.others;
  editor.replace({ ...main, others }, `${nameOf(code)} is removed.`);
}
