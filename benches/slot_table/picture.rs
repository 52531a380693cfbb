//! The frontier as a picture: how uneven against how much moves.

use crate::frontier::{Row, Way};
use plotters::prelude::*;
use std::error::Error;

/// The tables shown; smaller ones are off the picture, as the smallest Maglev table is.
const SLOTS: [usize; 3] = [1 << 16, 1 << 17, 1 << 20];

/// Per cent above 1.
fn above(relative: f64) -> f64 {
    (relative - 1.0) * 100.0
}

pub(crate) fn draw(rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (900, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(
            "100 nodes: the price of balance",
            ("sans-serif", 22).into_font().color(&BLACK),
        )
        .margin(14)
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(-1.5..60.0, -1.2..22.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .x_desc("moved needlessly when a node leaves or joins, % of what must move")
        .y_desc("busiest node, % above the mean")
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 16))
        .draw()?;
    let colors = [
        RGBColor(41, 98, 255),
        RGBColor(0, 140, 90),
        RGBColor(142, 36, 170),
    ];
    for (size, color) in SLOTS.into_iter().zip(colors) {
        let points: Vec<(f64, f64, String)> = rows
            .iter()
            .filter_map(|row| match row.way {
                Way::Table { slots, load_factor } if slots == size => {
                    // c = 1.10 caps next to nothing: it would be written over its neighbour.
                    let name = match load_factor {
                        None => "uncapped".into(),
                        Some(c) if c > 1.05 => String::new(),
                        Some(c) => format!("c={c}"),
                    };
                    Some((above(row.moved), above(row.busiest), name))
                }
                _ => None,
            })
            .collect();
        let line = points.iter().map(|&(x, y, _)| (x, y));
        chart
            .draw_series(LineSeries::new(line.clone(), color.stroke_width(2)))?
            .label(format!("slot table, {size} slots"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        chart.draw_series(line.map(|at| Circle::new(at, 4, color.filled())))?;
        // Named along the default size only: the others follow in the same order.
        if size == 1 << 16 {
            chart.draw_series(points.iter().map(|(x, y, name)| {
                Text::new(name.clone(), (x + 0.5, y + 0.9), ("sans-serif", 13))
            }))?;
        }
    }
    let peers = |maglev: bool| {
        rows.iter().filter_map(move |row| match row.way {
            Way::Maglev { slots } if maglev && slots > SLOTS[0] => Some((row, slots.to_string())),
            Way::Ring { virtual_nodes } if !maglev => Some((row, virtual_nodes.to_string())),
            _ => None,
        })
    };
    for (maglev, name) in [
        (true, "Maglev, by slots"),
        (false, "ring, by points a node"),
    ] {
        let color = if maglev {
            RGBColor(200, 30, 30)
        } else {
            RGBColor(70, 70, 70)
        };
        chart
            .draw_series(peers(maglev).map(|(row, _)| {
                TriangleMarker::new((above(row.moved), above(row.busiest)), 7, color.filled())
            }))?
            .label(name)
            .legend(move |(x, y)| TriangleMarker::new((x + 9, y), 6, color.filled()));
        chart.draw_series(peers(maglev).map(|(row, label)| {
            Text::new(
                label,
                (
                    above(row.moved) + 0.6,
                    above(row.busiest) + if maglev { -0.4 } else { 0.4 },
                ),
                ("sans-serif", 13),
            )
        }))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(RGBColor(180, 180, 180))
        .label_font(("sans-serif", 15))
        .draw()?;
    root.present()?;
    drop(chart);
    drop(root);
    Ok(svg)
}
