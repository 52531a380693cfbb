//! Tables in Markdown, as README and the docs have them.

use std::time::Duration;

/// A table that is printed row by row.
pub struct Table {
    width: usize,
}

impl Table {
    /// Prints the names of the columns.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let width = columns.len();
        println!("\n| {title} | {} |", columns.join(" | "));
        println!("|---|{}", "---|".repeat(width));
        Table { width }
    }

    /// Prints a row with a cell for each column.
    pub fn row(&self, name: &str, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.width, "a cell for each column");
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// A time as a multiple of another, with two digits that count.
pub fn ratio(time: Duration, reference: Duration) -> String {
    let ratio = time.as_secs_f64() / reference.as_secs_f64();
    if ratio < 0.01 {
        format!("{ratio:.3}")
    } else {
        format!("{ratio:.2}")
    }
}
