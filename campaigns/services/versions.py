"""Edits of campaigns and their parts are counted as everywhere (accounts.versions)."""

from accounts.versions import check, clean, lock, write

__all__ = ["check", "clean", "lock", "write"]
