// The copy assistant: lines for the inbox from the mail's own words, one recommended, each with its reasons.
import { el, freshId, icon } from "../blocks/dom.js";
import { alertLine, body, button, confirm, dialog, labelled, primary } from "./email-editor-dialogs.js";
import { wordsOf } from "./email-editor-locales.js";
import { post } from "../blocks/server.js";

const STATES = [
  ["", "Nobody in particular"],
  ["engaged", "People who opened or clicked lately"],
  ["new", "People who are new"],
  ["quiet", "People who went quiet"],
  ["at_risk", "Customers who are late with their next order"],
  ["just_bought", "People who just bought"],
  ["complained", "People who complained"],
];
const LINES = { subject: "Subject lines", preheader: "Preheaders", text: "Short texts" };

export const suggestButton = (editor, kind) =>
  el(
    "button",
    {
      type: "button",
      class: "mle-chip mle-suggest",
      "data-key": `suggest#${kind}`,
      "aria-haspopup": "dialog",
      onclick: () => askLines(editor, kind),
    },
    icon("ink_pen"),
    "Suggest",
  );

export function askLines(editor, kind) {
  return dialog(
    LINES[kind],
    (box, close) => {
      const host = el("div", { class: "mle-lines", "aria-busy": "true" });
      const notes = el("ul", { class: "mle-lines__notes" });
      const status = el("p", { class: "mle-help", role: "status" });
      const { line, tell } = alertLine();
      const readers = readersBox(editor);
      const states = kind === "subject" && editor.segments.length ? statesBox(editor, () => find()) : null;
      let shown = [];
      const find = async () => {
        tell("");
        status.textContent = "Reading your mail …";
        host.setAttribute("aria-busy", "true");
        try {
          const found = await post(editor.page.addresses.copy, { kind, ...said(editor), ...written(readers.value), ...states?.asked(), shown: shown.slice(-100) });
          shown = [...shown, ...found.variants.map((one) => one.text)];
          const cards = found.variants.map((one, place) => card(editor, found, place, kind, close, tell));
          host.replaceChildren(...cards);
          notes.replaceChildren(...found.notes.map((words) => el("li", {}, words)));
          status.textContent = cards.length ? `${cards.length} lines.` : "There is no other line in this mail.";
        } catch (error) {
          host.replaceChildren();
          notes.replaceChildren();
          status.textContent = "";
          tell([error.message, ...Object.values(error.details ?? {}).filter((words) => words !== error.message)].join(" "));
        }
        host.removeAttribute("aria-busy");
      };
      readers.addEventListener("change", () => {
        shown = [];
        find();
      });
      find();
      const others = button("Show others", find, { class: "gs-button gs-button--quiet" });
      return [
        body(
          el(
            "div",
            { class: "mle-lines__head" },
            labelled("Written for", readers),
            others,
          ),
          states?.box ?? null,
          line,
          status,
          host,
          notes,
        ),
      ];
    },
    { isWide: true },
  );
}

// A segment for each state: then one subject can speak to every reader where they stand.
function statesBox(editor, write) {
  const boxes = STATES.slice(1).map(([state, label]) => {
    const choices = editor.segments.map(({ id, name }) => el("option", { value: id }, name));
    return { state, label, box: el("select", {}, el("option", { value: "" }, "No wording of their own"), choices) };
  });
  return {
    box: el(
      "details",
      { class: "mle-lines__states" },
      el("summary", {}, "One subject with a wording for each state"),
      el("p", { class: "mle-help" }, "Say which segment stands for whom; each reader gets the wording of theirs."),
      el("div", { class: "mle-lines__segments" }, boxes.map(({ label, box }) => labelled(label, box))),
      button("Write it", write),
    ),
    asked() {
      const said = boxes.filter(({ box }) => box.value).map(({ state, box }) => [state, Number(box.value)]);
      return said.length ? { state_segments: Object.fromEntries(said) } : {};
    },
  };
}

function readersBox(editor) {
  const states = STATES.map(([value, label]) => el("option", { value: `state:${value}` }, label));
  const segments = editor.segments.map(({ id, name }) => el("option", { value: `segment:${id}` }, name));
  return el(
    "select",
    { autofocus: true },
    states,
    segments.length ? el("optgroup", { label: "Wherever most of a segment stand" }, segments) : null,
  );
}

// What is open in the editor, saved or not; another page says itself what it holds.
function said(editor) {
  if (editor.said) return editor.said();
  const { subject, preheader, text, blocks, locale } = wordsOf(editor.state);
  return { template_id: editor.page.id, subject, preheader, text, blocks, locale };
}

function written(readers) {
  const [what, which] = readers.split(":");
  return what === "segment" ? { segments: [Number(which)] } : { state: which };
}

function card(editor, found, place, kind, close, tell) {
  const one = found.variants[place];
  const title = freshId("mle-line");
  const use = async () => {
    close(true); // first: the button that has the focus again is drawn anew
    take(editor, kind, one);
    // That a line was taken is worth knowing, and nothing that anybody would wait for.
    await post(`${editor.page.addresses.copy}${found.id}/choose/`, { variant: place }).catch(() => {});
  };
  return el(
    "article",
    { class: "mle-line", "aria-labelledby": title },
    el(
      "div",
      { class: "mle-line__words" },
      el(
        "p",
        { class: "mle-line__badges" },
        one.is_recommended ? el("span", { class: "gs-badge gs-badge--good" }, "Recommended") : null,
        el("span", { class: "gs-badge" }, one.label),
        one.chance === null
          ? null
          : el("span", { class: "mle-help" }, `${Math.round(100 * one.chance)} in 100 to beat another of these`),
      ),
      el("p", { class: "mle-line__text", id: title }, words(one.text)),
      one.preheader ? el("p", { class: "mle-line__preheader" }, words(one.preheader)) : null,
      el(
        "ul",
        { class: "mle-line__reasons" },
        one.reasons.map((reason) => el("li", {}, reason)),
      ),
    ),
    el(
      "div",
      { class: "mle-line__acts" },
      primary("Use it", use, { "aria-describedby": title }),
      kind === "subject" && found.own
        ? button("Test against mine", () => test(editor, found, place, tell), { "aria-describedby": title })
        : null,
    ),
  );
}

// A placeholder as the first name it stands for.
const words = (text) => text.replaceAll(/\{\{[^}]*first_name[^}]*\}\}/g, "Anna");

function take(editor, kind, one) {
  if (editor.take) return editor.take(one.text);
  editor.edit([kind], one.text);
  if (kind === "subject" && one.preheader && !editor.state.preheader) editor.edit(["preheader"], one.preheader);
  editor.drawAround();
  editor.say(`The ${kind} is “${words(one.text)}” now. Control Z brings yours back.`);
}

async function test(editor, found, place, tell) {
  const one = found.variants[place];
  const sure = await confirm(
    "Test it against yours?",
    `Both mails are published as they stand: yours, and a copy that says “${words(one.text)}”. An experiment draws who ` +
      "gets which; a campaign that uses it decides by what people click.",
    "Make the test",
  );
  if (!sure) return;
  try {
    await editor.saver.flush();
    await post(`${editor.page.addresses.copy}${found.id}/test/`, { variant: place });
    location.assign(editor.page.addresses.copy_tests);
  } catch (error) {
    tell([error.message, ...Object.values(error.details ?? {}).filter((said) => said !== error.message)].join(" "));
  }
}
