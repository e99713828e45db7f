"""ID numbers: against an independent check-digit routine, by examples of every damage, and by properties."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from pipeline.identity import certificate
from pipeline.identity.id_number import NUMERIC_CELL, PROBLEMS, birth_date, normalise, sex

ID = "539999196503170010"
SMALL = settings(derandomize=True, deadline=None, max_examples=40)


def completed(first: str) -> str:
    return first + str(mod_11_2.calc_check_digit(first))


def with_x() -> str:
    return next(i for i in (completed(f"53999919650317{n:03}") for n in range(1, 999)) if i.endswith("X"))


def one(cell: str | None) -> tuple[str | None, str | None, str | None]:
    row = normalise(pl.Series([cell], dtype=pl.String)).row(0)
    return row[0], row[1], row[2]


DAYS = st.dates(min_value=date(1850, 1, 1), max_value=date(2100, 12, 31))
FIRST = st.builds(
    lambda region, day, order: f"5399{region:02}{day:%Y%m%d}{order:03}",
    st.integers(0, 99),
    DAYS,
    st.integers(1, 999),
)
IDS = FIRST.map(completed)


def test_a_million_random_numbers_agree_with_iso7064() -> None:
    """91 thousand random numbers with each of the eleven check characters: exactly one is right."""
    chance = random.Random(11)
    days = [
        f"{chance.randint(1850, 2100)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
        for _ in range(5000)
    ]
    firsts = [
        f"{chance.randrange(100000, 1000000)}{chance.choice(days)}{chance.randrange(1000):03}"
        for _ in range(91000)
    ]
    checks = pl.DataFrame({"check": list("0123456789X")})
    cells = (
        pl.DataFrame({"first": firsts}).join(checks, how="cross").select(pl.concat_str(pl.all())).to_series()
    )
    right = pl.Series("id", [completed(first) for first in firsts])
    result = normalise(cells)
    assert len(cells) > 10**6
    assert result["id"].drop_nulls().sort().equals(right.sort())
    assert result.filter(pl.col("problem").is_null() == pl.col("id").is_null()).is_empty()
    assert result["certificate"].null_count() == len(cells)


def test_every_day_of_the_calendar_and_no_other() -> None:
    days = [
        f"{y}{m:02}{d:02}"
        for y in (1849, 1850, 1900, 1999, 2000, 2024, 2100, 2101)
        for m in range(14)
        for d in range(33)
    ]
    cells = pl.Series([completed(f"539999{day}001") for day in days])
    real = pl.Series(days).str.to_date("%Y%m%d", strict=False)
    possible = (real.is_not_null()) & (real.dt.year() >= 1850) & (real.dt.year() <= 2100)
    result = normalise(cells)
    assert result["id"].is_not_null().to_list() == possible.fill_null(False).to_list()
    assert set(result["problem"].drop_nulls()) == {"date"}


X = with_x()
SOUND = {
    "clean": ID,
    "spaces": f" {ID}  ",
    "ideographic space": f"\u3000{ID}\u3000",
    "inner spaces": f"{ID[:6]} {ID[6:14]} {ID[14:]}",
    "nbsp": f"{ID}\u00a0",
    "zero width": f"{ID}\u200b",
    "bom": f"\ufeff{ID}",
    "direction mark": f"\u202a{ID}\u202c",
    "tab": f"\t{ID}\t",
    "line break": f"{ID}\r\n",
    "break inside": f"{ID[:10]}\n{ID[10:]}",
    "escaped break": f"{ID}_x000D_",
    "apostrophe": f"'{ID}",
    "curly apostrophe": f"’{ID}",
    "formula": f'="{ID}"',
    "quotes": f'"{ID}"',
    "point zero": f"{ID}.0",
    "thousands": f"{int(ID):,}",
    "prefix": f"身份证号:{ID}",
    "prefix wide colon": f"证号：{ID}",
    "long prefix": f"公民身份号码 {ID}",
    "latin prefix": f"ID: {ID}",
    "hyphens": f"{ID[:6]}-{ID[6:14]}-{ID[14:]}",
    "long dashes": f"{ID[:6]}—{ID[6:14]}－{ID[14:]}",
    "full width": ID.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    "end comma": f"{ID}，",
    "wide brackets": f"（{ID}）",
    "brackets": f"({ID})",
    "square brackets": f"【{ID}】",
    "half a bracket": f"({ID}",
    "prefix and brackets": f"身份证号（{ID}）",
    "prefix in brackets": f"（身份证号：{ID}）",
    "his own": f"{ID}（本人）",
    "his own, no brackets": f"{ID}本人",
    "his own before": f"本人：{ID}",
    "slashes": f"{ID[:6]}/{ID[6:14]}/{ID[14:]}",
    "slashes in the date": f"{ID[:6]}/{ID[6:10]}/{ID[10:12]}/{ID[12:14]}/{ID[14:]}",
}


@pytest.mark.parametrize("cell", SOUND.values(), ids=SOUND.keys())
def test_typing_habits_are_seen_through(cell: str) -> None:
    assert one(cell) == (ID, None, None)


@pytest.mark.parametrize("sign", ["x", "Ｘ", "ｘ", "Х", "х", "Χ", "χ", "×", "*", "＊", "✕"])
def test_what_is_typed_for_x(sign: str) -> None:
    assert one(X[:17] + sign) == (X, None, None)
    assert one(X[:17] + sign + "42") == (X, X + "42", None)
    assert one(ID[:17] + sign)[0] is None  # there the check character is no X


PROBLEM = {
    "missing": [None, "", "  ", "\u3000", "\u200b", "'", '=""'],
    "placeholder": [
        "无",
        "暂无",
        "-",
        "—",
        "——",
        "不详",
        "0",
        "000000000000000000",
        "111111111111111111",
        "同上",
        "无户口",
        "(无)",
        "/",
        "N/A",
        "null",
        "未上户",
        "〃",
        "身份证号：",
        "53999919650317" + "0000",
        "X",
        "539999650317000",
    ],
    "masked": [
        "539999********0010",
        "539999＊＊＊＊＊＊＊＊0010",
        "539999XXXXXXXX0010",
        "53999919650317****",
        "**************0010",
        "539999********001042",
        "******************",
        "53999919650317001*",
        "539999****0010",
        "539999...0010",
        "539999--------0010",
        "539999____0010",
    ],
    "numeric_cell": [
        NUMERIC_CELL + ID,
        NUMERIC_CELL + "539999196503169984",
        NUMERIC_CELL + "5.39999196503170e+17",
        NUMERIC_CELL + ID + "42",
    ],
    "scientific": ["5.39999E+17", "5.4e17", "1.1E+17", "5.39999E 17", "5.39999Ｅ+17"],
    "excel_zeros": ["539999196503171000", "539999196503171000" + "00"],
    "length": [ID[:17], ID[:10], ID + "1", "13800138000", ID + "85", "1"],
    "characters": [
        "539999196503I70010",
        "E12345678",
        "张三",
        ID + "（监护人）",
        "监护人身份证号：" + ID,
        ID + "张三",
        ID + "（2015年去世）",
        ID + "（42）",
        "2019/10/1",
        "5399991965031701X2",
    ],
    "date": ["539999196513170010", "539999190002290017", "539999651317001", "539999200703195"],
    "checksum": ["539999196503170011", "539999196503170100"],
    "several": [f"{ID}/{X}", f"{ID} {X}", f"{ID} 13800138000", f"{ID}、{ID}", f"{ID}({ID})"],
}


@pytest.mark.parametrize(("problem", "cell"), [(p, c) for p, cells in PROBLEM.items() for c in cells])
def test_what_cannot_be_believed_says_why(problem: str, cell: str | None) -> None:
    assert one(cell) == (None, None, problem)


def test_every_problem_has_an_example() -> None:
    assert set(PROBLEM) == set(PROBLEMS)


def test_fifteen_digits_become_eighteen() -> None:
    assert one("539999650317001") == (completed("53999919650317001"), None, None)
    assert one("'539999 650317 001")[0] == completed("53999919650317001")
    assert one("539999990101997")[0] == completed("53999918990101997")  # 996–999: born in the 1800s
    assert one("539999650317001.0")[0] == completed("53999919650317001")  # 15 digits are exact in a float


@pytest.mark.parametrize("text", ["539901200703195", "539901201205170", "539901200112310", "539901200101997"])
def test_the_beginning_of_a_number_of_this_century_is_no_number_of_1920(text: str) -> None:
    for written in (text, f" {text}.0", f"（{text}）", f"{text[:6]}-{text[6:]}"):
        assert one(written) == (None, None, "date")  # as other numbers cut to fifteen digits
    assert one(text[:6] + "1990" + text[10:]) == (None, None, "date")


def test_fifteen_digits_of_every_year_but_1920_are_whole() -> None:
    """Of 1920 too, where they cannot be the beginning of eighteen: March 45, April 31."""
    years = [f"539999{year:02}0317001" for year in (*range(20), *range(21, 100))]
    assert all(one(text)[0] == completed(f"{text[:6]}19{text[6:]}") for text in years)
    for text in ("539999200303451", "539999200404311"):
        assert one(text)[0] == completed(f"{text[:6]}19{text[6:]}")


def test_permits_and_unknown_regions_are_sound() -> None:
    for region in ("810000", "820000", "830000", "911124", "533421", "539999", "999999"):
        made = completed(region + "19900101001")
        assert one(made) == (made, None, None)


def test_three_zeros_with_a_right_check_stay_sound_as_text_only() -> None:
    made = next(i for n in range(1, 100) if (i := completed(f"53999919650317{n}00"[:17])).endswith("000"))
    assert one(made) == (made, None, None)
    assert one(made + ".0") == (None, None, "numeric_cell")
    assert one(NUMERIC_CELL + made) == (None, None, "numeric_cell")


def test_certificate_numbers_are_split() -> None:
    assert one(ID + "42") == (ID, ID + "42", None)
    assert one(f" {ID}42b1 ") == (ID, ID + "42B1", None)
    assert one(f"{ID}-42") == (ID, ID + "42", None)
    assert one(f"残疾人证号：{ID}42") == (ID, ID + "42", None)
    assert one(ID + "427") == (ID, ID + "42", None)  # the odd 21st digit of an old system
    assert one(X.lower() + "71") == (X, X + "71", None)
    frame = pl.DataFrame({"c": [ID + "42B1", None]}).select(
        category=certificate.category(pl.col("c")), level=certificate.level(pl.col("c"))
    )
    assert frame.rows() == [(4, 2), (None, None)]


def test_a_certificate_number_with_an_unsound_id_is_kept_with_its_problem() -> None:
    wrong, undated = ID[:17] + "1", "539999196513170010"
    assert one(wrong + "42") == (None, wrong + "42", "checksum")
    assert one(wrong + "42B1") == (None, wrong + "42B1", "checksum")
    assert one(undated + "42") == (None, undated + "42", "date")
    assert one("539999196503171000" + "42") == (None, "53999919650317100042", "excel_zeros")
    assert one(wrong + "427") == (None, None, "length")
    assert one("1" * 20) == (None, None, "placeholder")


def test_columns_rows_and_input_are_kept() -> None:
    cells = pl.concat([pl.Series("x", [ID, " " + ID, None, "无"]), pl.Series("x", [ID + "42"])])
    before = cells.clone()
    result = normalise(cells)
    assert result.schema == {"id": pl.String, "certificate": pl.String, "problem": pl.String}
    assert result["id"].to_list() == [ID, ID, None, None, ID]
    assert cells.equals(before)
    assert normalise(cells.head(0)).height == 0
    assert normalise(pl.Series([None, None]))["problem"].to_list() == ["missing"] * 2


def test_long_columns_are_handled_in_pieces_without_losing_order() -> None:
    cells = pl.Series([ID, " " + X, "无", ID + "42"] * 100_000)
    result = normalise(cells)
    assert result["id"].equals(pl.Series("id", [ID, X, None, ID] * 100_000))
    assert result["problem"].equals(pl.Series("problem", [None, None, "placeholder", None] * 100_000))


def test_birth_date_and_sex() -> None:
    frame = pl.DataFrame({"id": [ID, completed("53999920000229002"), None]})
    dates = frame.select(birth_date(pl.col("id"))).to_series()
    assert [str(day) for day in dates] == ["1965-03-17", "2000-02-29", "None"]
    assert frame.select(sex(pl.col("id"))).to_series().to_list() == ["男", "女", None]


@SMALL
@given(st.lists(st.one_of(st.none(), st.text(max_size=24), IDS, IDS.map(lambda i: i + "42B1")), max_size=20))
def test_normalise_is_idempotent(cells: list[str | None]) -> None:
    once = normalise(pl.Series(cells, dtype=pl.String))
    assert once.filter(pl.col("problem").is_null() != pl.col("id").is_not_null()).is_empty()
    for column in ("id", "certificate"):
        again = normalise(once[column])
        kept = once[column].is_not_null()
        assert again.filter(kept)[column].equals(once.filter(kept)[column])
        assert again.filter(kept)["id"].equals(once.filter(kept)["id"])


@SMALL
@given(IDS, st.text(alphabet="0123456789Xx*-.,'\" \u200b年无/", max_size=6), st.integers(0, 18))
def test_a_sound_id_never_becomes_another(person: str, noise: str, at: int) -> None:
    found = one(person[:at] + noise + person[at:])[0]
    assert one(person)[0] == person
    if not any(character in "0123456789Xx*" for character in noise):
        assert found in (person, None)


@SMALL
@given(IDS, st.data())
def test_invisible_characters_anywhere_do_not_matter(person: str, data: st.DataObject) -> None:
    hidden = st.sampled_from(
        "\u200b\u200c\u200d\u2060\ufeff\u00ad\u00a0\u3000\u2003\t\n\r\u2028 \u202e\ufe0f\u180e"
    )
    cell = person
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(cell)))
        cell = cell[:at] + data.draw(hidden) + cell[at:]
    assert one(cell) == (person, None, None)


@SMALL
@given(IDS)
def test_every_single_digit_error_and_neighbour_swap_is_unsound(person: str) -> None:
    wrong = [person[:k] + c + person[k + 1 :] for k in range(18) for c in "0123456789X" if c != person[k]]
    swapped = [
        person[:k] + person[k + 1] + person[k] + person[k + 2 :]
        for k in range(17)
        if person[k] != person[k + 1]
    ]
    result = normalise(pl.Series(wrong + swapped))
    assert result["id"].null_count() == result.height
    assert result["problem"].null_count() == 0
