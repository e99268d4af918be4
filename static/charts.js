// Draws every figure of the page in the colours of the shell, again when the shell turns dark or light.
/* global Plotly */
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Plotly's own colour reader knows neither oklch() nor color-mix(): let the browser turn them into rgb.
const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function plain(colour) {
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}

function dressed(layout) {
  const text = plain(style(document.documentElement.classList.contains("dark") ? "--color-base-300" : "--color-base-700"));
  const grid = plain(style(document.documentElement.classList.contains("dark") ? "--color-base-800" : "--color-base-200"));
  const axis = { gridcolor: grid, linecolor: grid, zerolinecolor: grid, tickfont: { size: 12 } };
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  return {
    ...layout,
    ...Object.fromEntries(["xaxis", "yaxis", ...axes].map((name) => [name, { ...layout[name], ...axis }])),
    font: { family: "Inter, system-ui, sans-serif", size: 13, color: text },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: plain(style(document.documentElement.classList.contains("dark") ? "--color-base-800" : "--color-base-900")), font: { color: "#fff" } },
  };
}

function draw(place) {
  const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  return Plotly.react(place, figure.data, dressed(figure.layout), { responsive: true, displayModeBar: false });
}

const places = [...document.querySelectorAll("[data-figure]")];
await Promise.all(places.map(draw));
document.documentElement.dataset.charts = "drawn";
new MutationObserver(() => places.forEach(draw)).observe(document.documentElement, { attributeFilter: ["class"] });
