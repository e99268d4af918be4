"""Static files in production: names with hashes, also where one script module names another."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """After an upgrade a page never mixes new modules with old ones from a cache."""

    support_js_module_import_aggregation = True
