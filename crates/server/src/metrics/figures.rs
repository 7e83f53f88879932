//! The figures that are told, and how they are written.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, prometheus_text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use store::{ActCounts, OpenTasks, Seq, Store, WaitKind};

use crate::engine::Progress;

/// The ages of tasks as they are told, in the order of [`OpenTasks::by_age`].
const AGES: [&str; 4] = ["up_to_1_day", "up_to_7_days", "up_to_30_days", "older"];

/// The workload of review, and how far the service has come.
#[derive(Debug)]
pub struct Figures {
    open: Vec<OpenTasks>,
    acts: ActCounts,
    decisions: u64,
    overturned: u64,
    twice_judged: u64,
    agreed: u64,
    last: Seq,
    progress: Progress,
}

impl Figures {
    /// Reads them; `today` and `now` say which tasks wait and how old they are.
    pub fn read(
        store: &Store,
        progress: Progress,
        today: Date,
        now: Timestamp,
    ) -> store::Result<Self> {
        let (decisions, overturned) = store.overturned()?;
        let verdicts = store.verdict_pairs()?;
        Ok(Self {
            open: store.open_tasks(today, now),
            acts: store.act_counts()?,
            decisions,
            overturned,
            twice_judged: verdicts.len() as u64,
            agreed: verdicts.iter().filter(|(first, second)| first == second).count() as u64,
            last: store.last_seq()?,
            progress,
        })
    }

    /// The figures in the text format of Prometheus, version 0.0.4.
    ///
    /// # Errors
    /// A gauge beyond the range of `i64` cannot be written.
    pub fn text(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry)?;
        Ok(text)
    }

    fn encode_tasks(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Tasks of clerical review that are not settled, by reason, by what they wait for \
                    and by age; a group without tasks is left out.";
        let name = "waymark_review_tasks";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for open in &self.open {
            let first_or_second = if open.is_second { "second" } else { "open" };
            let state = open.waits.map_or(first_or_second, WaitKind::as_str);
            for (age, tasks) in AGES.into_iter().zip(open.by_age) {
                let labels = [("reason", open.reason.as_str()), ("state", state), ("age", age)];
                ConstGauge::new(tasks).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn encode_acts(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "What stewards did: decisions that link or separate, deferrals, escalations, \
                    questions to agencies.";
        let name = "waymark_review_acts";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        let ActCounts { link, separate, defer, escalate, ask } = self.acts;
        for (verdict, acts) in [
            ("link", link),
            ("separate", separate),
            ("defer", defer),
            ("escalate", escalate),
            ("ask", ask),
        ] {
            let labels = [("verdict", verdict)];
            ConstCounter::new(acts).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_tasks(&mut encoder)?;
        self.encode_acts(&mut encoder)?;
        // The format adds `_total` to the names of counters.
        for (name, help, count) in [
            ("waymark_review_decisions", "Decisions that stewards ever made.", self.decisions),
            (
                "waymark_review_decisions_overturned",
                "Decisions that were taken back, or replaced by one that says the opposite.",
                self.overturned,
            ),
            (
                "waymark_review_twice_judged_tasks",
                "Tasks that two stewards judged, neither knowing what the other said.",
                self.twice_judged,
            ),
            (
                "waymark_review_agreed_tasks",
                "Tasks that two stewards judged, on which both said the same.",
                self.agreed,
            ),
        ] {
            let counter = ConstCounter::new(count);
            let kind = MetricType::Counter;
            counter.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        let Progress { applied, to_recompute, held, .. } = self.progress;
        for (name, help, value) in [
            ("waymark_log_sequence", "Place of the last fact in the log.", self.last.0),
            (
                "waymark_applied_sequence",
                "Place of the last fact that participants and statuses take into account.",
                applied.0,
            ),
            (
                "waymark_participants_to_evaluate",
                "Participants whose statuses are by the rules before the last change of rules.",
                to_recompute as u64,
            ),
            (
                "waymark_records_held",
                "Records whose changes the feeds tell in a moment.",
                held as u64,
            ),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn open(reason: &str, waits: Option<WaitKind>, is_second: bool, by_age: [u64; 4]) -> OpenTasks {
        OpenTasks { reason: reason.to_owned(), waits, is_second, by_age }
    }

    #[test]
    fn every_figure_stands_in_the_text_once_and_in_this_order() {
        let figures = Figures {
            open: vec![
                open("band", Some(WaitKind::Deferred), false, [0, 0, 1, 0]),
                open("band", None, false, [40, 30, 20, 10]),
                open("conflict", None, true, [3, 0, 0, 2]),
            ],
            acts: ActCounts { link: 50, separate: 21, defer: 4, escalate: 1, ask: 0 },
            decisions: 71,
            overturned: 2,
            twice_judged: 12,
            agreed: 11,
            last: Seq(918),
            progress: Progress {
                applied: Seq(917),
                day: date(2026, 9, 30),
                to_recompute: 6,
                held: 5,
            },
        };
        assert_eq!(figures.text().unwrap(), TEXT);
    }

    const TEXT: &str = r#"# HELP waymark_review_tasks Tasks of clerical review that are not settled, by reason, by what they wait for and by age; a group without tasks is left out.
# TYPE waymark_review_tasks gauge
waymark_review_tasks{reason="band",state="deferred",age="up_to_1_day"} 0
waymark_review_tasks{reason="band",state="deferred",age="up_to_7_days"} 0
waymark_review_tasks{reason="band",state="deferred",age="up_to_30_days"} 1
waymark_review_tasks{reason="band",state="deferred",age="older"} 0
waymark_review_tasks{reason="band",state="open",age="up_to_1_day"} 40
waymark_review_tasks{reason="band",state="open",age="up_to_7_days"} 30
waymark_review_tasks{reason="band",state="open",age="up_to_30_days"} 20
waymark_review_tasks{reason="band",state="open",age="older"} 10
waymark_review_tasks{reason="conflict",state="second",age="up_to_1_day"} 3
waymark_review_tasks{reason="conflict",state="second",age="up_to_7_days"} 0
waymark_review_tasks{reason="conflict",state="second",age="up_to_30_days"} 0
waymark_review_tasks{reason="conflict",state="second",age="older"} 2
# HELP waymark_review_acts_total What stewards did: decisions that link or separate, deferrals, escalations, questions to agencies.
# TYPE waymark_review_acts_total counter
waymark_review_acts_total{verdict="link"} 50
waymark_review_acts_total{verdict="separate"} 21
waymark_review_acts_total{verdict="defer"} 4
waymark_review_acts_total{verdict="escalate"} 1
waymark_review_acts_total{verdict="ask"} 0
# HELP waymark_review_decisions_total Decisions that stewards ever made.
# TYPE waymark_review_decisions_total counter
waymark_review_decisions_total 71
# HELP waymark_review_decisions_overturned_total Decisions that were taken back, or replaced by one that says the opposite.
# TYPE waymark_review_decisions_overturned_total counter
waymark_review_decisions_overturned_total 2
# HELP waymark_review_twice_judged_tasks_total Tasks that two stewards judged, neither knowing what the other said.
# TYPE waymark_review_twice_judged_tasks_total counter
waymark_review_twice_judged_tasks_total 12
# HELP waymark_review_agreed_tasks_total Tasks that two stewards judged, on which both said the same.
# TYPE waymark_review_agreed_tasks_total counter
waymark_review_agreed_tasks_total 11
# HELP waymark_log_sequence Place of the last fact in the log.
# TYPE waymark_log_sequence gauge
waymark_log_sequence 918
# HELP waymark_applied_sequence Place of the last fact that participants and statuses take into account.
# TYPE waymark_applied_sequence gauge
waymark_applied_sequence 917
# HELP waymark_participants_to_evaluate Participants whose statuses are by the rules before the last change of rules.
# TYPE waymark_participants_to_evaluate gauge
waymark_participants_to_evaluate 6
# HELP waymark_records_held Records whose changes the feeds tell in a moment.
# TYPE waymark_records_held gauge
waymark_records_held 5
"#;
}
