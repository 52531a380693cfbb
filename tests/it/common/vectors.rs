//! The test vectors of `tests/golden/v1/`, as docs/SPEC.md, section 9, describes them.

/// The cells of each line.
pub fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

/// Bytes in hexadecimal, or `hh*n` for n times one byte.
pub fn unhex(text: &str) -> Vec<u8> {
    if let Some((byte, times)) = text.split_once('*') {
        return unhex(byte).repeat(times.parse().expect("a count"));
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hexadecimal"))
        .collect()
}

/// A node of a `set` line.
pub struct Listed<'a> {
    pub identity: Vec<u8>,
    pub weight: u32,
    pub drained: bool,
    /// What follows `@`.
    pub domain: &'a str,
}

/// The nodes of a `set` line.
pub fn listed(cell: &str) -> Vec<Listed<'_>> {
    let node = |cell| {
        let (node, domain) = str::split_once(cell, '@').unwrap_or((cell, ""));
        let (identity, weight) = node.split_once(':').expect("identity:weight");
        Listed {
            identity: unhex(identity),
            weight: weight.trim_end_matches('d').parse().expect("a weight"),
            drained: weight.ends_with('d'),
            domain,
        }
    };
    cell.split(',').map(node).collect()
}
