// Dialogs of the editors: native <dialog>s, which hold the focus, close by Escape and give the focus back.
import { el, freshId, iconButton } from "./dom.js";

// A dialog with a title; `fill(dialog, close)` returns its content, `close(value)` answers the promise. Closed by
// Escape or by its cross it answers undefined.
export function dialog(title, fill, { isWide = false } = {}) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const heading = freshId("blk-title");
    let answer;
    const box = el("dialog", { class: `blk-dialog${isWide ? " blk-dialog--wide" : ""}`, "aria-labelledby": heading });
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
        { class: "blk-dialog__head" },
        el("h2", { id: heading }, title),
        iconButton("close", "Close", () => close()),
      ),
    );
    box.append(...[fill(box, close)].flat());
    box.addEventListener("close", end);
    box.addEventListener("click", (event) => event.target === box && close());
    // What is typed here is none of the editor's business.
    box.addEventListener("keydown", (event) => event.stopPropagation());
    (document.querySelector("[data-workspace]") ?? document.body).append(box);
    box.showModal();
    box.querySelector("[autofocus], .blk-dialog__body :is(input, textarea, select, button)")?.focus();
  });
}

export const body = (...children) => el("div", { class: "blk-dialog__body" }, children);
export const foot = (...children) => el("footer", { class: "blk-dialog__foot" }, children);
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

export function confirm(title, words, label) {
  return dialog(title, (_, close) => [
    body(el("p", {}, words)),
    foot(
      button("Cancel", () => close(false)),
      primary(label, () => close(true), { autofocus: true }),
    ),
  ]);
}
