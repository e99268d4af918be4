// How many people stand, went and failed where: beside the cards, each number a link to its rows. Fetched every few
// seconds while the page is looked at.
import { count, el, icon } from "../blocks/dom.js";
import { ask } from "../blocks/server.js";

const EVERY_MS = 5000;
const LESS_OFTEN_MS = 60_000; // where the server does not answer

const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

// The line under a card; where nothing is known there is none, and what comes later is put into it.
export function numbersOf(canvas, id) {
  return el("p", { class: "wf-numbers", "data-numbers": id, hidden: true });
}

export function wayNumbers(canvas, id, name) {
  return el("span", { class: "wf-way__numbers", "data-way": `${id}/${name}` });
}

export function showNumbers(canvas) {
  const steps = canvas.numbers?.steps ?? {};
  for (const line of canvas.querySelectorAll("[data-numbers]")) {
    const parts = partsOf(canvas, line.dataset.numbers, steps[line.dataset.numbers]);
    line.replaceChildren(...parts);
    line.hidden = !parts.length;
  }
  for (const mark of canvas.querySelectorAll("[data-way]")) {
    const [id, name] = split(mark.dataset.way);
    const passed = (steps[id]?.branches ?? steps[id]?.ways)?.[name];
    mark.replaceChildren(...(passed === undefined ? [] : [wayPart(canvas, id, passed)]));
  }
}

const split = (text) => [text.slice(0, text.indexOf("/")), text.slice(text.indexOf("/") + 1)];

// The records of a step in the workflow's log; a rehearsal has none.
function logOf(canvas, id, outcome = "") {
  const { log } = canvas.page.addresses;
  const { version } = canvas.numbers;
  return log ? `${log}?${new URLSearchParams({ step: id, version, ...(outcome ? { outcome } : {}) })}` : null;
}

function wayPart(canvas, id, passed) {
  if (canvas.numbers.steps[id].simulated !== undefined) return el("span", {}, `${count(passed)} would`);
  return el("a", { href: logOf(canvas, id, "branched") }, count(passed));
}

function partsOf(canvas, id, one) {
  if (!one) return [];
  if (one.simulated !== undefined) return simulated(one);
  const part = (glyph, number, words, href, tone = "") =>
    el(
      "a",
      { href, class: `wf-number${tone}`, title: words },
      icon(glyph),
      el("span", { class: "gs-hidden" }, `${words}: `),
      typeof number === "string" ? number : count(number),
    );
  const { now, passed, failed, conversion, href } = one;
  return [
    part("person_pin_circle", now, "Here now", href, now ? " wf-number--now" : ""),
    part("done", passed, "Passed", logOf(canvas, id)),
    failed ? part("error", failed, "Failed", `${href}&status__in=failed`, " wf-number--bad") : null,
    conversion === null ? null : part("trending_up", percent(conversion), "Came this far, of all who entered", canvas.page.addresses.funnel), // prettier-ignore
  ].filter(Boolean);
}

function simulated(one) {
  const words = `${count(one.simulated)} would come here${one.cost ? `, ${one.cost}` : ""}`;
  return [el(one.href ? "a" : "span", { href: one.href, class: "wf-number wf-number--simulated" }, icon("science"), words)]; // prettier-ignore
}

// Ask now, and again as long as the page is seen.
export function follow(canvas, addressOf) {
  let wait = EVERY_MS;
  const mine = (canvas.followed = {}); // whoever follows anew takes the place of the one before
  const turn = async () => {
    if (!canvas.isConnected || canvas.followed !== mine) return;
    const address = addressOf();
    if (address && document.visibilityState === "visible") {
      try {
        const found = await ask(address);
        if (canvas.followed !== mine) return;
        if (address === addressOf()) canvas.numbers = found;
        showNumbers(canvas);
        wait = EVERY_MS;
      } catch {
        wait = LESS_OFTEN_MS; // what was shown stays
      }
    }
    setTimeout(turn, wait);
  };
  turn();
}
