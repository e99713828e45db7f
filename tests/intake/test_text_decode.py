"""Encodings: decided over the whole file, decoded strictly, folded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.intake.sniff import Unreadable
from pipeline.intake.text_decode import Encoding, decode, detect, fold, is_rubbish, row_of_nul, utf8_lines

TEXT = "姓名,身份证号,地址\r\n𠮷祥,539901196503170010,某乡\r\n䶮㛃,539901196503170029,龴村€\r\n" * 3


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "名单.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("codec", "name", "mark"),
    [
        *[("utf-8", "utf-8", 0), ("utf-8-sig", "utf-8", 3), ("gb18030", "gb18030", 0)],
        *[("utf-16", "utf-16-le", 2), ("utf-16-le", "utf-16-le", 0), ("utf-16-be", "utf-16-be", 0)],
    ],
)
def test_encodings_are_told_apart(tmp_path: Path, codec: str, name: str, mark: int) -> None:
    path = _file(tmp_path, TEXT.encode(codec))
    encoding = detect(path)
    assert encoding == Encoding(name, mark)
    assert decode(path.read_bytes()[mark:], encoding) == TEXT


def test_gb18030_is_known_though_the_first_megabyte_is_ascii(tmp_path: Path) -> None:
    assert detect(_file(tmp_path, b"a,b\n" * 300_000 + "姓名\n".encode("gb18030"))).name == "gb18030"


def test_one_line_in_another_encoding_refuses_a_utf8_file(tmp_path: Path) -> None:
    bad = TEXT.encode() + "李某,1\r\n".encode("gb18030")
    with pytest.raises(Unreadable) as refusal:
        detect(_file(tmp_path, bad))
    assert (refusal.value.problem.code, refusal.value.problem.row) == ("E231", 10)
    assert str(len(TEXT.encode())) in refusal.value.problem.why


def test_a_byte_that_is_no_character_is_named_by_byte_and_line() -> None:
    with pytest.raises(Unreadable) as refusal:
        decode("姓名\n".encode("gb18030") + b"\xff\xff,1\n", Encoding("gb18030"), offset=100, row=7)
    problem = refusal.value.problem
    assert (problem.code, problem.row) == ("E231", 8)
    assert "105" in problem.why


def test_a_last_character_cut_off_is_a_file_cut_off() -> None:
    for name in ("utf-8", "gb18030"):
        with pytest.raises(Unreadable) as refusal:
            decode("姓名".encode(name)[:-1], Encoding(name))
        assert refusal.value.problem.code == "E202"


def test_utf32_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refusal:
        detect(_file(tmp_path, TEXT.encode("utf-32")))
    assert refusal.value.problem.code == "E231"


def test_big5_reads_as_rubbish_and_real_text_does_not() -> None:
    big5 = ("姓名,身份證號,地址\n" + "王大明,539901,臺東縣某鄉某村\n" * 5).encode("big5")
    assert is_rubbish(big5.decode("gb18030"))
    assert not is_rubbish(TEXT)
    assert not is_rubbish("扎西次仁,斯那尼玛,鲁茸培楚,永宗旺堆,阿苦伍各\n")
    assert not is_rubbish("name,id\n")


def test_the_44_private_codes_become_characters() -> None:
    assert fold(b"\xfe\x59".decode("gb18030")) == "\u9fb4"
    assert fold("\ue78d\ue796\ue7c7\ue816\ue855\ue864") == "\ufe10\ufe19\u1e3f\U00020087\U000241fe\u9fbb"
    assert fold("\ue000\ue800𠮷䶮") == "\ue000\ue800𠮷䶮"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "gb18030", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_a_file_is_rewritten_as_utf8_lines(tmp_path: Path, codec: str, end: str) -> None:
    path = _file(tmp_path, TEXT.replace("\r\n", end).encode(codec))
    utf8_lines(path, detect(path), tmp_path / "plain")
    assert (tmp_path / "plain").read_bytes().decode() == TEXT.replace("\r\n", "\n")


def test_rewriting_names_the_line_of_a_bad_unit_and_a_missing_half(tmp_path: Path) -> None:
    lone = TEXT.encode("utf-16-le") + b"\x00\xdc" + "\n".encode("utf-16-le")
    for content, code in ((lone, "E231"), (TEXT.encode("utf-16-le")[:-1], "E202")):
        with pytest.raises(Unreadable) as refusal:
            utf8_lines(_file(tmp_path, content), Encoding("utf-16-le"), tmp_path / "plain")
        assert refusal.value.problem.code == code


def test_a_nul_byte_in_plain_text_is_found(tmp_path: Path) -> None:
    assert row_of_nul(_file(tmp_path, "姓名,1\n甲\0,2\n".encode("gb18030"))) == 2
    assert row_of_nul(_file(tmp_path, b"\x00\x01\x02\x03binary\xff")) == 0
