//! Texts that are safe to show: names can hold anything.

/// The longest name that is shown whole, in characters.
const LONGEST: usize = 40;

/// The number of all tokens, 2⁶⁴.
const CIRCLE: f64 = 18_446_744_073_709_551_616.0;

/// Replaces what a reader cannot see, or what reorders a line, by its code: `\u{202e}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() || is_invisible(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// Returns `true` for formatting characters: bidirectional controls, separators of lines, and
/// characters without width.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns a name for a line of text: visible, and cut in the middle if it is long.
pub(crate) fn short(name: &str) -> String {
    let name = visible(name);
    let count = name.chars().count();
    if count <= LONGEST {
        return name;
    }
    let tail = LONGEST / 3;
    let head: String = name.chars().take(LONGEST - 1 - tail).collect();
    let tail: String = name.chars().skip(count - tail).collect();
    format!("{head}…{tail}")
}

/// Returns a name in quotation marks for a message.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", short(name))
}

/// Makes a text safe inside of HTML and SVG, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for char in visible(text).chars() {
        match char {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            _ => html.push(char),
        }
    }
    html
}

/// Returns a name as HTML. A name written from right to left does not reorder its line.
pub(crate) fn name(name: &str) -> String {
    format!("<bdi>{}</bdi>", escape(&short(name)))
}

/// Returns a number of tokens as a fraction of all tokens.
pub(crate) fn fraction(measure: u128) -> f64 {
    measure as f64 / CIRCLE
}

/// Returns a fraction as a percentage, in one word. A part that is not zero is not shown as zero.
pub(crate) fn percent(fraction: f64) -> String {
    match 100.0 * fraction {
        0.0 => "0\u{a0}%".into(),
        small if small < 0.01 => "under 0.01\u{a0}%".into(),
        small if small < 1.0 => format!("{small:.2}\u{a0}%"),
        percent => format!("{percent:.1}\u{a0}%"),
    }
}

/// Returns "1 node" or "2 nodes".
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Returns a number of seconds in a unit that fits.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} seconds")
    } else if seconds < 7200.0 {
        format!("{:.0} minutes", seconds / 60.0)
    } else {
        format!("{:.1} hours", seconds / 3600.0)
    }
}
