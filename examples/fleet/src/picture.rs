//! The picture: reads in each second and the data that is moved, over time. The background is
//! transparent, and every colour is visible on white and on black.

use crate::Failure;
use crate::fleet::Sample;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

const BLUE: RGBColor = RGBColor(46, 118, 237);
const GREEN: RGBColor = RGBColor(31, 150, 72);
const RED: RGBColor = RGBColor(229, 72, 77);
const INK: RGBColor = RGBColor(121, 128, 138);

const SIZE: (u32, u32) = (1_100, 800);

/// The seconds over which the rate of reads is averaged.
const WINDOW: f64 = 1.0;

pub fn draw(file: &Path, samples: &[Sample], events: &[(f64, String)]) -> Result<(), Failure> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    let end = samples.last().map_or(1.0, |last| last.seconds);
    let rates = rates(samples);
    let most = rates.iter().fold(1.0, |most: f64, rate| most.max(rate.1)) * 1.1;
    let thousands = rates.iter().map(|&(at, rate)| (at, rate / 1_000.0));
    let moved = samples.iter().map(|sample| {
        let fraction = if sample.moving { sample.fraction } else { 0.0 };
        (sample.seconds, 100.0 * fraction)
    });
    let (panels, list) = area.split_vertically(620);
    let (upper, lower) = panels.split_vertically(330);
    let names = Panel {
        name: "thousand reads per second",
        top: most / 1_000.0,
        end,
        colour: BLUE,
        numbered: true,
    };
    names.draw(&upper, &thousands.collect::<Vec<_>>(), events)?;
    let names = Panel {
        name: "% of the change copied",
        top: 100.0,
        end,
        colour: GREEN,
        numbered: false,
    };
    names.draw(&lower, &moved.collect::<Vec<_>>(), events)?;
    // What the numbers mean, in two columns.
    let rows = events.len().div_ceil(2).max(1);
    for (at, (seconds, what)) in events.iter().enumerate() {
        let place = (60 + 520 * (at / rows), 8 + 22 * (at % rows));
        let place = (i32::try_from(place.0)?, i32::try_from(place.1)?);
        let name = format!("{}: {what} ({seconds:.0} s)", at + 1);
        let style = ("sans-serif", 15).into_font().color(&INK);
        list.draw(&Text::new(name, place, style))?;
    }
    area.present()?;
    Ok(())
}

/// A place of the whole picture as a place of one area.
fn relative(area: &Area<'_>, place: (i32, i32)) -> (i32, i32) {
    let (left, top) = area.get_base_pixel();
    (place.0 - left, place.1 - top)
}

/// The rate of reads at each sample, over the window before it.
fn rates(samples: &[Sample]) -> Vec<(f64, f64)> {
    let mut rates = Vec::new();
    let mut first = 0;
    for (last, sample) in samples.iter().enumerate() {
        while sample.seconds - samples[first].seconds > WINDOW && first + 1 < last {
            first += 1;
        }
        let before = &samples[first];
        let time = sample.seconds - before.seconds;
        if time > 0.0 {
            let reads = sample.counts.reads.saturating_sub(before.counts.reads);
            rates.push((sample.seconds, reads as f64 / time));
        }
    }
    rates
}

struct Panel {
    name: &'static str,
    top: f64,
    end: f64,
    colour: RGBColor,
    /// `true` if the numbers of the events are above it. Otherwise the seconds are below.
    numbered: bool,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

impl Panel {
    fn draw(
        &self,
        area: &Area<'_>,
        line: &[(f64, f64)],
        events: &[(f64, String)],
    ) -> Result<(), Failure> {
        let text = |size: u32, colour: RGBColor| ("sans-serif", size).into_font().color(&colour);
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_right(24)
            .margin_top(if self.numbered { 40 } else { 12 })
            .x_label_area_size(if self.numbered { 24 } else { 42 })
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..self.end, 0.0..self.top)?;
        let mut mesh = chart.configure_mesh();
        mesh.y_desc(self.name)
            .axis_style(INK)
            .bold_line_style(INK.mix(0.3))
            .light_line_style(TRANSPARENT)
            .label_style(text(14, INK))
            .axis_desc_style(text(15, self.colour))
            .y_labels(6);
        if !self.numbered {
            mesh.x_desc("seconds");
        }
        mesh.draw()?;
        let middle = Pos::new(HPos::Center, VPos::Bottom);
        for (number, (at, _)) in (1..).zip(events) {
            let ends = [(*at, 0.0), (*at, self.top)];
            chart.draw_series([PathElement::new(ends, RED.mix(0.7).stroke_width(1))])?;
            if self.numbered {
                let (x, y) = chart.backend_coord(&ends[1]);
                // Neighbours take turns at two heights.
                let place = (x, y - if number % 2 == 0 { 14 } else { 0 });
                let style = text(13, RED).pos(middle);
                area.draw(&Text::new(number.to_string(), relative(area, place), style))?;
            }
        }
        chart.draw_series(LineSeries::new(
            line.iter().copied(),
            self.colour.stroke_width(2),
        ))?;
        Ok(())
    }
}
