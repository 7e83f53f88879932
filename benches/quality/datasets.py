"""The data sets of the bench: their files, how Waymark reads them, and whose record each row is."""

import csv
import dataclasses
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
AGENCIES = ["college", "adult-ed", "workforce", "human-services", "wages"]


@dataclasses.dataclass
class DataSet:
    """Files with a known truth."""

    plan: str
    """The settings for Splink, by their name in splink_settings.py."""
    files: list
    truth: pathlib.Path
    """agency,local_id,person_id"""
    options: list = dataclasses.field(default_factory=list)
    """What `waymark link` must be told of the columns."""


def febrl(plan, names, data, out):
    """FEBRL keeps the truth in the record ids: rec-1070-org, rec-1070-dup-0."""
    files = [data / name for name in names]
    people = ((it, row["rec_id"], row["rec_id"].split("-")[1]) for it in files for row in rows(it))
    truth = write_truth(out, ((file.stem, record, person) for file, record, person in people))
    return DataSet(plan, files, truth, example("febrl"))


def historical50k(data, out):
    """Splink's sample of historical persons, the truth in the column `cluster`."""
    file = data / "historical50k.csv"
    truth = write_truth(out, ((file.stem, row["unique_id"], row["cluster"]) for row in rows(file)))
    return DataSet("historical50k", [file], truth, example("historical50k"))


def people(_, out):
    """A million made-up people in one file, the truth in the column `person`."""
    file = pathlib.Path(os.environ["PEOPLE"])
    if file.suffix == ".py":
        script, file = file, out / "people.csv"
        subprocess.run([sys.executable, script, "1000000", file, "42"], check=True)
    key = ("agency", "local_id", "person")
    truth = write_truth(out, ([row[it] for it in key] for row in rows(file)))
    mapping = pathlib.Path(__file__).with_name("people.mapping.toml")
    return DataSet("people", [file], truth, ["--mapping", mapping])


def made_up(people, noise, out):
    """The made-up state, written by the example of the crate `synthetic`."""
    folder = out / "state"
    cargo = ["cargo", "run", "--quiet", "--release", "--package", "synthetic", "--example", "state"]
    options = ["--people", str(people), "--seed", "42", "--noise", str(noise)]
    subprocess.run([*cargo, "--", folder, *options], cwd=ROOT, check=True)
    files = [folder / f"{agency}.csv" for agency in AGENCIES]
    return DataSet("state", files, folder / "truth.csv")


# How each set is made, from the folder with the data and a folder of its own to write to.
SETS = {
    "febrl4": lambda data, out: febrl("febrl4", ["febrl4a.csv", "febrl4b.csv"], data, out),
    "febrl3": lambda data, out: febrl("febrl3", ["febrl3.csv"], data, out),
    "historical50k": historical50k,
    "people": people,
    "five-agency": lambda _, out: made_up(40_000, 1, out),
    "five-agency-noisy": lambda _, out: made_up(40_000, 5, out),
    "demo": lambda _, out: made_up(20_000, 1, out),
}
QUICK_SETS = {
    "quick": lambda _, out: made_up(2_000, 1, out),
    "quick-noisy": lambda _, out: made_up(2_000, 5, out),
}


def rows(file):
    """The rows of a CSV file by column."""
    with open(file, newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines, skipinitialspace=True)


def write_truth(out, people):
    """Writes whom each record is about."""
    file = out / "truth.csv"
    with open(file, "w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["agency", "local_id", "person_id"])
        writer.writerows(people)
    return file


def example(name):
    """The schema and the mapping that come with Waymark for a set."""
    folder = ROOT / "config" / "examples"
    schema, mapping = folder / f"{name}.linkage.toml", folder / f"{name}.mapping.toml"
    return ["--schema", schema, "--mapping", mapping]
