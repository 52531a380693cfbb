//! The hit rate by second as a picture.

use crate::tier::Tier;
use crate::timeline::{PHASES, Timeline};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

/// Colours that differ for colour-blind readers too, and that are seen on white and on black.
const COLORS: [RGBColor; 4] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
];
const GREY: RGBColor = RGBColor(110, 110, 110);

pub(crate) fn draw(tiers: &[Tier], timeline: Timeline, path: &Path) -> Result<(), Box<dyn Error>> {
    let end = timeline.seconds() as f64;
    let lowest = tiers
        .iter()
        .flat_map(|tier| tier.tally.hit_rates())
        .fold(1.0, f64::min);
    let floor = (lowest * 10.0 - 0.5).floor().max(0.0) / 10.0;

    let root = SVGBackend::new(path, (900, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(14)
        .margin_right(24)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, floor..1.0 + (1.0 - floor) * 0.08)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| {
            if *y > 1.001 {
                String::new()
            } else {
                format!("{y:.2}")
            }
        })
        .x_desc("seconds")
        .y_desc("fraction of requests that hit")
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 16))
        .draw()?;
    for (phase, name) in PHASES.into_iter().enumerate() {
        let at = timeline.seconds_of(phase).start as f64;
        let top = 1.0 + (1.0 - floor) * 0.08;
        if phase > 0 {
            chart.draw_series([PathElement::new([(at, floor), (at, top)], GREY)])?;
        }
        let style = ("sans-serif", 15).into_font().color(&GREY);
        let text = Text::new(name, (at + end * 0.006, top), style);
        chart.draw_series([text])?;
    }
    // The first contender is drawn last, so that nothing covers it.
    for (tier, color) in tiers.iter().zip(COLORS).rev() {
        // A second's rate is drawn in its middle.
        let rates = tier.tally.hit_rates().into_iter().enumerate();
        let points = rates.map(|(second, rate)| (second as f64 + 0.5, rate));
        let style = color.stroke_width(3);
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(tier.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(RGBColor(180, 180, 180))
        .label_font(("sans-serif", 15))
        .draw()?;
    root.present()?;
    Ok(())
}
