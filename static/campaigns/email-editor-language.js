// The blocks of a mail as the server describes them: which types there are, what is filled in for each, and where
// other blocks stand inside. No type is named here but for its picture, so that a new one appears by itself.

const ICONS = {
  heading: "title", text: "notes", image: "image", button: "smart_button", divider: "horizontal_rule",
  spacer: "expand", columns: "view_column", social: "share", menu: "menu", product: "shopping_bag",
  footer: "call_to_action", snippet: "bookmark", imported: "code_blocks", code: "code",
}; // prettier-ignore

export class Language {
  constructor(told) {
    this.blocks = told.blocks.map((block) => ({ ...block, name: block.key }));
    this.byName = new Map(this.blocks.map((block) => [block.name, block]));
    this.settings = told.settings;
    this.operators = told.operators;
    this.repeat = told.repeat;
  }

  label(node) {
    return this.byName.get(node.type)?.label ?? node.type;
  }

  icon(type) {
    return ICONS[type] ?? "widgets";
  }

  inputs(node) {
    return this.byName.get(node.type)?.inputs ?? [];
  }

  // Where a row keeps its columns; undefined for every other block.
  columnsKey(node) {
    return this.byName.get(node.type)?.holds_columns ? "columns" : undefined;
  }

  blank(type) {
    const node = { id: freshId(), type };
    const known = this.byName.get(type);
    for (const input of known?.inputs ?? []) {
      if (input.default !== undefined) node[input.name] = structuredClone(input.default);
      else if (input.type === "rows") node[input.name] = [this.blankRow(input)];
    }
    if (known?.holds_columns) node.columns = [0, 0].map((width) => ({ width, blocks: [] }));
    return node;
  }

  blankRow(input) {
    const filled = input.inputs.map((one) => [one.name, one.default ?? one.choices?.[0]?.name]);
    return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
  }

  // Rows stand beside each other, never inside one another.
  isAtTopOnly(type) {
    return Boolean(this.byName.get(type)?.holds_columns || this.byName.get(type)?.top_only);
  }

  // [{label, blocks}] in the order of the server.
  groups() {
    const groups = new Map();
    for (const block of this.blocks) groups.set(block.group, [...(groups.get(block.group) ?? []), block]);
    return [...groups].map(([label, blocks]) => ({ label, blocks }));
  }

  // A few words that tell one block from another of its type.
  summary(node) {
    const words = ["text", "label", "title", "alt", "address", "snippet", "html", "mjml"]
      .map((name) => (typeof node[name] === "string" ? node[name] : ""))
      .find(Boolean);
    if (words) return plain(words).slice(0, 90);
    if (Array.isArray(node.items)) return node.items.map((item) => item.label ?? item.network ?? "").join(" · ").slice(0, 90); // prettier-ignore
    if (node.columns) return `${node.columns.length} side by side`;
    if (node.height) return `${node.height} px`;
    return "";
  }
}

// Markup as words; parsed apart from the page, so that nothing in it runs or loads.
export function plain(text) {
  const parsed = new DOMParser().parseFromString(text.replaceAll("<br>", " "), "text/html");
  return (parsed.body.textContent ?? "").replace(/\s+/g, " ").trim();
}

export const freshId = () => `b${crypto.getRandomValues(new Uint32Array(2)).reduce((text, part) => text + part.toString(36), "").slice(0, 9)}`; // prettier-ignore

// A copy in which every block has a name of its own.
export function renamed(node) {
  if (Array.isArray(node)) return node.map(renamed);
  if (!node || typeof node !== "object") return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, renamed(value)]));
  if (typeof copy.id === "string" && typeof copy.type === "string") copy.id = freshId();
  return copy;
}
