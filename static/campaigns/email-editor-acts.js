// What is done with a whole mail: publish it, go back to an earlier one, bring one in.
import { el, icon } from "../blocks/dom.js";
import { alertLine, body, button, confirm, dialog, foot, labelled, primary, when } from "./email-editor-dialogs.js";
import { renamed } from "./email-editor-language.js";
import { finding } from "./email-editor-preview.js";
import { ask, post } from "../blocks/server.js";

// --- publish ----------------------------------------------------------------------------------------------

export async function publish(editor) {
  const chosen = await dialog("Publish", (_, close) => {
    const found = editor.found ?? [];
    const errors = found.filter((one) => one.level === "error");
    const { line, tell } = alertLine();
    const go = primary(
      "Publish",
      async () => {
        go.disabled = true;
        try {
          await editor.saver.flush();
          const { number } = await post(editor.page.addresses.publish, {});
          showPublished(editor, number, "new mail uses it");
          close();
        } catch (error) {
          tell(
            [error.message, ...Object.entries(error.details ?? {}).map(([place, words]) => `${place}: ${words}`)].join(
              " ",
            ),
          );
          go.disabled = false;
        }
      },
      { disabled: errors.length > 0 },
    );
    const words = errors.length
      ? "These have to be mended first:"
      : found.length
        ? "It can go out. You may want to look at these before:"
        : "All checks passed. New mail uses this version from now on; what was sent stays as it was.";
    return [
      body(
        el("p", {}, words),
        el(
          "ul",
          { class: "mle-checks__list" },
          found.map((one) => finding(one, () => close(one))),
        ),
        line,
      ),
      foot(
        button("Not yet", () => close()),
        go,
      ),
    ];
  });
  if (chosen) editor.goTo(chosen);
}

// In the bar: the draft is what is published now.
export function showPublished(editor, number, meaning) {
  editor.toast(`Version ${number} is published: ${meaning}.`);
  editor.say(`Version ${number} is published.`);
  const changes = el("span", { class: "gs-badge gs-badge--warning mle-bar__changes", hidden: true }, "Unpublished changes");
  editor
    .querySelector(".mle-bar__state")
    ?.replaceChildren(el("span", { class: "gs-badge gs-badge--good" }, `Published v${number}`), changes);
}

// --- versions ---------------------------------------------------------------------------------------------

export function showVersions(editor) {
  return dialog(
    "Versions",
    (_, close) => {
      const host = el("div", { class: "mle-versions" }, el("p", { class: "mle-help" }, "Looking …"));
      const { line, tell } = alertLine();
      ask(editor.page.addresses.versions).then(
        ({ results }) => {
          host.replaceChildren(
            ...(results.length
              ? results.map((one) => version(editor, one, close, tell))
              : [
                  el(
                    "p",
                    { class: "mle-help" },
                    "Nothing is published yet. Each time you publish, a version is kept here.",
                  ),
                ]),
          );
        },
        (error) => (host.replaceChildren(), tell(error.message)),
      );
      return body(host, line);
    },
    { isWide: true },
  );
}

function version(editor, one, close, tell) {
  const difference = el("div", { class: "mle-difference", hidden: true });
  const compare = button(
    "What is different now",
    async () => {
      difference.hidden = !difference.hidden;
      if (difference.hidden || difference.children.length) return;
      try {
        await editor.saver.flush();
        difference.append(...differences(await ask(`${editor.page.addresses.versions}${one.number}/diff/`)));
      } catch (error) {
        tell(error.message);
      }
    },
    { class: "gs-button gs-button--quiet mle-small" },
  );
  const restore = button(
    "Restore",
    async () => {
      if (
        !(await confirm(
          `Go back to version ${one.number}?`,
          "It becomes the draft; what is published stays published. Control Z brings the present draft back.",
          "Go back",
        ))
      )
        return;
      try {
        await editor.saver.flush();
        const draft = await post(`${editor.page.addresses.versions}${one.number}/restore/`, {
          revision: editor.saver.revision,
        });
        editor.saver.settle(draft.revision, null);
        editor.replace(editor.opened(draft), `Version ${one.number} is the draft now.`);
        editor.toast(`Version ${one.number} is the draft now.`);
        close();
      } catch (error) {
        tell(error.message);
      }
    },
    { class: "gs-button gs-button--quiet mle-small" },
  );
  return el(
    "article",
    { class: "mle-version" },
    el(
      "div",
      { class: "mle-version__head" },
      el("strong", {}, `Version ${one.number}`),
      el("span", { class: "mle-help" }, [when(one.created_at), one.author].filter(Boolean).join(" · ")),
      compare,
      restore,
    ),
    difference,
  );
}

const SIGNS = {
  added: ["add", "Added"],
  removed: ["remove", "Removed"],
  changed: ["edit", "Changed"],
  moved: ["swap_vert", "Moved"],
};

export function differences({ changes }) {
  if (!changes.length) return [el("p", { class: "mle-help" }, "Nothing: the draft is this version.")];
  return [
    el(
      "ul",
      {},
      changes.map((one) => {
        const [glyph, word] = SIGNS[one.kind] ?? ["edit", one.kind];
        return el(
          "li",
          { "data-kind": one.kind },
          icon(glyph),
          el(
            "span",
            {},
            el("strong", {}, word),
            ` ${one.label ?? one.path ?? ""}`,
            one.before || one.after
              ? el(
                  "span",
                  { class: "mle-difference__words" },
                  one.before ? el("del", {}, String(one.before)) : null,
                  one.after ? el("ins", {}, String(one.after)) : null,
                )
              : null,
          ),
        );
      }),
    ),
  ];
}

// --- import -----------------------------------------------------------------------------------------------

export function askImport(editor) {
  return dialog(
    "Import HTML or MJML",
    (_, close) => {
      const source = el("textarea", { rows: 12, class: "gs-code", spellcheck: "false", autofocus: true });
      const file = el("input", { type: "file", accept: ".html,.htm,.mjml,text/html,text/plain" });
      file.addEventListener("change", async () => (source.value = (await file.files[0]?.text()) ?? source.value));
      const { line, tell } = alertLine();
      const notes = el("ul", { class: "mle-notes" });
      const bring = (isWhole) => async () => {
        tell("");
        try {
          const answer = await post(editor.page.addresses.import, { source: source.value });
          const blocks = renamed(answer.blocks?.blocks ?? answer.blocks ?? []);
          const state = { ...editor.state, ...(isWhole && answer.subject ? { subject: answer.subject } : {}) };
          editor.replace(
            {
              ...state,
              ...(isWhole && answer.blocks?.settings ? { settings: answer.blocks.settings } : {}),
              blocks: isWhole ? blocks : [...state.blocks, ...blocks],
            },
            "Imported.",
          );
          editor.toast(
            [
              isWhole ? "Imported; control Z brings the old mail back." : "Added at the end.",
              ...(answer.notes ?? []),
            ].join(" "),
          );
          close(true);
        } catch (error) {
          tell([error.message, ...Object.values(error.details ?? {})].join(" "));
        }
      };
      const isEmpty = !editor.state.blocks.length;
      return [
        body(
          labelled(
            "The mail",
            source,
            "Paste it, or choose its file. It arrives as a block of code that you can go on editing; scripts are left out.",
          ),
          labelled("Or a file", file),
          line,
          notes,
        ),
        foot(
          isEmpty ? null : button("Add at the end", bring(false)),
          primary(isEmpty ? "Import" : "Put it in the place of all blocks", bring(true)),
        ),
      ];
    },
    { isWide: true },
  );
}
