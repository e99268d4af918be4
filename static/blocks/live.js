// What a screen reader hears of changes it cannot see. One polite region per editor.
import { el } from "./dom.js";

export function liveRegion() {
  const region = el("div", { class: "gs-hidden", role: "status" });
  let waiting = [];
  const speak = () => {
    region.textContent = waiting.join(" ");
    waiting = [];
  };
  return {
    region,
    say(text) {
      region.textContent = "";
      // A region that is filled twice with the same words is silent; emptied and filled a moment later it speaks.
      // What is said meanwhile is said too.
      if (!waiting.length) setTimeout(speak, 60);
      waiting.push(text);
    },
  };
}
