// A square of the RFM grid leads to its people; the table under it has the same links for the keyboard.
const place = document.querySelector("[data-figure='figure-rfm']");

function lead() {
  place.on("plotly_click", ({ points: [point] }) => {
    if (point.customdata && point.z) window.location.assign(point.customdata);
  });
  place.style.cursor = "pointer";
}

if (place) {
  if (place.on) lead();
  else new MutationObserver((_, observer) => place.on && (observer.disconnect(), lead())).observe(place, { childList: true });
}
