// The traces our charts use, and no others: a missing trace type is silently drawn as a line, so
// dashboards/tests/test_charts.py compares the figures we make with this list.
const Plotly = require("plotly.js/lib/core");

Plotly.register([
  require("plotly.js/lib/bar"),
  require("plotly.js/lib/heatmap"),
  require("plotly.js/lib/histogram"),
  require("plotly.js/lib/pie"),
  require("plotly.js/lib/funnel"),
  require("plotly.js/lib/sankey"),
  require("plotly.js/lib/indicator"),
]);

module.exports = Plotly;
