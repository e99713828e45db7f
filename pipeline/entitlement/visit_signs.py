"""The signs of risk become SQL over a night's facts: `visit_signs`, `visit_monitored`. A sign counts only where it is certain.

A sign that is unknown (a list that did not come, a doubtful row) is no sign; a benefit that is unknown now is not lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.visit_signs import Sign, VisitSigns
from pipeline.entitlement.compile import DEAD, STATE
from pipeline.entitlement.dates import date_words
from pipeline.entitlement.expression import check_names, parse, to_sql
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.kept_night import earlier_night
from pipeline.entitlement.parameters import literal, sql_type, value_at
from pipeline.entitlement.visit_earlier import Compared, load_earlier, no_earlier
from pipeline.locked_database import in_memory

# Expired certificates too: who has not renewed is not less in need. The dead and the cancelled are not visited.
ASKED = f"f.\"{STATE}\" in ('正常', '过期') and not coalesce(f.\"{DEAD}\", false)"


@dataclass(frozen=True)
class CompiledSigns:
    """The conditions as SQL over `facts` (alias f) and `visit_parameters` (alias q), in the order of the signs."""

    signs: VisitSigns
    when: tuple[str, ...]
    monitored: str


def compile_signs(signs: VisitSigns, facts: Mapping[str, Fact], as_of: date) -> CompiledSigns:
    """Raises ReconcileError E304/E305 (expression, unknown name), E310 (`lost` names a fact that is no yes/no)."""
    words = date_words(as_of)
    known = [*facts, *signs.parameters, *words]

    def column(name: str) -> str:
        return f'q."{name}"' if name in signs.parameters else words.get(name, f'f."{name}"')

    def compiled(text: str, where: str) -> str:
        tree = parse(text)
        check_names(tree, text, known, where)
        return to_sql(tree, column)

    for sign in signs.signs:
        _check_lost(sign, facts)
    when = tuple(compiled(s.when, f"迹象“{s.id}”") if s.when else "true" for s in signs.signs)
    return CompiledSigns(signs, when, compiled(signs.monitored, "走访迹象的 monitored"))


def _check_lost(sign: Sign, facts: Mapping[str, Fact]) -> None:
    for name in sign.lost:
        check_names(parse(name), name, facts, f"迹象“{sign.id}”的 lost")
        if name not in facts or not facts[name].is_yes_no:
            what, why = f"迹象“{sign.id}”的 lost 不能写“{name}”", "只有是非事实才谈得上失去"
            raise ReconcileError(Problem("E310", "error", what, why, "写一个是非事实的名称"))


def sign_statements(compiled: CompiledSigns, facts: Mapping[str, Fact]) -> list[str]:
    """Make `visit_signs` (person, sign, weight, lost: in words) and `visit_monitored` (person, monitored: three-valued).

    Read `facts`, `visit_parameters`, `visit_earlier` (person and a yes/no column for every fact that can be lost).
    """
    each = [
        _sign_sql(sign, when, facts) for sign, when in zip(compiled.signs.signs, compiled.when, strict=True)
    ]
    return [
        "create or replace table visit_signs as\n" + "\nunion all\n".join(each),
        f"""create or replace table visit_monitored as
select f.person, ({compiled.monitored}) as monitored
from facts as f
join (select distinct person from visit_signs) as v on v.person = f.person
left join visit_parameters as q on q.county_code = f.county_code""",
    ]


def _sign_sql(sign: Sign, when: str, facts: Mapping[str, Fact]) -> str:
    gone = {name: f'(not f."{name}" and e."{name}")' for name in sign.lost}
    words = [
        f"case when {test} then {_text(facts[name].spec.say or name)} end" for name, test in gone.items()
    ]
    told = f"concat_ws('、', {', '.join(words)})" if words else "''"
    earlier = "\njoin visit_earlier as e on e.person = f.person" if gone else ""
    also = f"\n  and ({' or '.join(gone.values())})" if gone else ""
    return f"""select f.person, {_text(sign.id)} as sign, cast({sign.weight} as bigint) as weight, {told} as lost
from facts as f{earlier}
left join visit_parameters as q on q.county_code = f.county_code
where {ASKED}
  and ({when}){also}"""


def build_visit_parameters(
    con: duckdb.DuckDBPyConnection, signs: VisitSigns, counties: Iterable[str], as_of: date
) -> None:
    """Creates `visit_parameters`: county_code and a column for every parameter."""
    head = "".join(f', "{name}" {sql_type(p)}' for name, p in signs.parameters.items())
    con.execute(f"create or replace table visit_parameters (county_code varchar{head})").fetchall()
    for county in sorted(set(counties)):
        values = [literal(value_at(p, county, as_of)) for p in signs.parameters.values()]
        con.execute(f"insert into visit_parameters values ({', '.join([_text(county), *values])})").fetchall()


def note_visits(
    con: duckdb.DuckDBPyConnection,
    signs: VisitSigns | None,
    facts: Mapping[str, Fact],
    state: Path,
    as_of: date,
) -> Compared:
    """Creates `visit_signs` and `visit_monitored` (empty without signs); says with which earlier night was compared.

    Call it after `build_facts` (all of `facts` built) and before `keep_night`, which replaces the kept night.
    """
    if signs is None:
        for statement in _EMPTY:
            con.execute(statement).fetchall()
        return Compared(None)
    counties = [row[0] for row in con.execute("select distinct county_code from facts").fetchall() if row[0]]
    build_visit_parameters(con, signs, counties, as_of)
    compared = load_earlier(con, earlier_night(state, as_of), signs.lost, facts)
    for statement in sign_statements(compile_signs(signs, facts, as_of), facts):
        con.execute(statement).fetchall()
    return compared


def rehearse_visits(signs: VisitSigns | None, facts: Mapping[str, Fact], as_of: date) -> None:
    """The signs over no data, before a night reads anything. Raises ReconcileError E304, E305, E310."""
    if signs is None:
        return
    con = in_memory()
    try:
        columns = "".join(f', "{fact.name}" {fact.sql_type}' for fact in facts.values())
        con.execute(f"create table facts (person bigint, county_code varchar{columns})").fetchall()
        build_visit_parameters(con, signs, [], as_of)
        no_earlier(con, signs.lost)
        for statement in sign_statements(compile_signs(signs, facts, as_of), facts):
            con.execute(statement).fetchall()
        kinds = {row[0]: row[1] for row in con.execute("describe visit_monitored").fetchall()}
        if kinds["monitored"] != "BOOLEAN":
            raise duckdb.BinderException("monitored is not a yes/no")
    except duckdb.Error as error:
        why = str(error).splitlines()[0]  # no data has been read: it can only quote the file
        cure = "运行 `reconcile rules check`，它会指出行"
        raise ReconcileError(Problem("E310", "error", "走访迹象的条件运行不了", why, cure)) from None
    finally:
        con.close()


_EMPTY = (
    "create or replace table visit_signs (person bigint, sign varchar, weight bigint, lost varchar)",
    "create or replace table visit_monitored (person bigint, monitored boolean)",
)
_ROWS = """
select v.person, p.certificate_number, p.county_code, v.sign, v.weight, v.lost, m.monitored
from visit_signs as v
join people as p on p.person = v.person
left join visit_monitored as m on m.person = v.person
order by v.person, v.weight desc, v.sign"""


def visit_rows(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """One row a person and sign, the heaviest first: person, certificate_number, county_code, sign, weight, lost, monitored."""
    rows: pl.DataFrame = con.sql(_ROWS).pl()
    return rows


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
