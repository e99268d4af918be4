// Dialogs of the mail editor.
import { body, button, dialog, foot, primary } from "../blocks/dialog.js";
import { el, freshId, icon } from "../blocks/dom.js";

export { body, button, confirm, dialog, foot, primary, when } from "../blocks/dialog.js";

export function labelled(label, box, help = "") {
  box.id ||= freshId("mle");
  const hint = help ? el("p", { class: "mle-help", id: freshId("mle-help") }, help) : null;
  if (hint) box.setAttribute("aria-describedby", hint.id);
  return el("div", { class: "mle-field" }, el("label", { class: "mle-label", for: box.id }, label), box, hint);
}

// A line that says what went wrong; filled later.
export function alertLine() {
  const line = el("p", { class: "mle-alert", role: "alert", hidden: true });
  return {
    line,
    tell(words) {
      line.textContent = words;
      line.hidden = !words;
    },
  };
}

// {href, words} or undefined; an empty href takes the link away.
export function askLink(editor, { href, words }) {
  return dialog("Link", (box, close) => {
    const to = el("input", {
      type: "text",
      inputmode: "url",
      spellcheck: "false",
      value: href,
      placeholder: "https://",
      autofocus: true,
    });
    const shown = el("input", { type: "text", value: words });
    const done = () => close({ href: complete(to.value.trim()), words: shown.value });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.localName === "input") {
        event.preventDefault();
        done();
      }
    });
    const ready = (editor.variables ?? []).filter((one) => one.name.endsWith("_url"));
    return [
      body(
        labelled("Leads to", to, "https://…, mailto: or tel:; placeholders may stand in it."),
        labelled("Words", shown),
        ready.length
          ? el(
              "p",
              { class: "mle-chips" },
              ready.map((one) => button(one.label, () => (to.value = `{{ ${one.name} }}`), { class: "mle-chip" })),
            )
          : null,
      ),
      foot(
        href ? button("Take the link away", () => close({ href: "", words: shown.value })) : null,
        primary("Set link", done),
      ),
    ];
  });
}

const complete = (href) => (/^[\w-]+(\.[\w-]+)+([/?#].*)?$/.test(href) ? `https://${href}` : href);

// --- which block to add -----------------------------------------------------------------------------------

// {type} or {snippet: slug}.
export function askBlock(editor, { isInner }) {
  return dialog("Add a block", (_, close) => {
    const search = el("input", {
      type: "search",
      placeholder: "Find a block",
      "aria-label": "Find a block",
      autocomplete: "off",
    });
    const groups = editor.language.groups().map(({ label, blocks }) =>
      el(
        "section",
        {},
        el("h3", {}, label),
        el(
          "div",
          { class: "mle-types" },
          blocks
            .filter((block) => !(isInner && editor.language.isAtTopOnly(block.name)))
            .map((block) => tile(editor.language.icon(block.name), block.label, () => close({ type: block.name }))),
        ),
      ),
    );
    if (editor.snippets.length) {
      groups.push(
        el(
          "section",
          {},
          el("h3", {}, "Your snippets"),
          el(
            "div",
            { class: "mle-types" },
            editor.snippets.map((one) => tile("bookmark", one.name, () => close({ snippet: one.slug }))),
          ),
        ),
      );
    }
    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      for (const group of groups) {
        const tiles = [...group.querySelectorAll("button")];
        for (const one of tiles) one.hidden = !one.textContent.toLowerCase().includes(wanted);
        group.hidden = tiles.every((one) => one.hidden);
      }
    });
    search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      groups.flatMap((group) => [...group.querySelectorAll("button")]).find((one) => !one.hidden && !one.parentElement.parentElement.hidden)?.click(); // prettier-ignore
    });
    return body(search, groups);
  });
}

export const tile = (glyph, label, onclick) =>
  el("button", { type: "button", class: "mle-type", onclick }, icon(glyph), el("span", {}, label));
