"""What Beat does and how often: the sweep that backs every doorbell, and the jobs of the night."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

from marketing_site import environment


def nightly(name: str, hour: int, minute: int = 0) -> crontab:
    """Once a day at NAME_HOUR and NAME_MINUTE, UTC; a system check judges what they say."""
    said_hour, said_minute = environment.integer(f"{name}_HOUR", hour), environment.integer(f"{name}_MINUTE", minute)
    is_a_time = 0 <= said_hour <= 23 and 0 <= said_minute <= 59
    return crontab(hour=said_hour, minute=said_minute) if is_a_time else crontab(hour=hour, minute=minute)


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
    "fold-run-counts": {
        "task": "automations.fold_counts",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "watch-workflows": {
        "task": "automations.watch",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "purge-step-records": {
        "task": "automations.purge_records",
        "schedule": crontab(minute=47, hour=3),
        "options": {"queue": "default"},
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
    "decide-experiments": {
        "task": "experiments.decide",
        "schedule": 600.0,
        "options": {"queue": "default", "expires": 600},
    },
    "analyse": {
        "task": "segments.analyse",
        "schedule": crontab(minute=0, hour=2),
        "options": {"queue": "default"},
    },
    "learn-reading-habits": {
        "task": "campaigns.learn_habits",
        "schedule": crontab(minute=43),
        "options": {"queue": "default"},
    },
    "learn-copy": {
        "task": "campaigns.learn_copy",
        "schedule": crontab(minute=47, hour=4),
        "options": {"queue": "default"},
    },
    "analyse-campaigns": {
        "task": "campaigns.analyse",
        "schedule": nightly("MARKETING_ANALYSIS", 2),
        "options": {"queue": "default"},
    },
    "clean-up-campaigns": {
        "task": "campaigns.clean_up",
        "schedule": nightly("CAMPAIGN_CLEANUP", 3),
        "options": {"queue": "default"},
    },
    "self-audit": {
        "task": "segments.self_audit",
        "schedule": crontab(minute=0, hour=4),
        "options": {"queue": "default"},
    },
}
