"""Writes an export beside its manifest: first under another name, then renamed, so that half a file is never seen."""

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Write a CSV file (UTF-8 with BOM, which spreadsheets need) and return its manifest: file, rows, bytes, sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    count = 0
    try:
        with partial.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for row in rows:
                writer.writerow(row)
                count += 1
        content = partial.read_bytes()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return {"file": path.name, "rows": count, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def write_manifest(path: Path, manifest: dict[str, Any]) -> Path:
    """Write the manifest of an export as JSON beside it and return its path."""
    beside = path.with_name(f"{path.name}.manifest.json")
    partial = beside.with_name(f".{beside.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    partial.replace(beside)
    return beside
