"""How right a night is about worlds whose truth is known: flags, links, findings, against the floors that only rise.

Makes a synthetic prefecture with its truth, and uses the measuring worlds where they lie beside the checkout
(`../shared/worlds` or $RECONCILE_WORLDS). The answers are for measuring only: the night never sees them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parent.parent
WORLDS = Path(os.environ.get("RECONCILE_WORLDS", ROOT.parent / "shared" / "worlds"))

_JUDGED = """
create table judged as
select t.benefit, t.answer, coalesce(o.outcome, 'absent') as outcome
from truth as t left join outcomes as o using (certificate_number, benefit)
union all
select o.benefit, 'not due', o.outcome
from outcomes as o anti join truth as t using (certificate_number, benefit)
where o.benefit in (select benefit from truth) and o.outcome in ('missing', 'verify')"""

_FLAGS = """
select
  count(*) filter (where answer = 'missing') as due,
  count(*) filter (where answer = 'missing' and outcome = 'missing') as hit,
  count(*) filter (where answer = 'missing' and outcome = 'verify') as verify_hit,
  count(*) filter (where answer = 'missing' and outcome not in ('missing', 'verify')) as lost,
  count(*) filter (where answer <> 'missing' and outcome = 'missing') as false_flags,
  count(*) filter (where answer = 'undetermined' and outcome = 'missing') as false_undetermined,
  count(*) filter (where answer <> 'missing' and outcome = 'verify') as needless_verify
from judged"""

_LINKS = """
select
  count(*) filter (where cert is not null) as due,
  count(*) filter (where cert = got and decision = 'linked') as right_links,
  count(*) filter (where got is not null and decision = 'linked' and got is distinct from cert) as wrong
from (
  select nullif(p.certificate_number, '') as cert, l.certificate_number as got, l.decision
  from rows as r join people as p using (person)
  left join links as l on l.dataset = r.dataset and l.source_file = r.source_file
    and cast(l.source_row as varchar) = r.source_row
  where r.dataset <> 'federation/register')"""

_FINDINGS = """
select t.finding, count(*) as due,
  count(*) filter (where exists (select 1 from findings as g where g.finding = t.finding
    and (g.id_number = t.id_number or g.certificate_number = t.certificate_number))) as hit,
  (select count(*) from findings as g where g.finding = t.finding and not exists (
    select 1 from true_findings as f where f.finding = g.finding
      and (f.id_number = g.id_number or f.certificate_number = g.certificate_number))) as false
from true_findings as t group by t.finding order by t.finding"""


def measure(truth: Path, results: Path) -> dict[str, Any]:
    """Flags (precision, recall, F1), links and findings of one night against one truth folder."""
    con = duckdb.connect()
    for table, name in (
        ("truth", "entitlements"),
        ("people", "people"),
        ("rows", "rows"),
        ("true_findings", "findings"),
    ):
        con.execute(
            f"create table {table} as select * from read_csv('{truth / name}.csv', all_varchar = true)"
        ).fetchall()
    for table in ("outcomes", "links", "findings"):
        con.execute(
            f"create table {table} as select * from read_parquet('{results / table}.parquet')"
        ).fetchall()
    con.execute(_JUDGED).fetchall()
    flags = con.sql(_FLAGS).pl().row(0, named=True)
    links = con.sql(_LINKS).pl().row(0, named=True)
    findings = con.sql(_FINDINGS).pl().rows(named=True)
    con.close()
    precision = flags["hit"] / max(1, flags["hit"] + flags["false_flags"])
    recall = (flags["hit"] + flags["verify_hit"]) / max(1, flags["due"])
    return {
        **flags,
        "f1": 2 * precision * recall / max(1e-9, precision + recall),
        "precision": precision,
        "recall": recall,
        "links_precision": links["right_links"] / max(1, links["right_links"] + links["wrong"]),
        "links_recall": links["right_links"] / max(1, links["due"]),
        "links_wrong": links["wrong"],
        "findings_hit": min((f["hit"] / f["due"] for f in findings), default=1.0),
        "findings_false": max((f["false"] / f["due"] for f in findings), default=0.0),
    }


def night(inbox: Path, out: Path) -> None:
    """One run as a user starts it; a degraded night (3) is an answer."""
    command = [sys.executable, "-m", "pipeline", "run", "--inbox", str(inbox), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 3, 4):
        sys.exit(f"the night on {inbox.name} failed with {done.returncode}:\n{done.stderr or done.stdout}")


def worlds(temp: Path) -> list[tuple[str, Path, Path]]:
    """(name, inbox, truth) of the generated sample and of every measuring world that is there."""
    from pipeline.sample import make_sample

    make_sample(5000, temp / "sample" / "inbox", seed=12, truth=temp / "sample" / "truth")
    found = [("sample", temp / "sample" / "inbox", temp / "sample" / "truth")]
    if WORLDS.is_dir():
        months = sorted(path.parent for path in WORLDS.glob("*/*/truth"))
        found += [(f"{month.parent.name}/{month.name}", month / "inbox", month / "truth") for month in months]
    return found


def below_floor(name: str, figures: dict[str, Any], floors: dict[str, Any]) -> list[str]:
    """The figures of one world that fell below their floor (or rose above their ceiling: names ending in _false/_wrong)."""
    bad = []
    for key, floor in floors.get(name, {}).items():
        value = figures[key]
        ceiling = key.endswith(("_false", "_wrong", "_undetermined"))
        if (value > floor) if ceiling else (value < floor):
            bad.append(f"{name}: {key} = {value:.4f}, floor {floor}")
    return bad


def main() -> None:
    floors = tomllib.loads((ROOT / "tests" / "floors.toml").read_text(encoding="utf-8"))
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        temp = Path(folder)
        for name, inbox, truth in worlds(temp):
            out = temp / "out" / name.replace("/", "-")
            night(inbox, out)
            figures = measure(truth, out / "results")
            print(f"== {name}")
            print(
                "  ".join(f"{k}={v:.4f}" if isinstance(v, float) else f"{k}={v}" for k, v in figures.items())
            )
            failures += below_floor(name, figures, floors)
    for failure in failures:
        print("BELOW FLOOR", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
