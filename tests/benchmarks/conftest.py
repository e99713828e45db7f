"""The benchmarks are scripts beside each other, not a package: their folder is put on the path as Python does it."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))  # behind all packages: `matching.py` there must not hide anything
