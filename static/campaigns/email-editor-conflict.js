// Two people, or two tabs, at one draft: both states beside each other, and nothing is lost before one was chosen.
import { el } from "../blocks/dom.js";
import { body, button, dialog, primary, when } from "./email-editor-dialogs.js";
import { ask } from "../blocks/server.js";

export async function settleConflict(editor, left = null) {
  const mine = left?.mine ?? editor.state;
  const theirs = await ask(editor.page.addresses.draft).catch(() => null);
  if (!theirs) {
    editor.toast("The other state cannot be fetched just now.");
    setTimeout(() => settleConflict(editor, left), 4000);
    return;
  }
  const other = editor.opened(theirs);
  const choice = await dialog(
    "Two states of this mail",
    (_, close) => [
      body(
        el(
          "p",
          {},
          left
            ? "While you were away, this mail was changed. Which one goes on?"
            : "Somebody else changed this mail while you did. Which one goes on? The other is not kept.",
        ),
        el(
          "div",
          { class: "mle-both" },
          side(editor, "Yours", mine, left?.at ? `Kept on this device ${when(left.at)}` : "As you see it here", () =>
            close("mine"),
          ),
          side(
            editor,
            "Theirs",
            other,
            `Saved ${when(theirs.updated_at)}${theirs.changed_by ? ` by ${theirs.changed_by}` : ""}`,
            () => close("theirs"),
          ),
        ),
      ),
    ],
    { isWide: true },
  );
  if (!choice) {
    editor.toast("Nothing is saved until you have chosen.");
    // Meanwhile the status asks for it.
    editor.status.replaceChildren(
      button("Choose which state goes on", () => settleConflict(editor, left), { class: "mle-link" }),
    );
    return;
  }
  if (choice === "theirs") adopt(editor, other, theirs.revision);
  else keepMine(editor, mine, theirs.revision);
}

function adopt(editor, state, revision) {
  editor.saver.settle(revision, null);
  editor.isStarted = false;
  editor.replace(state, "The other state goes on.");
  editor.saver.settle(revision, null);
}

function keepMine(editor, state, revision) {
  editor.saver.settle(revision, state);
  if (state !== editor.state) editor.replace(state, "Your state goes on.");
}

function side(editor, title, state, words, choose) {
  const frame = el("iframe", { sandbox: "", title, tabindex: "-1", class: "mle-both__frame" });
  editor.render(state).then(
    ({ html }) => (frame.srcdoc = editor.locally(html)),
    () => {},
  );
  return el(
    "section",
    {},
    el("h3", {}, title),
    el("p", { class: "mle-help" }, words),
    el("p", { class: "mle-both__subject" }, state.subject || "No subject"),
    el("div", { class: "mle-both__paper" }, frame),
    primary(`Go on with ${title.toLowerCase()}`, choose),
  );
}
