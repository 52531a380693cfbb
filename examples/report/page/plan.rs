//! In which order the moves are made, and how long that takes.

use super::super::figures::{Figures, Schedule};
use super::super::text::{count, duration, percent};
use super::{axis, join, scale};

/// An example to turn shares into time: 1 TB of keys, and moves of 100 MB/s.
const SECONDS: f64 = 1e12 / 100e6;

pub(super) fn section(figures: &Figures<'_>) -> String {
    let Schedule {
        limit,
        copies,
        most_under_way,
        makespan,
        one_by_one,
        bound,
    } = figures.schedule;
    let title = "How long it takes";
    if copies == 0 {
        return super::section(title, "", "<p>There is nothing to copy.</p>");
    }
    let about = format!(
        "The plan starts the largest move first, and at most {} at the same time from one node and \
         to one node. The estimate assumes that a move takes as long as its range is large. The \
         unit is the time in which a single move could copy every key once.",
        count(limit as usize, "move")
    );
    let widest = scale(one_by_one);
    let rows = [
        ("plan", "this plan", makespan),
        ("before", "no plan can be faster", bound),
        ("before", "one move after another", one_by_one),
    ];
    let rows = join(rows.iter().map(|(class, what, time)| {
        format!(
            "<tr><td>{what}<td class=wide><div class=bars><div class='{class} thick' \
                 style='width:{:.2}%'></div></div><td class=number>{}<td class=number>{}",
            100.0 * time / widest,
            percent(*time),
            duration(time * SECONDS)
        )
    }));
    let data = if figures.replicas > 1 {
        "data in each copy"
    } else {
        "data"
    };
    let body = format!(
        "<div class=scroll><table><thead><tr><th>order<th class=wide>{}\
         <th class=number>time<th class=number>for example</thead><tbody>{rows}\
         </tbody></table></div><p>The plan has {}, and up to {} under way at the same time. The \
         example is for 1 TB of {} and 100 MB/s for each move.</p>",
        axis(widest),
        count(copies, "move"),
        most_under_way,
        data
    );
    super::section(title, &about, &body)
}
