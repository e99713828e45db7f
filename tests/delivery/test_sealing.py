"""Sealed attachments: 7-Zip and msoffcrypto open them with the password, nobody without."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path

import msoffcrypto
import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.delivery.letter import CSV, XLSX, ZIP, Attachment
from pipeline.delivery.sealing import is_sealed, seal, unseal

PASSWORD = "county 539901 + 'x\"$"
CANARY = "539999196503170010"
SEVEN_ZIP = next((found for name in ("7zz", "7z", "7za") if (found := shutil.which(name))), "")


def workbook(text: str = CANARY) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet("疑点清单").write_string(0, 0, text)
    book.close()
    return out.getvalue()


@cache  # a workbook has the time of its making in it
def files() -> tuple[Attachment, Attachment]:
    csv = f"\ufeff姓名,身份证号\r\n例,{CANARY}\r\n".encode() * 50
    return (
        Attachment("某县.csv", "report-539901.csv", CSV, csv),
        Attachment("某县.xlsx", "report-539901.xlsx", XLSX, workbook()),
    )


@pytest.fixture(scope="module")
def zipped() -> Attachment:
    (sealed,) = seal(files(), "zip", PASSWORD, "某县", "report-539901")
    return sealed


def test_a_zip_comes_back_whole(zipped: Attachment) -> None:
    assert (zipped.name, zipped.plain_name, zipped.kind) == ("某县.zip", "report-539901.zip", ZIP)
    assert is_sealed(zipped)
    opened = unseal(zipped, PASSWORD)
    assert [(one.name, one.kind, one.data) for one in opened] == [
        (f.plain_name, f.kind, f.data) for f in files()
    ]


def test_a_zip_shows_neutral_names_and_no_time_and_no_checksum_of_the_content(zipped: Attachment) -> None:
    entries = zipfile.ZipFile(io.BytesIO(zipped.data)).infolist()
    assert [entry.filename for entry in entries] == ["report-539901.csv", "report-539901.xlsx"]
    assert {(entry.date_time, entry.CRC, entry.compress_type) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0, 99)
    }
    aes_256 = b"\x01\x99\x07\x00\x02\x00AE\x03\x08\x00"  # AE-2, vendor AE, strength 3, deflated
    assert all(aes_256 in entry.extra for entry in entries)


def test_no_plain_text_is_left(zipped: Attachment) -> None:
    (book,) = seal(files(), "xlsx", PASSWORD, "", "")
    for sealed in (zipped, book):
        for plain in (CANARY, CANARY[:8], "姓名", "疑点清单", "worksheet", PASSWORD):
            assert plain.encode() not in sealed.data
            assert plain.encode("utf-16-le") not in sealed.data


@pytest.mark.skipif(not SEVEN_ZIP, reason="7-Zip is not installed (apt-get install 7zip)")
def test_seven_zip_opens_it_with_the_password_only(zipped: Attachment, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped.data)

    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([SEVEN_ZIP, *words, "a.zip"], cwd=tmp_path, capture_output=True, check=False)

    assert run("t", "-pwrong-password-1").returncode != 0
    assert run("x", f"-p{PASSWORD}", "-oout").returncode == 0
    for file in files():
        assert (tmp_path / "out" / file.plain_name).read_bytes() == file.data
    assert b"AES-256" in run("l", "-slt").stdout


def test_python_s_own_zip_cannot_read_it(zipped: Attachment) -> None:
    with pytest.raises((NotImplementedError, RuntimeError)):
        zipfile.ZipFile(io.BytesIO(zipped.data)).read("report-539901.csv", pwd=PASSWORD.encode())


def test_an_encrypted_workbook_opens_in_msoffcrypto_and_the_csv_stays_home() -> None:
    (book,) = seal(files(), "xlsx", PASSWORD, "某县", "report-539901")
    assert (book.name, book.kind) == ("某县.xlsx", XLSX)
    assert is_sealed(book)
    office = msoffcrypto.OfficeFile(io.BytesIO(book.data))
    office.load_key(password=PASSWORD)
    plain = io.BytesIO()
    office.decrypt(plain)
    assert openpyxl.load_workbook(plain)["疑点清单"]["A1"].value == CANARY
    (opened,) = unseal(book, PASSWORD)
    assert opened.data == files()[1].data
    assert not is_sealed(opened)


@pytest.mark.parametrize("how", ["zip", "xlsx"])
def test_a_wrong_password_and_damage_are_told_alike(how: str) -> None:
    (sealed,) = seal(files(), how, PASSWORD, "a", "a")  # type: ignore[arg-type]
    middle = len(sealed.data) // 2
    damaged = Attachment(
        "a", "a", sealed.kind, sealed.data[:middle] + b"\x00\x01" + sealed.data[middle + 2 :]
    )
    cut = Attachment("a", "a", sealed.kind, sealed.data[:middle])
    for attachment, password in [
        (sealed, PASSWORD + "x"),
        (damaged, PASSWORD),
        (cut, PASSWORD),
        (sealed, "密码"),
    ]:
        with pytest.raises(ReconcileError) as error:
            unseal(attachment, password)
        assert error.value.problem.code == "E804"
        assert PASSWORD not in str(error.value)


def test_a_zip_without_encryption_is_no_sealed_one() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("report-539901.csv", "x")
    with pytest.raises(ReconcileError):
        unseal(Attachment("a.zip", "a.zip", ZIP, out.getvalue()), PASSWORD)
    with pytest.raises(ReconcileError):
        unseal(files()[0], PASSWORD)


@pytest.mark.parametrize(
    ("attachments", "how", "password", "plain"),
    [
        ((), "zip", PASSWORD, "a"),
        ((), "xlsx", PASSWORD, "a"),
        ((files()[0],), "xlsx", PASSWORD, "a"),
        (files(), "zip", "", "a"),
        (files(), "zip", "密码密码密码密码密码密码", "a"),
        (files(), "zip", PASSWORD, "某县"),
        (files(), "zip", PASSWORD, "../a"),
        ((files()[0], files()[0]), "zip", PASSWORD, "a"),
        ((Attachment("例.csv", "例.csv", CSV, b""),), "zip", PASSWORD, "a"),
        ((Attachment("a.zip", "a.zip", ZIP, b""),), "xlsx", PASSWORD, "a"),
    ],
)
def test_what_cannot_be_sealed_is_an_error(
    attachments: tuple[Attachment, ...], how: str, password: str, plain: str
) -> None:
    with pytest.raises(ValueError, match=r"^[a-z ,A-Z]+$") as error:
        seal(attachments, how, password, "a", plain)  # type: ignore[arg-type]
    assert PASSWORD not in str(error.value)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.binary(max_size=3000), min_size=1, max_size=4),
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=12, max_size=60),
)
def test_any_content_under_any_password(contents: list[bytes], password: str) -> None:
    some = [Attachment(f"{n}", f"f{n}.csv", CSV, data) for n, data in enumerate(contents)]
    (sealed,) = seal(some, "zip", password, "a", "a")
    assert [one.data for one in unseal(sealed, password)] == contents
    with pytest.raises(ReconcileError):
        unseal(sealed, password[:-1] + ("a" if password[-1] != "a" else "b"))
