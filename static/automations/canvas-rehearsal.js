// A rehearsal on the canvas: the flow is replayed against real events of the last days, and the numbers beside the
// cards are those of the replay until people are shown again. Nothing is sent and nothing is written.
import { count, el, icon } from "../blocks/dom.js";
import { ask, post } from "../blocks/server.js";
import { follow, showNumbers } from "./canvas-numbers.js";

const DAYS = 30;
const LOOK_MS = 1000;

// Replay what is drawn now, and show what came of it.
export async function rehearse(canvas) {
  const { simulations } = canvas.page.addresses;
  banner(canvas, [icon("science"), `Replaying the last ${DAYS} days …`]);
  try {
    let row = await post(simulations, { days: DAYS, flow: canvas.state });
    while (row.status === "pending" || row.status === "running") {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (!canvas.isConnected) return;
      row = await ask(`${simulations}${row.id}/`);
      banner(canvas, [icon("science"), `Replaying the last ${DAYS} days … ${count(row.done_count)} events read`]);
    }
    if (row.status !== "done") throw new Error(row.error || "It was stopped.");
    await showLatest(canvas);
  } catch (error) {
    refused(canvas, error);
  }
}

// The youngest replay in the place of the people.
export async function showLatest(canvas) {
  try {
    const found = await ask(`${canvas.page.addresses.simulations}latest/`);
    canvas.numbersAddress = "";
    canvas.numbers = found;
    showNumbers(canvas);
    const { entries = 0, people = 0 } = found.result ?? {};
    const words = `In the last ${found.days} days ${count(people)} ${people === 1 ? "person" : "people"} would have entered, ${count(entries)} ${entries === 1 ? "time" : "times"} in all.${found.cost ? ` The messages would have cost ${found.cost}.` : ""}`;
    const all = el("a", { href: canvas.page.addresses.rehearsals, class: "wf-link" }, "All its numbers");
    banner(canvas, [icon("science"), words, all, back(canvas)]);
    canvas.say(words);
  } catch (error) {
    refused(canvas, error);
  }
}

export function showPeople(canvas) {
  canvas.numbersAddress = undefined;
  canvas.numbers = null;
  canvas.rehearsal?.remove();
  if (canvas.peopleBox) canvas.peopleBox.value = "people";
  showNumbers(canvas);
  follow(canvas, () => canvas.numbersAddress ?? canvas.peopleAddress());
}

function refused(canvas, error) {
  const places = Object.values(error.details ?? {});
  banner(canvas, [icon("error"), [error.message, ...places.slice(1, 3)].join(" "), back(canvas)]);
  canvas.say(error.message);
}

const back = (canvas) => el("button", { type: "button", class: "wf-link", onclick: () => showPeople(canvas) }, "Show people now"); // prettier-ignore

function banner(canvas, parts) {
  canvas.rehearsal ??= el("div", { class: "wf-rehearsal" });
  canvas.rehearsal.replaceChildren(...parts);
  canvas.scroller.append(canvas.rehearsal);
}
