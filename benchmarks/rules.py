"""All rules over a province: seconds and memory from facts to outcomes and findings with their reasons.

`--people` register people with random facts, made beforehand and not measured: a yes/no fact holds for one in twelve and is
unknown for one in a hundred, but what only findings ask (two payments, another county …) is rare, as in the sample. The
rules are those of rules/; nothing of what they say is left out. Where they are fewer than `RULES`, the first benefits are there
twice, under another code.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
from bench import ROOT, measured
from matching import peak_mb

AS_OF = date(2026, 10, 31)
RULES = 60
_COUNTIES = [f"53{city:02d}{county:02d}" for city in range(1, 13) for county in range(1, 12)]
_YES, _RARE, _UNKNOWN = 1 / 12, 1 / 300, 1 / 100
_LEVELS, _AGES = (0.13, 0.30, 0.26, 0.31), (0.04, 0.51, 0.45)  # handbook E: levels; 0–15, 16–59, 60 and over


def make_facts(people: int, folder: Path) -> None:
    """`facts.parquet`: person, county_code and every declared fact."""
    from pipeline import entitlement
    from pipeline.contracts.dataset import load_datasets
    from pipeline.contracts.rule import load_rules

    facts = entitlement.declared_facts(load_datasets(ROOT / "schemas"))
    benefits = {code: rule for code, rule in load_rules(ROOT / "rules").items() if rule.benefit}
    usual = set(entitlement.facts_used(entitlement.compile_rules(benefits, facts, AS_OF)))
    dice = random.Random(7)
    columns = {"person": pl.int_range(1, people + 1, eager=True)}
    columns["county_code"] = _drawn(dice, _COUNTIES, people)
    for name, fact in facts.items():
        columns[name] = _column(dice, name, fact, people, rare=name not in usual)
    pl.DataFrame(columns).write_parquet(folder / "facts.parquet")


def _column(dice: random.Random, name: str, fact: object, people: int, *, rare: bool) -> pl.Series:
    kind, field = fact.sql_type, fact.field  # type: ignore[attr-defined]
    spec = fact.dataset.fields[field] if field else None  # type: ignore[attr-defined]
    if name == "证件有效期至":
        return _drawn(dice, [date(2025 + n, 1 + n % 12, 28) for n in range(10)], people)
    if name == "证件状态":
        return _drawn(dice, ["正常"] * 18 + ["注销", "过期"], people)
    if name == "残疾等级":
        return _drawn(dice, [1, 2, 3, 4], people, _LEVELS)
    if name in ("年龄", "学龄"):
        groups = [
            n
            for group, share in zip((range(16), range(16, 60), range(60, 95)), _AGES, strict=True)
            for n in dice.choices(group, k=int(share * 1000))
        ]
        return _drawn(dice, groups, people)
    if kind == "BOOLEAN":
        certain = fact.dataset.role == "deaths"  # type: ignore[attr-defined]
        share = 0.01 if certain else _RARE if rare else _YES
        unknown = 0.0 if certain else _UNKNOWN
        return _drawn(dice, [True, False, None], people, (share, 1 - share - unknown, unknown), pl.Boolean)
    if kind == "DATE":
        months = [date(2026, month, 1) for month in range(1, 11)]
        return _drawn(dice, [*months, *[None] * (500 if rare else 1)], people, dtype=pl.Date)
    if spec is not None and spec.codes:
        values = [int(code) if spec.whole_number else code for code in spec.codes]
        return _drawn(dice, [*values, None], people)
    return _drawn(dice, [*[0] * (300 if rare else 3), 1, 3, 250_000], people)


def _drawn(
    dice: random.Random,
    values: list[object],
    people: int,
    weights: tuple[float, ...] | None = None,
    dtype: type[pl.DataType] | None = None,
) -> pl.Series:
    """`people` values drawn from a thousand that were drawn by weight."""
    pool = dice.choices(values, weights, k=1000) if weights else values
    at = pl.int_range(people, eager=True).hash(seed=dice.randrange(1 << 30)) % len(pool)
    return pl.Series(pool, dtype=dtype).gather(at)


def decide(folder: Path) -> dict[str, float]:
    """Rules compiled, outcomes and findings made: what a night does with its facts."""
    from pipeline import entitlement, matching
    from pipeline.contracts.dataset import load_datasets
    from pipeline.contracts.rule import load_rules

    datasets, rules = load_datasets(ROOT / "schemas"), load_rules(ROOT / "rules")
    rules = {code: rule for code, rule in rules.items() if rule.subject == "register"}
    benefits = [rule for rule in rules.values() if rule.benefit]
    for rule in benefits[: max(0, RULES - len(rules))]:
        rules[f"{rule.code}_again"] = rule.model_copy(update={"benefit": f"{rule.code}_again"})
    con = matching.connect(3.0, 2, str(folder / "spill"))
    _around(con, folder, datasets)
    facts = entitlement.declared_facts(datasets)

    def all_rules() -> None:
        compiled = entitlement.compile_rules(rules, facts, AS_OF)
        entitlement.build_parameters(con, rules, _COUNTIES, AS_OF)
        entitlement.decide(con, compiled, facts, datasets, AS_OF)

    told = measured(all_rules) | {"rules": len(rules), "peak_mb": peak_mb()}
    for table in ("outcomes", "findings"):
        told[table] = con.execute(f"select count(*) from {table}").fetchall()[0][0]
    return told


def _around(con: object, folder: Path, datasets: Mapping[str, object]) -> None:
    """The other tables that rules read: people, coverage, and nothing in doubt."""
    run = con.execute  # type: ignore[attr-defined]
    run(f"create table facts as select * from read_parquet('{folder}/facts.parquet')").fetchall()
    run("create table facts_sure as select * from facts limit 0").fetchall()
    run("create table unmatchable as select person from facts limit 0").fetchall()
    run(
        "create table people as select person, concat('99999919650317', cast(1000 + person as varchar)) as certificate_number,"
        " concat('99999919650317', cast(1000 + person as varchar)) as id_number,"
        " concat('99999919650317', cast(1000 + person as varchar)) as delivered_id,"
        " concat('99999919650317', cast(1000 + person as varchar)) as delivered_certificate_id, '某人' as name, county_code,"
        " '持证残疾人名册.csv' as source_file, '' as sheet, person as source_row from facts"
    ).fetchall()
    covered = "".join(
        f', true as "{d.table}", \'2026-10-31\' as "{d.table}__date"' for d in datasets.values()
    )  # type: ignore[attr-defined]
    counties = ", ".join(f"('{county}')" for county in _COUNTIES)
    run(
        f"create table covered as select v.county_code, '' as note{covered} from (values {counties}) as v(county_code)"
    ).fetchall()
    run(
        "create table unlinked (dataset varchar, source_file varchar, sheet varchar, source_row bigint, person bigint, reason varchar,"
        " row_name varchar, other_name boolean)"
    ).fetchall()
    run("create table links as select *, '' as decision from unlinked").fetchall()
    run("create table list_files (dataset varchar, source_file varchar, title varchar)").fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=3_000_000)
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.state:
        print(json.dumps(decide(options.state)))
        return
    with tempfile.TemporaryDirectory() as temp:
        make_facts(options.people, Path(temp))
        command = [sys.executable, __file__, "--state", temp]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        told = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{told['rules']} rules over {options.people} people: wall {told['wall']:.1f} s  cpu {told['cpu']:.1f} s"
        f"  peak {told['peak_mb']:.0f} MB  {told['outcomes']} outcomes  {told['findings']} findings"
    )


if __name__ == "__main__":
    main()
