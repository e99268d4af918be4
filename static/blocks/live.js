// What a screen reader hears of changes it cannot see. One polite region per editor.
import { el } from "./dom.js";

export function liveRegion() {
  const region = el("div", { class: "gs-hidden", role: "status" });
  let waiting;
  return {
    region,
    say(text) {
      clearTimeout(waiting);
      region.textContent = "";
      // A region that is filled twice with the same words is silent; emptied and filled a moment later it speaks.
      waiting = setTimeout(() => (region.textContent = text), 60);
    },
  };
}
