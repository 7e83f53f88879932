//! An explanation as one HTML page: the verdict in words, a waterfall chart per pair, and tables.

use api::review::{ExplainResponse, PairExplanation};
use record::RecordKey;

use super::pair::{Part, decision_text, parts, parts_section, record_text};
use crate::output::{
    Section,
    chart::{
        ChartError,
        waterfall::{Step, Waterfall},
    },
    page::Page,
};

/// The page for `record`, beside `other`, of which `verdict` is the sentence, or beside every other
/// record of its participant.
///
/// # Errors
/// [`ChartError`] when a chart cannot be drawn.
pub fn page(
    record: &RecordKey,
    other: Option<&RecordKey>,
    verdict: Option<&str>,
    answer: &ExplainResponse,
    tables: &[(&str, &Section)],
) -> Result<String, ChartError> {
    let title = match other {
        Some(other) => format!("{record} and {other}"),
        None => format!("{record} and its participant"),
    };
    let membership = verdict.map_or_else(|| membership(record, answer), str::to_owned);
    let mut page = Page::new(&title).paragraph(&membership);
    for pair in &answer.pairs {
        page = add_pair(page, pair)?;
    }
    for (heading, section) in tables {
        page = page.heading(heading).table(section);
    }
    Ok(page.finish())
}

/// To whom the record belongs now, in a sentence.
fn membership(record: &RecordKey, answer: &ExplainResponse) -> String {
    if answer.participant.is_empty() {
        return format!("{record} is withdrawn: no participant has it.");
    }
    let participant = format!("{record} belongs to participant {}", answer.participant);
    match answer.pairs.len() {
        0 => format!("{participant}, alone."),
        1 => format!("{participant}, with one other record."),
        n_others => format!("{participant}, with {n_others} other records."),
    }
}

fn add_pair(page: Page, pair: &PairExplanation) -> Result<Page, ChartError> {
    let name = |record: Option<&_>| record.map(record_text).unwrap_or_default();
    let (left, right) = (name(pair.left.as_ref()), name(pair.right.as_ref()));
    let mut page = page.heading(&format!("{left} – {right}"));
    if let Some(decision) = decision_text(pair) {
        page = page.paragraph(&format!("A steward's decision binds the pair: {decision}"));
    }
    if pair.blind {
        return Ok(page.paragraph("The score is hidden.").table(&parts_section(pair)));
    }
    let page = page
        .paragraph(&pair.conclusions.join(" "))
        .paragraph(&verdict_on_weight(pair))
        .chart("How the weight adds up", &waterfall(pair).svg()?)
        .table(&parts_section(pair));
    Ok(page)
}

/// Where the weight stands to the cut-offs, in words.
fn verdict_on_weight(pair: &PairExplanation) -> String {
    let (lower, upper) = (pair.lower_cut_off_millibits, pair.upper_cut_off_millibits);
    let place = match pair.total_millibits {
        total if total < lower => "below the lower cut-off",
        total if total < upper => "between the cut-offs",
        _ => "at or above the upper cut-off",
    };
    format!(
        "The match weight is {:+.2} bits, {place}; a pair of this weight is one person with a \
         probability of {:.4}. From the upper cut-off on, {:+.2} bits, a pair is linked if nothing \
         else speaks against it; from the lower one on, {:+.2} bits, a steward is asked. The model \
         is {}.",
        in_bits(pair.total_millibits),
        f64::from(pair.probability_ppm) / 1e6,
        in_bits(upper),
        in_bits(lower),
        pair.model_version
    )
}

fn waterfall(pair: &PairExplanation) -> Waterfall {
    Waterfall {
        steps: parts(pair).iter().flat_map(steps).collect(),
        total: in_bits(pair.total_millibits),
        lower: in_bits(pair.lower_cut_off_millibits),
        upper: in_bits(pair.upper_cut_off_millibits),
    }
}

/// A step for the level and, where the value's frequency adds something, one for that.
fn steps(part: &Part<'_>) -> Vec<Step> {
    let step = |label, millibits| Step { label, weight: in_bits(millibits) };
    let label = match part.level {
        Some(level) => format!("{}: {level}", part.name),
        None => part.name.to_owned(),
    };
    let mut steps = vec![step(label, part.weight)];
    if let Some(frequency) = part.term_frequency.filter(|frequency| *frequency != 0) {
        steps.push(step(format!("{}: term frequency", part.name), frequency));
    }
    steps
}

fn in_bits(millibits: i32) -> f64 {
    f64::from(millibits) / 1e3
}

#[cfg(test)]
mod tests {
    use api::{review::FieldExplanation, types};

    use super::*;

    fn key(local_id: &str) -> types::RecordKey {
        types::RecordKey { agency: "college".to_owned(), local_id: local_id.to_owned() }
    }

    fn answer(left: &str) -> ExplainResponse {
        let field = |field: &str, level: &str, weight_millibits, term_frequency_millibits| {
            let (field, level) = (field.to_owned(), level.to_owned());
            FieldExplanation { field, level, weight_millibits, term_frequency_millibits }
        };
        let pair = PairExplanation {
            left: Some(key(left)),
            right: Some(key("2")),
            fields: vec![
                field("first_name", "missing", 0, 0),
                field("ssn", "differ", -4_000, 0),
                field("last_name", "exact", 9_000, -1_500),
                field("zip", "exact", 8_000, 0),
            ],
            prior_millibits: -13_000,
            correlation_millibits: -500,
            household_millibits: -1_000,
            total_millibits: -3_000,
            lower_cut_off_millibits: -1_000,
            upper_cut_off_millibits: 6_000,
            conclusions: vec!["Two people <b>.".to_owned()],
            ..PairExplanation::default()
        };
        ExplainResponse {
            participant: "P1".to_owned(),
            other_participant: "P2".to_owned(),
            pairs: vec![pair],
            ..ExplainResponse::default()
        }
    }

    #[test]
    fn the_steps_are_the_prior_the_fields_by_weight_and_what_is_taken_back() {
        let answer = answer("1");
        let waterfall = waterfall(&answer.pairs[0]);
        let labels: Vec<&str> = waterfall.steps.iter().map(|step| step.label.as_str()).collect();
        let expected = [
            "(prior)",
            "zip: exact",
            "last_name: exact",
            "last_name: term frequency",
            "first_name: missing",
            "ssn: differ",
            "(correlated fields)",
            "(one household)",
        ];
        assert_eq!(labels, expected);
        let sum: f64 = waterfall.steps.iter().map(|step| step.weight).sum();
        assert!((sum - waterfall.total).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn a_page_says_where_the_weight_stands_and_needs_nothing_else() {
        let long = "x".repeat(200);
        let answer = answer(&format!("<i>{long}"));
        let record: RecordKey = "college/1".parse().unwrap();
        let section = Section::new("history", &["record"]);
        let tables = [("Participant", &section), ("History", &section)];
        let verdict = Some("Two participants, P1 & P2.");
        let html = page(&record, Some(&record), verdict, &answer, &tables).unwrap();
        for part in ["below the lower cut-off", "Two people &lt;b&gt;.", "P1 &amp; P2.", &long] {
            assert!(html.contains(part), "{part}");
        }
        let alien = html.replace("http://www.w3.org/2000/svg", "");
        for part in ["<script", "<b>", "<i>", "http", "href", "src=", "@import", "url("] {
            assert!(!alien.contains(part), "{part}");
        }
    }
}
