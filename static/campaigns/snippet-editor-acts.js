// Where a snippet is used, and publishing it: what changes, and which mails take it in now.
import { el, icon } from "../blocks/dom.js";
import { differences, showPublished } from "./email-editor-acts.js";
import { alertLine, body, button, dialog, foot, primary } from "./email-editor-dialogs.js";
import { finding } from "./email-editor-preview.js";
import { ask, post } from "../blocks/server.js";

const mails = (count) => `${count} mail${count === 1 ? "" : "s"}`;
const pageOf = (editor, use) => editor.page.addresses.template.replace("/0/", `/${use.template_id}/`);

function standing(use) {
  if (use.is_archived) return "Archived: what was scheduled with it still goes out";
  if (use.published_number === null) return "Its draft names it; what is sent does not";
  return `Sends version ${use.published_number}${use.is_behind ? ", an older one" : ""}`;
}

export function showUses(editor) {
  return dialog("Where it is used", () =>
    body(
      editor.uses.length
        ? el(
            "ul",
            { class: "mle-uses" },
            editor.uses.map((use) =>
              el("li", {}, el("a", { href: pageOf(editor, use) }, use.name), el("span", { class: "mle-help" }, standing(use))),
            ),
          )
        : el("p", {}, "No mail uses it yet. In a mail, choose “Add a block”: published snippets stand at the end."),
    ),
  );
}

export async function publish(editor) {
  const { changes: changesAt, used_by: usedBy } = editor.page.addresses;
  try {
    await editor.saver.flush();
    const [{ changes }, { results }] = await Promise.all([ask(changesAt), ask(usedBy)]);
    editor.uses = results;
    const chosen = await askWhere(editor, changes, results.filter((use) => use.published_number !== null && !use.is_archived)); // prettier-ignore
    if (chosen) editor.goTo(chosen);
    else await editor.learn();
  } catch (error) {
    editor.toast(error.message);
  }
}

// Answers the finding to go to, if any.
function askWhere(editor, changes, sending) {
  return dialog("Publish the snippet", (_, close) => {
    const faults = (editor.found ?? []).filter((one) => one.level === "error");
    const hints = (editor.found ?? []).filter((one) => one.level !== "error");
    const boxes = sending
      .filter((use) => changes.length || use.is_behind)
      .map((use) => ({ use, box: el("input", { type: "checkbox", checked: true }) }));
    const { line, tell } = alertLine();
    const wanted = () => boxes.filter(({ box }) => box.checked).map(({ use }) => use);
    const go = primary("", () => bring(editor, wanted(), { go, tell, close }), {
      disabled: faults.length > 0 || (!changes.length && !boxes.length),
    });
    const name = () => {
      const count = wanted().length;
      go.textContent = count ? `Publish, also in ${mails(count)}` : "Publish";
    };
    for (const { box } of boxes) box.addEventListener("change", name);
    name();
    return [
      body(
        faults.length ? el("p", {}, "These have to be mended first:") : whatChanges(changes),
        findings([...faults, ...hints], close),
        faults.length || !boxes.length ? null : whoTakesIt(boxes),
        line,
      ),
      foot(
        button("Not yet", () => close()),
        go,
      ),
    ];
  });
}

const whatChanges = (changes) =>
  el(
    "section",
    {},
    el("h3", {}, "What changes"),
    el("div", { class: "mle-difference" }, changes.length ? differences({ changes }) : el("p", { class: "mle-help" }, "Nothing: this is what is published already.")), // prettier-ignore
  );

const findings = (found, close) =>
  found.length
    ? el(
        "ul",
        { class: "mle-checks__list" },
        found.map((one) => finding(one, () => close(one))),
      )
    : null;

const whoTakesIt = (boxes) =>
  el(
    "fieldset",
    { class: "mle-takers" },
    el("legend", {}, "These mails take it in at once"),
    el("p", { class: "mle-help" }, "The others go on with the version they have until they are published again. Their drafts stay as they are."), // prettier-ignore
    boxes.map(({ use, box }) =>
      el("label", {}, box, el("span", {}, use.name, el("small", {}, `Sends version ${use.published_number} now`))),
    ),
  );

async function bring(editor, uses, { go, tell, close }) {
  go.disabled = true;
  const { publish: publishAt, republish } = editor.page.addresses;
  try {
    const { number } = await post(publishAt, {});
    const ids = uses.map((use) => use.template_id);
    const { refused } = ids.length ? await post(republish, { template_ids: ids }) : { refused: {} };
    const left = uses.filter((use) => refused[use.template_id] !== undefined);
    const reached = uses.length - left.length;
    showPublished(editor, number, reached ? `${mails(reached)} send it now` : "mails take it in when they are published");
    if (!left.length) return close();
    tell(`Version ${number} is published, but not in ${left.map((use) => `“${use.name}”: ${refused[use.template_id]}`).join(" ")}`);
  } catch (error) {
    tell([error.message, ...Object.values(error.details ?? {})].join(" "));
    go.disabled = false;
  }
  return undefined;
}
