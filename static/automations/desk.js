// My desk: keys for every button, the place kept after each act, and a fresh look every ten seconds while nobody types.
const REFRESH_MS = 10_000;
const desk = document.getElementById("desk");
let place = null; // the index of the card that was worked on

const cards = () => [...desk.querySelectorAll(".desk-card")];
const isTyping = (node) => node.closest("input, select, textarea") !== null;
// Somebody who writes, has opened "More" or stands on a button would lose their place.
const isQuiet = () =>
  document.visibilityState === "visible" && !desk.querySelector("details[open]") && !desk.contains(document.activeElement);

setInterval(() => {
  if (!isQuiet()) return;
  htmx.ajax("GET", location.pathname + location.search, { target: desk, swap: "innerHTML" });
}, REFRESH_MS);

desk.addEventListener("submit", (event) => {
  place = cards().indexOf(event.target.closest(".desk-card"));
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target !== desk || place === null) return;
  const left = cards();
  left[Math.min(Math.max(place, 0), left.length - 1)]?.focus();
  place = null;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const all = cards();
  const card = document.activeElement?.closest(".desk-card");
  if (event.key === "j" || event.key === "k") {
    const step = event.key === "j" ? 1 : -1;
    const next = card ? all[all.indexOf(card) + step] : all[0];
    next?.focus();
    return;
  }
  const button = (card ?? desk).querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!button || (!card && event.key !== "u")) return;
  event.preventDefault();
  button.click();
});
