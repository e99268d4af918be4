// A button that opens a menu: arrows walk, Home and End jump, Escape and Tab close, a click elsewhere closes.
import { el, icon } from "./dom.js";

// `items()` is asked on opening: {label, hint?, icon?, isOff?, act}.
export function menuButton(button, items) {
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () =>
    button.getAttribute("aria-expanded") === "true" ? null : open(button, items()),
  );
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || event.altKey) return;
    event.preventDefault();
    open(button, items());
  });
  return button;
}

function open(button, items) {
  const menu = el("div", {
    class: "blk-menu",
    role: "menu",
    popover: "auto",
    "aria-label": button.getAttribute("aria-label") || button.textContent,
  });
  const close = () => menu.matches(":popover-open") && menu.hidePopover();
  const entries = items.map((item) =>
    el(
      "button",
      {
        type: "button",
        role: "menuitem",
        tabindex: "-1",
        "aria-disabled": item.isOff ? "true" : null,
        onclick: () => {
          if (item.isOff) return;
          close();
          button.focus();
          item.act();
        },
      },
      item.icon ? icon(item.icon) : null,
      el("span", { class: "blk-menu__words" }, item.label, item.note ? el("small", {}, item.note) : null),
      item.hint ? el("kbd", {}, item.hint) : null,
    ),
  );
  menu.append(...entries);
  menu.addEventListener("keydown", (event) => walk(event, entries, close, button));
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "open") return;
    button.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement)) button.focus();
    menu.remove();
  });
  button.after(menu);
  menu.showPopover();
  button.setAttribute("aria-expanded", "true");
  place(menu, button);
  entries[0]?.focus();
}

function walk(event, entries, close, button) {
  const at = entries.indexOf(document.activeElement);
  const target = {
    ArrowDown: entries[(at + 1) % entries.length],
    ArrowUp: entries.at(at - 1),
    Home: entries[0],
    End: entries.at(-1),
  }[event.key];
  event.stopPropagation();
  if (target) {
    event.preventDefault();
    target.focus();
  } else if (event.key === "Tab") {
    close();
    button.focus();
  }
}

// Under its button, inside the screen.
function place(menu, button) {
  const from = button.getBoundingClientRect();
  const own = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(from.right - own.width, window.innerWidth - own.width - 8));
  const isBelow = from.bottom + own.height + 8 < window.innerHeight || from.top < own.height + 8;
  menu.style.left = `${left}px`;
  menu.style.top = `${isBelow ? from.bottom + 4 : from.top - own.height - 4}px`;
}
