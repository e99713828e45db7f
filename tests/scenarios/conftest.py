"""One small prefecture for all scenarios, made once; tests that damage it take a copy."""

from __future__ import annotations

from pathlib import Path

import nights
import pytest


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nights.make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def clean(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of the undamaged night."""
    out = tmp_path_factory.mktemp("clean")
    nights.night(world, out)
    return out
