// Elements without a framework: el("button", {type: "button", onclick: …}, "Add"). Text is always text, never HTML.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const icon = (name) => el("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);

// A link that leaves what is open here as it is.
export const elsewhere = ({ href, label }) => el("a", { href, target: "_blank", rel: "noopener", class: "blk-link" }, label);

const made = new WeakMap();

// The <option>s of a list of {name, label} that does not change: made once, copied from then on.
export function options(list) {
  if (!made.has(list)) {
    const fragment = document.createDocumentFragment();
    fragment.append(...list.map(({ name, label }) => el("option", { value: name }, label)));
    made.set(list, fragment);
  }
  return made.get(list).cloneNode(true);
}

let last = 0;
export const freshId = (word) => `${word}-${(last += 1)}`;

export function iconButton(name, label, onclick, more = {}) {
  return el(
    "button",
    { type: "button", class: "blk-icon", "aria-label": label, title: label, onclick, ...more },
    icon(name),
  );
}

const counts = new Intl.NumberFormat("en-GB");
export const count = (number) => counts.format(number);
