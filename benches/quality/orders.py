"""Whether the participants depend on the way the records came: see orders.sh."""

import contextlib
import csv
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

import datasets

PARTS = 4
SEED = 1


def waymark(folder, *arguments, **environment):
    """Runs a command of waymark in `folder`; its output goes to a log."""
    command = ["waymark", *map(str, arguments)]
    with open(folder / "waymark.log", "a", encoding="utf-8") as log:
        run = subprocess.run(
            command, cwd=folder, stdout=log, stderr=log, env=os.environ | environment, check=False
        )
    # 1: done, with rejected rows, the same ones in every order.
    if run.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with {run.returncode}, see {folder}/waymark.log")


class Work:
    """The records of a set, a file per agency, and the ways in which they are sent."""

    def __init__(self, data_set, folder):
        self.folder = folder
        self.options = list(data_set.options)
        self.agencies = {}
        for file in data_set.files:
            for row in read(file):
                agency = row.pop("agency", None) or file.stem
                self.agencies.setdefault(agency, []).append(row)
        self.batches = {"as they are": [], "shuffled, in parts": []}
        for agency, rows in self.agencies.items():
            self.batches["as they are"].append((agency, self.write("whole", agency, rows)))
        shuffled = random.Random(SEED)
        for part in range(PARTS):
            for agency, rows in reversed(self.agencies.items()):
                if part == 0:
                    shuffled.shuffle(rows)
                file = self.write(f"part{part}", agency, rows[part::PARTS])
                self.batches["shuffled, in parts"].append((agency, file))

    def write(self, way, agency, rows):
        """Writes rows of an agency; the file is named after it."""
        file = self.folder / way / f"{agency}.csv"
        file.parent.mkdir(exist_ok=True)
        with open(file, "w", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        return file

    def offline(self, way):
        """Links the files of a way; gives the digest of the participants."""
        files = [file for _, file in self.batches[way]]
        out = self.folder / "links.csv"
        reading = [*self.options, "--rejected-dir", self.folder, "--key", "linkage.key"]
        waymark(self.folder, "link", *reading, "--model", "model.toml", "--out", out, *files)
        return partition(out)

    def served(self, way, *, train):
        """Sends the files of a way to a fresh service; gives the digest of the participants."""
        folder = self.folder / "service"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "data").mkdir(parents=True)
        # With one pepper the services' samples are the same, and so are the models they train.
        pepper = self.folder / "pepper.key"
        if pepper.exists():
            shutil.copy(pepper, folder / "data")
        with serving(folder, self.schema(), self.folder / "model.toml") as url:
            shutil.copy(folder / "data" / "pepper.key", pepper)
            operator = {
                "WAYMARK_SERVER": url,
                "WAYMARK_TOKEN_FILE": str(folder / "data" / "operator.token"),
            }
            for agency in self.agencies:
                waymark(folder, "admin", "agency", "add", agency, "--title", agency, **operator)
                token = ["token", "issue", agency, "--role", "agency", "--subject", agency]
                waymark(folder, "admin", *token, "--out", f"{agency}.token", **operator)
            for agency, file in self.batches[way]:
                sending = ["--agency", agency, "--key", self.folder / "linkage.key", "--wait"]
                options = [*sending, *self.options, "--rejected-dir", folder]
                token = {"WAYMARK_TOKEN_FILE": str(folder / f"{agency}.token")}
                waymark(folder, "submit", file, *options, WAYMARK_SERVER=url, **token)
            if train:
                waymark(folder, "train", "--activate", **operator)
            waymark(folder, "admin", "reconcile", **operator)
            waymark(folder, "admin", "memberships", "--out", "memberships.csv", **operator)
        return partition(folder / "memberships.csv")

    def schema(self):
        """The linkage schema of the set."""
        if "--schema" in self.options:
            return self.options[self.options.index("--schema") + 1]
        return datasets.ROOT / "config" / "linkage.toml"


@contextlib.contextmanager
def serving(folder, schema, model):
    """A service with an empty database; gives its address."""
    settings = folder / "waymarkd.toml"
    settings.write_text(
        'listen = "127.0.0.1:0"\ndata_dir = "data"\ntime_zone = "UTC"\n'
        f'[linkage]\nschema = "{schema}"\nmodel = "{model}"\n'
    )
    log = folder / "waymarkd.log"
    with open(log, "w", encoding="utf-8") as errors:
        daemon = subprocess.Popen(["waymarkd", "--config", settings], cwd=folder, stderr=errors)
    try:
        while True:
            listening = [line for line in log.read_text().splitlines() if "listening" in line]
            if listening:
                break
            if daemon.poll() is not None:
                sys.exit(f"waymarkd did not start, see {log}")
            time.sleep(0.1)
        address = next(it for it in listening[0].split() if "http://" in it)
        yield address[address.index("http://") :].strip('",')
    finally:
        daemon.terminate()
        daemon.wait()


def read(file):
    """The rows of a CSV file by column."""
    with open(file, newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines, skipinitialspace=True)


def partition(file):
    """A digest of the participants as sorted lists of their records."""
    groups = {}
    for row in read(file):
        record = f"{row['agency']}/{row['local_id']}"
        groups.setdefault(row["participant_id"], []).append(record)
    lines = sorted(" ".join(sorted(records)) for records in groups.values())
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    return f"{len(lines)} participants, {digest}"


def check(name, make, data, out):
    """Links one set in every way; gives whether they agree."""
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    work = Work(make(data, folder), folder)
    files = [file for _, file in work.batches["as they are"]]
    waymark(folder, "keygen", "--schema", work.schema(), "--out", "linkage.key")
    reading = [*work.options, "--rejected-dir", folder, "--key", "linkage.key"]
    waymark(folder, "train", *reading, "--out", "model.toml", *files)
    agree = True
    for what, link in [
        ("one model, offline", work.offline),
        ("one model, served", lambda way: work.served(way, train=False)),
        ("model of the service", lambda way: work.served(way, train=True)),
    ]:
        found = {}
        for way in work.batches:
            start = time.monotonic()
            found[way] = link(way)
            seconds = time.monotonic() - start
            print(f"{name}: {what}, {way}: {found[way]} ({seconds:.0f} s)", flush=True)
        if what == "one model, offline":
            offline = found
        known = set(found.values()) | (set(offline.values()) if "one model" in what else set())
        agree &= len(known) == 1
    print(f"{name}: {'the same participants in every order' if agree else 'DIFFERENT'}")
    return agree


def main():
    """Checks every set, or those named."""
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit("name the folder with the data, or --quick")
    out = pathlib.Path(os.environ.get("OUT", datasets.ROOT / "target" / "orders")).resolve()
    if arguments[0] == "--quick":
        data, sets = None, datasets.QUICK_SETS
    else:
        data, sets = pathlib.Path(arguments[0]).resolve(), datasets.SETS
    names = arguments[1:] or [it for it in sets if it != "people" or "PEOPLE" in os.environ]
    unknown = [it for it in names if it not in sets]
    if unknown:
        sys.exit(f"no set is called {unknown[0]}; there are {', '.join(sets)}")
    results = [check(name, sets[name], data, out) for name in names]
    sys.exit(0 if all(results) else 1)


main()
