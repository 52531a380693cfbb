//! The picture: how many requests wait longer than a time for their first token, by night and by
//! day. The background is transparent, and every colour is visible on white and on black.

use crate::Period;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// One colour for each policy.
const COLOURS: [RGBColor; 6] = [
    RGBColor(229, 72, 77),   // red
    RGBColor(204, 112, 0),   // orange
    RGBColor(46, 118, 237),  // blue
    RGBColor(31, 150, 72),   // green
    RGBColor(199, 73, 199),  // magenta
    RGBColor(121, 128, 138), // grey
];

const INK: RGBColor = RGBColor(121, 128, 138);

/// Times outside of this range are drawn on its edge.
const SECONDS: std::ops::Range<f64> = 0.01..3_000.0;

const SHARES: std::ops::Range<f64> = 0.001..1.0;

pub fn draw(file: &Path, periods: &[&Period]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (1200, 520)).into_drawing_area();
    for (panel, period) in area.split_evenly((1, periods.len())).iter().zip(periods) {
        draw_period(panel, period)?;
    }
    area.present()?;
    Ok(())
}

fn draw_period(panel: &Area<'_>, period: &Period) -> Result<(), Box<dyn Error>> {
    let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
    let title = format!("{}: {} requests/s", period.name, period.rate);
    let mut chart = ChartBuilder::on(panel)
        .caption(title, text(20))
        .margin(12)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(SECONDS.log_scale(), SHARES.log_scale())?;
    chart
        .configure_mesh()
        .x_desc("seconds to the first token")
        .y_desc("fraction of the requests that wait longer")
        .axis_style(INK)
        .bold_line_style(INK.mix(0.3))
        .light_line_style(TRANSPARENT)
        .label_style(text(13))
        .axis_desc_style(text(15))
        .x_labels(6)
        .y_labels(4)
        .draw()?;
    for (outcome, colour) in period.outcomes.iter().zip(COLOURS) {
        // 150 places along the logarithm of the share.
        let tail = (0..=150).map(|step| {
            let share = SHARES.start.powf(f64::from(step) / 150.0);
            let seconds = outcome.percentile(100.0 * (1.0 - share));
            (seconds.clamp(SECONDS.start, SECONDS.end), share)
        });
        chart.draw_series(LineSeries::new(tail, colour.stroke_width(2)))?;
    }
    // The names, in their lines' colours, at the lower left, which no line reaches.
    let (left, mut line) = (84, 340);
    for (outcome, colour) in period.outcomes.iter().zip(COLOURS) {
        let style = ("sans-serif", 13).into_font().color(&colour);
        let style = style.pos(Pos::new(HPos::Left, VPos::Center));
        let hits = outcome.hit_rate * 100.0;
        let name = format!("{}: {hits:.0} % cached", outcome.name);
        panel.draw(&PathElement::new(
            [(left, line), (left + 20, line)],
            colour.stroke_width(3),
        ))?;
        panel.draw(&Text::new(name, (left + 26, line), style))?;
        line += 18;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast ratio of WCAG 2 between two relative luminances.
    fn contrast(a: f64, b: f64) -> f64 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(colour: RGBColor) -> f64 {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
    }

    /// WCAG asks for 3 : 1 between a graphical object and its background.
    #[test]
    fn every_colour_is_visible_on_white_and_on_black() {
        for colour in COLOURS.into_iter().chain([INK]) {
            let luminance = luminance(colour);
            assert!(contrast(luminance, 1.0) >= 3.0, "{colour:?} on white");
            assert!(contrast(luminance, 0.0) >= 3.0, "{colour:?} on black");
        }
    }
}
