"""What a night ran on: which program, and how lists are read. Kept with the night, so that two nights can be told apart."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from pipeline.contracts.dataset import Dataset

_DIGITS = 8
_CODE = (".py", ".sql", ".yaml", ".txt")


def versions(datasets: Iterable[Dataset] = ()) -> dict[str, str]:
    """Program → version; of the house's own also a mark of its text, and of `datasets` (the schemas) one of what they say."""
    told = {name: version(name) for name in ("reconcile", "duckdb", "polars")}
    told["reconcile"] += f"+{_code()}"
    said = sorted(dataset.model_dump_json() for dataset in datasets)
    return told | ({"schemas": _mark(text.encode() for text in said)} if said else {})


@lru_cache(maxsize=1)
def _code() -> str:
    root = Path(str(files("pipeline")))
    own = sorted(path for path in root.rglob("*") if path.suffix in _CODE and "__pycache__" not in path.parts)
    return _mark(path.read_bytes() for path in own)


def _mark(parts: Iterable[bytes]) -> str:
    found = sha256()
    for part in parts:
        found.update(sha256(part).digest())
    return found.hexdigest()[:_DIGITS]
