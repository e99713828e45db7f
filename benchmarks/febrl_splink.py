"""FEBRL 4 by Splink, run by `febrl.py` in an environment of Splink's own: febrl_splink.py DATA OUT id|no-id.

The same columns as ours, names, streets and suburbs with term frequencies; nine blocking rules.
Writes `row_id`, `slot_id`, `probability`, `one_to_one` (its own single best links at .95) as Parquet, and prints times.
"""

import json
import resource
import sys
import time

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

TRIMMED = """create table {name} as select trim(rec_id) as unique_id, '{name}' as source_dataset, {columns}
from read_csv('{file}', all_varchar = true, normalize_names = false)"""
COLUMNS = (
    *("given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state"),
    *("date_of_birth", "soc_sec_id"),
)


def read(con: duckdb.DuckDBPyConnection, name: str, file: str) -> None:
    header = con.execute(f"describe select * from read_csv('{file}', all_varchar = true)").fetchall()
    raw = {row[0].strip(): row[0] for row in header}
    columns = ", ".join(f"""nullif(trim("{raw[c]}"), '') as {c}""" for c in COLUMNS)
    con.execute(TRIMMED.format(name=name, columns=columns, file=file).replace("rec_id", f'"{raw["rec_id"]}"'))


def settings(with_id: bool) -> SettingsCreator:
    tf = {"term_frequency_adjustments": True}
    number = cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2])
    return SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.NameComparison("given_name").configure(**tf),
            cl.NameComparison("surname").configure(**tf),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("street_number", 1),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
            cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]).configure(**tf),
            cl.JaroWinklerAtThresholds("address_2", [0.9, 0.8]).configure(**tf),
            cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]).configure(**tf),
            cl.ExactMatch("state"),
            *([number] if with_id else []),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("date_of_birth"),
            block_on("given_name", "surname"),
            "l.given_name = r.surname and l.surname = r.given_name",
            block_on("given_name", "postcode"),
            block_on("surname", "postcode"),
            block_on("address_1"),
            block_on("street_number", "postcode"),
            block_on("given_name", "suburb"),
            block_on("soc_sec_id") if with_id else block_on("surname", "suburb"),
        ],
    )


def main() -> None:
    data, out, with_id = sys.argv[1], sys.argv[2], sys.argv[3] == "id"
    start, before = time.perf_counter(), time.process_time()
    con = duckdb.connect()
    api = DuckDBAPI(con)
    tables = []
    for name, file in (("a", "dataset4a.csv"), ("b", "dataset4b.csv")):
        read(con, name, f"{data}/{file}")
        tables.append(api.register(name, dataset_display_name=name))
    linker = Linker(tables, settings(with_id), log_level="ERROR")
    train = linker.training
    train.estimate_probability_two_random_records_match(
        [block_on("date_of_birth", "surname"), block_on("given_name", "surname", "postcode")], recall=0.7
    )
    train.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("date_of_birth"), block_on("surname", "given_name"), block_on("postcode")):
        train.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=0.001)
    best = linker.clustering.cluster_using_single_best_links(
        predicted, duplicate_free_datasets=["a", "b"], threshold_match_probability=0.95
    )
    con.execute(
        f"copy (select unique_id_l as row_id, unique_id_r as slot_id, match_probability as probability,"
        f" l.cluster_id = r.cluster_id as one_to_one from {predicted.physical_name} as p"
        f" join {best.physical_name} as l on l.unique_id = p.unique_id_l"
        f" join {best.physical_name} as r on r.unique_id = p.unique_id_r) to '{out}'"
    )
    wall, cpu = time.perf_counter() - start, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "peak_mb": peak, "duckdb": duckdb.__version__}))


if __name__ == "__main__":
    main()
