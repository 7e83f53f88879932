"""Links each data set with Waymark and with Splink, and writes one table; started by run.sh.

Both get the same files in the same run and are measured by `waymark evaluate`: Waymark with its
default settings, trained on the set without labels, from encoded fields only; Splink from
plaintext, under settings written for each set, at the best threshold of a grid by the truth.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from datasets import QUICK_SETS, ROOT, SETS

COLUMNS = [
    "set", "system", "threshold",
    "precision", "recall", "f1", "b3_precision", "b3_recall", "b3_f1",
    "largest", "true_largest", "review", "review_per_1000",
    "seconds", "own_seconds", "cpu_seconds", "memory_mb",
]
ABOUT = """\
Precision, recall and F1 of pairs after partition, then B-cubed; the largest participant, linked and
true; pairs for review, which count as not linked; wall seconds of the whole run, Splink's own
seconds for training, prediction and clustering, processor seconds; peak memory. Splink sees
plaintext and is shown at the best of {count} thresholds by the truth, its time at the first of
them; Waymark sees encodings and chooses its cut-offs itself.
"""


def main():
    options = arguments()
    binary = shutil.which("waymark") or ROOT / "target" / "release" / "waymark"
    if not pathlib.Path(binary).exists():
        sys.exit("build waymark first: cargo build --release")
    say(f"waymark: {binary}")
    catalogue = QUICK_SETS if options.quick else SETS
    table = []
    for name in options.sets:
        out = options.out / name
        out.mkdir(parents=True, exist_ok=True)
        try:
            data_set = catalogue[name](options.data, out)
        except FileNotFoundError as error:
            sys.exit(f"{name}: there is no {error.filename}")
        for system in (waymark, splink):
            say(f"{name}: {system.__name__}")
            table.append({"set": name, **system(binary, data_set, out)})
            write_table(table, options.out)
    print((options.out / "table.md").read_text())


def arguments():
    """What the command line asks for; ends the program where it cannot be done."""
    parser = argparse.ArgumentParser(prog="benches/quality/run.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two small made-up sets")
    parser.add_argument("data", nargs="?", type=pathlib.Path, metavar="DATA_DIR")
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    options = parser.parse_args()
    options.out = pathlib.Path(os.environ.get("OUT", ROOT / "target" / "quality")).resolve()
    if options.quick:
        options.sets = list(QUICK_SETS)
        return options
    if options.data is None:
        parser.error("name the folder with the data, or give --quick")
    if unknown := [name for name in options.sets if name not in SETS]:
        parser.error(f"no such set: {', '.join(unknown)}; there are {', '.join(SETS)}")
    if "PEOPLE" not in os.environ:
        if "people" in options.sets:
            parser.error("set PEOPLE to the file of the million people, or to the script for it")
        if not options.sets:
            say("people: left out, PEOPLE names neither a file nor a script")
    options.sets = options.sets or [it for it in SETS if it != "people" or "PEOPLE" in os.environ]
    options.data = options.data.resolve()
    return options


def waymark(binary, data_set, out):
    """Links with Waymark and measures it."""
    links = out / "waymark.csv"
    command = [binary, "link", "--format", "json", "--rejected-dir", out, "--out", links]
    with Child([*command, *data_set.options, *data_set.files], out / "waymark.log") as child:
        report = child.process.stdout.read()
    if child.exit_code not in (0, 1):
        sys.exit(f"waymark failed: see {out / 'waymark.log'}")
    counts = {it["what"]: it["count"] for it in json.loads(report)["summary"]}
    review = sum(count for what, count in counts.items() if "review" in what)
    return {
        "system": "Waymark",
        **measures(binary, links, data_set),
        "review": review,
        "review_per_1000": 1000 * review / counts["records"],
        "seconds": child.seconds,
        "cpu_seconds": child.cpu_seconds,
        "memory_mb": child.memory_mb,
    }


def splink(binary, data_set, out):
    """Links with Splink and measures it at the best threshold."""
    folder = out / "splink"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    script = pathlib.Path(__file__).with_name("splink_run.py")
    command = [sys.executable, script, data_set.plan, folder, *data_set.files]
    with Child(command, out / "splink.log") as child:
        first = child.process.stdout.readline()
        seconds = child.elapsed()
        child.process.stdout.read()
    if child.exit_code != 0:
        sys.exit(f"splink failed: see {out / 'splink.log'}")
    own = json.loads(first)
    results = [(it.stem, measures(binary, it, data_set)) for it in sorted(folder.glob("*.csv"))]
    threshold, best = max(results, key=lambda it: it[1]["f1"])
    return {
        "system": "Splink",
        "threshold": threshold,
        **best,
        "seconds": seconds,
        "own_seconds": sum(own["seconds"][step] for step in ("train", "predict", "cluster")),
        "cpu_seconds": own["cpu_seconds"],
        "memory_mb": own["memory_mb"],
    }


class Child:
    """A program under way, with the time and the memory that it took."""

    def __init__(self, command, log):
        self.command, self.log = command, log

    def __enter__(self):
        self.started = time.perf_counter()
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.PIPE, stderr=log, text=True
            )
        return self

    def __exit__(self, *_):
        self.process.stdout.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.seconds, self.cpu_seconds = self.elapsed(), usage.ru_utime + usage.ru_stime
        self.memory_mb = usage.ru_maxrss // 1024
        self.exit_code = self.process.returncode = os.waitstatus_to_exitcode(status)

    def elapsed(self):
        """Wall seconds since the start."""
        return time.perf_counter() - self.started


def measures(binary, links, data_set):
    """Compares links with the truth."""
    command = [binary, "evaluate", "--format", "json", "--links", links, "--truth", data_set.truth]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    pairs, b_cubed = (
        next(it for it in report["measures"] if it["measure"] == name)
        for name in ("pairwise", "b_cubed")
    )
    largest = lambda kind: max(it["size"] for it in report["cluster_sizes"] if it[kind])
    return {
        **{it: pairs[it] for it in ("precision", "recall", "f1")},
        **{f"b3_{it}": b_cubed[it] for it in ("precision", "recall", "f1")},
        "largest": largest("linked"),
        "true_largest": largest("true"),
    }


def write_table(table, out):
    """Writes table.csv and table.md with the rows so far."""
    shown = [[cell(column, row.get(column, "")) for column in COLUMNS] for row in table]
    with open(out / "table.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *shown])
    lines = [COLUMNS, ["---"] * len(COLUMNS), *shown]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    grid = {len(list(folder.glob("*.csv"))) for folder in out.glob("*/splink")}
    (out / "table.md").write_text(f"{text}\n\n{ABOUT.format(count=max(grid, default=0))}")


def cell(column, value):
    """A value with as many digits as it deserves."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if column.endswith(("precision", "recall", "f1")) else f"{value:.1f}"


def say(text):
    """Tells how far the bench is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
