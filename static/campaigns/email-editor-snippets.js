// A block of a mail kept as a snippet: a new one, or in the place of one that is there.
import { el } from "../blocks/dom.js";
import { alertLine, body, dialog, foot, labelled, primary } from "./email-editor-dialogs.js";
import { ask, post } from "../blocks/server.js";

export function askSnippet(editor, node) {
  return dialog("Save as a snippet", (_, close) => {
    const which = el(
      "select",
      {},
      el("option", { value: "" }, "A new snippet"),
      editor.snippets.map((one) => el("option", { value: one.id }, `Instead of “${one.name}”`)),
    );
    const name = el("input", {
      type: "text",
      maxlength: 200,
      autofocus: true,
      value: editor.language.summary(node).slice(0, 60),
    });
    const named = labelled("Its name", name, "A snippet is kept once and used in many mails.");
    const warned = el(
      "p",
      { class: "mle-help", hidden: true },
      "Mails that use it take the new one in when they are published next.",
    );
    which.addEventListener("change", () => {
      named.hidden = Boolean(which.value);
      warned.hidden = !which.value;
    });
    const { line, tell } = alertLine();
    const save = async () => {
      try {
        const made = await kept(editor, node, which.value, name.value);
        editor.snippets = [...editor.snippets.filter((one) => one.id !== made.id), made];
        editor.toast(
          which.value ? `“${made.name}” is this block now.` : `“${made.name}” is in the list of blocks now.`,
        );
        editor.preview.ask();
        close(made);
      } catch (error) {
        tell([error.message, ...Object.values(error.details ?? {})].join(" "));
      }
    };
    name.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), save()));
    return [
      body(editor.snippets.length ? labelled("Save it as", which) : null, named, warned, line),
      foot(primary("Save snippet", save)),
    ];
  });
}

async function kept(editor, node, id, name) {
  const { snippets } = editor.page.addresses;
  if (!id) return post(snippets, { name, blocks: [node] });
  const changed = await ask(`${snippets}${id}/`, { method: "PATCH", body: { blocks: [node] } });
  await post(`${snippets}${id}/publish/`, {});
  return { ...changed, published_version: (changed.published_version ?? 0) + 1 };
}
