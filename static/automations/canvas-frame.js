// The workspace around the flow: the bar with its menu, the stage with its zoom, the panel, and the flow as JSON.
import { confirm } from "../blocks/dialog.js";
import { el, iconButton } from "../blocks/dom.js";
import { menuButton } from "../blocks/menu.js";
import { ask } from "../blocks/server.js";
import { rehearse } from "./canvas-rehearsal.js";
import { opened } from "./canvas-language.js";
import { placeProblems } from "./canvas-problems.js";

export function lay(canvas, field) {
  canvas.undoButton = iconButton("undo", "Undo (Ctrl+Z)", () => canvas.undo(), { disabled: true, "aria-keyshortcuts": "Control+Z" }); // prettier-ignore
  canvas.redoButton = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => canvas.redo(), { disabled: true, "aria-keyshortcuts": "Control+Shift+Z" }); // prettier-ignore
  canvas.status = el("span", { class: "wf-status", role: "status" });
  canvas.foundSpot = el("span", {});
  const more = menuButton(iconButton("more_vert", "More", () => {}), () => acts(canvas)); // prettier-ignore
  canvas.publishButton = el("button", { type: "button", class: "gs-button wf-publish", disabled: !canvas.page.has_draft, onclick: () => publish(canvas) }, "Publish …"); // prettier-ignore
  canvas.querySelector(".wf-bar__tools").append(canvas.status, canvas.foundSpot, canvas.undoButton, canvas.redoButton, canvas.publishButton, more); // prettier-ignore
  canvas.stageElement = el("div", { class: "wf-stage" });
  canvas.jsonNote = el("p", { class: "wf-problem", role: "alert", hidden: true });
  field.hidden = false;
  field.setAttribute("aria-label", "The workflow as JSON");
  field.setAttribute("spellcheck", "false");
  canvas.json = el("div", { class: "wf-json", hidden: true }, canvas.jsonNote, field);
  field.addEventListener("input", (event) => event.isTrusted && readJson(canvas));
  canvas.scroller = scroller(canvas);
  canvas.panel = el("aside", { class: "wf-panel", id: "wf-panel", "aria-label": "Settings of what is chosen" });
  canvas.append(el("div", { class: "wf-body" }, el("main", { class: "wf-main", id: "main" }, canvas.scroller, canvas.json), canvas.panel)); // prettier-ignore
  canvas.hasDraft = canvas.page.has_draft;
  canvas.showStanding = (standing) => showStanding(canvas, standing);
  queueMicrotask(() => canvas.drawPanel());
}

// The stage in what scrolls, with the buttons that zoom.
export function scroller(canvas) {
  const zooms = [
    iconButton("remove", "Smaller (Ctrl+−)", () => zoomTo(canvas, "out")),
    el("output", { class: "wf-zoom__size", "aria-live": "off" }, "100 %"),
    iconButton("add", "Larger (Ctrl++)", () => zoomTo(canvas, "in")),
    iconButton("fit_screen", "Fit the width (Ctrl+0)", () => zoomTo(canvas, "fit")),
  ];
  const scroll = el("div", { class: "wf-scroll", tabindex: "0", role: "region", "aria-label": "The flow" }, canvas.stageElement);
  // Begins with the trunk in the middle: of a wide flow the left end would say nothing.
  requestAnimationFrame(() => (scroll.scrollLeft = (scroll.scrollWidth - scroll.clientWidth) / 2));
  return el("div", { class: "wf-frame" }, scroll, el("div", { class: "wf-zoom", role: "group", "aria-label": "Zoom" }, zooms)); // prettier-ignore
}

const SIZES = [0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5];

// in, out, or fit: as wide as the window, but never so small that it cannot be read.
export function zoomTo(canvas, way) {
  const now = canvas.zoom ?? 1;
  const scroll = canvas.scroller.firstElementChild;
  const next = {
    in: () => SIZES.find((size) => size > now) ?? now,
    out: () => SIZES.findLast((size) => size < now) ?? now,
    fit: () => Math.min(1, Math.max(0.4, (now * scroll.clientWidth) / canvas.stage.scrollWidth)),
  }[way]();
  canvas.zoom = next;
  canvas.stage.style.zoom = next;
  canvas.querySelector(".wf-zoom__size").textContent = `${Math.round(100 * next)} %`;
}

export async function leaveTo(canvas, address) {
  await canvas.saver?.flush();
  location.assign(address);
}

// What is not finished is not published: the button shows what is to be mended.
function publish(canvas) {
  canvas.fresh.clear();
  placeProblems(canvas);
  if (canvas.found.length && !canvas.dataset.sketch) canvas.foundSpot.firstElementChild.click();
  else leaveTo(canvas, canvas.page.addresses.publish);
}

function acts(canvas) {
  const { addresses } = canvas.page;
  const isJson = !canvas.json.hidden;
  return [
    { label: isJson ? "Show as cards" : "Show as JSON", icon: "data_object", act: () => turnJson(canvas) },
    { label: "Hide or show all branches", icon: "unfold_less", act: () => foldAll(canvas) },
    { label: "Save as a file", icon: "download", act: () => leaveTo(canvas, addresses.export) },
    { label: "Bring steps from a file", icon: "upload_file", act: () => bring(canvas) },
    { label: "Rehearse with the last 30 days", icon: "science", act: () => rehearse(canvas) },
    canvas.page.version ? { label: "Throw the draft away", icon: "delete_sweep", isOff: !canvas.hasDraft, act: () => discard(canvas) } : null, // prettier-ignore
    { label: "Name, limits and numbers", icon: "settings", act: () => leaveTo(canvas, addresses.settings) },
  ].filter(Boolean);
}

function foldAll(canvas) {
  const branching = [...canvas.stage.querySelectorAll("[data-key$='#fold']")].map((button) => button.dataset.key.replace(/#fold$/, "")); // prettier-ignore
  if (canvas.folded.size) canvas.folded.clear();
  else branching.forEach((id) => canvas.folded.add(id));
  canvas.redraw();
}

async function discard(canvas) {
  const words = `The flow goes back to version ${canvas.page.version}, which people enter now. What you changed since is gone.`; // prettier-ignore
  if (!(await confirm("Throw the draft away?", words, "Throw away"))) return;
  await canvas.saver.flush();
  const standing = await ask(canvas.page.addresses.draft, { method: "DELETE" });
  canvas.replace(standing.flow, "The draft is thrown away.");
  canvas.saver.settle(standing.revision, null);
  canvas.showStanding(standing);
}

// What the server says of the draft that it keeps now.
function showStanding(canvas, standing) {
  canvas.hasDraft = standing.has_draft;
  canvas.publishButton.disabled = !standing.has_draft;
  canvas.querySelector(".wf-bar__changes").hidden = !standing.has_draft;
}

// --- JSON ------------------------------------------------------------------------------------------------

function turnJson(canvas) {
  const isJson = canvas.json.hidden;
  canvas.json.hidden = !isJson;
  canvas.scroller.hidden = canvas.panel.hidden = isJson;
  canvas.jsonNote.hidden = true;
  if (isJson) canvas.field.value = canvas.textOf(canvas.state);
  else (canvas.redraw(), canvas.drawPanel());
  if (isJson) canvas.field.focus();
}

function readJson(canvas) {
  try {
    adopt(canvas, JSON.parse(canvas.field.value));
    canvas.jsonNote.hidden = true;
  } catch (error) {
    canvas.jsonNote.textContent = `Not readable yet: ${error.message}`;
    canvas.jsonNote.hidden = false;
  }
}

function adopt(canvas, flow) {
  const fault = faultOf(flow?.actions);
  if (fault) throw new Error(fault);
  canvas.isStarted = true;
  canvas.history.push(opened(flow, canvas.language), "json");
  canvas.changed();
}

// What is wrong with the shape of a list of steps that the canvas could not draw; "" when nothing is.
export function faultOf(steps, place = "actions") {
  if (!Array.isArray(steps)) return `${place} must be a list of steps.`;
  for (const [index, step] of steps.entries()) {
    const here = `${place}[${index}]`;
    if (typeof step?.action_type !== "string") return `${here} must be an object with action_type.`;
    for (const [name, list] of Object.entries(step.branches ?? {})) {
      const fault = faultOf(list, `${here}.branches.${name}`);
      if (fault) return fault;
    }
  }
  return "";
}

// A file that was saved here or elsewhere, in the place of what is there; undo brings that back.
function bring(canvas) {
  const box = el("input", { type: "file", accept: "application/json,.json" });
  box.addEventListener("change", async () => {
    try {
      const file = JSON.parse(await box.files[0].text());
      const { flow } = await ask(canvas.page.addresses.read_file, { method: "POST", body: file });
      canvas.replace(flow, "The steps of the file are here. Control Z brings back what was.");
    } catch (error) {
      const lines = Object.entries(error.details ?? {}).map(([place, words]) => `${place}: ${words}`);
      await confirm("The file cannot be used", [error.message, ...lines].join(" "), "Go on");
    }
  });
  box.click();
}

