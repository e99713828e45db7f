"""`reconcile tune`: tables, suggestions in words, the plot, new weights; and that nothing changes unasked."""

from __future__ import annotations

import hashlib
import random
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from tune_table import FILES, INSURED, PENSION, TITLES, answers, frame, pair, written

from pipeline.contracts.problem import ReconcileError
from pipeline.desk import NightFolders, TuneRequest, tune
from pipeline.desk.tune_fit import fit_tables, levels_of, refit, write_models
from pipeline.desk.tune_labels import by_judgements
from pipeline.desk.tune_pairs import FIELD_NAMES, scored
from pipeline.desk.tune_plot import plot
from pipeline.desk.tune_scores import THRESHOLDS, by_threshold
from pipeline.desk.tune_words import InForce, suggestions
from pipeline.matching import PRIORS, load_models
from pipeline.matching.fellegi_sunter import Model
from pipeline.matching.judgements import Judgement, record

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
PAIRS = [
    pair(1, "c1", 0.9999),
    pair(2, "c2", 0.99),
    pair(3, "c3", 0.96),
    pair(4, "c4", 0.955),
    pair(5, "c5", 0.4),
    pair(6, "c6", 0.9995, dataset=PENSION),
]


def folders(out: Path) -> NightFolders:
    return NightFolders(out, out / "state", ROOT / "schemas", ROOT / "rules")


def judge(out: Path, line: dict[str, str], answer: str) -> None:
    at = datetime(2026, 11, 1).astimezone().isoformat()
    key = line["row_key"], line["person_key"]
    record(
        out / "state",
        [
            Judgement(
                *(part.encode().hex()[-32:].rjust(32, "0") for part in key),
                line["dataset"],
                answer,
                "王芳",
                at,
            )
        ],
    )


def keyed(line: dict[str, str]) -> dict[str, str]:
    """The pair with keys of the judgements' form."""
    hexed = {name: line[name].encode().hex()[-32:].rjust(32, "0") for name in ("row_key", "person_key")}
    return {**line, **hexed}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return written(tmp_path / "out", frame(*map(keyed, PAIRS)))


def tuned(where: NightFolders, asked: TuneRequest) -> str:
    """All that is told."""
    told: list[str] = []
    tune(where, asked, told.append)
    return "\n".join(told)


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_page_has_its_tables_and_changes_nothing(out: Path) -> None:
    judge(out, PAIRS[2], "same")
    judge(out, PAIRS[3], "different")
    before = fingerprint(out)
    page = tuned(folders(out), TuneRequest())
    assert fingerprint(out) == before
    assert "比对过的对 6（6 行），其中有标注 2" in page
    assert "《基本医疗保险参保人员信息》" in page
    assert "阈值 0.98 → 0.95 会多连 2 行，其中判为同一人 1，判为不同 1，按概率估计有 0.1 行是错的" in page
    row = next(line for line in page.splitlines() if line.split()[:1] == ["*0.98"])
    assert row.split()[1:4] == ["3", "0", "0"]
    assert "姓名+出生日期" in page


def test_without_labels_only_expectations_are_told(out: Path) -> None:
    page = tuned(folders(out), TuneRequest())
    assert "只按概率估计" in page
    assert "判为" not in page
    assert "阈值 0.98 → 0.95 会多连 2 行，其中按概率估计有 0.1 行是错的" in page


def test_a_truth_file_counts_what_is_due(out: Path, tmp_path: Path) -> None:
    lines = [f"{INSURED},{FILES[INSURED]},{row},{c}" for row, c in ((1, "c1"), (2, ""), (3, "c3"), (8, "c8"))]
    head = "dataset,source_file,source_row,certificate_number"
    (tmp_path / "truth.csv").write_text("\n".join([head, *lines]), encoding="utf-8")
    page = tuned(folders(out), TuneRequest(truth=tmp_path / "truth.csv"))
    assert "应连 3 行；按号码一致已连 0 行，其中连错 0 行" in page
    row = next(line for line in page.splitlines() if line.split()[:1] == ["*0.98"])
    assert row.split()[1:6] == ["3", "1", "1", "50.00%", "33.33%"]


def test_the_threshold_of_the_settings_is_the_one_in_force(out: Path, tmp_path: Path) -> None:
    config = tmp_path / "reconcile.toml"
    config.write_text("[matching]\nlink_probability = 0.97\n", encoding="utf-8")
    page = tuned(replace(folders(out), config=config), TuneRequest())
    assert any(line.split()[:2] == ["*0.97", "3"] for line in page.splitlines())
    assert "阈值 0.97 → 0.95 会多连 2 行" in page
    assert "阈值 0.97 → 0.98 不改变任何连接" in page


def test_a_higher_threshold_is_said_to_take_links_away() -> None:
    labelled = by_judgements(scored(frame(*PAIRS)), answers((PAIRS[1], "different")))
    told = suggestions(labelled, by_threshold(labelled, (0.98, 0.995)), TITLES, InForce(0.98, 0.1))
    assert told[0].startswith("阈值 0.98 → 0.995 会少连 1 行，其中判为同一人 0，判为不同 1")
    assert told[1].startswith("  《医保》阈值 0.98 → 0.995 会少连 1 行")
    assert len(told) == 2


def test_without_pairs_or_a_night_the_cure_is_told(out: Path, tmp_path: Path) -> None:
    (out / "results" / "pairs.parquet").unlink()
    for where, code in ((out, "E536"), (tmp_path / "none", "E533")):
        with pytest.raises(ReconcileError) as caught:
            tuned(folders(where), TuneRequest())
        assert caught.value.problem.code == code


# ---- the plot ----


def test_the_plot_is_static_and_has_a_panel_a_list(out: Path, tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    page = tuned(folders(out), TuneRequest(plot=path))
    assert f"图已写到 {path}" in page
    root = ET.fromstring(path.read_text("utf-8"))
    titles = [text.text for text in root.iter(f"{SVG}text") if text.get("font-size") == "14"]
    assert titles == ["全部名单", "养老保险参保人员信息", "基本医疗保险参保人员信息"]
    assert not list(root.iter(f"{SVG}script"))
    assert not [e for e in root.iter() for name in e.attrib if name.endswith("href")]


def test_every_point_lies_in_its_panel_and_lower_is_worse() -> None:
    judged = [(PAIRS[0], "same"), (PAIRS[2], "different"), (PAIRS[4], "same"), (PAIRS[5], "same")]
    labelled = by_judgements(scored(frame(*PAIRS)), answers(*judged))
    root = ET.fromstring(plot(by_threshold(labelled, THRESHOLDS), {PENSION: "<养老>&"}, 0.98, intervals=True))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "<养老>&" in texts
    dots = [(float(c.get("cy", "")), c.findtext(f"{SVG}title")) for c in root.iter(f"{SVG}circle")]
    assert all(0 < y < 250 for y, _ in dots)
    panel = next(g for g in root.iter(f"{SVG}g"))
    by_value = {c.findtext(f"{SVG}title"): float(c.get("cy", "")) for c in panel.iter(f"{SVG}circle")}
    assert by_value["100.0000%"] < by_value["66.6667%"]


def test_a_plot_that_cannot_be_written_is_said(out: Path, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as caught:
        tuned(folders(out), TuneRequest(plot=tmp_path / "none" / "plot.svg"))
    assert caught.value.problem.code == "E538"


# ---- new weights ----


def simulated(model: Model, matches: int, others: int) -> pl.DataFrame:
    """Pairs whose levels are drawn from the model; `others` are no matches."""
    dice = random.Random(7)
    lines = []
    for number in range(matches + others):
        side = "m" if number < matches else "u"
        drawn = {
            field.name: dice.choices([x.name for x in field.known], [getattr(x, side) for x in field.known])[
                0
            ]
            for field in model.fields
        }
        weights = {
            f"{field.name}_weight": next(x.weight for x in field.known if x.name == drawn[field.name])
            for field in model.fields
        }
        probability = 0.999 if number < matches else 0.001
        lines.append(pair(number, f"c{number}", probability, **drawn, **weights))
    return scored(frame(*lines))


def test_a_fit_finds_the_shares_among_matches_and_keeps_u_and_the_prior() -> None:
    models = load_models(PRIORS)
    start = models.of(INSURED)
    place = next(field for field in start.fields if field.name == "place")
    shares = dict(zip((x.name for x in place.known), _ramp(len(place.known)), strict=True))
    levels = tuple(replace(x, m=shares[x.name]) if x.name in shares else x for x in place.levels)
    other = replace(
        start, fields=tuple(replace(f, levels=levels) if f.name == "place" else f for f in start.fields)
    )
    (found,) = refit(simulated(other, 1500, 500), models)
    after = {field.name: field for field in found.after.fields}
    assert found.fit.converged
    assert found.after.prior == start.prior
    assert [x.u for x in after["place"].known] == pytest.approx([x.u for x in place.known])
    for level in after["place"].known:
        assert level.m == pytest.approx(shares[level.name], abs=0.05)
    assert "《医保》2,000 对" in "\n".join(fit_tables([found], TITLES))


def _ramp(count: int) -> list[float]:
    """Shares that fall from level to level: unlike any documented ones."""
    return [2 * (count - n) / (count * (count + 1)) for n in range(count)]


def test_a_pairs_own_chance_of_a_name_is_the_one_by_which_the_night_weighed_it() -> None:
    model = load_models(PRIORS).of(INSURED)
    m = next(x.m for f in model.fields if f.name == "name" for x in f.levels if x.name == "exact")
    lines = [
        pair(n, "c", 0.9, name=name, name_weight=bits)
        for n, name, bits in ((1, "exact", 10.0), (2, "unknown", 0.0))
    ]
    levels = levels_of(frame(*lines), model)
    assert levels["name"].to_list() == ["exact", "unknown"]
    assert levels["name_u"].to_list() == [pytest.approx(m / 1024), None]


def test_small_lists_are_left_alone() -> None:
    models = load_models(PRIORS)
    pairs = simulated(models.of(INSURED), 40, 20)
    with pytest.raises(ReconcileError) as caught:
        refit(pairs, models)
    assert caught.value.problem.code == "E539"
    assert [one.dataset for one in refit(pairs, models, fewest=60)] == [INSURED]


def test_new_weights_are_written_to_a_new_file_only(tmp_path: Path) -> None:
    models = load_models(PRIORS)
    found = refit(simulated(models.of(INSURED), 400, 200), models)
    path = tmp_path / "weights.yaml"
    write_models(found, models, "2026-10-31", path)
    again = load_models(path)
    assert again.base.version == "fit-2026-10-31"
    assert again.made_from["started_from"] == models.base.version
    for old, new in zip(models.base.fields, again.base.fields, strict=True):
        assert [x.m for x in new.levels] == pytest.approx([x.m for x in old.levels], rel=1e-5)
    mine = {x.name: x.m for x in next(f for f in again.of(INSURED).fields if f.name == "name").known}
    assert mine == pytest.approx(
        {x.name: x.m for x in found[0].after.fields[FIELD_NAMES.index("name")].known}, rel=1e-5
    )
    with pytest.raises(ReconcileError) as caught:
        write_models(found, models, "2026-10-31", path)
    assert caught.value.problem.code == "E538"


def test_the_command_fits_and_writes_only_on_request(tmp_path: Path) -> None:
    pairs = simulated(load_models(PRIORS).of(INSURED), 400, 200).drop("score", "best")
    out = written(tmp_path / "out", pairs)
    before = fingerprint(tmp_path)
    page = tuned(folders(out), TuneRequest(fit=True))
    assert "没有写任何文件" in page
    assert fingerprint(tmp_path) == before
    page = tuned(folders(out), TuneRequest(fit=True, write=tmp_path / "new.yaml"))
    assert "[matching] weights" in page
    assert load_models(tmp_path / "new.yaml").base.version == "fit-2026-10-31"


def test_the_tables_are_told_before_a_fit_is_refused(out: Path) -> None:
    told: list[str] = []
    with pytest.raises(ReconcileError) as caught:
        tune(folders(out), TuneRequest(fit=True), told.append)
    assert caught.value.problem.code == "E539"
    assert "全部名单" in told[0]
