//! How a sum of weights comes about, step by step, and where it stands to the cut-offs.

use std::ops::Range;

use plotters::{
    element::{PathElement, Rectangle},
    prelude::Color,
};

use super::{
    AGAINST, ChartError, FOR, INK, bar_rows, canvas, mark_cut_offs, name_row, row_middle,
    rows_height,
};

/// Space for the names of steps, left of their weights.
const LABEL_WIDTH: u32 = 240;
/// Space for the weights as numbers, left of the bars.
const WEIGHT_WIDTH: u32 = 60;
/// Most characters of a name that fit.
const LABEL_CHARS: usize = 36;
/// Free space left and right of the bars, as a share of what they span.
const MARGIN: f64 = 0.1;

/// A part of the sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is.
    pub label: String,
    /// Its weight, in bits.
    pub weight: f64,
}

/// A sum of weights, in bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// The parts, in the order in which they are added to 0.
    pub steps: Vec<Step>,
    /// What they add up to.
    pub total: f64,
    /// The lower cut-off.
    pub lower: f64,
    /// The upper cut-off.
    pub upper: f64,
}

impl Waterfall {
    /// The chart as an `<svg>` element: a bar per step from the sum before it to the sum after it,
    /// with its weight as a number, then the total, and a line at each of the two cut-offs.
    ///
    /// # Errors
    /// [`ChartError`] when the chart cannot be drawn.
    pub fn svg(&self) -> Result<String, ChartError> {
        let mut svg = String::new();
        {
            // The first row is for the names of the cut-offs, the last one for the total.
            let n_rows = self.steps.len() + 2;
            let area = canvas(&mut svg, rows_height(n_rows))?;
            let mut chart = bar_rows(&area, n_rows, LABEL_WIDTH + WEIGHT_WIDTH, self.range())?;
            mark_cut_offs(&mut chart, (self.lower, self.upper), 0.0..n_rows as f64, {
                row_middle(n_rows, 0)
            })?;
            let mut sum = 0.0;
            let total = Step { label: "(total)".to_owned(), weight: self.total };
            for (place, step) in self.steps.iter().chain([&total]).enumerate() {
                let middle = row_middle(n_rows, place + 1);
                let is_total = place == self.steps.len();
                let start = if is_total { 0.0 } else { sum };
                let end = start + step.weight;
                let color = match step.weight {
                    _ if is_total => INK,
                    weight if weight < 0.0 => AGAINST,
                    _ => FOR,
                };
                let corners = [(start, middle - 0.3), (end, middle + 0.3)];
                chart.draw_series([Rectangle::new(corners, color.mix(0.55).filled())])?;
                if !is_total {
                    let joint = vec![(end, middle), (end, middle - 1.0)];
                    chart.draw_series([PathElement::new(joint, INK.stroke_width(1))])?;
                }
                name_row(&area, &chart, &shortened(&step.label), LABEL_WIDTH, middle)?;
                let weight = format!("{:+.2}", step.weight);
                name_row(&area, &chart, &weight, LABEL_WIDTH + WEIGHT_WIDTH, middle)?;
                sum = end;
            }
            area.present()?;
        }
        Ok(svg)
    }

    /// Around 0, every sum on the way and both cut-offs, with space for the names of the latter.
    fn range(&self) -> Range<f64> {
        let sums = self.steps.iter().scan(0.0, |sum, step| {
            *sum += step.weight;
            Some(*sum)
        });
        let (low, high) = sums
            .chain([self.total, self.lower, self.upper])
            .fold((0.0, 0.0), |(low, high): (f64, f64), end| (low.min(end), high.max(end)));
        let margin = (MARGIN * (high - low)).max(1.0);
        (low - margin).floor()..(high + margin).ceil()
    }
}

/// As much of a name as fits.
fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL_CHARS {
        return label.to_owned();
    }
    label.chars().take(LABEL_CHARS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waterfall(label: &str) -> Waterfall {
        let step = |label: &str, weight| Step { label: label.to_owned(), weight };
        let steps = vec![step("prior", -13.0), step(label, 18.5), step("ssn: differ", -4.25)];
        Waterfall { steps, total: 1.25, lower: 0.0, upper: 6.0 }
    }

    #[test]
    fn every_step_and_the_total_have_a_bar_and_a_number_with_its_sign() {
        let svg = waterfall("last_name: exact").svg().unwrap();
        assert_eq!(svg.matches("opacity=\"0.55\"").count(), 4, "{svg}");
        for part in ["prior", "last_name: exact", "(total)", "lower", "upper"] {
            assert!(svg.contains(&format!("\n{part}\n")), "{part}");
        }
        for number in ["-13.00", "+18.50", "-4.25", "+1.25"] {
            assert!(svg.contains(&format!("\n{number}\n")), "{number}");
        }
    }

    #[test]
    fn every_sum_on_the_way_and_the_cut_offs_are_within_the_axis() {
        let Range { start, end } = waterfall("last_name: exact").range();
        assert!(start < -13.0 && end > 6.0, "{start}..{end}");
        let mut far = waterfall("last_name: exact");
        far.upper = 30.0;
        assert!(far.range().end > 30.0);
    }

    #[test]
    fn a_long_name_is_shortened_and_cannot_leave_its_element() {
        let svg = waterfall(&format!("<script>{}", "é".repeat(300))).svg().unwrap();
        assert!(!svg.contains("<script>"), "{svg}");
        assert!(svg.contains('…') && !svg.contains(&"é".repeat(LABEL_CHARS)), "{svg}");
    }
}
