"""Fetch third-party files named in static/vendor/vendor.json from npm, at exact versions, and write the manifest.

    python tools/vendor_assets.py            # fetch, build, write manifest.json
    python tools/vendor_assets.py sortablejs # the same for this package only
    python tools/vendor_assets.py --check    # only compare the committed files with the manifest

The result is committed: neither running nor testing Groundswell needs Node.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "static/vendor/vendor.json"
MANIFEST = ROOT / "static/vendor/manifest.json"
SOURCE_MAP = re.compile(rb"^//# sourceMappingURL=.*$", re.MULTILINE)


def unpack(name: str, folder: Path) -> Path:
    """The unpacked package `name` (package@version)."""
    pack = subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, capture_output=True, text=True)
    archive = folder / pack.stdout.strip().splitlines()[-1]
    shutil.unpack_archive(archive, folder / archive.stem, filter="data")
    return folder / archive.stem / "package"


def put(content: bytes, target: str, licence: Path) -> str:
    """Write a file without its source map link, and its licence beside it."""
    path = ROOT / target
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SOURCE_MAP.sub(b"", content).rstrip() + b"\n")
    shutil.copy(licence, path.with_name(f"{path.name}.LICENSE"))
    return target


def copy(item: dict[str, Any], folder: Path) -> list[str]:
    package = unpack(f"{item['package']}@{item['version']}", folder)
    return [
        put((package / source).read_bytes(), target, package / item["licence"])
        for source, target in item["files"].items()
    ]


def bundle(item: dict[str, Any], folder: Path) -> list[str]:
    """One esbuild call over our own entry file."""
    names = [f"{item['package']}@{item['version']}", item["builder"]]
    subprocess.run(["npm", "install", "--silent", "--no-save", "--prefix", folder, *names], check=True)
    entry = shutil.copy(ROOT / item["entry"], folder)
    options = [
        "--bundle",
        "--minify",
        "--format=iife",
        "--global-name=Plotly",
        "--target=es2020",
        "--legal-comments=eof",
    ]
    options += ["--define:global=window", "--loader:.css=text", f"--outfile={folder / 'out.js'}"]
    subprocess.run([folder / "node_modules/.bin/esbuild", entry, *options], check=True)
    return [
        put(
            (folder / "out.js").read_bytes(),
            item["file"],
            folder / "node_modules" / item["package"] / item["licence"],
        )
    ]


def fetch(names: list[str]) -> None:
    """Fetch these packages, or all; the manifest keeps what it says of the others."""
    wanted = json.loads(LIST.read_text())
    files: dict[str, dict[str, str]] = json.loads(MANIFEST.read_text()) if names else {}
    for make, items in ((copy, wanted["copies"]), (bundle, wanted["bundles"])):
        for item in items:
            if names and item["package"] not in names:
                continue
            with tempfile.TemporaryDirectory() as folder:
                for target in make(item, Path(folder)):
                    files[target] = {"package": f"{item['package']}@{item['version']}", "sha256": digest(target)}
    MANIFEST.write_text(json.dumps(files, indent=2, sort_keys=True) + "\n")


def digest(target: str) -> str:
    return hashlib.sha256((ROOT / target).read_bytes()).hexdigest()


def check() -> list[str]:
    """Files that are not what the manifest says."""
    return [name for name, entry in json.loads(MANIFEST.read_text()).items() if digest(name) != entry["sha256"]]


if __name__ == "__main__":
    if "--check" not in sys.argv:
        fetch(sys.argv[1:])
    wrong = check()
    sys.exit(f"Not what the manifest says: {', '.join(wrong)}" if wrong else 0)
