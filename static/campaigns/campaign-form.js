// Asks for a new estimate when what it depends on changes. Select2 speaks only jQuery, so this listens there.
/* global django, htmx */
const DEPENDS = /^(template|topic|shelf_hours|holdout_percent|audience-|offers-)/;
const place = document.getElementById("campaign-estimate");
const form = document.getElementById("campaign_form");
let waiting;

function ask() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    place.setAttribute("aria-busy", "true");
    htmx.trigger(place, "estimate");
  }, 500);
}

django.jQuery(form).on("change input", ":input", (event) => DEPENDS.test(event.target.name) && ask());
django.jQuery(document).on("formset:removed", ask);
document.addEventListener("formset:removed", ask);
place.addEventListener("htmx:afterSettle", () => place.setAttribute("aria-busy", "false"));
place.addEventListener("htmx:responseError", () => { place.textContent = "This could not be counted now; saving still works."; });
