"""Person keys: the same person however typed, nobody without the key, and no key that could be the wrong one."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import PersonKey, Places, open_ledger
from pipeline.contracts.problem import ReconcileError

KEY = PersonKey(bytes(range(32)))
ID = "53990119900101123X"


def test_the_hash_is_hmac_sha256_of_kind_and_text() -> None:
    assert KEY.of("id", ID) == hmac.new(bytes(range(32)), f"id\0{ID}".encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "typed",
    [ID.lower(), f" {ID} ", ID[:6] + " " + ID[6:], "\u200b" + ID, "".join(chr(ord(c) + 0xFEE0) for c in ID)],
)
def test_typing_makes_no_difference(typed: str) -> None:
    assert KEY.of("id", typed) == KEY.of("id", ID)


def test_kind_text_and_key_make_a_difference() -> None:
    hashes = {
        KEY.of("id", ID),
        KEY.of("certificate", ID),
        KEY.of("id", ID[:-1] + "1"),
        PersonKey(bytes(32)).of("id", ID),
    }
    assert len(hashes) == 4


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
def test_people_without_a_number_are_not_one_person(text: str) -> None:
    with pytest.raises(ValueError, match="without text"):
        KEY.of("id", text)


def test_the_key_is_never_shown() -> None:
    assert "\\x01" not in repr(KEY)


def test_the_first_run_makes_a_private_key_that_stays(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path / "state", 1)
    secret = places.key.read_bytes()
    assert len(secret) == 32
    assert places.key.stat().st_mode & 0o777 == 0o400
    assert places.key.parent.stat().st_mode & 0o777 == 0o700
    with open_ledger(tmp_path / "state") as ledger:
        assert ledger.key == PersonKey(secret)
        assert ledger.remembered("key_id") == hashlib.sha256(secret).hexdigest()[:8]
    other = small_ledger.made(tmp_path / "other", 1)
    assert other.key.read_bytes() != secret


def _replaced(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o400)


def _linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda path: path.unlink(), "E707"),
        (lambda path: _replaced(path, b"x" * 31), "E707"),
        (lambda path: _replaced(path, b"x" * 33), "E707"),
        (lambda path: _replaced(path, b""), "E707"),
        (lambda path: path.chmod(0o440), "E707"),
        (lambda path: path.chmod(0o404), "E707"),
        (lambda path: _replaced(path, os.urandom(32)), "E708"),
        (_linked, "E705"),
    ],
)
def test_a_key_that_cannot_be_the_ledgers_is_refused(
    tmp_path: Path, harm: Callable[[Path], None], code: str
) -> None:
    places = small_ledger.made(tmp_path, 3)
    harm(places.key)
    before = sorted(places.key.parent.iterdir())
    with pytest.raises(ReconcileError) as refused, open_ledger(tmp_path):
        pass
    assert refused.value.problem.code == code
    assert refused.value.problem.cure
    assert sorted(places.key.parent.iterdir()) == before  # no new key in its place


def test_a_first_run_killed_after_the_key_goes_on_with_it(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.key.parent.mkdir(mode=0o700)
    places.key.write_bytes(bytes(range(32)))
    places.key.chmod(0o400)
    with open_ledger(tmp_path) as ledger:
        assert ledger.key == KEY
