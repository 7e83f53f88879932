//! Whether two records are one participant, and what decided it, in a sentence.

use api::review::{Decision, ExplainResponse, PairExplanation, Task};
use record::RecordKey;
use serde_json::json;

use crate::{
    client::answer::{plain_name, time},
    output::{Section, shown, text},
};

/// Whether two records are one participant, and why.
pub struct Verdict {
    same_participant: bool,
    /// What decided it: decision, weight, others, task, none, hidden, withdrawn.
    by: &'static str,
    sentence: String,
}

impl Verdict {
    /// The verdict on `record` and `other`.
    pub fn new(record: &RecordKey, other: &RecordKey, answer: &ExplainResponse) -> Self {
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
        let (by, why) = why(same_participant, answer.pairs.first(), answer.task.as_ref());
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
    use api::review::TaskState;

    use super::*;

    fn verdict(participants: [&str; 2], pair: PairExplanation, task: Option<&Task>) -> Verdict {
        let [participant, other_participant] = participants.map(str::to_owned);
        let pairs = vec![pair];
        let task = task.cloned();
        let answer =
            ExplainResponse { participant, other_participant, pairs, task, ..Default::default() };
        let [record, other] = ["a/1", "b/2"].map(|name| name.parse().unwrap());
        Verdict::new(&record, &other, &answer)
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
}
