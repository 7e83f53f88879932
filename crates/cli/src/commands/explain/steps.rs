//! How a participant came about: decisions and what became of the records, step by step.

use std::{cmp::Reverse, collections::HashSet};

use api::review::{DecidedPair, Decision, ExplainResponse, MembershipChange, Verdict};
use serde_json::{Value, json};

use super::pair::{record_name, record_text};
use crate::{
    client::answer::time,
    output::{Format, Section, optional, text},
};

/// A step on the way to a participant.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    sequence: u64,
    at: Option<&'a api::Timestamp>,
    event: Event<'a>,
}

/// What happened.
#[derive(Debug, Clone, Copy)]
enum Event<'a> {
    /// A decision was made.
    Decided(&'a Decision),
    /// A decision was taken back.
    Undone(&'a Decision),
    /// A record changed its participant.
    Moved(Move<'a>),
}

/// A record that changed its participant.
#[derive(Debug, Clone, Copy)]
struct Move<'a> {
    change: &'a MembershipChange,
    /// The decision that was its cause.
    decision: Option<&'a Decision>,
    /// Whether it is the first record of a participant that began with it.
    is_first: bool,
}

/// The steps of an explanation, in the order of the facts.
pub fn steps(answer: &ExplainResponse) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for decision in &answer.decisions {
        let at = decision.decided_at.as_ref();
        steps.push(Step { sequence: decision.sequence, at, event: Event::Decided(decision) });
        if !decision.undone_by.is_empty() {
            let (sequence, at) = (decision.undone_sequence, decision.undone_at.as_ref());
            steps.push(Step { sequence, at, event: Event::Undone(decision) });
        }
    }
    let mut known = HashSet::new();
    for change in &answer.history {
        let is_first = known.insert(&change.participant) && change.is_new_participant;
        let decision = answer.decisions.iter().find(|decision| decision.id == change.decision_id);
        let event = Event::Moved(Move { change, decision, is_first });
        steps.push(Step { sequence: change.sequence, at: change.changed_at.as_ref(), event });
    }
    // A decision stands before what it did to the records.
    steps.sort_by_key(|step| (step.sequence, matches!(step.event, Event::Moved(_))));
    steps
}

/// The steps as rows: in words for people, and with what the words are made of for programs.
pub fn step_section(steps: &[Step<'_>], format: Format) -> Section {
    let in_words = ["at", "record", "step"];
    let in_full = [
        "sequence",
        "at",
        "kind",
        "record",
        "from_participant",
        "participant",
        "cause",
        "decision",
        "author",
        "reason",
        "pairs",
        "step",
    ];
    let is_table = format == Format::Table;
    let columns = if is_table { &in_words[..] } else { &in_full[..] };
    let mut section = Section::new("steps", columns);
    for step in steps {
        section.row(if is_table { step.words_row() } else { step.full_row() });
    }
    section
}

impl Step<'_> {
    fn words_row(&self) -> Vec<Value> {
        let record = match self.event {
            Event::Moved(it) => record_name(it.change.record.as_ref()),
            Event::Decided(_) | Event::Undone(_) => Value::Null,
        };
        vec![time(self.at), record, text(self.words())]
    }

    fn full_row(&self) -> Vec<Value> {
        let filled = |value: &str| optional(Some(value).filter(|value| !value.is_empty()));
        let about = |kind: &str, decision: &Decision, author: &str, reason: &str| {
            let mut cells = vec![text(kind), Value::Null, Value::Null, Value::Null, Value::Null];
            cells.extend([text(&decision.id), text(author), text(reason), pairs(decision)]);
            cells
        };
        let cells = match self.event {
            Event::Decided(it) => about("decision", it, &it.author, &it.reason),
            Event::Undone(it) => about("undo", it, &it.undone_by, &it.undone_reason),
            Event::Moved(it) => vec![
                text("membership"),
                record_name(it.change.record.as_ref()),
                filled(&it.change.from_participant),
                filled(&it.change.participant),
                text(&it.change.cause),
                filled(&it.change.decision_id),
                Value::Null,
                Value::Null,
                Value::Null,
            ],
        };
        let mut row = vec![json!(self.sequence), time(self.at)];
        row.extend(cells);
        row.push(text(self.words()));
        row
    }

    fn words(&self) -> String {
        match self.event {
            Event::Decided(it) => format!(
                "decision {} of {}: {}: {}",
                it.id,
                authors(it),
                what_was_decided(it),
                it.reason
            ),
            Event::Undone(it) => format!(
                "decision {} of {} taken back by {}: {}",
                it.id,
                authors(it),
                it.undone_by,
                it.undone_reason
            ),
            Event::Moved(it) => it.words(self.sequence),
        }
    }
}

impl Move<'_> {
    fn words(&self, sequence: u64) -> String {
        let MembershipChange { participant, from_participant: from, cause, .. } = self.change;
        let moved = self.moved();
        match cause.as_str() {
            "withdrawal" if participant.is_empty() => format!("withdrawn from {from}"),
            "new" if self.is_first => format!("new: participant {participant}"),
            "new" => format!("new, {moved}"),
            "merge" => format!("{moved}; merge: two participants became one"),
            "decision" => match self.decision {
                Some(it) if it.undone_sequence == sequence => {
                    format!("{moved}: decision {} taken back by {}", it.id, it.undone_by)
                }
                Some(it) => {
                    format!("{moved} by a decision of {} ({}): {}", authors(it), it.id, it.reason)
                }
                None => format!("{moved} by decision {}", self.change.decision_id),
            },
            "split" => moved,
            "withdrawal" => format!("{moved}: a record between them was withdrawn"),
            "model" => format!("{moved} under another model"),
            "reconcile" => format!("{moved} when all was rebuilt from the facts"),
            other => format!("{moved} ({other})"),
        }
    }

    /// From where to where.
    fn moved(&self) -> String {
        let (from, to) = (&self.change.from_participant, &self.change.participant);
        match (from.as_str(), to.as_str(), self.is_first) {
            (from, "", _) => format!("taken out of {from}"),
            ("", to, _) => format!("joined {to}"),
            (from, to, true) => format!("split off from {from}: participant {to}"),
            (from, to, false) => format!("joined {to} from {from}"),
        }
    }
}

/// Who decided.
fn authors(decision: &Decision) -> String {
    match decision.first_author.as_str() {
        "" => decision.author.clone(),
        first => format!("{first} and {}", decision.author),
    }
}

/// The pairs that a decision binds.
fn pairs(decision: &Decision) -> Value {
    let name = |pair: &DecidedPair| {
        json!([record_name(pair.left.as_ref()), record_name(pair.right.as_ref())])
    };
    decision.pairs.iter().map(name).collect()
}

/// What a decision says, as a clause.
fn what_was_decided(decision: &Decision) -> String {
    let names = |pair: &DecidedPair| {
        [&pair.left, &pair.right].map(|it| it.as_ref().map(record_text).unwrap_or_default())
    };
    let mut pairs = decision.pairs.iter().map(names);
    let Some([left, right]) = pairs.next() else { return "about no record".to_owned() };
    let others: Vec<_> = pairs.flatten().collect();
    let count = |name: &String| others.iter().filter(|other| *other == name).count();
    // One record stands in every pair.
    let mut names = vec![left, right];
    names.sort_by_key(|name| Reverse(count(name)));
    for other in &others {
        if !names.contains(other) {
            names.push(other.clone());
        }
    }
    match (decision.verdict(), names.as_slice()) {
        (Verdict::Link, names) => format!("{} are one person", listed(names)),
        (_, [one, other]) => format!("{one} and {other} are two people"),
        (_, [one, others @ ..]) => format!("{one} is another person than {}", listed(others)),
        (_, []) => String::new(),
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.join(""),
    }
}

#[cfg(test)]
mod tests {
    use api::types;

    use super::*;

    fn key(local_id: &str) -> Option<types::RecordKey> {
        Some(types::RecordKey { agency: "a".to_owned(), local_id: local_id.to_owned() })
    }

    fn change(sequence: u64, record: &str, way: [&str; 2], cause: &str) -> MembershipChange {
        let [from, to] = way.map(str::to_owned);
        MembershipChange {
            record: key(record),
            participant: to,
            from_participant: from,
            cause: cause.to_owned(),
            sequence,
            decision_id: if cause == "decision" { "D1".to_owned() } else { String::new() },
            ..MembershipChange::default()
        }
    }

    fn beginning(change: MembershipChange) -> MembershipChange {
        MembershipChange { is_new_participant: true, ..change }
    }

    fn decision(verdict: Verdict, pairs: &[[&str; 2]]) -> Decision {
        let pairs = pairs.iter().map(|[left, right]| DecidedPair {
            left: key(left),
            right: key(right),
            ..DecidedPair::default()
        });
        Decision {
            id: "D1".to_owned(),
            verdict: verdict.into(),
            author: "kim".to_owned(),
            reason: "card seen".to_owned(),
            sequence: 5,
            pairs: pairs.collect(),
            ..Decision::default()
        }
    }

    fn told(answer: &ExplainResponse) -> Vec<String> {
        steps(answer).iter().map(Step::words).collect()
    }

    #[test]
    fn a_participant_is_told_from_its_first_record_to_a_decision_that_was_taken_back() {
        let undone = Decision {
            undone_by: "lee".to_owned(),
            undone_reason: "another's card".to_owned(),
            undone_sequence: 8,
            ..decision(Verdict::Link, &[["1", "3"]])
        };
        let answer = ExplainResponse {
            history: vec![
                beginning(change(1, "1", ["", "P1"], "new")),
                beginning(change(1, "2", ["", "P1"], "new")),
                beginning(change(3, "3", ["", "P2"], "new")),
                change(5, "3", ["P2", "P1"], "decision"),
                beginning(change(8, "3", ["P1", "P3"], "decision")),
                change(9, "2", ["P1", ""], "withdrawal"),
            ],
            decisions: vec![undone],
            ..ExplainResponse::default()
        };
        let expected = [
            "new: participant P1",
            "new, joined P1",
            "new: participant P2",
            "decision D1 of kim: a/1 and a/3 are one person: card seen",
            "joined P1 from P2 by a decision of kim (D1): card seen",
            "decision D1 of kim taken back by lee: another's card",
            "split off from P1: participant P3: decision D1 taken back by lee",
            "withdrawn from P1",
        ];
        assert_eq!(told(&answer), expected);
    }

    #[test]
    fn a_record_joins_a_participant_of_whom_nothing_earlier_is_told() {
        let history = vec![
            beginning(change(1, "1", ["", "P6"], "new")),
            change(5, "1", ["P6", "P4"], "merge"),
        ];
        let told = told(&ExplainResponse { history, ..ExplainResponse::default() });
        assert_eq!(told[1], "joined P4 from P6; merge: two participants became one");
    }

    #[test]
    fn every_cause_has_its_words() {
        for (cause, way, is_first, expected) in [
            ("merge", ["P2", "P1"], false, "joined P1 from P2; merge: two participants became one"),
            ("split", ["P1", "P2"], true, "split off from P1: participant P2"),
            ("model", ["P2", "P1"], false, "joined P1 from P2 under another model"),
            ("reconcile", ["", "P1"], false, "joined P1 when all was rebuilt from the facts"),
            ("decision", ["P2", "P1"], false, "joined P1 from P2 by decision D1"),
            ("omen", ["P1", ""], false, "taken out of P1 (omen)"),
        ] {
            let change = change(1, "1", way, cause);
            let moved = Move { change: &change, decision: None, is_first };
            assert_eq!(moved.words(1), expected);
        }
    }

    #[test]
    fn a_decision_names_the_record_that_stands_in_every_pair() {
        for (verdict, pairs, expected) in [
            (Verdict::Link, &[["1", "2"]][..], "a/1 and a/2 are one person"),
            (Verdict::Separate, &[["1", "2"]], "a/1 and a/2 are two people"),
            (Verdict::Link, &[["1", "2"], ["1", "3"]], "a/1, a/2 and a/3 are one person"),
            (
                Verdict::Separate,
                &[["1", "3"], ["2", "3"]],
                "a/3 is another person than a/1 and a/2",
            ),
        ] {
            assert_eq!(what_was_decided(&decision(verdict, pairs)), expected);
        }
    }

    #[test]
    fn programs_get_what_the_words_are_made_of() {
        let answer = ExplainResponse {
            history: vec![change(5, "3", ["P2", "P1"], "decision")],
            decisions: vec![decision(Verdict::Link, &[["1", "3"]])],
            ..ExplainResponse::default()
        };
        let steps = steps(&answer);
        let row = steps[1].full_row();
        assert_eq!(row[0], json!(5));
        assert_eq!(
            row[2..8],
            ["membership", "a/3", "P2", "P1", "decision", "D1"].map(|it| json!(it))
        );
        assert_eq!(steps[0].full_row()[10], json!([["a/1", "a/3"]]));
        for format in [Format::Table, Format::Json] {
            step_section(&steps, format);
        }
    }
}
