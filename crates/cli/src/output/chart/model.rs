//! Charts of a linkage model: match weights with their intervals, the calibration curve.

use std::ops::Range;

use plotters::{
    element::{PathElement, Polygon, Rectangle},
    prelude::{ChartBuilder, Color},
};

use super::{
    AGAINST, AXIS_HEIGHT, ChartError, FONT, FOR, GRID, INK, WHITE, bar_rows, canvas, mark_cut_offs,
    name_row, row_middle, rows_height,
};

/// Space for the names of levels, left of the bars.
const LABEL_WIDTH: u32 = 110;
const CURVE_HEIGHT: u32 = 320;

/// A horizontal bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The comparison level.
    pub label: String,
    /// The match weight, in bits.
    pub weight: f64,
    /// The 95 % interval of the weight.
    pub interval: Option<(f64, f64)>,
}

/// A point of a curve with a band, at a weight in bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandPoint {
    /// The weight, in bits.
    pub weight: f64,
    /// The value, 0 to 1.
    pub value: f64,
    /// Lower edge of the band.
    pub low: f64,
    /// Upper edge of the band.
    pub high: f64,
}

/// A chart of one field's levels as an `<svg>` element, a bar each from 0 to its weight, on an axis
/// of `range` bits.
///
/// # Errors
/// [`ChartError`] when the chart cannot be drawn.
pub fn weights(bars: &[Bar], range: Range<f64>) -> Result<String, ChartError> {
    let mut svg = String::new();
    {
        let area = canvas(&mut svg, rows_height(bars.len()))?;
        let mut chart = bar_rows(&area, bars.len(), LABEL_WIDTH, range)?;
        for (place, bar) in bars.iter().enumerate() {
            let middle = row_middle(bars.len(), place);
            let color = if bar.weight < 0.0 { AGAINST } else { FOR };
            let corners = [(0.0, middle - 0.3), (bar.weight, middle + 0.3)];
            chart.draw_series([Rectangle::new(corners, color.mix(0.55).filled())])?;
            if let Some((low, high)) = bar.interval {
                let whisker = vec![(low, middle), (high, middle)];
                chart.draw_series([PathElement::new(whisker, INK.stroke_width(2))])?;
            }
            name_row(&area, &chart, &bar.label, LABEL_WIDTH, middle)?;
        }
        area.present()?;
    }
    Ok(svg)
}

/// A chart of probability over weight as an `<svg>` element: the curve with its band, and a
/// vertical line at each of the two cut-offs, in bits.
///
/// # Errors
/// [`ChartError`] when the chart cannot be drawn.
pub fn calibration(curve: &[BandPoint], lower: f64, upper: f64) -> Result<String, ChartError> {
    let mut svg = String::new();
    {
        let area = canvas(&mut svg, CURVE_HEIGHT)?;
        let ends = curve.first().zip(curve.last());
        let range = ends.map_or(0.0..1.0, |(first, last)| first.weight..last.weight);
        let mut chart = ChartBuilder::on(&area)
            .margin(4)
            .margin_right(24)
            .x_label_area_size(AXIS_HEIGHT - 8)
            .y_label_area_size(64)
            .build_cartesian_2d(range, 0.0..1.08)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(WHITE)
            .x_labels(12)
            .x_label_formatter(&|bits| format!("{bits:.0}"))
            .y_label_formatter(&|probability| format!("{probability:.1}"))
            .x_desc("weight of a join in bits")
            .y_desc("probability that it is right")
            .axis_desc_style(FONT)
            .label_style(FONT)
            .draw()?;
        let upper_edge = curve.iter().map(|point| (point.weight, point.high));
        let lower_edge = curve.iter().rev().map(|point| (point.weight, point.low));
        let band: Vec<_> = upper_edge.chain(lower_edge).collect();
        chart.draw_series([Polygon::new(band, FOR.mix(0.2).filled())])?;
        let line: Vec<_> = curve.iter().map(|point| (point.weight, point.value)).collect();
        chart.draw_series([PathElement::new(line, FOR.stroke_width(2))])?;
        mark_cut_offs(&mut chart, (lower, upper), 0.0..1.08, 1.04)?;
        area.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_its_bar_and_an_interval_only_where_it_is_known() {
        let bar = |label: &str, weight, interval| Bar { label: label.to_owned(), weight, interval };
        let bars = [bar("exact", 8.0, Some((7.0, 9.0))), bar("differ", -3.0, None)];
        let svg = weights(&bars, -10.0..10.0).unwrap();
        assert!(svg.trim_end().ends_with("</svg>"), "{svg}");
        assert!(svg.contains("exact") && svg.contains("differ"), "{svg}");
        let n_bars = svg.matches("opacity=\"0.55\"").count();
        let n_intervals = svg.matches("stroke-width=\"2\"").count();
        assert_eq!((n_bars, n_intervals), (2, 1), "{svg}");
    }

    #[test]
    fn a_name_cannot_leave_its_element() {
        let bar = Bar { label: "<script>".to_owned(), weight: 1.0, interval: None };
        assert!(!weights(&[bar], -1.0..1.0).unwrap().contains("<script>"));
    }

    #[test]
    fn the_cut_offs_are_marked_on_the_curve() {
        let point = |weight, value| BandPoint { weight, value, low: 0.9 * value, high: value };
        let svg = calibration(&[point(-2.0, 0.1), point(5.0, 0.9)], 0.0, 3.0).unwrap();
        assert!(["lower", "upper", "<polygon"].iter().all(|part| svg.contains(part)), "{svg}");
    }
}
