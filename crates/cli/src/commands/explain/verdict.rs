//! Whether two records are one participant, and what decided it, in a sentence.

use api::{
    convert::record_key_to_proto,
    review::{Decision, ExplainResponse, PairExplanation, Task, TaskFilter, TaskState},
};
use record::RecordKey;
use serde_json::json;

use crate::{
    client::{
        answer::{plain_name, time},
        review::{Client, list_tasks},
    },
    failure::Failure,
    output::{Section, shown, text},
};

/// The states in which a task may be; what is open and what waits for a second verdict is one list.
const STATES: [TaskState; 4] =
    [TaskState::Unspecified, TaskState::Deferred, TaskState::Escalated, TaskState::Asked];

/// Whether two records are one participant, and why.
pub struct Verdict {
    same_participant: bool,
    /// What decided it: decision, weight, others, task, none, hidden, withdrawn.
    by: &'static str,
    sentence: String,
}

/// The task that asks whether two records are one person.
///
/// # Errors
/// [`Failure`] when the service refuses or cannot be reached.
pub async fn task_about(
    client: &mut Client,
    record: &RecordKey,
    other: &RecordKey,
) -> Result<Option<Task>, Failure> {
    for state in STATES {
        let filter = TaskFilter {
            state: state.into(),
            agency: record.agency.to_string(),
            ..TaskFilter::default()
        };
        let tasks = list_tasks(client, filter, usize::MAX).await?.tasks;
        if let Some(task) = tasks.into_iter().find(|task| is_about(task, record, other)) {
            return Ok(Some(task));
        }
    }
    Ok(None)
}

fn is_about(task: &Task, record: &RecordKey, other: &RecordKey) -> bool {
    let [record, other] = [record, other].map(record_key_to_proto);
    let are_across = |one, two| task.left.contains(one) && task.right.contains(two);
    are_across(&record, &other) || are_across(&other, &record)
}

/// Whether only a task can say why the two are two participants.
pub fn needs_task(answer: &ExplainResponse) -> bool {
    let are_both_there = !answer.participant.is_empty() && !answer.other_participant.is_empty();
    let is_decided = answer.pairs.first().is_some_and(|pair| pair.decision.is_some());
    are_both_there && answer.participant != answer.other_participant && !is_decided
}

impl Verdict {
    /// The verdict on `record` and `other`, of whom `task` asks.
    pub fn new(
        record: &RecordKey,
        other: &RecordKey,
        answer: &ExplainResponse,
        task: Option<&Task>,
    ) -> Self {
        let (first, second) = (&answer.participant, &answer.other_participant);
        let withdrawn = [(record, first), (other, second)].map(|(record, participant)| {
            participant.is_empty().then(|| format!("{record} is withdrawn"))
        });
        if withdrawn.iter().any(Option::is_some) {
            let sentence = withdrawn.into_iter().flatten().collect::<Vec<_>>().join(", ");
            let sentence = format!("{sentence}: no participant has it.");
            return Self { same_participant: false, by: "withdrawn", sentence };
        }
        let same_participant = first == second;
        let (by, why) = why(same_participant, answer.pairs.first(), task);
        let sentence = match same_participant {
            true => format!("{record} and {other} are one participant, {first}: {why}."),
            false => {
                format!("{record} and {other} are two participants, {first} and {second}: {why}.")
            }
        };
        Self { same_participant, by, sentence }
    }

    /// The sentence.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The verdict as a row.
    pub fn section(&self) -> Section {
        let mut section = Section::new("verdict", &["same_participant", "decided_by", "verdict"]);
        section.row(vec![json!(self.same_participant), text(self.by), text(&self.sentence)]);
        section
    }
}

/// What decided it, in a word and as a clause.
fn why(
    same_participant: bool,
    pair: Option<&PairExplanation>,
    task: Option<&Task>,
) -> (&'static str, String) {
    let Some(pair) = pair else { return ("none", "nothing is known of the pair".to_owned()) };
    if let Some(decision) = &pair.decision {
        return ("decision", by_decision(decision));
    }
    if let Some(task) = task {
        return ("task", by_task(task));
    }
    if pair.blind {
        return ("hidden", "the score of the pair is hidden".to_owned());
    }
    let (total, lower, upper) =
        (pair.total_millibits, pair.lower_cut_off_millibits, pair.upper_cut_off_millibits);
    let weight = format!("the match weight of this pair, {},", bits(total));
    match same_participant {
        true if total >= upper => {
            ("weight", format!("{weight} reaches the upper cut-off, {}", bits(upper)))
        }
        true => (
            "others",
            format!(
                "other records of the participant join them; {weight} does not reach the upper \
                 cut-off, {}, by itself",
                bits(upper)
            ),
        ),
        false if total < lower => {
            ("weight", format!("{weight} lies below the lower cut-off, {}", bits(lower)))
        }
        false => (
            "none",
            format!(
                "{weight} is not below the lower cut-off, {}, but does not join them by itself, and \
                 no steward is asked: see the conclusions",
                bits(lower)
            ),
        ),
    }
}

fn by_decision(decision: &Decision) -> String {
    let Decision { id, author, first_author, reason, decided_at, .. } = decision;
    let authors = match first_author.as_str() {
        "" => author.clone(),
        first => format!("{first} and {author}"),
    };
    let at = shown(&time(decided_at.as_ref()));
    format!("{authors} decided so at {at} ({id}): {}", reason.trim_end_matches('.'))
}

fn by_task(task: &Task) -> String {
    let why = match task.reason.as_str() {
        "band" => "the weight lies between the two cut-offs",
        "margin" => "another group fits almost as well",
        "conflict" => "their SSNs are valid and differ",
        "one source" => "two of the records are of an agency that holds no person twice",
        "bridge" => "the groups hang together by few of their pairs",
        "evidence" => "they have too little in common to compare",
        "contrary" => "new versions contradict a decision",
        "audit" => "the pair is of a sample",
        other => other,
    };
    let state = shown(&plain_name(task.state().as_str_name(), "TASK_STATE"));
    format!("a steward is asked, because {why} (task {}, {state})", task.id)
}

fn bits(millibits: i32) -> String {
    format!("{:+.2} bits", f64::from(millibits) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(participants: [&str; 2], pair: PairExplanation, task: Option<&Task>) -> Verdict {
        let [participant, other_participant] = participants.map(str::to_owned);
        let pairs = vec![pair];
        let answer =
            ExplainResponse { participant, other_participant, pairs, ..Default::default() };
        let [record, other] = ["a/1", "b/2"].map(|name| name.parse().unwrap());
        Verdict::new(&record, &other, &answer, task)
    }

    fn pair(total_millibits: i32) -> PairExplanation {
        PairExplanation {
            total_millibits,
            lower_cut_off_millibits: -1_000,
            upper_cut_off_millibits: 6_000,
            ..PairExplanation::default()
        }
    }

    #[test]
    fn the_sentence_says_what_decided() {
        let decision = Decision {
            id: "D1".to_owned(),
            author: "kim".to_owned(),
            reason: "card seen.".to_owned(),
            decided_at: Some(api::Timestamp { seconds: 0, nanos: 0 }),
            ..Decision::default()
        };
        let decided = PairExplanation { decision: Some(decision), ..pair(-9_000) };
        let task = Task {
            id: "T1".to_owned(),
            state: TaskState::Deferred.into(),
            reason: "band".to_owned(),
            ..Task::default()
        };
        for (participants, pair, task, by, expected) in [
            (["P1", "P1"], pair(7_000), None, "weight", "reaches the upper cut-off, +6.00 bits."),
            (["P1", "P1"], pair(-2_000), None, "others", "other records of the participant join"),
            (
                ["P1", "P2"],
                pair(-2_000),
                None,
                "weight",
                "-2.00 bits, lies below the lower cut-off",
            ),
            (["P1", "P2"], pair(7_000), None, "none", "no steward is asked"),
            (
                ["P1", "P2"],
                pair(0),
                Some(&task),
                "task",
                "a steward is asked, because the weight lies between the two cut-offs (task T1, \
                 deferred).",
            ),
            (
                ["P1", "P1"],
                decided,
                None,
                "decision",
                "one participant, P1: kim decided so at 1970-01-01T00:00:00Z (D1): card seen.",
            ),
            (["P1", ""], pair(0), None, "withdrawn", "b/2 is withdrawn"),
            (
                ["P1", "P2"],
                PairExplanation { blind: true, ..pair(0) },
                None,
                "hidden",
                "two participants, P1 and P2: the score of the pair is hidden.",
            ),
        ] {
            let verdict = verdict(participants, pair, task);
            assert_eq!(verdict.by, by, "{}", verdict.sentence);
            assert!(verdict.sentence().contains(expected), "{}", verdict.sentence);
            let same = participants[0] == participants[1];
            assert_eq!(verdict.same_participant, same, "{}", verdict.sentence);
        }
    }

    #[test]
    fn a_task_is_about_two_records_on_its_two_sides() {
        let key = |name: &str| name.parse::<RecordKey>().unwrap();
        let task = Task {
            left: ["a/1", "a/2"].map(|name| record_key_to_proto(&key(name))).into(),
            right: vec![record_key_to_proto(&key("b/3"))],
            ..Task::default()
        };
        for (record, other, expected) in [
            ("a/1", "b/3", true),
            ("b/3", "a/2", true),
            ("a/1", "a/2", false),
            ("a/1", "b/4", false),
        ] {
            assert_eq!(is_about(&task, &key(record), &key(other)), expected, "{record} {other}");
        }
    }
}
