"""What Beat does and how often: the sweep that backs every doorbell, and the jobs of the night."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": "common.sweep", "schedule": 1.0, "options": {"queue": "river", "expires": 5}},
    "purge": {"task": "common.purge", "schedule": crontab(minute=17, hour=3), "options": {"queue": "default"}},
    "partitions": {
        "task": "audience.ensure_partitions",
        "schedule": crontab(minute=7, hour=1),
        "options": {"queue": "default"},
    },
    "purge-batches": {
        "task": "audience.purge",
        "schedule": crontab(minute=27, hour=3),
        "options": {"queue": "default"},
    },
    "check-domains": {
        "task": "delivery.check_domains",
        "schedule": crontab(minute=37, hour=5),
        "options": {"queue": "default"},
    },
    "fold-mail-counts": {
        "task": "delivery.fold_counts",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "count-outcomes": {
        "task": "campaigns.count_outcomes",
        "schedule": crontab(minute=53),
        "options": {"queue": "default"},
    },
    "purge-reports": {
        "task": "delivery.purge_reports",
        "schedule": crontab(minute=37, hour=3),
        "options": {"queue": "default"},
    },
    "analyse": {
        "task": "segments.analyse",
        "schedule": crontab(minute=0, hour=2),
        "options": {"queue": "default"},
    },
    "self-audit": {
        "task": "segments.self_audit",
        "schedule": crontab(minute=0, hour=4),
        "options": {"queue": "default"},
    },
}
