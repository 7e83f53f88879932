//! A linkage model as one HTML page of charts, without scripts and without references.

use std::ops::Range;

use linkage::{CutOffs, Estimate, FieldModel, LevelModel, MatchWeight, Model};

use super::interval::weight_interval;
use crate::output::{
    chart::{
        ChartError,
        model::{self as chart, BandPoint, Bar},
    },
    page::Page,
};

/// Bits that the calibration chart shows beyond the outermost knots and cut-offs.
const CURVE_MARGIN: f64 = 2.0;
/// Points per bit of the calibration curve.
const CURVE_STEPS: f64 = 8.0;

/// The page.
///
/// # Errors
/// [`ChartError`] when a chart cannot be drawn.
pub fn page(model: &Model) -> Result<String, ChartError> {
    let mut page = Page::new(&format!("Linkage model {}", model.id))
        .paragraph(&format!(
            "For the linkage schema {}. Two records drawn at random are of one person with {:.1} \
             bits; what their fields say is added to that.",
            model.schema,
            model.prior_weight().0
        ))
        .heading("Match weights")
        .paragraph(
            "What it says for (right) or against (left) one person that two values agree at a \
             level, against two strangers. Lines are 95 % intervals; without one, m or u is \
             assumed.",
        );
    let range = weight_range(model);
    for field in &model.fields {
        page = page.chart(&field.name, &chart::weights(&bars(field), range.clone())?);
    }
    let CutOffs { upper, lower, .. } = model.cut_offs;
    let page = page
        .heading("Calibration")
        .paragraph(&format!(
            "The probability that a join is right, by its weight, with its 95 % band. From the \
             upper cut-off on, {upper:.2} bits, a join is automatic; from the lower one on, \
             {lower:.2} bits, a steward is asked."
        ))
        .chart("Probability by weight", &chart::calibration(&curve(model), lower, upper)?);
    Ok(page.finish())
}

fn bars(field: &FieldModel) -> Vec<Bar> {
    let bar = |level: &LevelModel| Bar {
        label: level.level.to_string(),
        weight: level.weight().0,
        interval: weight_interval(field, level),
    };
    field.levels.iter().map(bar).collect()
}

/// Whole bits around all weights and their intervals, so that the fields can be compared.
fn weight_range(model: &Model) -> Range<f64> {
    let bars = model.fields.iter().flat_map(bars);
    let ends = bars.flat_map(|bar| {
        let (low, high) = bar.interval.unwrap_or((bar.weight, bar.weight));
        [low, high]
    });
    let (low, high) =
        ends.fold((-1.0, 1.0), |(low, high): (f64, f64), end| (low.min(end), high.max(end)));
    low.floor()..high.ceil()
}

/// The calibration curve around all knots and both cut-offs.
fn curve(model: &Model) -> Vec<BandPoint> {
    let knots = model.calibration.knots.iter().map(|knot| knot.weight);
    let weights = knots.chain([model.cut_offs.lower, model.cut_offs.upper]);
    let (low, high) = weights
        .fold((f64::MAX, f64::MIN), |(low, high), weight| (low.min(weight), high.max(weight)));
    let (low, high) = ((low - CURVE_MARGIN).floor(), (high + CURVE_MARGIN).ceil());
    let n_steps = ((high - low) * CURVE_STEPS) as u32;
    let point = |step: u32| {
        let weight = low + f64::from(step) / CURVE_STEPS;
        let Estimate { value, low, high } = model.probability(MatchWeight(weight));
        BandPoint { weight, value, low, high }
    };
    (0..=n_steps).map(point).collect()
}

#[cfg(test)]
mod tests {
    use linkage::DEFAULT_MODEL;
    use record::{DEFAULT_SCHEMA, Schema};

    use super::*;

    fn model() -> Model {
        Model::from_toml(DEFAULT_MODEL, &Schema::parse(DEFAULT_SCHEMA).unwrap()).unwrap()
    }

    #[test]
    fn the_page_holds_a_chart_per_field_and_the_curve_and_needs_nothing_else() {
        let model = model();
        let html = page(&model).unwrap();
        assert_eq!(html.matches("<svg").count(), model.fields.len() + 1);
        let alien = html.replace("http://www.w3.org/2000/svg", "");
        for part in ["<script", "http", "href", "src=", "@import", "url("] {
            assert!(!alien.contains(part), "{part}");
        }
    }

    #[test]
    fn a_models_name_cannot_bring_in_a_tag() {
        let mut model = model();
        model.id = "<script>alert(1)</script>".to_owned();
        assert!(!page(&model).unwrap().contains("<script"));
    }

    #[test]
    fn the_curve_reaches_beyond_knots_and_cut_offs() {
        let model = model();
        let curve = curve(&model);
        assert!(curve[0].weight < model.cut_offs.lower);
        assert!(curve[curve.len() - 1].weight > model.cut_offs.upper);
        assert!(curve.is_sorted_by(|l, r| l.weight < r.weight && l.value <= r.value));
    }
}
