"""The synthetic prefecture: repeatable, complete, harmless, and its truth points at the right rows."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook
from stdnum import numdb
from stdnum.iso7064 import mod_11_2

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.sample import SampleSummary, make_sample
from pipeline.sample.lists import EXPORTS, Export
from pipeline.sample.people import chunks
from pipeline.sample.world import World

COUNTIES = ("539901", "539902", "539923", "539924")
SCHEMAS = Path(__file__).parents[2] / "schemas"
POLARS = {"VARCHAR": pl.String, "BIGINT": pl.Int64, "DATE": pl.Date}


@dataclass(frozen=True)
class Sample:
    inbox: Path
    truth: Path
    summary: SampleSummary


def _sample(folder: Path, people: int, dirt: float) -> Sample:
    summary = make_sample(people, folder / "inbox", seed=7, truth=folder / "truth", dirt=dirt)
    return Sample(folder / "inbox", folder / "truth", summary)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return _sample(tmp_path_factory.mktemp("dirty"), 3000, 2.0)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return _sample(tmp_path_factory.mktemp("clean"), 1500, 0.0)


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(folder / f"{name}.csv", infer_schema=False)


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[object]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] = str(self.rows[-1][-1]) + data


def read(path: Path) -> tuple[str, list[list[object]]]:
    """What kind of file it is, and its physical rows."""
    raw = path.read_bytes()
    if raw[:2] == b"PK" or raw[:4] == b"\xd0\xcf\x11\xe0":
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        return ("xlsx" if raw[:2] == b"PK" else "biff"), sheet.to_python(skip_empty_area=False)
    if raw.startswith(b"<html"):
        reader = _Cells()
        reader.feed(raw.decode("utf-8" if b"charset=utf-8" in raw[:200] else "gb18030"))
        return "html", reader.rows
    kind, text = _text(raw)
    separator = "\t" if path.suffix == ".xls" else ","
    lines: list[list[object]] = [
        list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    ]
    return ("tabs " if separator == "\t" else "") + kind, lines


def _text(raw: bytes) -> tuple[str, str]:
    if raw[:2] == b"\xff\xfe":
        return "utf-16", raw.decode("utf-16")
    if raw[:3] == b"\xef\xbb\xbf":
        return "utf-8 bom", raw.decode("utf-8-sig")
    try:
        return "utf-8", raw.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030", raw.decode("gb18030")


def column_of(rows: list[list[object]], headers: tuple[str, ...]) -> tuple[int, int]:
    """Row and column (from 0) of the first of these headers."""
    for number, row in enumerate(rows[:6]):
        for place, cell in enumerate(row):
            if cell in headers:
                return number, place
    raise AssertionError("no such header")


def own_name(export: Export) -> str:
    return "hname" if export.damaged == "hid" else "name"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        make_sample(250, tmp_path / name / "inbox", seed=seed, truth=tmp_path / name / "truth")
    first, second, other = (bytes_of(tmp_path / name) for name in "abc")
    assert first == second
    assert first["truth/people.csv"] != other["truth/people.csv"]


def test_people_do_not_depend_on_the_size_of_a_chunk() -> None:
    world = World(2000, 5, date(2026, 10, 31), 1.0, 0.076, 4)
    small, large = pl.concat(chunks(world, 37)), pl.concat(chunks(world, 5000))
    assert small.height == 2000
    assert small.equals(large)


def test_every_dataset_and_every_kind_of_file_is_there(dirty: Sample) -> None:
    folders = {f"{path.parent.parent.name}/{path.parent.name}" for path in dirty.inbox.rglob("*.*")}
    assert folders == {export.key for export in EXPORTS}
    assert len(folders) == 23
    kinds = Counter(read(path)[0] for path in dirty.inbox.rglob("*.*"))
    assert set(kinds) >= {"xlsx", "biff", "html", "gb18030", "utf-8", "utf-8 bom", "utf-16", "tabs gb18030"}
    assert dirty.summary.people == 3000
    assert sum(kinds.values()) == dirty.summary.files


def test_nobody_can_be_a_real_person(dirty: Sample) -> None:
    people = table(dirty.truth, "people")
    ids = people["id_number"].to_list()
    assert len(set(ids)) == len(ids)
    assert all(number.startswith("5399") and mod_11_2.is_valid(number) for number in ids)
    for code in {number[:6] for number in ids} | set(COUNTIES):
        assert not any("county" in known for _, known in numdb.get("cn/loc").info(code))
    known = set(ids)
    for path in dirty.inbox.rglob("*.*"):
        for row in read(path)[1]:
            for cell in row:
                for number in re.findall(r"(?<![0-9])[0-9]{17}[0-9X](?![0-9X])", str(cell)):
                    assert number in known or not mod_11_2.is_valid(number)


def test_every_row_of_the_truth_is_where_it_says(clean: Sample) -> None:
    """Without dirt the name in the row is the person's name, in every kind of file."""
    names = dict(table(clean.truth, "people").select("person", "name").iter_rows())
    rows = table(clean.truth, "rows")
    own = {e.key: next(c.headers for c in e.columns if c.key == own_name(e)) for e in EXPORTS}
    kinds = set()
    for (dataset, file), part in rows.group_by("dataset", "source_file"):
        kind, cells = read(clean.inbox / str(file))
        kinds.add(kind)
        _, place = column_of(cells, own[str(dataset)])
        for number, person in part.select("source_row", "person").iter_rows():
            assert cells[int(number) - 1][place] == names[person]
    assert len(kinds) >= 8
    assert rows["damage"].is_null().all()
    assert rows.height == sum(clean.summary.rows.values())


def test_damage_is_what_the_truth_calls_it(dirty: Sample) -> None:
    people = table(dirty.truth, "people").select("person", "id_number", "certificate_number")
    rows = table(dirty.truth, "rows").join(people, on="person")
    headers = {e.key: next(c.headers for c in e.columns if c.key == e.damaged) for e in EXPORTS}
    seen: Counter[str] = Counter()
    for (dataset, file), part in rows.group_by("dataset", "source_file"):
        kind, cells = read(dirty.inbox / str(file))
        _, place = column_of(cells, headers[str(dataset)])
        for number, damage, own_id, certificate in part.select(
            "source_row", "damage", "id_number", "certificate_number"
        ).iter_rows():
            cell = cells[int(number) - 1][place]
            sound = certificate if dataset == "federation/needs_survey" else own_id
            assert (cell == sound) == (damage is None), (dataset, damage)
            if damage == "sci" and kind in ("xlsx", "biff"):
                assert isinstance(cell, float)
            seen[damage or ""] += 1
    assert set(seen) >= {
        "space",
        "missing",
        "typo",
        "old15",
        "wide",
        "swap",
        "guardian",
        "cut",
        "lower",
        "cert",
        "sci",
        "sci_text",
    }
    assert 0.02 < 1 - seen[""] / rows.height < 0.15


def test_those_who_receive_are_on_the_list_and_those_who_miss_are_not(dirty: Sample) -> None:
    answers = table(dirty.truth, "entitlements")
    rows = table(dirty.truth, "rows")
    lists = {
        "accessibility_renovation": "housing/accessibility",
        "single_person_dibao": "civil_affairs/dibao",
        "pension_enrolment": "hr_social_security/pension",
    }
    for benefit, dataset in lists.items():
        on_list = rows.filter(pl.col("dataset") == dataset)["person"].unique()
        due = answers.filter(pl.col("benefit") == benefit)
        assert due.height
        assert (due["person"].is_in(on_list.implode()) == (due["answer"] == "receiving")).all()
    assert answers["benefit"].n_unique() == 15
    assert not answers.select("person", "benefit").is_duplicated().any()


def test_an_empty_list_says_so_itself(tmp_path: Path) -> None:
    make_sample(12, tmp_path, seed=2)
    path = next((tmp_path / "hr_social_security" / "injury_care").iterdir())
    cells = [str(cell) for row in read(path)[1] for cell in row]
    assert "合计" in cells
    assert "0人" in cells


def test_the_committed_sample_stays_small(tmp_path: Path) -> None:
    make_sample(5000, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.*")) < 5_000_000


def test_accepted_parquet_has_the_columns_of_the_contract(tmp_path: Path) -> None:
    summary = make_sample(3000, tmp_path / "unused", accepted=tmp_path, register_share=0.2)
    assert not (tmp_path / "unused").exists()
    assert 450 < summary.holders < 750
    schemas = load_datasets(SCHEMAS)
    for export in EXPORTS:
        parts = sorted((tmp_path / "store" / export.key).glob("*/20261031/*.parquet"))
        assert {part.parent.parent.name for part in parts} <= (
            {"all"} if not export.by_county else set(COUNTIES)
        )
        frame = pl.concat([pl.read_parquet(part) for part in parts])
        assert frame.height == summary.rows[export.key]
        contract = {name: POLARS[kind] for name, kind in snapshot_columns(schemas[export.key]).items()}
        assert dict(frame.schema) == contract, export.key
        _codes_are_canonical(schemas[export.key], frame)


def _codes_are_canonical(dataset: Dataset, frame: pl.DataFrame) -> None:
    for name, spec in dataset.fields.items():
        if spec.type == "code":
            assert set(frame[name].drop_nulls().cast(pl.String).unique()) <= set(spec.codes), (
                dataset.dataset,
                name,
            )
        if spec.type in ("id", "certificate"):
            sound = frame[name].drop_nulls()
            assert (sound.str.len_chars() >= 18).all()
            assert (frame[name].is_null() == frame[f"{name}_problem"].is_not_null()).all()


def test_parquet_and_files_say_the_same(tmp_path: Path, dirty: Sample) -> None:
    summary = make_sample(3000, tmp_path / "x", seed=7, accepted=tmp_path, truth=tmp_path / "truth", dirt=2.0)
    for name in ("people", "entitlements", "findings"):
        assert (tmp_path / "truth" / f"{name}.csv").read_bytes() == (dirty.truth / f"{name}.csv").read_bytes()
    assert summary.rows == dirty.summary.rows


@pytest.mark.parametrize(
    "wrong", [{"people": 0}, {"people": 5, "counties": 9}, {"people": 5, "register_share": 0.9}]
)
def test_impossible_sizes_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="possible"):
        make_sample(out=tmp_path, **wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_memory_follows_the_chunk_not_the_population(tmp_path: Path) -> None:
    code = (
        # VmHWM is this process's own peak; ru_maxrss would hand down the test runner's through fork
        "import re, sys; from pathlib import Path; from pipeline.sample import make_sample; "
        "make_sample(200_000, Path(sys.argv[1]), truth=Path(sys.argv[1]) / 'truth'); "
        "print(re.search('VmHWM:\\s+([0-9]+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 500 * 1024
