from __future__ import annotations

import time

from accounts.models import Organization
from common import clock
from segments import rules
from segments.models import AnalysisKind
from segments.patterns import analyses, selectors
from segments.tests.patterns import retail


def test_real(organization: Organization) -> None:
    with clock.freeze(retail.NOW):
        t = time.time()
        retail.load()
        print("load", time.time() - t)
        for kind in AnalysisKind:
            t = time.time()
            analyses.request(kind)
            analyses.run(organization.pk)
            print(kind, time.time() - t)
            report = selectors.report(kind)
            print(report.status, report.error)
            for f in report.findings:
                print(
                    f.position,
                    f.key,
                    f.size,
                    f.title,
                    "|",
                    f.reason,
                    "|",
                    f.rule and rules.describe(f.rule)[:300],
                    f.evidence if kind == "suggestions" else "",
                )
            for m in report.missing:
                print("MISSING", m)
            print({k: v for k, v in report.summary.items() if k != "missing"})
