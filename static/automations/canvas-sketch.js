// What the server makes of the flow while it is drawn: sentences, and what is still wrong. It only reads.
import { el, icon } from "../blocks/dom.js";
import { menuButton } from "../blocks/menu.js";
import { post } from "../blocks/server.js";
import { labelled, located, placeProblems } from "./canvas-problems.js";

const PAUSE_MS = 350;

export class Sketches {
  constructor(canvas) {
    this.canvas = canvas;
  }

  ask() {
    clearTimeout(this.timer);
    this.canvas.dataset.sketch = "asking";
    this.timer = setTimeout(() => this.#fetch(), PAUSE_MS);
  }

  async #fetch() {
    this.running?.abort();
    const running = (this.running = new AbortController());
    const { canvas } = this;
    try {
      const answer = await post(canvas.page.addresses.sketch, canvas.state, { signal: running.signal });
      if (running.signal.aborted) return;
      canvas.answered(answer);
      canvas.dataset.sketch = "";
    } catch {
      if (running.signal.aborted) return;
      this.timer = setTimeout(() => this.#fetch(), 5000); // what was said before stays meanwhile
    }
  }
}

export function showFound(canvas, problems) {
  canvas.found = located(canvas.state, problems);
  placeProblems(canvas);
  const number = canvas.found.length;
  const words = number ? `${number} ${number === 1 ? "thing" : "things"} to mend` : "Nothing to mend";
  const button = el("button", { type: "button", class: `wf-found${number ? " wf-found--bad" : ""}`, disabled: !number, "data-key": "found" }, icon(number ? "error" : "check_circle"), el("span", {}, words)); // prettier-ignore
  if (number) menuButton(button, () => canvas.found.map((one) => entry(canvas, one)));
  const hadFocus = canvas.foundSpot.contains(document.activeElement);
  canvas.foundSpot.replaceChildren(button);
  if (hadFocus) button.focus();
}

function entry(canvas, one) {
  const step = canvas.querySelector(`[data-words="${CSS.escape(one.card ?? "")}"]`);
  return { label: labelled(canvas, one), note: step?.textContent ?? one.place, icon: "error", act: () => canvas.goTo(one) };
}
