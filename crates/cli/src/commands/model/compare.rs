//! `waymark model compare`: the same files under two models.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use linkage::{Linker, Model, Settlement};
use record::RecordKey;
use serde_json::json;

use crate::{
    cli::COLUMNS_HELP,
    commands::offline::{FilesArgs, read_model, write_csv},
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Links identity files under two models, without a server, and shows what would change.
///
/// A pair is two records of one participant: gained if only the second model puts them together,
/// lost if only the first one does. A participant is joined if the second model makes it of records
/// of several participants, split if the second model divides it; one that gives a record to
/// another counts in both.
#[derive(Debug, Args)]
#[command(after_long_help = COLUMNS_HELP)]
pub struct Compare {
    /// Linkage model, such as the one in force
    #[arg(value_name = "BEFORE.toml")]
    before: PathBuf,
    /// Linkage model that may replace it
    #[arg(value_name = "AFTER.toml")]
    after: PathBuf,
    #[command(flatten)]
    files: FilesArgs,
    /// Identity files, or encoded files of one key
    #[arg(value_name = "FILE.csv|FILE.wmk", required = true)]
    inputs: Vec<PathBuf>,
    /// File to write every pair gained or lost to:
    /// change,agency_a,local_id_a,agency_b,local_id_b
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

/// Two records of one participant, the smaller one first.
type Pair<'a> = (&'a RecordKey, &'a RecordKey);

/// How two partitions of the same records differ.
#[derive(Debug, PartialEq, Eq)]
struct Changes<'a> {
    /// Pairs that stand together only in the second partition, in order.
    gained: Vec<Pair<'a>>,
    /// Pairs that stand together only in the first one, in order.
    lost: Vec<Pair<'a>>,
    /// Number of groups of the second partition that hold records of several of the first.
    n_joined: usize,
    /// Number of groups of the first partition whose records stand in several of the second.
    n_split: usize,
}

impl Compare {
    /// Compares the models.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or written, or a model does not fit the schema.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let schema = self.files.schema()?;
        let before = Arc::new(read_model(&self.before, &schema)?);
        let after = Arc::new(read_model(&self.after, &schema)?);
        let mut linker =
            Linker::new(Arc::clone(&schema), Arc::clone(&before), self.files.policy()?);
        let input = self.files.read(&self.inputs, &mut linker, &schema)?;
        eprintln!("linking {} records under {}", linker.len(), self.before.display());
        let first = linker.settle();
        eprintln!("linking {} records under {}", linker.len(), self.after.display());
        linker.set_model(Arc::clone(&after));
        let second = linker.settle();
        let changes = Changes::between(&first.groups, &second.groups);
        if let Some(path) = &self.pairs {
            changes.write(path)?;
        }
        Document::new("waymark.model-compare/1")
            .section(changes.section())
            .section(totals(&first, &second))
            .section(parameters(&before, &after))
            .section(weights(&before, &after))
            .print(format)?;
        Ok(input.exit())
    }
}

impl<'a> Changes<'a> {
    fn between(before: &'a [Vec<RecordKey>], after: &'a [Vec<RecordKey>]) -> Self {
        let (group_before, group_after) = (groups_of(before), groups_of(after));
        Self {
            gained: separated(after, &group_before),
            lost: separated(before, &group_after),
            n_joined: n_divided(after, &group_before),
            n_split: n_divided(before, &group_after),
        }
    }

    fn section(&self) -> Section {
        let mut section = Section::new("changes", &["what", "count"]);
        for (what, count) in [
            ("pairs gained", self.gained.len()),
            ("pairs lost", self.lost.len()),
            ("participants joined", self.n_joined),
            ("participants split", self.n_split),
        ] {
            section.row(vec![text(what), json!(count)]);
        }
        section
    }

    fn write(&self, path: &Path) -> Result<(), Failure> {
        let header = ["change", "agency_a", "local_id_a", "agency_b", "local_id_b"];
        let gained = self.gained.iter().map(|pair| ("gained", pair));
        let lost = self.lost.iter().map(|pair| ("lost", pair));
        let rows = gained.chain(lost).map(|(change, (left, right))| {
            [
                change.to_owned(),
                left.agency.to_string(),
                left.local_id.to_string(),
                right.agency.to_string(),
                right.local_id.to_string(),
            ]
        });
        write_csv(path, header, rows)
    }
}

/// The place of every record's group.
fn groups_of(groups: &[Vec<RecordKey>]) -> HashMap<&RecordKey, usize> {
    let places = groups.iter().enumerate();
    places.flat_map(|(place, group)| group.iter().map(move |key| (key, place))).collect()
}

/// Pairs of records that stand together in `groups` and apart in the other partition.
fn separated<'a>(
    groups: &'a [Vec<RecordKey>],
    other: &HashMap<&RecordKey, usize>,
) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for group in groups {
        for (place, left) in group.iter().enumerate() {
            let apart = |right: &&RecordKey| other.get(left) != other.get(right);
            let rest = group[place + 1..].iter().filter(apart);
            pairs.extend(rest.map(|right| (left.min(right), left.max(right))));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// Number of `groups` whose records stand in several groups of the other partition.
fn n_divided(groups: &[Vec<RecordKey>], other: &HashMap<&RecordKey, usize>) -> usize {
    let parts = |group: &Vec<RecordKey>| {
        group.iter().map(|key| other.get(key)).collect::<BTreeSet<_>>().len()
    };
    groups.iter().filter(|group| parts(group) > 1).count()
}

fn totals(before: &Settlement, after: &Settlement) -> Section {
    let n_pairs = |settlement: &Settlement| -> usize {
        settlement.groups.iter().map(|group| group.len() * (group.len() - 1) / 2).sum()
    };
    let mut section = Section::new("totals", &["what", "before", "after"]);
    for (what, count) in [
        ("participants", (|s| s.groups.len()) as fn(&Settlement) -> usize),
        ("pairs", n_pairs),
        ("pairs for review, counted as not linked", |s| s.tasks.len()),
    ] {
        section.row(vec![text(what), json!(count(before)), json!(count(after))]);
    }
    section
}

/// The weights that hold for the whole model, in bits.
fn parameters(before: &Model, after: &Model) -> Section {
    let mut section = Section::new("parameters", &["parameter", "before", "after", "change"]);
    for (name, before, after) in [
        ("prior", before.prior_weight().0, after.prior_weight().0),
        ("upper", before.cut_offs.upper, after.cut_offs.upper),
        ("lower", before.cut_offs.lower, after.cut_offs.lower),
        ("margin", before.cut_offs.margin, after.cut_offs.margin),
        ("minimum_evidence", before.cut_offs.minimum_evidence, after.cut_offs.minimum_evidence),
    ] {
        section.row(vec![text(name), json!(before), json!(after), json!(after - before)]);
    }
    section
}

/// The match weights of every field and level, in bits. Both models are for one schema, so they
/// have the same levels.
fn weights(before: &Model, after: &Model) -> Section {
    let columns = ["field", "level", "before", "after", "change"];
    let mut section = Section::new("weights", &columns);
    for (field, field_after) in before.fields.iter().zip(&after.fields) {
        for (level, level_after) in field.levels.iter().zip(&field_after.levels) {
            let (before, after) = (level.weight().0, level_after.weight().0);
            section.row(vec![
                text(&field.name),
                text(level.level),
                json!(before),
                json!(after),
                json!(after - before),
            ]);
        }
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<Vec<RecordKey>> {
        let group = |part: &str| part.split(' ').map(|key| key.parse().unwrap()).collect();
        text.split(", ").map(group).collect()
    }

    fn pairs(pairs: &[Pair<'_>]) -> Vec<String> {
        pairs.iter().map(|(left, right)| format!("{left} {right}")).collect()
    }

    #[test]
    fn a_record_that_moves_splits_one_participant_and_joins_another() {
        let before = groups("a/1 b/1 c/1, a/2 b/2, a/3");
        let after = groups("a/1 b/1, a/2 b/2 c/1, a/3");
        let changes = Changes::between(&before, &after);
        assert_eq!(pairs(&changes.gained), ["a/2 c/1", "b/2 c/1"]);
        assert_eq!(pairs(&changes.lost), ["a/1 c/1", "b/1 c/1"]);
        assert_eq!((changes.n_joined, changes.n_split), (1, 1));
    }

    #[test]
    fn a_join_splits_nothing_and_the_way_back_is_a_split() {
        let (apart, together) = (groups("a/1 a/2, b/1, c/1"), groups("a/1 a/2 b/1 c/1"));
        let join = Changes::between(&apart, &together);
        assert_eq!((join.n_joined, join.n_split), (1, 0));
        assert_eq!((join.gained.len(), join.lost.len()), (5, 0));
        let split = Changes::between(&together, &apart);
        assert_eq!((split.n_joined, split.n_split), (0, 1));
        assert_eq!(split.lost, join.gained);
    }

    #[test]
    fn the_order_of_groups_is_no_change() {
        let changes = (groups("a/1 b/1, c/1"), groups("c/1, a/1 b/1"));
        let changes = Changes::between(&changes.0, &changes.1);
        assert_eq!((changes.gained.len(), changes.lost.len()), (0, 0));
        assert_eq!((changes.n_joined, changes.n_split), (0, 0));
    }
}
