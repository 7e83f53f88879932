//! The parts of a pair's weight, one below the other, each from where the sum stood before it.

use api::review::{FieldExplanation, PairExplanation};
use ratatui::text::{Line, Span};

use super::{
    look::{Look, Role},
    wrap::{fit, wrap},
};
use crate::commands::review::screen::words::{self, Agreement};

const NAME_WIDTH: usize = 15;
const LEVEL_WIDTH: usize = 20;
const WEIGHT_WIDTH: usize = 7;
const FREQUENCY_WIDTH: usize = 6;
/// Everything left of the bars, with the spaces between.
const TEXT_WIDTH: usize = 1 + NAME_WIDTH + 1 + LEVEL_WIDTH + WEIGHT_WIDTH + 1 + FREQUENCY_WIDTH + 1;

/// A row: a field, or what else adds to the total.
struct Part {
    name: String,
    level: String,
    /// In thousandths of a bit.
    weight: i32,
    frequency: i32,
}

impl Part {
    /// What it adds, with the term frequency.
    fn sum(&self) -> i32 {
        self.weight.saturating_add(self.frequency)
    }
}

/// Where a pair stands, then its fields as rows with bars, in schema order: a field stands at about
/// the same place in every task. Of a blind pair only the levels. Fields without a value on a side
/// say nothing, and share a line.
pub fn lines(
    pair: &PairExplanation,
    caption: &str,
    look: &Look,
    width: usize,
) -> Vec<Line<'static>> {
    let mut lines = if pair.blind {
        blind_lines(pair, caption, look)
    } else {
        weighed_lines(pair, caption, look, width)
    };
    let silent: Vec<&str> = pair
        .fields
        .iter()
        .filter(|field| is_silent(field))
        .map(|field| field.field.as_str())
        .collect();
    if !silent.is_empty() {
        let text = look.clean(&format!("no value on a side: {}", silent.join(", ")));
        let place = lines.len() - usize::from(!pair.blind);
        let text = wrap(&text, width.saturating_sub(1)).into_iter();
        let text = text.map(|part| Line::styled(format!(" {part}"), look.style(Role::Dim)));
        lines.splice(place..place, text);
    }
    lines
}

fn is_silent(field: &FieldExplanation) -> bool {
    let has_weight = field.weight_millibits != 0 || field.term_frequency_millibits != 0;
    field.level == "missing" && !has_weight
}

fn weighed_lines(
    pair: &PairExplanation,
    caption: &str,
    look: &Look,
    width: usize,
) -> Vec<Line<'static>> {
    let parts = parts(pair);
    let axis = Axis::of(pair, &parts, width.saturating_sub(TEXT_WIDTH));
    let mut lines = vec![verdict_line(pair, caption, look), caption_line(pair, look)];
    let mut sum = 0_i32;
    for part in &parts {
        let after = sum.saturating_add(part.sum());
        lines.push(row(part, axis.bar(sum, after, look), look));
        sum = after;
    }
    lines.push(total_line(pair, &axis, look));
    lines
}

/// What adds up to the total, without what says nothing.
fn parts(pair: &PairExplanation) -> Vec<Part> {
    let whole = |name: &str, level: &str, weight| Part {
        name: name.to_owned(),
        level: level.to_owned(),
        weight,
        frequency: 0,
    };
    let mut parts = vec![whole("(prior)", "", pair.prior_millibits)];
    let telling = pair.fields.iter().filter(|field| !is_silent(field));
    parts.extend(telling.map(|field| Part {
        name: field.field.clone(),
        level: words::level(&field.level).0,
        weight: field.weight_millibits,
        frequency: field.term_frequency_millibits,
    }));
    for (name, level, weight) in [
        ("(correlated)", "fields say it twice", pair.correlation_millibits),
        ("(household)", "would agree as well", pair.household_millibits),
    ] {
        if weight != 0 {
            parts.push(whole(name, level, weight));
        }
    }
    parts
}

fn caption_line(pair: &PairExplanation, look: &Look) -> Line<'static> {
    let [lower, upper] =
        [pair.lower_cut_off_millibits, pair.upper_cut_off_millibits].map(words::bits);
    let text = format!(
        " {} {}{:>WEIGHT_WIDTH$} {:>FREQUENCY_WIDTH$} {} cut-offs {lower} {upper}",
        fit("field", NAME_WIDTH),
        fit("its two values", LEVEL_WIDTH),
        "weight",
        "rarity",
        look.cut_off(),
    );
    Line::styled(text, look.style(Role::Dim))
}

fn row(part: &Part, bar: Vec<Span<'static>>, look: &Look) -> Line<'static> {
    let frequency = match part.frequency {
        0 => String::new(),
        frequency => words::bits(frequency),
    };
    let text = format!(
        " {} {}{:>WEIGHT_WIDTH$} {frequency:>FREQUENCY_WIDTH$} ",
        fit(&look.clean(&part.name), NAME_WIDTH),
        fit(&look.clean(&part.level), LEVEL_WIDTH),
        words::bits(part.weight),
    );
    let mut spans = vec![Span::raw(text)];
    spans.extend(bar);
    Line::from(spans)
}

fn total_line(pair: &PairExplanation, axis: &Axis, look: &Look) -> Line<'static> {
    let text = format!(
        " {} {:>WEIGHT_WIDTH$} {:>FREQUENCY_WIDTH$} ",
        fit("total", NAME_WIDTH + LEVEL_WIDTH),
        words::bits(pair.total_millibits),
        "",
    );
    let mut cells = axis.empty(look);
    if let Some(cell) = cells.get_mut(axis.cell(pair.total_millibits)) {
        *cell = look.total();
    }
    let bar: String = cells.into_iter().collect();
    Line::styled(format!("{text}{bar}"), look.style(Role::Heading))
}

/// Where the total stands to the cut-offs.
fn verdict_line(pair: &PairExplanation, caption: &str, look: &Look) -> Line<'static> {
    let place = match pair.total_millibits {
        total if total < pair.lower_cut_off_millibits => "below the cut-offs",
        total if total < pair.upper_cut_off_millibits => "between the cut-offs",
        _ => "above the cut-offs",
    };
    let (total, probability) =
        (words::bits(pair.total_millibits), words::probability(pair.probability_ppm));
    let text = format!(" {caption}: {total} bits, probability {probability}, {place}");
    Line::styled(text, look.style(Role::Heading))
}

/// The levels alone, with a sign for how far they agree.
fn blind_lines(pair: &PairExplanation, caption: &str, look: &Look) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(format!(" {caption}"), look.style(Role::Heading))];
    let telling = pair.fields.iter().filter(|field| !is_silent(field));
    lines.extend(telling.map(|field| {
        let (level, agreement) = words::level(&field.level);
        let (sign, role) = match agreement {
            Agreement::Full => ("==", Role::For),
            Agreement::Partial => ("~ ", Role::For),
            Agreement::None => ("<>", Role::Against),
            Agreement::Unknown => ("  ", Role::Dim),
        };
        let name = fit(&look.clean(&field.field), NAME_WIDTH);
        Line::from(vec![
            Span::raw(format!(" {name} ")),
            Span::styled(format!("{sign} {}", look.clean(&level)), look.style(role)),
        ])
    }));
    lines
}

/// Maps weights to characters of a line.
struct Axis {
    from: i32,
    to: i32,
    width: usize,
    cut_offs: [i32; 2],
}

impl Axis {
    /// Wide enough for every sum on the way, zero and the cut-offs.
    fn of(pair: &PairExplanation, parts: &[Part], width: usize) -> Self {
        let sums = parts.iter().scan(0_i32, |sum, part| {
            *sum = sum.saturating_add(part.sum());
            Some(*sum)
        });
        let cut_offs = [pair.lower_cut_off_millibits, pair.upper_cut_off_millibits];
        let all: Vec<i32> = sums.chain(cut_offs).chain([0, pair.total_millibits]).collect();
        let from = all.iter().copied().min().unwrap_or(0);
        let to = all.iter().copied().max().unwrap_or(0);
        Self { from, to, width, cut_offs }
    }

    /// The place of a weight, from 0 to one less than the width.
    fn cell(&self, weight: i32) -> usize {
        let last = i64::try_from(self.width.saturating_sub(1)).unwrap_or(0);
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        let range = (to - from).max(1);
        let along = (i64::from(weight) - from).clamp(0, range) * last;
        usize::try_from((along + range / 2) / range).unwrap_or(0)
    }

    /// A line with the cut-offs only.
    fn empty(&self, look: &Look) -> Vec<char> {
        let mut cells = vec![' '; self.width];
        for cut_off in self.cut_offs {
            if let Some(cell) = cells.get_mut(self.cell(cut_off)) {
                *cell = look.cut_off();
            }
        }
        cells
    }

    /// A bar from one sum to the next; a dot where they are equal.
    fn bar(&self, before: i32, after: i32, look: &Look) -> Vec<Span<'static>> {
        let (mut cells, is_for) = (self.empty(look), after >= before);
        let (start, end) = (self.cell(before.min(after)), self.cell(before.max(after)));
        if cells.is_empty() {
            return Vec::new();
        }
        let sign = if before == after { look.dot() } else { look.bar(is_for) };
        // A bar that begins where the one above ended does not cover its last cell again.
        let start = if is_for && end > start { start + 1 } else { start };
        let end = if !is_for && end > start { end - 1 } else { end };
        cells[start..=end].fill(sign);
        let role = match before == after {
            true => Role::Dim,
            false if is_for => Role::For,
            false => Role::Against,
        };
        let text = |cells: &[char]| cells.iter().collect::<String>();
        vec![
            Span::styled(text(&cells[..start]), look.style(Role::Dim)),
            Span::styled(text(&cells[start..=end]), look.style(role)),
            Span::styled(text(&cells[end + 1..]), look.style(Role::Dim)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOOK: Look = Look { is_unicode: false, is_colored: false };

    fn axis(from: i32, to: i32, width: usize) -> Axis {
        Axis { from, to, width, cut_offs: [from, to] }
    }

    fn bar(axis: &Axis, before: i32, after: i32) -> String {
        axis.bar(before, after, &LOOK).iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn a_bar_goes_from_sum_to_sum_and_shows_its_sign() {
        let axis = axis(-4_000, 5_000, 10);
        assert_eq!(bar(&axis, 0, 3_000), ":    +++ :");
        assert_eq!(bar(&axis, 3_000, -2_000), ": -----  :");
        assert_eq!(bar(&axis, 0, 0), ":   .    :");
        assert_eq!(bar(&axis, 0, 10), ":   +    :");
    }

    proptest! {
        #[test]
        fn any_weights_fit_any_width(
            from: i32, to: i32, before: i32, after: i32, width in 0_usize..50,
        ) {
            let axis = axis(from.min(to), from.max(to), width);
            prop_assert_eq!(bar(&axis, before, after).chars().count(), width);
        }
    }
}
