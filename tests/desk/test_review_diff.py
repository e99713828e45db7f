"""Differences by character: what is marked is what differs, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.desk.review_diff import Piece, marked, sides


def drawn(pieces: list[Piece]) -> str:
    """[x] different, _ wanting."""
    return "".join({"": text, "other": f"[{text}]", "gap": "_"}[kind] for text, kind in pieces)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("次仁卓玛", "次仁卓玛", ("次仁卓玛", "次仁卓玛")),
        ("次仁卓玛", "泽仁卓玛", ("[次]仁卓玛", "[泽]仁卓玛")),
        ("卓玛", "卓嘎", ("卓[玛]", "卓[嘎]")),
        ("53999919650317001", "539999196503170010", ("53999919650317001_", "53999919650317001[0]")),
        # two neighbours swapped: both are marked, on both sides
        ("539999196503170100", "539999196503170010", ("539999196503170[10]0", "539999196503170[01]0")),
        # a digit too few in the middle moves nothing behind it
        ("5399991965031700", "539999196503117000", ("5399991965031_7_00", "5399991965031[1]7[0]00")),
        ("王 芳", "王芳", ("王[ ]芳", "王_芳")),
        ("𠮷野", "吉野", ("[𠮷]野", "[吉]野")),
        ("不详", "539999196503170010", ("[不详]", "[539999196503170010]")),
        ("", "王芳", ("_", "[王芳]")),
        ("王芳", "", ("[王芳]", "_")),
        ("a" * 401, "b", (f"[{'a' * 401}]", "[b]")),
    ],
)
def test_marks(left: str, right: str, expected: tuple[str, str]) -> None:
    a, b = marked(left, right)
    assert (drawn(a), drawn(b)) == expected


_TEXTS = st.text(alphabet="01王芳卓 𠮷", max_size=12)


@given(_TEXTS, _TEXTS)
def test_pieces_are_the_text_and_what_is_unmarked_is_common(left: str, right: str) -> None:
    a, b = marked(left, right)
    assert "".join(text for text, _ in a) == left
    assert "".join(text for text, _ in b) == right
    assert [text for text, kind in a if not kind] == [text for text, kind in b if not kind]
    assert any(kind for _, kind in a + b) == (left != right)


def test_what_one_side_does_not_say_is_no_difference() -> None:
    assert sides("王芳", None) == ([("王芳", "")], None)
    assert sides("", "王芳") == (None, [("王芳", "")])
    assert sides(None, None) == (None, None)
    assert sides("王芳", "王方") == marked("王芳", "王方")
