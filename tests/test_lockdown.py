"""DuckDB that cannot leave its room: 100 ways out are tried on each kind of connection, none succeeds, and nothing appears outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.contracts.settings import Settings
from pipeline.locked_database import folders_of_a_night, in_folders, in_memory
from pipeline.night_database import night_database

PIPELINE = Path(__file__).parent.parent / "pipeline"


def escapes(outside: Path, state: Path) -> list[str]:
    """Statements that would read, write or load something they must not. `outside`: a folder with secret.csv, .parquet and .db."""
    secret, key = outside / "secret.csv", state / "key" / "person.key"
    read = [
        *(
            f"select * from {way}('{secret}')"
            for way in ("read_csv", "read_csv_auto", "read_text", "read_blob")
        ),
        *(
            f"select * from {way}('/etc/passwd')"
            for way in ("read_csv", "read_csv_auto", "read_text", "read_blob")
        ),
        *(
            f"select * from {way}('{secret}')"
            for way in ("sniff_csv", "read_json", "read_json_auto", "read_ndjson")
        ),
        *(f"select * from {way}('{outside}/secret.parquet')" for way in ("read_parquet", "parquet_scan")),
        *(
            f"select * from {way}('{outside}/secret.parquet')"
            for way in ("parquet_metadata", "parquet_schema")
        ),
        *(
            f"select * from {way}('{outside}/secret.parquet')"
            for way in ("parquet_file_metadata", "parquet_kv_metadata")
        ),
        f"select * from parquet_bloom_probe('{outside}/secret.parquet', 'name', 'x')",
        f"select * from '{secret}'",
        f"select * from '{outside}/secret.parquet'",
        f"select * from '{outside}/*.parquet'",
        f"select * from read_parquet(['{outside}/secret.parquet'])",
        f"select * from read_csv(['{secret}', '{secret}'], all_varchar = true)",
        f"select * from glob('{outside}/*')",
        "select * from glob('/etc/*')",
        "select * from glob('/**')",
        f"select * from read_text('{state}/store/../../outside/secret.csv')",
        f"select * from read_text('{state}/store/./.././key/person.key')",
        f"select * from read_text('file://{secret}')",
        f"select * from read_text('file:{secret}')",
        f"select * from read_text('//{secret}')",
        f"select * from read_blob('{key}')",
        f"select * from read_blob('{state}/ledger/ledger.sqlite')",
        f"select * from read_text('{state}/store/way_out/secret.csv')",  # a link inside an allowed folder
        f"select * from read_parquet('{state}/store/way_out/secret.parquet')",
        f"select * from read_text('{state}/storehouse/secret.csv')",  # a name that only begins like an allowed one
        "select * from read_text('~/.ssh/id_rsa')",
        "select * from read_text('~/.bashrc')",
        "select * from read_text('/proc/self/environ')",
        "select * from read_text('/proc/self/cmdline')",
        "select * from read_text('/dev/stdin')",
        f"create table t as from read_csv('{secret}')",
        f"copy (select 1 as a) to '{outside}/x.csv'",
        f"insert into seen select * from read_text('{secret}')",
        f"with s as (select * from read_text('{secret}')) select * from s",
        f"select (select count(*) from read_text('{secret}'))",
        f"explain analyze select * from read_text('{secret}')",
        f"summarize select * from read_csv('{secret}')",
        f"describe select * from read_csv('{secret}')",
        f"prepare p as select * from read_text('{secret}')",
        f"create view v as select * from read_csv('{secret}')",
        f"select * from query('select * from read_text(''{secret}'')')",
        f"select * from query_table('{secret}')",
        "select * from read_duckdb('/tmp/x.db')",
    ]
    write = [
        *(
            f"copy (select 'x' as a) to '{outside}/leak.{kind}' (format {kind})"
            for kind in ("csv", "parquet", "json")
        ),
        f"copy (select 'x' as a) to '{outside}/leak' (format parquet, partition_by (a))",
        f"copy (select 'x' as a) to '{outside}/per' (format csv, per_thread_output true)",
        f"copy (select 'x' as a) to '{state}/store/../key/person.key' (format csv)",
        f"copy (select 'x' as a) to '{state}/store/way_out/leak.csv'",
        f"copy (select 'x' as a) to '{state}/ledger/ledger.sqlite' (format csv)",
        "copy (select 'x' as a) to '/dev/tcp/127.0.0.1/9' (format csv)",
        "copy (select 'x' as a) to '/dev/stderr' (format csv)",
        f"copy seen from '{secret}'",
        f"copy seen from '{secret}' (format csv, header)",
        f"copy seen to '{outside}/seen.csv'",
        f"copy from database memory to '{outside}'",
        f"export database '{outside}/all'",
        f"export database '{outside}/all' (format parquet)",
        f"import database '{outside}'",
        f"attach '{outside}/secret.db' as d",
        f"attach '{outside}/secret.db' as d (read_only)",
        f"attach '{outside}/new.db' as d",
        f"attach 'duckdb:{outside}/new.db'",
        f"attach if not exists '{outside}/new.db' as e",
        f"attach '{outside}/ledger.sqlite' as s (type sqlite)",
        "attach 'dbname=x host=127.0.0.1' as pg (type postgres)",
        "attach 'host=127.0.0.1' as my (type mysql)",
        "attach 'ducklake:x' as lake",
        "attach 'md:'",
        "attach 'https://127.0.0.1/x.db' as web",
    ]
    load = [
        *(f"install {name}" for name in ("httpfs", "sqlite", "postgres", "spatial", "excel", "fts", "aws")),
        *(f"load {name}" for name in ("httpfs", "sqlite", "spatial", "excel")),
        "force install httpfs",
        "install shellfs from community",
        f"install '{outside}/evil.duckdb_extension'",
        f"load '{outside}/evil.duckdb_extension'",
        "install httpfs from 'http://127.0.0.1:9/'",
        "update extensions",
    ]
    network = [
        *(
            f"select * from read_csv('{url}/x.csv')"
            for url in ("http://127.0.0.1:9", "https://127.0.0.1:9", "s3://bucket")
        ),
        *(
            f"select * from '{url}/x.parquet'"
            for url in ("http://127.0.0.1:9", "gs://b", "r2://b", "hf://datasets/a/b")
        ),
        "select * from read_text('az://c/x')",
        "copy (select 1) to 'https://127.0.0.1:9/x.csv'",
        "copy (select 1) to 's3://bucket/x.parquet'",
        "create secret a (type s3, key_id 'x', secret 'y')",
        "create persistent secret b (type http, bearer_token 'x')",
        "call start_ui()",
        "call start_ui_server()",
    ]
    settings = [
        "set enable_external_access = true",
        "set global enable_external_access = true",
        "reset enable_external_access",
        "set lock_configuration = false",
        "reset lock_configuration",
        "set allowed_directories = ['/']",
        "set allowed_paths = ['/etc/passwd']",
        "set autoinstall_known_extensions = true",
        "set autoload_known_extensions = true",
        "set allow_community_extensions = true",
        "set allow_unsigned_extensions = true",
        f"set extension_directory = '{outside}'",
        f"set secret_directory = '{outside}'",
        f"set home_directory = '{outside}'",
        f"set temp_directory = '{outside}'",
        f"set file_search_path = '{outside}'",
        f"set log_query_path = '{outside}/queries.log'",
        "call enable_logging()",
        f"call enable_logging('QueryLog', storage = 'file', storage_config = {{'path': '{outside}'}})",
        "pragma enable_profiling",
        f"pragma profiling_output = '{outside}/profile.json'",
        "pragma memory_limit = '1TB'",
        "set threads = 64",
        "pragma disable_checkpoint_on_shutdown",
        "set custom_extension_repository = 'http://127.0.0.1:9'",
        "select getenv('HOME')",
    ]
    return [*read, *write, *load, *network, *settings]


@pytest.fixture
def rooms(tmp_path: Path) -> tuple[Path, Path]:
    """A state folder with what is in one, and a folder outside with secrets in every form."""
    state, outside = tmp_path / "state", tmp_path / "outside"
    for folder in (
        state / "store",
        state / "storehouse",
        state / "key",
        state / "ledger",
        state / "spill",
        outside,
    ):
        folder.mkdir(parents=True)
    for place in (outside, state / "storehouse"):
        (place / "secret.csv").write_text("name\ncanary\n")
    pl.DataFrame({"name": ["canary"]}).write_parquet(outside / "secret.parquet")
    pl.DataFrame({"name": ["open"]}).write_parquet(state / "store" / "list.parquet")
    (state / "store" / "way_out").symlink_to(outside)
    (state / "key" / "person.key").write_bytes(b"canary")
    (state / "ledger" / "ledger.sqlite").write_bytes(b"canary")
    duckdb.connect(str(outside / "secret.db")).execute("create table t as select 'canary' as name").fetchall()
    return state, outside


@pytest.fixture(params=["in memory", "in folders"])
def con(request: pytest.FixtureRequest, rooms: tuple[Path, Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    state, _ = rooms
    spill = str(state / "spill")
    made = (
        in_memory() if request.param == "in memory" else in_folders(1.0, 2, spill, folders_of_a_night(state))
    )
    with made as connection:
        connection.execute("create table seen (content varchar)").fetchall()
        yield connection


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_no_way_out(con: duckdb.DuckDBPyConnection, rooms: tuple[Path, Path]) -> None:
    state, outside = rooms
    before = content(outside), content(state)
    tried = escapes(outside, state)
    succeeded = []
    for statement in tried:
        try:
            con.execute(statement).fetchall()
        except duckdb.Error:
            continue
        succeeded.append(statement)
    assert len(tried) >= 100
    assert succeeded == []
    assert (content(outside), content(state)) == before
    assert con.execute("select count(*) from seen").fetchall() == [(0,)]


def test_without_the_lock_the_same_ways_lead_out(rooms: tuple[Path, Path]) -> None:
    """The measure of the measure: on an open connection the local reads and writes of the list do succeed."""
    state, outside = rooms
    found = 0
    with duckdb.connect() as open_one:
        open_one.execute("set enable_progress_bar = false").fetchall()
        open_one.execute("create table seen (content varchar)").fetchall()
        for statement in escapes(outside, state):
            if re.search(
                "install|load|https?:|s3:|gs:|az:|hf:|r2:|md:|/dev/|/\\*\\*", statement, re.IGNORECASE
            ):
                continue
            try:
                open_one.execute(statement).fetchall()
                found += 1
            except duckdb.Error:
                continue
    assert found >= 50


def test_no_python_variable_is_a_table(con: duckdb.DuckDBPyConnection) -> None:
    frame = pl.DataFrame({"name": ["canary"]})
    with pytest.raises(duckdb.Error):
        con.execute("select * from frame").fetchall()
    con.register("handed_over", frame.to_arrow())
    assert con.execute("select * from handed_over").fetchall() == [("canary",)]


def test_the_store_can_be_read_and_a_night_kept(
    rooms: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, _ = rooms
    monkeypatch.chdir(state.parent)
    (state / "night.part").mkdir()
    with in_folders(1.0, 2, str(state / "spill"), folders_of_a_night(Path("state"))) as con:
        for path in (state / "store" / "list.parquet", Path("state/store/list.parquet")):
            assert con.execute(f"select name from read_parquet(['{path}'])").fetchall() == [("open",)]
        con.execute("copy (select 1 as a) to 'state/night.part/facts.parquet' (format parquet)").fetchall()
    assert (state / "night.part" / "facts.parquet").is_file()


def test_spilling_still_works(rooms: tuple[Path, Path]) -> None:
    state, _ = rooms
    with in_folders(0.2, 2, str(state / "spill"), folders_of_a_night(state)) as con:
        con.execute(
            "create table big as select hash(range)::varchar as h, range as n from range(4000000)"
        ).fetchall()
        seen = con.execute(
            "select count(*) from (select h, n, row_number() over (order by h) as r from big)"
        ).fetchall()
    assert seen == [(4_000_000,)]


def test_the_nights_own_database_is_closed(rooms: tuple[Path, Path]) -> None:
    state, outside = rooms
    with night_database(state, Settings()) as con:
        assert con.execute(f"select name from read_parquet('{state}/store/list.parquet')").fetchall() == [
            ("open",)
        ]
        for place in (outside / "secret.csv", state / "key/person.key", state / "ledger/ledger.sqlite"):
            with pytest.raises(duckdb.PermissionException):
                con.execute(f"select * from read_blob('{place}')").fetchall()


def test_nobody_else_opens_a_database() -> None:
    """Every DuckDB connection of the program is made in the one module."""
    found = [p.name for p in PIPELINE.rglob("*.py") if "duckdb.connect(" in p.read_text(encoding="utf-8")]
    assert found == ["locked_database.py"]
