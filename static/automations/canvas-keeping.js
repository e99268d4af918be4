// How a draft is kept: its way to the server, what the bar tells of it, what a closed tab left on this device, and
// two people at one draft. People inside are touched by none of it: they are on the published version.
import { body, button, dialog, primary, when } from "../blocks/dialog.js";
import { el, elsewhere, icon } from "../blocks/dom.js";
import { Saver } from "../blocks/saver.js";
import { ask } from "../blocks/server.js";
import { inside } from "./canvas-moves.js";

const ICONS = {
  saved: "cloud_done", same: "cloud_done", typing: "cloud_sync", offline: "cloud_off", conflict: "call_split", refused: "error",
}; // prettier-ignore

export function saverOf(canvas) {
  return new Saver({
    key: `workflow-draft:${canvas.page.id}`,
    noun: "workflow",
    revision: canvas.page.revision,
    write: (state, revision, more) => write(canvas, state, revision, more),
    told: (what) => tell(canvas, what),
    conflict: () => settle(canvas),
  });
}

async function write(canvas, flow, revision, { keepalive } = {}) {
  const kept = await ask(canvas.page.addresses.draft, { method: "PUT", body: { flow, revision }, keepalive });
  canvas.showStanding(kept);
  return kept;
}

// {kind, at, words, link} in the bar.
export function tell(canvas, { kind, at, words, link }) {
  const clock = at?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  canvas.status.dataset.kind = kind;
  canvas.status.replaceChildren(icon(ICONS[kind]), el("span", {}, words ?? `Draft saved ${clock}`), ...(link ? [elsewhere(link)] : []));
}

// What a closed tab left on this device.
export function bringBack(canvas) {
  const left = canvas.saver.left();
  if (!left?.state || JSON.stringify(left.state) === JSON.stringify(canvas.state)) {
    localStorage.removeItem(canvas.saver.key);
    return;
  }
  if (left.revision === canvas.saver.revision) {
    canvas.replace(left.state, "What was not saved when you left is back.");
    return;
  }
  canvas.saver.hold();
  settle(canvas, left);
}

// Both states beside each other; nothing is lost before one was chosen.
async function settle(canvas, left = null) {
  const mine = left?.state ?? canvas.state;
  const theirs = await ask(canvas.page.addresses.draft).catch(() => null);
  if (!theirs) {
    setTimeout(() => settle(canvas, left), 4000);
    return;
  }
  const intro = left
    ? "While you were away, this workflow was changed. Which state goes on?"
    : "Somebody else changed this workflow while you did. Which state goes on? The other is not kept.";
  const told = theirs.changed_at
    ? `Saved ${when(theirs.changed_at)}${theirs.changed_by ? ` by ${theirs.changed_by}` : ""}`
    : `Published as version ${theirs.version}`;
  const choice = await dialog("Two states of this workflow", (_, close) =>
    body(
      el("p", {}, intro),
      el(
        "div",
        { class: "wf-both" },
        side("Yours", mine, left?.at ? `Kept on this device ${when(left.at)}` : "As you see it here", () => close("mine")),
        side("Theirs", theirs.flow, told, () => close("theirs")),
      ),
    ),
  ); // prettier-ignore
  if (!choice) {
    // Nothing is saved until one was chosen; meanwhile the bar asks for it.
    canvas.status.replaceChildren(button("Choose which state goes on", () => settle(canvas, left), { class: "wf-link" })); // prettier-ignore
    return;
  }
  canvas.showStanding(theirs);
  if (choice === "theirs") adopt(canvas, theirs);
  else keepMine(canvas, mine, theirs.revision);
}

function adopt(canvas, theirs) {
  canvas.replace(theirs.flow, "The other state goes on.");
  canvas.saver.settle(theirs.revision, null);
}

function keepMine(canvas, mine, revision) {
  if (mine !== canvas.state) canvas.replace(mine, "Your state goes on.");
  canvas.saver.settle(revision, canvas.state);
}

function side(title, flow, words, choose) {
  const steps = flow.actions.reduce((sum, step) => sum + 1 + inside(step), 0);
  return el(
    "section",
    {},
    el("h3", {}, title),
    el("p", { class: "wf-help" }, words),
    el("p", {}, `${steps} ${steps === 1 ? "step" : "steps"}`),
    el("details", {}, el("summary", {}, "As JSON"), el("pre", { class: "wf-pre", tabindex: "0" }, JSON.stringify(flow, null, 2))), // prettier-ignore
    primary(`Go on with ${title.toLowerCase()}`, choose),
  );
}
