// Words with bold, italic, links and lists. What stands in the box is the page's own affair; what is posted is
// written anew from it with the few tags that mail programs agree on, and the server judges that once more.
import { el, icon } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";
import { askLink } from "./email-editor-dialogs.js";

const INLINE = { B: "strong", STRONG: "strong", I: "em", EM: "em", U: "u", S: "s", STRIKE: "s", DEL: "s" };
const BLOCKS = new Set(["P", "DIV", "UL", "OL", "LI", "BLOCKQUOTE", "H1", "H2", "H3", "H4", "TABLE", "TR", "SECTION"]);
const ACTS = [
  ["bold", "format_bold", "Bold", "Control+B"],
  ["italic", "format_italic", "Italic", "Control+I"],
  ["underline", "format_underlined", "Underlined", "Control+U"],
  ["insertUnorderedList", "format_list_bulleted", "List of points", ""],
  ["insertOrderedList", "format_list_numbered", "Numbered list", ""],
];

export function richText(input) {
  const box = el("div", {
    class: "mle-rich", contenteditable: "true", role: "textbox", "aria-multiline": "true",
    "data-key": told(input.at), "data-main": "",
  }); // prettier-ignore
  box.append(safe(input.value ?? ""));
  const changed = () => input.set(written(box) || undefined);
  box.addEventListener("input", changed);
  box.addEventListener("paste", (event) => pasted(event, box, changed));
  box.addEventListener("drop", (event) => event.preventDefault());
  const link = () => linked(input.editor, box, changed);
  box.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      link();
    }
  });
  box.insertVariable = (text) => {
    box.focus();
    document.execCommand("insertText", false, text);
  };
  return el("div", { class: "mle-text" }, toolbar(box, changed, link), box);
}

function toolbar(box, changed, link) {
  const button = (name, words, keys, act) =>
    el(
      "button",
      {
        type: "button", class: "blk-icon", "aria-label": words, title: keys ? `${words} (${keys.replace("Control+", "Ctrl ")})` : words,
        "aria-keyshortcuts": keys || null, tabindex: "-1",
        onmousedown: (event) => event.preventDefault(), // the selection in the box stays
        onclick: act,
      },
      icon(name),
    ); // prettier-ignore
  const buttons = ACTS.map(([command, name, words, keys]) => {
    const made = button(name, words, keys, () => {
      if (!box.contains(document.activeElement) && document.activeElement !== box) box.focus();
      document.execCommand(command);
      changed();
      mark();
    });
    made.setAttribute("aria-pressed", "false");
    return made;
  });
  buttons.push(button("link", "Link", "Control+K", link));
  buttons.push(
    button("format_clear", "Plain words", "", () => {
      box.focus();
      document.execCommand("removeFormat");
      document.execCommand("unlink");
      changed();
    }),
  );
  buttons[0].tabIndex = 0;
  const mark = () =>
    ACTS.forEach(([command], at) =>
      buttons[at].setAttribute("aria-pressed", String(document.queryCommandState(command))),
    );
  box.addEventListener("keyup", mark);
  box.addEventListener("mouseup", mark);
  const bar = el("div", { class: "mle-tools", role: "toolbar", "aria-label": "How the words look" }, buttons);
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined || event.altKey) return;
    event.preventDefault();
    const target = buttons.at(next % buttons.length);
    for (const one of buttons) one.tabIndex = one === target ? 0 : -1;
    target.focus();
  });
  return bar;
}

async function linked(editor, box, changed) {
  const selection = getSelection();
  const range = selection.rangeCount && box.contains(selection.anchorNode) ? selection.getRangeAt(0) : null;
  const old = (range?.startContainer.parentElement ?? box).closest("a");
  const isInside = old && box.contains(old);
  const answer = await askLink(editor, {
    href: isInside ? old.getAttribute("href") : "",
    words: isInside ? old.textContent : String(range ?? ""),
  });
  box.focus();
  if (!answer) return;
  const place = document.createRange();
  if (isInside) place.selectNode(old);
  else if (range)
    (place.setStart(range.startContainer, range.startOffset), place.setEnd(range.endContainer, range.endOffset));
  else (place.selectNodeContents(box), place.collapse(false));
  place.deleteContents();
  const node = answer.href
    ? el("a", { href: answer.href }, answer.words || answer.href)
    : document.createTextNode(answer.words);
  place.insertNode(node);
  selection.collapse(node, node.childNodes.length);
  changed();
}

function pasted(event, box, changed) {
  event.preventDefault();
  const html = event.clipboardData.getData("text/html");
  if (!html) {
    document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
    return;
  }
  const holder = document.createElement("div");
  holder.append(safe(html));
  document.execCommand("insertHTML", false, written(holder));
  changed();
}

// The few tags we know, taken from a text that was parsed apart from the page; nothing of it runs or loads.
function safe(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const fragment = document.createDocumentFragment();
  fragment.append(...copies(parsed.body));
  return fragment;
}

function copies(parent) {
  return [...parent.childNodes].flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
    if (node.nodeType !== Node.ELEMENT_NODE || ["SCRIPT", "STYLE", "TITLE", "TEMPLATE"].includes(node.tagName))
      return [];
    const inner = copies(node);
    if (node.tagName === "BR") return [document.createElement("br")];
    if (node.tagName === "A" && node.getAttribute("href")) return [el("a", { href: node.getAttribute("href") }, inner)];
    if (INLINE[node.tagName]) return [el(INLINE[node.tagName], {}, inner)];
    if (["UL", "OL", "LI", "P"].includes(node.tagName)) return [el(node.tagName.toLowerCase(), {}, inner)];
    return BLOCKS.has(node.tagName) && inner.length ? [el("p", {}, inner)] : inner;
  });
}

// The box as text: paragraphs, lists, and words with their looks.
export function written(box) {
  const parts = [];
  let open = "";
  const close = () => {
    if (open.replace(/(<br>|\s|&nbsp;)/g, "")) parts.push(`<p>${open.replace(/(<br>)+$/, "")}</p>`);
    open = "";
  };
  for (const node of box.childNodes) {
    const tag = node.tagName;
    if (tag === "UL" || tag === "OL") {
      close();
      parts.push(list(node));
    } else if (BLOCKS.has(tag)) {
      close();
      const lists = [...node.children].filter((child) => child.tagName === "UL" || child.tagName === "OL");
      if (lists.length) parts.push(written(node));
      else {
        open = inline(node);
        close();
      }
    } else open += inline({ childNodes: [node] });
  }
  close();
  return parts.join("");
}

function list(node) {
  const tag = node.tagName.toLowerCase();
  const items = [...node.children].filter((child) => child.tagName === "LI");
  return `<${tag}>${items.map((item) => `<li>${inline(item)}</li>`).join("")}</${tag}>`;
}

function inline(parent) {
  return [...parent.childNodes]
    .map((node) => {
      if (node.nodeType === Node.TEXT_NODE) return escaped(node.data);
      if (node.nodeType !== Node.ELEMENT_NODE) return "";
      if (node.tagName === "BR") return "<br>";
      const inner = inline(node);
      if (!inner) return "";
      if (node.tagName === "A" && node.getAttribute("href"))
        return `<a href="${escaped(node.getAttribute("href")).replaceAll('"', "&quot;")}">${inner}</a>`;
      const tag = INLINE[node.tagName];
      return tag ? `<${tag}>${inner}</${tag}>` : inner;
    })
    .join("");
}

// Placeholders keep their quotes and signs: the server reads them as they are written.
function escaped(text) {
  return text
    .split(/(\{\{.*?\}\})/)
    .map((piece) =>
      piece.startsWith("{{") && piece.endsWith("}}")
        ? piece
        : piece.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\u00a0", " "),
    )
    .join("");
}
