// "Add a metric": a copy of the blank row, numbered as Django's formset counts them.
for (const place of document.querySelectorAll("[data-metrics]")) {
  const rows = place.querySelector("[data-rows]");
  const total = place.querySelector("[name$=-TOTAL_FORMS]");
  const add = place.querySelector("[data-add]");
  add.hidden = false;
  add.addEventListener("click", () => {
    const html = place.querySelector("[data-blank]").innerHTML.replaceAll("__prefix__", total.value);
    rows.insertAdjacentHTML("beforeend", html);
    total.value = Number(total.value) + 1;
    rows.lastElementChild.querySelector("input:not([type=hidden])").focus();
  });
}
