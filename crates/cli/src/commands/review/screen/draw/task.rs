//! A task as lines: the two groups, the pair on show, and what was said of it before.

use std::collections::BTreeSet;

use api::review::{PairExplanation, TaskDetail, TaskNote, TaskRecord};
use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::{
    look::{Look, Role},
    waterfall,
    wrap::{fit, wrap},
};
use crate::commands::review::screen::{state::OpenTask, words};

/// From this width on the two groups stand side by side.
const SIDE_BY_SIDE_MIN: usize = 70;

/// Everything that is known of the task.
pub fn lines(open: &OpenTask, now: Timestamp, look: &Look, width: usize) -> Vec<Line<'static>> {
    let pairs = open.pairs();
    let pair = pairs.get(open.pair).copied();
    let mut text = Text { lines: Vec::new(), look, width };
    contradicted(&mut text, open);
    groups(&mut text, &open.detail, pair);
    if let Some(pair) = pair {
        let best = if open.pair == 0 { ", the best" } else { "" };
        let caption = format!("pair {} of {}{best}", open.pair + 1, pairs.len());
        text.lines.extend(waterfall::lines(pair, &caption, look, width));
        for sentence in &pair.conclusions {
            text.paragraph("-", sentence);
        }
        if let Some(decision) = &pair.decision {
            text.paragraph(
                "!",
                &format!("A decision binds the pair: {}", words::decision(decision)),
            );
        }
    }
    other_pairs(&mut text, &pairs, open.pair);
    notes(&mut text, &open.detail.notes, now);
    questions(&mut text, &open.detail, now);
    decisions(&mut text, &open.detail);
    text.lines
}

/// Lines of a width.
struct Text<'a> {
    lines: Vec<Line<'static>>,
    look: &'a Look,
    width: usize,
}

impl Text<'_> {
    fn heading(&mut self, heading: &str) {
        self.lines.push(Line::styled(format!(" {heading}"), self.look.style(Role::Heading)));
    }

    /// A text that others wrote, behind a mark.
    fn paragraph(&mut self, mark: &str, text: &str) {
        let text = self.look.clean(text);
        for (place, part) in wrap(&text, self.width.saturating_sub(4)).into_iter().enumerate() {
            let mark = if place == 0 { mark } else { " " };
            self.lines.push(Line::raw(format!("  {mark} {part}")));
        }
    }
}

/// New data that contradict a decision: which one, before anything else.
fn contradicted(text: &mut Text<'_>, open: &OpenTask) {
    if open.task.reason != "contrary" {
        return;
    }
    text.lines.push(Line::styled(
        " New versions of the records contradict what was decided:",
        text.look.style(Role::Heading),
    ));
    for decision in &open.detail.decisions {
        text.paragraph("!", &words::decision(decision));
    }
}

/// The two groups, side by side where there is room.
fn groups(text: &mut Text<'_>, detail: &TaskDetail, pair: Option<&PairExplanation>) {
    let is_wide = text.width >= SIDE_BY_SIDE_MIN;
    let width = if is_wide { text.width / 2 } else { text.width };
    let of = |is_left| group(detail, is_left, pair, text.look, width.saturating_sub(1));
    let (left, right) = (of(true), of(false));
    let style =
        |place: usize| text.look.style(if place == 0 { Role::Heading } else { Role::Plain });
    if !is_wide {
        for group in [left, right] {
            let lines = group.into_iter().enumerate();
            text.lines.extend(lines.map(|(place, line)| Line::styled(line, style(place))));
        }
        return;
    }
    for place in 0..left.len().max(right.len()) {
        let cell = |group: &[String]| group.get(place).cloned().unwrap_or_default();
        let left = Span::styled(fit(&cell(&left), width), style(place));
        text.lines.push(Line::from(vec![left, Span::styled(cell(&right), style(place))]));
    }
}

/// One group: its participants, its records, what their agencies are told.
fn group(
    detail: &TaskDetail,
    is_left: bool,
    pair: Option<&PairExplanation>,
    look: &Look,
    width: usize,
) -> Vec<String> {
    let records: Vec<_> =
        detail.records.iter().filter(|record| record.is_left == is_left).collect();
    let participants: BTreeSet<&str> = records
        .iter()
        .map(|record| record.participant.as_str())
        .filter(|participant| !participant.is_empty())
        .collect();
    let name = if is_left { "LEFT" } else { "RIGHT" };
    let mut heading = format!(" {name}: {}", words::count(records.len(), "record"));
    if !participants.is_empty() {
        let participants: Vec<&str> = participants.into_iter().collect();
        heading += &format!(" of {}", participants.join(", "));
    }
    let shown = pair.map(|pair| if is_left { &pair.left } else { &pair.right });
    let mut lines = vec![fit(&look.clean(&heading), width).trim_end().to_owned()];
    for record in records {
        let is_shown = shown.is_some_and(|shown| *shown == record.record);
        lines.extend(record_lines(record, is_shown, look, width));
    }
    lines
}

fn record_lines(record: &TaskRecord, is_shown: bool, look: &Look, width: usize) -> Vec<String> {
    let mark = if is_shown { look.mark() } else { ' ' };
    let name = words::record(record.record.as_ref());
    let first = look.clean(&format!("{name} v{}", record.version));
    let mut lines = vec![fit(&format!(" {mark} {first}"), width).trim_end().to_owned()];
    for status in &record.statuses {
        let status = wrap(&look.clean(status), width.saturating_sub(5));
        lines.extend(status.into_iter().map(|part| format!("     {part}")));
    }
    lines
}

/// The pairs across the groups, where there is more than one.
fn other_pairs(text: &mut Text<'_>, pairs: &[&PairExplanation], shown: usize) {
    if pairs.len() < 2 {
        return;
    }
    text.heading("Pairs across the groups (Tab)");
    for (place, pair) in pairs.iter().enumerate() {
        let mark = if place == shown { text.look.mark() } else { ' ' };
        let weight = if pair.blind { String::new() } else { words::bits(pair.total_millibits) };
        let (left, right) = (words::record(pair.left.as_ref()), words::record(pair.right.as_ref()));
        let line = text.look.clean(&format!("{left} and {right}"));
        text.lines.push(Line::raw(format!(" {mark} {:>2} {weight:>7}  {line}", place + 1)));
    }
}

fn notes(text: &mut Text<'_>, notes: &[TaskNote], now: Timestamp) {
    if notes.is_empty() {
        return;
    }
    text.heading("What stewards said of it before");
    for note in notes {
        let until = match words::day(note.until.as_ref()) {
            day if day.is_empty() => day,
            day => format!(" until {day}"),
        };
        let (what, age) = (words::verdict_done(note.verdict()), words::age(note.at.as_ref(), now));
        let line = format!("{}, {age} ago, {what}{until}: {}", note.author, note.reason);
        text.paragraph("-", &line);
    }
}

fn questions(text: &mut Text<'_>, detail: &TaskDetail, now: Timestamp) {
    if detail.questions.is_empty() {
        return;
    }
    text.heading("What agencies were asked");
    for question in &detail.questions {
        let answer = match question.answer.as_str() {
            "" => match words::day(question.put_on.as_ref()) {
                day if day.is_empty() => "is asked with the next round".to_owned(),
                day => format!("asked on {day}, no answer yet"),
            },
            answer => format!(
                "{}, {} ago",
                answer.to_uppercase(),
                words::age(question.answered_at.as_ref(), now)
            ),
        };
        let (record, fields) = (words::record(question.record.as_ref()), &question.fields);
        let (fields, author) = (fields.join(", "), &question.author);
        text.paragraph("-", &format!("{record}: {fields} (by {author}): {answer}"));
    }
}

fn decisions(text: &mut Text<'_>, detail: &TaskDetail) {
    if detail.decisions.is_empty() {
        return;
    }
    text.heading("Decisions across the groups that bind now");
    for decision in &detail.decisions {
        text.paragraph("-", &words::decision(decision));
    }
}
