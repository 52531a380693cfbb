//! The picture: requests in flight over time, with the events, and what a hot key does.

use super::figures::{Events, HotKey};
use super::setup::NAMES;
use super::{Look, Run};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::path::Path;
use std::time::Duration;

/// Readable on white and on black, as the picture has no ground of its own.
const GREY: RGBColor = RGBColor(128, 128, 128);
const COLORS: [RGBColor; 5] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 198),
    RGBColor(0, 158, 115),
    RGBColor(204, 80, 150),
    RGBColor(190, 150, 0),
];
/// Counts are averaged over so much time.
const WINDOW: Duration = Duration::from_secs(1);

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Failed = DrawingAreaErrorKind<std::io::Error>;
type Line = Vec<(f64, f64)>;

pub fn draw(path: &Path, events: &Events, hot_key: &HotKey) -> Result<(), Failed> {
    let root = SVGBackend::new(path, (900, 760)).into_drawing_area();
    let (above, below) = root.split_vertically(430);
    draw_events(&above, events)?;
    draw_hot_key(&below, hot_key)?;
    root.present()?;
    Ok(())
}

fn draw_events(area: &Area<'_>, events: &Events) -> Result<(), Failed> {
    let looks = &events.run.looks;
    let lines: Vec<Line> = NAMES.iter().map(|name| in_flight(looks, name)).collect();
    let top = 1.25 * highest(&lines);
    let title = "Two servers die and return, one drains";
    let mut chart = chart(
        area,
        title,
        end(&events.run),
        top,
        "requests in flight, mean of 1 s",
    )?;
    for change in &events.run.changes {
        let at = change.at.as_secs_f64();
        chart.draw_series(LineSeries::new(
            [(at, 0.0), (at, top)],
            GREY.stroke_width(1),
        ))?;
        let label = format!("{} {}", change.name, change.what);
        // Upright, beside the line.
        let style = ("sans-serif", 14)
            .into_font()
            .transform(FontTransform::Rotate90)
            .color(&GREY);
        chart.draw_series([Text::new(
            label,
            (at + end(&events.run) / 45.0, 0.99 * top),
            style,
        )])?;
    }
    for ((line, name), color) in lines.iter().zip(NAMES).zip(COLORS) {
        draw_line(&mut chart, line, name, color)?;
    }
    legend(&mut chart)
}

fn draw_hot_key(area: &Area<'_>, hot_key: &HotKey) -> Result<(), Failed> {
    let [plain, bounded] = [&hot_key.plain, &hot_key.bounded].map(busiest);
    let top = 1.1 * highest(&[plain.clone(), bounded.clone()]);
    let title = "A hot key: the busiest server";
    let end = end(&hot_key.plain).max(end(&hot_key.bounded));
    let mut chart = chart(area, title, end, top, "requests in flight")?;
    draw_line(&mut chart, &plain, "plain ring", COLORS[0])?;
    draw_line(&mut chart, &bounded, "bounded load", COLORS[1])?;
    legend(&mut chart)
}

fn chart<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    end: f64,
    top: f64,
    unit: &str,
) -> Result<Chart<'a, 'b>, Failed>
where
    'b: 'a,
{
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20).into_font().color(&GREY))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.25))
        .axis_style(GREY)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .x_desc("seconds")
        .y_desc(unit)
        .label_style(("sans-serif", 14).into_font().color(&GREY))
        .axis_desc_style(("sans-serif", 15).into_font().color(&GREY))
        .draw()?;
    Ok(chart)
}

fn draw_line(
    chart: &mut Chart<'_, '_>,
    line: &[(f64, f64)],
    name: &str,
    color: RGBColor,
) -> Result<(), Failed> {
    chart
        .draw_series(LineSeries::new(line.iter().copied(), color.stroke_width(2)))?
        .label(name)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    Ok(())
}

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> Result<(), Failed> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(TRANSPARENT)
        .label_font(("sans-serif", 14).into_font().color(&GREY))
        .draw()?;
    Ok(())
}

/// The mean number of requests in flight on an upstream while it is a member.
fn in_flight(looks: &[Look], name: &str) -> Line {
    let mut line = Vec::new();
    for look in looks {
        if look.rows.iter().all(|row| row.name != name) {
            continue;
        }
        let recent = looks
            .iter()
            .filter(|other| other.at <= look.at && other.at + WINDOW > look.at);
        let counts: Vec<u32> = recent
            .flat_map(|other| &other.rows)
            .filter(|row| row.name == name)
            .map(|row| row.in_flight)
            .collect();
        let mean = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        line.push((look.at.as_secs_f64(), mean));
    }
    line
}

/// The most requests in flight on any upstream.
fn busiest(run: &Run) -> Line {
    let most = |look: &Look| look.rows.iter().map(|row| row.in_flight).max().unwrap_or(0);
    let points = run
        .looks
        .iter()
        .map(|look| (look.at.as_secs_f64(), f64::from(most(look))));
    points.filter(|&(x, _)| x <= end(run)).collect()
}

/// When the load ended. The last look comes after the last answer.
fn end(run: &Run) -> f64 {
    let last = run.samples.iter().map(|sample| sample.due).max();
    last.unwrap_or_default().as_secs_f64().ceil()
}

fn highest(lines: &[Line]) -> f64 {
    lines
        .iter()
        .flatten()
        .map(|point| point.1)
        .fold(1.0, f64::max)
}
