// The library of pictures: choose one, or add one with the words that stand in where it is not seen.
import { el, iconButton } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";
import { alertLine, body, confirm, dialog, labelled, primary } from "./email-editor-dialogs.js";
import { ask } from "../blocks/server.js";

const SHARP = 2; // screens of today draw two dots for one

export async function pickPicture(editor, input) {
  const picture = await askPicture(editor);
  if (!picture) return;
  const path = input.at.slice(0, -1);
  let state = { [input.name]: picture.url };
  const node = editor.valueAt(path);
  const has = (name) => editor.language.inputs(node).some((one) => one.name === name);
  if (has("alt") && !node.alt) state = { ...state, alt: picture.alt };
  if (has("width") && !node.width && picture.width < editor.settings.width)
    state = { ...state, width: Math.max(1, Math.round(picture.width / (picture.width > 320 ? SHARP : 1))) };
  editor.edit(path, { ...node, ...state }, { isDrawn: true, focus: `${told(input.at)}#pick` });
}

export function askPicture(editor) {
  return dialog(
    "Pictures",
    (box, close) => {
      const grid = el("ul", { class: "mle-pictures" });
      const more = el(
        "button",
        { type: "button", class: "gs-button gs-button--quiet mle-small", hidden: true },
        "Show more",
      );
      const { line, tell } = alertLine();
      const show = async (address) => {
        try {
          const { results, next } = await ask(address);
          grid.append(...results.map((one) => shown(editor, one, close, tell)));
          more.hidden = !next;
          more.onclick = () => show(next);
          if (!grid.children.length)
            grid.append(el("li", { class: "mle-help" }, "No pictures yet. Add the first one above."));
        } catch (error) {
          tell(error.message);
        }
      };
      show(`${editor.page.addresses.pictures}?limit=24`);
      return body(upload(editor, box, close, tell), line, grid, more);
    },
    { isWide: true },
  );
}

function shown(editor, picture, close, tell) {
  const item = el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: "mle-picture-tile", onclick: () => close(picture) },
      el("img", { src: editor.locally(picture.url), alt: picture.alt, loading: "lazy" }),
      el(
        "span",
        {},
        picture.alt,
        el(
          "small",
          {},
          `${picture.width} × ${picture.height} · ${Math.max(1, Math.round(picture.byte_count / 1024))} KB`,
        ),
      ),
    ),
    iconButton("delete", `Take “${picture.alt}” out of the library`, async () => {
      if (!(await confirm("Take it out of the library?", "Mails that show it go on showing it.", "Take it out")))
        return;
      try {
        await ask(`${editor.page.addresses.pictures}${picture.id}/`, { method: "DELETE" });
        item.remove();
      } catch (error) {
        tell(error.message);
      }
    }),
  );
  return item;
}

function upload(editor, box, close, tell) {
  const file = el("input", { type: "file", accept: "image/png,image/jpeg,image/gif,image/webp" });
  const alt = el("input", { type: "text", maxlength: 300, autocomplete: "off" });
  const add = primary("Add picture", async () => {
    tell("");
    if (!file.files.length) return tell("Choose a file first.");
    if (!alt.value.trim()) {
      alt.focus();
      return tell("Say what the picture shows: it is read aloud, and stands there where pictures are blocked.");
    }
    const form = new FormData();
    form.append("file", file.files[0]);
    form.append("alt", alt.value);
    add.disabled = true;
    try {
      close(await ask(editor.page.addresses.pictures, { method: "POST", body: form }));
    } catch (error) {
      tell(error.message);
    }
    add.disabled = false;
    return undefined;
  });
  // Pictures dropped anywhere onto the dialog are as good as chosen.
  box.addEventListener("dragover", (event) => event.preventDefault());
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) file.files = event.dataTransfer.files;
    alt.focus();
  });
  return el(
    "div",
    { class: "mle-upload" },
    labelled("New picture", file, "PNG, JPEG, GIF or WebP, up to 4 MB; or drop it here."),
    labelled("What it shows", alt),
    add,
  );
}
