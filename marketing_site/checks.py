"""A missing or bad setting is a sentence with an id and a fix, not a crash later (docs/deploy.md)."""

from __future__ import annotations
