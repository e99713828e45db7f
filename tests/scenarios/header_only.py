"""What remains of a delivered file when everything after its header row is gone, as text under the same name."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.dataset import load_dataset

ROOT = Path(__file__).resolve().parents[2]


def header_only(path: Path) -> bytes:
    """The first spelling of every header of the list that the file belongs to."""
    dataset = load_dataset(ROOT / "schemas" / path.parent.parent.name / f"{path.parent.name}.yaml")
    headers = [spec.headers[0] for spec in dataset.fields.values()]
    return (",".join(headers) + "\r\n").encode("gb18030")
