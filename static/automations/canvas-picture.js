// The frame of the read-only picture: which version is shown, and whether its numbers are people or a rehearsal.
import { el } from "../blocks/dom.js";
import { ask } from "../blocks/server.js";
import { scroller } from "./canvas-frame.js";
import { showLatest, showPeople } from "./canvas-rehearsal.js";
import { opened } from "./canvas-language.js";

export function layPicture(canvas, field) {
  canvas.stageElement = el("div", { class: "wf-stage wf-stage--picture" });
  canvas.scroller = scroller(canvas);
  canvas.append(tools(canvas), canvas.scroller, el("p", { hidden: true }, field));
}

function tools(canvas) {
  const { versions, addresses } = canvas.page;
  const box = el("select", { "aria-label": "Version", "data-key": "version" }, versions.map((one) => el("option", { value: one.number }, one.label))); // prettier-ignore
  box.value = canvas.page.version;
  box.addEventListener("change", () => turn(canvas, box.value));
  const shown = el("select", { "aria-label": "Numbers", "data-key": "numbers" }, el("option", { value: "people" }, "People now"), el("option", { value: "rehearsal" }, "The latest rehearsal")); // prettier-ignore
  shown.addEventListener("change", () => (shown.value === "rehearsal" ? showLatest(canvas) : showPeople(canvas)));
  canvas.peopleBox = shown;
  return el("div", { class: "wf-picture-bar" }, versions.length > 1 ? box : null, addresses.simulations ? shown : null);
}

// Another version in the same picture.
async function turn(canvas, number) {
  const picture = await ask(`${canvas.page.addresses.picture}?version=${number}&flow=true`);
  canvas.sentences = picture.sentences;
  canvas.numbers = picture;
  canvas.shownVersion = number;
  canvas.folded.clear();
  canvas.change(opened(picture.flow, canvas.language));
  showPeople(canvas);
  canvas.say(`Version ${number}`);
}
