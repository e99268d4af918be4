// The tree as JSON, for whoever would rather type it.
import { freshId } from "./email-editor-language.js";
import { walk } from "./email-editor-moves.js";

export function turnJson(editor) {
  const isJson = editor.json.hidden;
  editor.json.hidden = !isJson;
  editor.cards.hidden = editor.head.hidden = editor.looks.hidden = isJson;
  if (isJson) editor.field.value = editor.textOf(editor.state);
  else (editor.redraw(), editor.drawAround());
  if (isJson) editor.field.focus();
}

export function readJson(editor) {
  try {
    const next = JSON.parse(editor.field.value);
    if (!Array.isArray(next.blocks)) throw new Error("blocks must be a list.");
    for (const node of next.blocks) if (editor.language.columnsKey(node)) node.columns ??= [{ width: 0, blocks: [] }];
    walk(editor.language, next, (node) => (node.id ??= freshId()));
    editor.jsonNote.hidden = true;
    editor.isStarted = true;
    editor.history.push(next, "json");
    editor.changed();
  } catch (error) {
    editor.jsonNote.textContent = `Not readable yet: ${error.message}`;
    editor.jsonNote.hidden = false;
  }
}
