"""Figures are plain dicts of traces the bundle can draw; every chart brings its table and its CSV."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from django.conf import settings

from common import charts, export, figures
from common.charts import Cell, Column, Table

ROOT = Path(settings.BASE_DIR)
FIGURES = [
    charts.bars(["a", "b"], {"Revenue": [1, 2], "Cost": [3, 4]}, unit="£"),
    charts.bars(["a"], {"Revenue": [1]}, sideways=True),
    charts.lines(["Mon", "Tue"], {"K": [0.8, 1.1]}),
    charts.funnel(["Invited", "Joined"], [10, 3]),
]


def test_every_trace_we_make_is_in_the_bundle() -> None:
    recipe = (ROOT / "tools/plotly_bundle.js").read_text()
    registered = set(re.findall(r'plotly\.js/lib/(\w+)"\)', recipe)) - {"core"}

    # plotly.js's core always carries scatter.
    assert registered | {"scatter"} == charts.TRACES_IN_BUNDLE
    assert {kind for figure in FIGURES for kind in charts.traces_of(figure)} <= charts.TRACES_IN_BUNDLE


def test_the_bundle_itself_knows_these_traces() -> None:
    bundle = (ROOT / "static/vendor/plotly/plotly.min.js").read_text()

    missing = [kind for kind in charts.TRACES_IN_BUNDLE if f'moduleType:"trace",name:"{kind}"' not in bundle]
    assert missing == []


def test_figures_are_json_and_vendored_files_are_what_the_manifest_says() -> None:
    assert all(json.loads(json.dumps(figure)) == figure for figure in FIGURES)
    manifest = json.loads((ROOT / "static/vendor/manifest.json").read_text())
    wanted = json.loads((ROOT / "static/vendor/vendor.json").read_text())
    versions = {f"{item['package']}@{item['version']}" for item in [*wanted["copies"], *wanted["bundles"]]}

    assert {entry["package"] for entry in manifest.values()} == versions
    for name, entry in manifest.items():
        assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == entry["sha256"], name
        assert (ROOT / f"{name}.LICENSE").exists()


def test_sideways_bars_read_from_top_to_bottom() -> None:
    figure = charts.bars(["first", "second"], {"Revenue": [5, 1]}, sideways=True)

    assert figure["data"][0]["orientation"] == "h"
    assert (figure["data"][0]["x"], figure["data"][0]["y"]) == ([5, 1], ["first", "second"])
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"


def test_a_sparkline_spans_its_box() -> None:
    assert charts.sparkline([0, 10]) == "3.0,25.0 93.0,3.0"
    assert charts.sparkline([5, 5, 5]) == "3.0,25.0 48.0,25.0 93.0,25.0"
    assert charts.sparkline([5]) == ""


def test_csv_carries_plain_values_and_no_formula() -> None:
    table = Table(
        [Column("Name"), Column("Revenue", "number")],
        [[Cell('=HYPERLINK("http://evil")'), Cell("£1,234.50", 1234.5)], [Cell("Größe, klein"), Cell("−£5", -5)]],
    )

    answer = export.csv_response(table, "report")

    assert answer["Content-Disposition"] == 'attachment; filename="report.csv"'
    assert answer.content.decode("utf-8-sig") == (
        'Name,Revenue\r\n"\'=HYPERLINK(""http://evil"")",1234.5\r\n"Größe, klein",-5\r\n'
    )


def test_headlines_drop_pence_from_a_thousand_on() -> None:
    assert figures.headline(99_999, "GBP") == "£999.99"
    assert figures.headline(17_419_150, "GBP") == "£174,192"
    assert figures.headline(-123_456, "GBP") == "−£1,235"
    assert figures.headline(1_234_567, "JPY") == "¥1,234,567"
