// How a draft is kept: its way to the server, what the bar tells of it, and what a closed tab left on this device.
import { el, elsewhere, icon } from "../blocks/dom.js";
import { settleConflict } from "./email-editor-conflict.js";
import { Saver } from "../blocks/saver.js";
import { ask } from "../blocks/server.js";

const ICONS = {
  saved: "cloud_done", typing: "cloud_sync", offline: "cloud_off", conflict: "call_split", refused: "error",
}; // prettier-ignore

export function saverOf(editor) {
  return new Saver({
    key: editor.storeKey,
    noun: "mail",
    revision: editor.page.draft.revision,
    write: (state, revision, more) => write(editor, state, revision, more),
    told: (what) => tell(editor, what),
    conflict: () => settleConflict(editor),
  });
}

async function write(editor, state, revision, { keepalive } = {}) {
  const kept = await ask(editor.page.addresses.draft, {
    method: "PUT",
    body: { ...editor.closed(state), revision },
    keepalive,
  });
  showStanding(editor, kept);
  return kept;
}

// What the server says of the draft that it keeps now.
function showStanding(editor, { has_unpublished_changes: hasChanges, text_is_behind: isBehind }) {
  editor.note.hidden = true;
  const mark = editor.querySelector(".mle-bar__changes");
  if (mark) mark.hidden = !hasChanges;
  editor.dataset.text = isBehind ? "behind" : "";
}

// {kind, at, words, link} in the bar.
export function tell(editor, { kind, at, words, link }) {
  const clock = at?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  editor.status.dataset.kind = kind;
  editor.status.replaceChildren(
    icon(ICONS[kind]),
    el("span", {}, words ?? `Saved ${clock}`),
    ...(link ? [elsewhere(link)] : []),
  );
}

// What a closed tab left on this device.
export function bringBack(editor) {
  const left = editor.saver.left();
  if (!left?.state || JSON.stringify(left.state) === JSON.stringify(editor.state)) {
    localStorage.removeItem(editor.saver.key);
    return;
  }
  editor.isStarted = true;
  if (left.revision === editor.saver.revision) {
    editor.replace(left.state, "What was not saved when you left is back.");
    editor.toast("What was not saved when you left is back.");
    return;
  }
  editor.saver.hold();
  settleConflict(editor, { mine: left.state, at: left.at });
}
