"""Register rows that repeat one certificate of one person are one person: the row in force, then the one that lasts longest."""

from __future__ import annotations

from datetime import date

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.matching.people import run_sql, sql_text

COLUMNS = (
    "cert varchar, cert_typed varchar, id_certificate varchar, id varchar, cert_id varchar, name varchar, area varchar, dob date, "
    "state varchar, until date, cat varchar, level int, addr varchar, gname varchar, source_file varchar, sheet varchar, "
    "source_row bigint"
)
ID = "539901198001010011"
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, "甲证", "乙证"]),
        st.sampled_from([None, ID, "539901199002020022"]),
        st.sampled_from([None, "张三", "李四"]),
        st.sampled_from(["正常", "注销"]),
        st.sampled_from([None, date(2027, 1, 1), date(2030, 1, 1)]),
    ),
    max_size=9,
)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_of_a_repeated_certificate_the_best_row_stands(
    rows: list[tuple[str | None, str | None, str | None, str, date | None]],
) -> None:
    with duckdb.connect() as con:
        con.execute(f"create table register ({COLUMNS})")
        con.execute("create table county_codes as select '539901' as delivered_code, '539901' as county_code")
        for at, (cert, number, name, state, until) in enumerate(rows):
            con.execute(
                "insert into register (cert, id, name, area, state, until, source_file, sheet, source_row) "
                "values (?, ?, ?, '539901001', ?, ?, 'f', '', ?)",
                (cert, number, name, state, until, at),
            )
        run_sql(con, sql_text("people.sql"))
        found = con.execute("select source_row, person from people order by person").fetchall()
    best: dict[object, tuple[tuple[bool, int, int], int]] = {}
    for at, (cert, number, name, state, until) in enumerate(rows):
        one = (cert, number, name) if cert else at  # without a certificate number every row is somebody
        rank = (state != "正常", -(until or date(1900, 1, 1)).toordinal(), at)
        best[one] = min(best.get(one, (rank, at)), (rank, at))
    kept = sorted((at for _, at in best.values()), key=lambda at: (rows[at][0] or "", at))
    assert found == [(at, person) for person, at in enumerate(kept, start=1)]
