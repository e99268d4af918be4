// Dialogs of the editor: native <dialog>s, which hold the focus, close by Escape and give the focus back.
import { el, freshId, icon, iconButton } from "../blocks/dom.js";

// A dialog with a title; `fill(dialog, close)` returns its content, `close(value)` answers the promise. Closed by
// Escape or by its cross it answers undefined.
export function dialog(title, fill, { isWide = false } = {}) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const heading = freshId("mle-title");
    let answer;
    const box = el("dialog", { class: `mle-dialog${isWide ? " mle-dialog--wide" : ""}`, "aria-labelledby": heading });
    // At once, not when the browser tells of it: whoever types on after Enter types into what has the focus next.
    const end = () => {
      if (!box.isConnected) return;
      box.remove();
      if (before?.isConnected) before.focus();
      resolve(answer);
    };
    const close = (value) => {
      answer = value;
      box.close();
      end();
    };
    box.append(
      el(
        "header",
        { class: "mle-dialog__head" },
        el("h2", { id: heading }, title),
        iconButton("close", "Close", () => close()),
      ),
    );
    box.append(...[fill(box, close)].flat());
    box.addEventListener("close", end);
    box.addEventListener("click", (event) => event.target === box && close());
    // What is typed here is none of the editor's business.
    box.addEventListener("keydown", (event) => event.stopPropagation());
    (document.querySelector(".mle") ?? document.body).append(box);
    box.showModal();
    box.querySelector("[autofocus], .mle-dialog__body :is(input, textarea, select, button)")?.focus();
  });
}

export function labelled(label, box, help = "") {
  box.id ||= freshId("mle");
  const hint = help ? el("p", { class: "mle-help", id: freshId("mle-help") }, help) : null;
  if (hint) box.setAttribute("aria-describedby", hint.id);
  return el("div", { class: "mle-field" }, el("label", { class: "mle-label", for: box.id }, label), box, hint);
}

export const body = (...children) => el("div", { class: "mle-dialog__body" }, children);
export const foot = (...children) => el("footer", { class: "mle-dialog__foot" }, children);
export const button = (label, onclick, more = {}) =>
  el("button", { type: "button", class: "gs-button gs-button--quiet", onclick, ...more }, label);
export const primary = (label, onclick, more = {}) =>
  el("button", { type: "button", class: "gs-button", onclick, ...more }, label);

// A moment of the server's in the words of the reader's own place.
export const when = (text) =>
  new Date(text).toLocaleString([], {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });

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

export function confirm(title, words, label) {
  return dialog(title, (_, close) => [
    body(el("p", {}, words)),
    foot(
      button("Cancel", () => close(false)),
      primary(label, () => close(true), { autofocus: true }),
    ),
  ]);
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
