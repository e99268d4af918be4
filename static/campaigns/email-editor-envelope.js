// What stands around the blocks: the lines of the inbox, the looks of the whole mail, stand-ins and the plain text.
import { el, freshId, icon, iconButton } from "../blocks/dom.js";
import { against } from "./email-editor-colors.js";
import { suggestButton } from "./email-editor-copy.js";
import { button, confirm } from "./email-editor-dialogs.js";
import { languageTabs } from "./email-editor-locales.js";
import { field } from "./email-editor-inputs.js";

// Inboxes of phones show about so many letters.
const LINES = [
  { name: "subject", label: "Subject", longest: 300, best: 50, placeholder: "What readers see first" },
  {
    name: "preheader",
    label: "Preheader",
    longest: 200,
    best: 90,
    placeholder: "Stands behind the subject in the inbox",
  },
];

export function envelope(editor) {
  const lines = LINES.map(({ name, label, longest, best, placeholder }) => {
    const note = el("span", { class: "mle-count" });
    const count = (value) => {
      const length = (value ?? "").replaceAll(/\{\{.*?\}\}/g, "").length;
      note.textContent = length > best ? `${length} letters; phones show about ${best}` : "";
    };
    const made = field({
      name, type: "text", label, at: [name], editor, value: editor.state[name], takesVariables: true,
      set: (value) => {
        count(value);
        editor.edit([name], value ?? "");
      },
    }); // prettier-ignore
    const box = made.querySelector("[data-main]");
    box.maxLength = longest;
    box.placeholder = placeholder;
    count(editor.state[name]);
    made.append(note);
    if (editor.page.addresses.copy) made.querySelector(".mle-labels").append(suggestButton(editor, name));
    return made;
  });
  return [languageTabs(editor), ...lines].filter(Boolean);
}

export function look(editor, host) {
  const settings = editor.language.settings.map((input) =>
    field({
      ...input,
      at: ["settings", input.name],
      editor,
      value: editor.state.settings?.[input.name],
      against: input.type === "color" ? against({}, input.name, editor.settings) : null,
      set: (value) => editor.edit(["settings", input.name], value),
    }),
  );
  host.replaceChildren(
    el("summary", {}, icon("palette"), "The whole mail: colours, letters, stand-ins, plain text"),
    el("div", { class: "mle-looks" }, settings),
    standIns(editor, host),
    plainText(editor),
  );
}

function standIns(editor, host) {
  const entries = Object.entries(editor.state.defaults ?? {});
  const title = freshId("mle");
  const rows = entries.map(([name, value]) => {
    const box = el("input", {
      type: "text",
      value: String(value),
      "aria-label": `When ${name} is missing`,
      "data-key": `defaults.${name}`,
    });
    box.addEventListener("input", () => editor.edit(["defaults", name], box.value || undefined));
    return el(
      "li",
      { "data-at": `defaults.${name}` },
      el("code", {}, name),
      box,
      iconButton("close", `Remove the stand-in of ${name}`, () => {
        editor.edit(["defaults", name], undefined);
        look(editor, host);
      }),
    );
  });
  const help = entries.length
    ? "What the mail says where a contact has nothing."
    : "Insert a variable, and say there what stands in where a contact has none.";
  return el(
    "section",
    { class: "mle-standins", "aria-labelledby": title, "data-at": "defaults" },
    el("h3", { id: title }, "Stand-ins"),
    el("p", { class: "mle-help" }, help),
    entries.length ? el("ul", {}, rows) : null,
  );
}

function plainText(editor) {
  const isOwn = Boolean(editor.state.text);
  const box = el("textarea", {
    rows: 8,
    class: "gs-code",
    "aria-label": "Plain text of the mail",
    value: editor.state.text ?? "",
    "data-key": "text",
    "data-main": "",
  });
  box.addEventListener("input", () => editor.edit(["text"], box.value));
  const begin = button(
    "Write it by hand",
    () => {
      box.value = editor.preview.text.textContent;
      editor.edit(["text"], box.value);
      switchTo(true);
      box.focus();
    },
    { class: "gs-button gs-button--quiet mle-small" },
  );
  const back = button(
    "Make it from the blocks again",
    async () => {
      if (
        !(await confirm(
          "Give up your own text?",
          "The plain text is made from the blocks again; control Z brings yours back.",
          "Give it up",
        ))
      )
        return;
      editor.edit(["text"], "");
      switchTo(false);
    },
    { class: "gs-button gs-button--quiet mle-small" },
  );
  const help = el("p", { class: "mle-help" });
  const switchTo = (own) => {
    box.hidden = back.hidden = !own;
    begin.hidden = own;
    help.textContent = own
      ? "You wrote it; it does not follow the blocks. Variables work as they do above."
      : "Made from the blocks. Some readers, and every spam filter, look at it.";
  };
  switchTo(isOwn);
  return el(
    "section",
    { class: "mle-standins", "data-at": "text" },
    el("h3", {}, "Plain text"),
    help,
    el(
      "p",
      { class: "mle-behind" },
      "The blocks have changed since you wrote it: look whether it still says the same.",
    ),
    box,
    begin,
    back,
  );
}
