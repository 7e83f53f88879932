"""Links the files of one data set with Splink, under the settings for that set.

usage: splink_run.py SET OUT_DIR FILE...

Writes OUT_DIR/THRESHOLD.csv (agency,local_id,participant_id) for every threshold of a grid. What
the bench times ends with the first of them: then a line of JSON with Splink's own times and its
resources is printed. The other thresholds are the bench's, so that Splink is shown at its best.
"""

import json
import pathlib
import resource
import sys
import time

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator

from splink_settings import PLANS

# Match probabilities to cluster at; the first is the one that is timed.
THRESHOLDS = [0.95, 0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.99999]
SEED = 42


def load(connection, files, plan):
    """Reads the files as text into the table `records`, with the columns of the plan."""
    parts = []
    for number, file in enumerate(files):
        quoted = file.replace("'", "''")
        source = f"read_csv('{quoted}', all_varchar = true, header = true)"
        names = [row[0] for row in connection.sql(f"DESCRIBE SELECT * FROM {source}").fetchall()]
        values = ", ".join(f"""nullif(trim("{it}"), '') AS "{it.strip()}" """ for it in names)
        if "agency" not in names:
            values += f", '{pathlib.Path(file).stem}' AS agency"
        connection.execute(f"CREATE TEMP VIEW file_{number} AS SELECT {values} FROM {source}")
        parts.append(f"SELECT * FROM file_{number}")
    raw = " UNION ALL BY NAME ".join(parts)
    present = {row[0] for row in connection.sql(f"DESCRIBE {raw}").fetchall()}
    local_id = next(it for it in ("local_id", "rec_id", "unique_id") if it in present)
    selected = f"*, {plan.derived}" if plan.derived else "*"
    connection.execute(
        f"""CREATE TABLE records AS SELECT {selected} FROM (
            SELECT agency || '/' || {local_id} AS unique_id, agency, {local_id} AS local_id,
                {plan.columns} FROM ({raw}))"""
    )


def inputs(database, plan):
    """The tables that Splink links: one of each agency, or all in one."""
    if plan.link_type == "dedupe_only":
        return database.register("records")
    connection = database.duckdb_con
    agencies = connection.sql("SELECT DISTINCT agency FROM records ORDER BY agency").fetchall()
    for number, agency in enumerate(agencies):
        of_agency = f"CREATE TABLE records_{number} AS SELECT * FROM records WHERE agency = ?"
        connection.execute(of_agency, agency)
    return [database.register(f"records_{number}") for number in range(len(agencies))]


def train(tables, plan):
    """A linker whose parameters are estimated without labels."""
    settings = SettingsCreator(
        link_type=plan.link_type,
        comparisons=plan.comparisons,
        blocking_rules_to_generate_predictions=plan.blocking,
        retain_matching_columns=False,
    )
    linker = Linker(tables, settings)
    training = linker.training
    training.estimate_probability_two_random_records_match(plan.deterministic, recall=plan.recall)
    training.estimate_u_using_random_sampling(max_pairs=plan.random_pairs, seed=SEED)
    for rule in plan.training:
        training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
    return linker


def write_links(linker, pairs, threshold, out_dir):
    """Clusters by connected components and writes who is one person."""
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        pairs, threshold_match_probability=threshold
    )
    table = clusters.physical_name
    pairs.db_api.duckdb_con.execute(
        f"""COPY (SELECT agency, local_id, cluster_id AS participant_id FROM {table})
        TO '{out_dir / f"{threshold}.csv"}' (HEADER)"""
    )
    clusters.drop_table_from_database_and_remove_from_cache()


def main(name, out_dir, files):
    """Links, and tells the bench when the first result is written."""
    seconds, last = {}, time.perf_counter()

    def done(step):
        nonlocal last
        now = time.perf_counter()
        seconds[step], last = round(now - last, 2), now

    plan = PLANS[name]()
    connection = duckdb.connect()
    load(connection, files, plan)
    database = DuckDBAPI(connection)
    tables = inputs(database, plan)
    done("load")
    linker = train(tables, plan)
    done("train")
    pairs = linker.inference.predict()
    done("predict")
    for threshold in THRESHOLDS:
        write_links(linker, pairs, threshold, out_dir)
        if threshold == THRESHOLDS[0]:
            done("cluster")
            print(json.dumps({"seconds": seconds, **resources()}), flush=True)


def resources():
    """Processor seconds and peak memory of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_seconds": usage.ru_utime + usage.ru_stime, "memory_mb": usage.ru_maxrss // 1024}


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:])
