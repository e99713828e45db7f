"""How right a night is about worlds whose truth is known: flags, links, findings, against the floors that only rise.

Makes synthetic prefectures with their truth, and uses the measuring worlds where they lie beside the checkout
(`../shared/worlds` or $RECONCILE_WORLDS). The answers are for measuring only: the night never sees them.
`python benchmarks/score.py twice masked` measures only the worlds named so (by the beginning of their names).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipeline.sample import Trouble, make_sample

ROOT = Path(__file__).resolve().parent.parent
WORLDS = Path(os.environ.get("RECONCILE_WORLDS", ROOT.parent / "shared" / "worlds"))


@dataclass(frozen=True)
class Made:
    """A prefecture to be generated: so many people, so dirty, with what is asked for besides."""

    name: str
    people: int
    seed: int
    dirt: float = 1.0
    register_share: float = 0.12  # more certificates than usual: more links to judge in the same time
    trouble: Trouble = field(default_factory=Trouble)


MADE = (
    Made("sample", 5000, 12, register_share=0.076),
    Made("twice", 12_000, 21, 2.0, trouble=Trouble(names=0.02)),
    Made(
        "masked",
        8000,
        22,
        1.4,
        trouble=Trouble(
            masked={"health/family_doctor": 0.5, "hr_social_security/pension": 1 / 3}, names=0.01
        ),
    ),
    Made(
        "elsewhere",
        12_000,
        23,
        1.4,
        trouble=Trouble(
            names=0.03,
            transliterated=0.85,
            homonyms=0.08,
            twins=0.2,
            siblings=0.3,
            same_day=0.1,
            guardians=0.15,
            births=0.005,
            register_ids=0.02,
            register_births=0.01,
        ),
    ),
    # Seed 30 delivers these two as a workbook and as CSV.
    Made(
        "numbers",
        8000,
        30,
        trouble=Trouble(numeric={"civil_affairs/dibao": "539901", "education/enrolment": "539923"}),
    ),
)
# The four lists of which the issue on matching asks precision and recall together.
FOUR = (
    "medical_insurance/insured",
    "hr_social_security/pension",
    "education/enrolment",
    "civil_affairs/two_subsidies",
)

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
  count(*) filter (where answer <> 'missing' and outcome = 'verify') as needless_verify,
  count(*) filter (where answer in ('receiving', 'missing')) as judged
from judged"""

# One line a delivered row: the certificate of the person it is about (null: nobody's), and what the night said.
_ROWS = """
create table judged_rows as
select r.dataset, nullif(p.certificate_number, '') as cert, l.certificate_number as got, l.decision
from rows as r join people as p using (person)
left join links as l on l.dataset = r.dataset and l.source_file = r.source_file
  and cast(l.source_row as varchar) = r.source_row
where r.dataset <> 'federation/register'"""

_LINKS = """
select
  count(*) filter (where cert is not null) as due,
  count(*) filter (where cert = got and decision = 'linked') as right_links,
  count(*) filter (where got is not null and decision = 'linked' and got is distinct from cert) as wrong,
  count(*) filter (where cert = got and decision = 'review') as review_right,
  count(*) filter (where got is not null and decision = 'review' and got is distinct from cert) as review_wrong
from judged_rows"""

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
    con.execute(_ROWS).fetchall()
    links = con.sql(_LINKS).pl().row(0, named=True)
    four = con.sql(f"{_LINKS} where dataset in {FOUR}").pl().row(0, named=True)
    findings = con.sql(_FINDINGS).pl().rows(named=True)
    con.close()
    return {
        **_flag_figures(flags),
        **_link_figures("links", links),
        **_link_figures("four", four),
        "review_right": links["review_right"],
        "review_wrong": links["review_wrong"],
        "findings_hit": min((f["hit"] / f["due"] for f in findings), default=1.0),
        "findings_false": max((f["false"] / f["due"] for f in findings), default=0.0),
    }


def _flag_figures(flags: dict[str, int]) -> dict[str, float]:
    """Flagged `missing` is right or false; one of those missed may be asked for (`verify`) instead."""
    precision = flags["hit"] / max(1, flags["hit"] + flags["false_flags"])
    recall = (flags["hit"] + flags["verify_hit"]) / max(1, flags["due"])
    return {
        **flags,
        "f1": 2 * precision * recall / max(1e-9, precision + recall),
        "precision": precision,
        "recall": recall,
        "needless_verify_share": flags["needless_verify"] / max(1, flags["judged"]),
    }


def _link_figures(group: str, links: dict[str, int]) -> dict[str, float]:
    """Precision, recall and the number of wrong links of a group of lists; rows for review are no links."""
    linked = links["right_links"] + links["wrong"]
    return {
        f"{group}_precision": links["right_links"] / max(1, linked),
        f"{group}_recall": links["right_links"] / max(1, links["due"]),
        f"{group}_wrong": links["wrong"],
        f"{group}_due": links["due"],
    }


def night(inbox: Path, out: Path) -> None:
    """One run as a user starts it; a degraded night (3) is an answer."""
    command = [sys.executable, "-m", "pipeline", "run", "--inbox", str(inbox), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 3, 4):
        sys.exit(f"the night on {inbox.name} failed with {done.returncode}:\n{done.stderr or done.stdout}")


def worlds(temp: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, Path, Path]]:
    """(name, inbox, truth) of the generated worlds and of every measuring world that is there, made as they are asked for."""
    for made in MADE:
        if made.name.startswith(wanted):
            inbox, truth = temp / made.name / "inbox", temp / made.name / "truth"
            make_sample(
                made.people,
                inbox,
                seed=made.seed,
                dirt=made.dirt,
                truth=truth,
                register_share=made.register_share,
                trouble=made.trouble,
            )
            yield made.name, inbox, truth
    for truth in sorted(WORLDS.glob("*/*/truth")):
        name = "/".join(truth.parts[-3:-1])
        if name.startswith(wanted):
            yield name, truth.parent / "inbox", truth


def below_floor(name: str, figures: dict[str, Any], floors: dict[str, Any]) -> list[str]:
    """The figures of one world that fell below their floor (or rose above their ceiling: counts and shares of what is wrong)."""
    bad = []
    for key, floor in floors.get(name, {}).items():
        value = figures[key]
        ceiling = key.endswith(("_false", "_wrong", "_undetermined", "_verify_share"))
        if (value > floor) if ceiling else (value < floor):
            bad.append(f"{name}: {key} = {value:.4f}, floor {floor}")
    return bad


def main() -> None:
    floors = tomllib.loads((ROOT / "tests" / "floors.toml").read_text(encoding="utf-8"))
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        temp = Path(folder)
        for name, inbox, truth in worlds(temp, tuple(sys.argv[1:]) or ("",)):
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
