//! Charts as self-contained SVG: what all of them share, and a module per subject.

#[cfg(feature = "service")]
pub mod model;
pub mod waterfall;

use std::ops::Range;

use plotters::{
    chart::ChartContext,
    coord::{Shift, types::RangedCoordf64},
    drawing::DrawingAreaErrorKind,
    element::{DashedPathElement, Text},
    prelude::{
        Cartesian2d, ChartBuilder, DrawingArea, IntoDrawingArea, IntoFont, RGBColor, SVGBackend,
        WHITE,
    },
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{exit::Exit, failure::Failure};

/// Width of every chart, in pixels.
const WIDTH: u32 = 760;
const ROW_HEIGHT: u32 = 20;
/// Space for the axis below the bars.
const AXIS_HEIGHT: u32 = 46;

const FONT: (&str, u32) = ("sans-serif", 12);
const FOR: RGBColor = RGBColor(44, 123, 182);
const AGAINST: RGBColor = RGBColor(202, 90, 40);
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// What can go wrong while drawing into text.
pub type ChartError = DrawingAreaErrorKind<std::io::Error>;

/// A chart over two axes of numbers.
type Chart<'area, 'svg> =
    ChartContext<'area, SVGBackend<'svg>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl From<ChartError> for Failure {
    fn from(error: ChartError) -> Self {
        Self::plain(Exit::Bug, format!("a chart cannot be drawn: {error}"))
    }
}

fn canvas(svg: &mut String, height: u32) -> Result<DrawingArea<SVGBackend<'_>, Shift>, ChartError> {
    let area = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    Ok(area)
}

/// Height of a chart of `n_rows` bars.
fn rows_height(n_rows: usize) -> u32 {
    ROW_HEIGHT * n_rows as u32 + AXIS_HEIGHT
}

/// A chart of `n_rows` rows of height 1 over an axis of `range` bits, with `label_width` pixels for
/// the rows' names.
fn bar_rows<'area, 'svg>(
    area: &'area DrawingArea<SVGBackend<'svg>, Shift>,
    n_rows: usize,
    label_width: u32,
    range: Range<f64>,
) -> Result<Chart<'area, 'svg>, ChartError> {
    let mut chart = ChartBuilder::on(area)
        .margin(4)
        .margin_right(24)
        .x_label_area_size(AXIS_HEIGHT - 8)
        .y_label_area_size(label_width)
        .build_cartesian_2d(range, 0.0..n_rows as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(12)
        .y_labels(0)
        .bold_line_style(GRID)
        .light_line_style(WHITE)
        .x_label_formatter(&|bits| format!("{bits:.0}"))
        .x_desc("match weight in bits")
        .axis_desc_style(FONT)
        .label_style(FONT)
        .draw()?;
    Ok(chart)
}

/// The middle of a row: rows are read from the top, the axis counts from the bottom.
fn row_middle(n_rows: usize, row: usize) -> f64 {
    (n_rows - row) as f64 - 0.5
}

/// Writes text that ends `right` pixels from the left, beside the row with the middle `middle`.
fn name_row(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    chart: &Chart<'_, '_>,
    name: &str,
    right: u32,
    middle: f64,
) -> Result<(), ChartError> {
    let style = FONT.into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
    let (_, y) = chart.backend_coord(&(0.0, middle));
    area.draw(&Text::new(name.to_owned(), (right as i32 - 4, y), style))
}

/// Draws the lower and the upper cut-off, in bits, as dashed lines over `height`, with their names
/// at `name_height`.
fn mark_cut_offs(
    chart: &mut Chart<'_, '_>,
    (lower, upper): (f64, f64),
    height: Range<f64>,
    name_height: f64,
) -> Result<(), ChartError> {
    let range = chart.x_range();
    // Each name stands on its own side of its line: the two may be equal.
    let gap = (range.end - range.start) / 200.0;
    for (name, weight, gap, side) in
        [("lower", lower, -gap, HPos::Right), ("upper", upper, gap, HPos::Left)]
    {
        let line = [(weight, height.start), (weight, height.end)];
        chart.draw_series([DashedPathElement::new(line, 5, 3, AGAINST)])?;
        let style = FONT.into_font().color(&INK).pos(Pos::new(side, VPos::Center));
        chart.draw_series([Text::new(name, (weight + gap, name_height), style)])?;
    }
    Ok(())
}
