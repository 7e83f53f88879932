//! `waymark evaluate`: links against a known truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use clap::Args;
use record::RecordKey;
use serde_json::json;

use crate::{
    catalogue::Code,
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

const HELP: &str = "\
Example, with the FEBRL files, whose record ids hold the truth (rec-1070-org, rec-1070-dup-0):
  waymark link --out links.csv --schema config/examples/febrl.linkage.toml \\
      --mapping config/examples/febrl.mapping.toml febrl4a.csv febrl4b.csv
  awk -F'[-, ]+' 'FNR == 1 { if (NR == 1) print \"agency,local_id,person_id\"; next }
      { agency = FILENAME; gsub(/.*\\/|\\.csv$/, \"\", agency)
        local_id = $0; sub(/,.*/, \"\", local_id); print agency \",\" local_id \",\" $2 }' \\
      febrl4a.csv febrl4b.csv > truth.csv
  waymark evaluate --links links.csv --truth truth.csv";

/// Compares links with a known truth, over the records that the truth knows.
///
/// A record without a link counts as a person of its own.
///
/// Pairwise: of all pairs of records that were put together, how many belong together (precision),
/// and of all that belong together, how many were (recall). B-cubed: the same, averaged over
/// records, so that a large participant does not count for more than its records.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct Evaluate {
    /// Links: agency,local_id,participant_id
    #[arg(long, value_name = "LINKS.csv")]
    links: PathBuf,
    /// Truth: agency,local_id,person_id
    #[arg(long, value_name = "TRUTH.csv")]
    truth: PathBuf,
}

impl Evaluate {
    /// Compares the two files.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or is not of its form.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let links = read_groups(&self.links, "participant_id")?;
        let truth = read_groups(&self.truth, "person_id")?;
        if !truth.keys().any(|record| links.contains_key(record)) {
            let what = "no record stands in both the links and the truth";
            return Err(Failure::new(Code::LinksInvalid, what)
                .remedy("check that both files name the same agencies and local ids"));
        }
        let evaluation = linkage::evaluate(&links, &truth);
        if evaluation.n_unknown > 0 {
            eprintln!(
                "note: {} linked records have no truth and are left out",
                evaluation.n_unknown
            );
        }
        let mut measures = Section::new("measures", &["measure", "precision", "recall", "f1"]);
        for (name, measure) in
            [("pairwise", &evaluation.pairwise), ("b_cubed", &evaluation.b_cubed)]
        {
            measures.row(vec![
                text(name),
                json!(measure.precision),
                json!(measure.recall),
                json!(measure.f1),
            ]);
        }
        let mut sizes = Section::new("cluster_sizes", &["size", "linked", "true"]);
        let all_sizes: BTreeSet<usize> =
            evaluation.linked_sizes.keys().chain(evaluation.true_sizes.keys()).copied().collect();
        for size in all_sizes {
            let count = |sizes: &BTreeMap<usize, usize>| sizes.get(&size).copied().unwrap_or(0);
            sizes.row(vec![
                json!(size),
                json!(count(&evaluation.linked_sizes)),
                json!(count(&evaluation.true_sizes)),
            ]);
        }
        Document::new("waymark.evaluate/1").section(measures).section(sizes).print(format)?;
        Ok(Exit::Done)
    }
}

/// Reads `agency,local_id,GROUP` rows; other columns are ignored.
fn read_groups(path: &Path, group: &str) -> Result<BTreeMap<RecordKey, String>, Failure> {
    let invalid = |what: String| {
        Failure::new(Code::LinksInvalid, format!("{}, {what}", path.display()))
            .remedy(format!("the file needs the columns agency,local_id,{group}"))
    };
    let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(BufReader::new(file));
    let header = reader.headers().map_err(|_| invalid("line 1: is not CSV".to_owned()))?.clone();
    let place = |wanted: &str| {
        header
            .iter()
            .position(|name| name.trim_start_matches('\u{feff}') == wanted)
            .ok_or_else(|| invalid(format!("line 1: has no column {wanted}")))
    };
    let places = [place("agency")?, place("local_id")?, place(group)?];
    let mut groups = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            invalid(format!("line {line}: is not CSV of the header's columns"))
        })?;
        let line = row.position().map_or(0, csv::Position::line);
        let [agency, local_id, group] = places.map(|place| &row[place]);
        let at = |what: &dyn std::fmt::Display| invalid(format!("line {line}: {what}"));
        let key = RecordKey::new(
            agency.parse().map_err(|error| at(&error))?,
            local_id.parse().map_err(|error| at(&error))?,
        );
        if group.is_empty() {
            return Err(at(&"the last column is empty"));
        }
        if groups.insert(key, group.to_owned()).is_some() {
            return Err(at(&"the record stands twice"));
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<RecordKey, String>, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read_groups(file.path(), "person_id")
    }

    #[test]
    fn groups_are_read_by_the_names_of_the_columns() {
        let groups = read("person_id, local_id,agency,x\np1, A-1,a,\np1,B-1,b,y\n").unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[&"b/B-1".parse().unwrap()], "p1");
    }

    #[test]
    fn other_files_are_refused_with_the_line() {
        for (text, what) in [
            ("agency,local_id\n", "no column person_id"),
            ("agency,local_id,person_id\nA,1,p\n", "line 2: an agency id"),
            ("agency,local_id,person_id\na,1,p\na,1,q\n", "line 3: the record stands twice"),
            ("agency,local_id,person_id\na,1,\n", "line 2: the last column is empty"),
            ("agency,local_id,person_id\na,1\n", "line 2: is not CSV"),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.what.contains(what), "{text}: {failure}");
        }
    }
}
