//! The errors of the crate. Each names the offender.
//!
//! # Examples
//! ```
//! use clockwise::{ConfigError, HashRing, NodeError, SlotTable};
//!
//! // A change of the members fails with a `NodeError`, a setting with a `ConfigError`.
//! let mut ring = HashRing::from_nodes(["a"])?;
//! assert!(matches!(ring.insert("a"), Err(NodeError::Duplicate { .. })));
//! let built = SlotTable::<&str>::builder().load_factor(0.5).build();
//! assert!(matches!(built, Err(ConfigError::OutOfRange { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod migration;

pub use migration::{AdvanceError, DiffError, NotDone, PlanError, ResumeError};

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::{self, Write};
use thiserror::Error;

/// An error from changing the members. The strategy is unchanged.
///
/// `node` is the offending identity in a form that is safe to print: text with `\u{…}` for
/// characters that cannot be seen, cut after 64 bytes. An identity that is no text, or has a
/// control character such as a line end, is shown in hexadecimal after `0x`.
///
/// # Examples
/// ```
/// let mut ring = clockwise::HashRing::from_nodes(["a"])?;
/// let error = ring.drain("b").unwrap_err();
/// assert!(error.to_string().contains("`b`")); // it names the node
/// assert_eq!(ring.len(), 1); // nothing has changed
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The identity is a member already, or is listed twice.
    #[error("{}", duplicate_text(node, *listed))]
    #[non_exhaustive]
    Duplicate {
        /// The identity.
        node: String,
        /// `true` if it is listed twice and is not a member.
        listed: bool,
    },
    /// No member has this identity.
    #[error("node `{node}` is not a member")]
    #[non_exhaustive]
    Unknown {
        /// The identity.
        node: String,
    },
    /// Weights are 1 or more.
    #[error(
        "node `{node}` has weight 0, but weights start at 1 (use `drain` to keep a member that \
         owns nothing)"
    )]
    #[non_exhaustive]
    ZeroWeight {
        /// The identity.
        node: String,
    },
    /// A [`Failover`](crate::Failover) has no group that the node could join.
    #[error("node `{node}` cannot join a group because there are no groups (add a group first)")]
    #[non_exhaustive]
    NoGroup {
        /// The identity.
        node: String,
    },
    /// The identity is empty. Every node needs at least one key byte.
    #[error("a node has an empty identity (its key bytes must hold at least 1 byte)")]
    EmptyIdentity,
    /// The members would need more points than the ring's budget. Drained members count.
    #[error(
        "with node `{node}` of weight {weight} the ring would need {points} points, more than its \
         budget of {max_points} (lower the weights or the virtual nodes, or raise `max_points`)"
    )]
    #[non_exhaustive]
    TooManyPoints {
        /// The identity at which the budget was exceeded.
        node: String,
        /// Its weight.
        weight: u32,
        /// The number of points that all members up to this one would need.
        points: u128,
        /// The budget.
        max_points: usize,
    },
    /// A limit of the placement is exceeded, such as the greatest weight of one node.
    #[error("node `{node}` is refused because the {limit} would be {value} (the limit is {max})")]
    #[non_exhaustive]
    OverLimit {
        /// The identity at which the limit is exceeded.
        node: String,
        /// What is limited: "weight", "total weight" or "number of nodes".
        limit: &'static str,
        /// The value that was refused.
        value: u64,
        /// The greatest value.
        max: u64,
    },
}

fn duplicate_text(node: &str, listed: bool) -> String {
    if listed {
        format!("node `{node}` is listed twice (list each node once, with its weight)")
    } else {
        format!(
            "node `{node}` is already a member (use `replace` to update it or `set_weight` to \
             change its weight)"
        )
    }
}

impl NodeError {
    /// Creates the error that no member has this identity, for a
    /// [`Membership`](crate::Membership) of your own.
    ///
    /// # Examples
    /// ```
    /// use clockwise::NodeError;
    ///
    /// // In a strategy of your own:
    /// let error = NodeError::unknown(b"cache-9");
    /// assert!(matches!(&error, NodeError::Unknown { .. }));
    /// assert!(error.to_string().contains("cache-9"));
    /// ```
    pub fn unknown(identity: &[u8]) -> Self {
        NodeError::Unknown {
            node: readable(identity),
        }
    }

    /// Creates the error that this identity is a member already, or is `listed` twice.
    ///
    /// # Examples
    /// ```
    /// use clockwise::NodeError;
    ///
    /// let error = NodeError::duplicate(b"cache-1", true); // listed twice in one list
    /// assert!(matches!(&error, NodeError::Duplicate { .. }));
    /// assert!(error.to_string().contains("cache-1"));
    /// ```
    pub fn duplicate(identity: &[u8], listed: bool) -> Self {
        NodeError::Duplicate {
            node: readable(identity),
            listed,
        }
    }

    /// Creates the error that a node has weight 0.
    ///
    /// # Examples
    /// ```
    /// use clockwise::NodeError;
    ///
    /// let error = NodeError::zero_weight(b"cache-1");
    /// assert!(matches!(&error, NodeError::ZeroWeight { .. }));
    /// ```
    pub fn zero_weight(identity: &[u8]) -> Self {
        NodeError::ZeroWeight {
            node: readable(identity),
        }
    }
}

/// An error from an invalid configuration.
///
/// # Examples
/// ```
/// use clockwise::{Bounded, HashRing, Tracked};
///
/// let ring = HashRing::from_nodes(["a"].map(Tracked::new))?;
/// let error = Bounded::new(ring, 0.5).unwrap_err();
/// println!("{error}"); // names the setting, its value and the limit
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The number of virtual nodes is 0.
    #[error("the number of virtual nodes is 0, but must be at least 1")]
    ZeroVirtualNodes,
    /// The budget of points is too small for one node of weight 1.
    #[error(
        "{virtual_nodes} virtual nodes do not fit the budget of {max_points} points, even for one \
         node (lower the virtual nodes or raise `max_points`)"
    )]
    #[non_exhaustive]
    TooManyVirtualNodes {
        /// The number of points for each unit of weight.
        virtual_nodes: u32,
        /// The budget.
        max_points: usize,
    },
    /// A setting is out of range.
    #[error("{setting} is {value}, but must be {must}")]
    #[non_exhaustive]
    OutOfRange {
        /// The setting.
        setting: &'static str,
        /// The value that was refused.
        value: String,
        /// The values that are allowed.
        must: &'static str,
    },
    /// The number of slots is not a power of two. The slot of a key is the top bits of its token.
    #[error("the number of slots is {slots}, but must be a power of two")]
    #[non_exhaustive]
    SlotsNotPowerOfTwo {
        /// The number that was refused.
        slots: usize,
    },
    /// A node is refused.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The table would have more slots than its limit.
    #[error(
        "the number of slots is {slots}, more than the limit of {max_slots} (choose fewer slots or \
         raise `max_slots`)"
    )]
    #[non_exhaustive]
    TooManySlots {
        /// The number that was refused.
        slots: usize,
        /// The limit.
        max_slots: usize,
    },
}

/// An error from asking for more replicas than there are distinct domains (zones, racks) with an
/// eligible node.
///
/// # Examples
/// ```
/// let ring = clockwise::HashRing::from_nodes(["eu-1", "eu-2", "us-1"])?;
/// let error = ring.try_replicas_across("user:42", 3, |node| &node[..2]).unwrap_err();
/// assert_eq!((error.wanted, error.found), (3, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "{wanted} replicas in distinct domains were asked for, but only {found} domains have an eligible \
     node (ask for fewer, or add a node in another domain)"
)]
#[non_exhaustive]
pub struct NotEnoughDomains {
    /// The number of replicas that were asked for.
    pub wanted: usize,
    /// The number of domains with an eligible node.
    pub found: usize,
}

impl ConfigError {
    pub(crate) fn out_of_range(
        setting: &'static str,
        value: impl fmt::Display,
        must: &'static str,
    ) -> Self {
        ConfigError::OutOfRange {
            setting,
            value: value.to_string(),
            must,
        }
    }
}

/// An error from restoring a snapshot. Nothing has been built.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, Xxh3, error::RestoreError};
///
/// let ring = HashRing::from_nodes(["a", "b"])?;
/// let restored = HashRing::restore(ring.snapshot(), Xxh3::with_seed(1)); // another hasher
/// assert!(matches!(restored, Err(RestoreError::HasherMismatch { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The snapshot is in a format that this release does not know.
    #[error(
        "the snapshot has format {found}, but this release reads format {known} (use the release \
         that wrote it)"
    )]
    #[non_exhaustive]
    UnsupportedFormat {
        /// The format of the snapshot.
        found: u32,
        /// The format that this release reads.
        known: u32,
    },
    /// The snapshot is of another kind of strategy.
    #[error("the snapshot is of kind `{found}`, not `{expected}` (restore it as its own kind)")]
    #[non_exhaustive]
    KindMismatch {
        /// The kind that was asked for.
        expected: &'static str,
        /// The kind of the snapshot.
        found: String,
    },
    /// The snapshot has a layout that this release does not know.
    #[error(
        "the snapshot has layout {found}, but this release knows layout {known} (use the release \
         that wrote it)"
    )]
    #[non_exhaustive]
    UnsupportedLayout {
        /// The layout of the snapshot.
        found: u8,
        /// The layout that this release knows.
        known: u8,
    },
    /// A parameter is missing, unknown, duplicate or out of range.
    #[error(
        "the snapshot is damaged: a parameter of its kind is missing, unknown, duplicate or out of \
         range"
    )]
    InvalidParameters,
    /// The caller's hasher is not the one that the snapshot was taken with.
    #[error(
        "the snapshot was taken with another hasher, seed or key: a fixed probe hashed to \
         {expected:#018x} then and hashes to {found:#018x} now (restore it with the same hasher, \
         seed and key)"
    )]
    #[non_exhaustive]
    HasherMismatch {
        /// The hash of the probe in the snapshot.
        expected: u64,
        /// The hash of the probe now.
        found: u64,
    },
    /// A restored node has another identity than in the snapshot.
    #[error(
        "node `{node}` of the snapshot has the identity `{found}` now (the key bytes of a node must \
         not change)"
    )]
    #[non_exhaustive]
    IdentityMismatch {
        /// The identity in the snapshot.
        node: String,
        /// The identity that the restored node has.
        found: String,
    },
    /// The fingerprint in the snapshot is not that of its content.
    #[error(
        "the snapshot is damaged: its fingerprint is {expected:#018x}, but that of its content is \
         {found:#018x}"
    )]
    #[non_exhaustive]
    FingerprintMismatch {
        /// The fingerprint in the snapshot.
        expected: u64,
        /// The fingerprint of the content.
        found: u64,
    },
    /// The strategy that the snapshot describes would take more work to build than the budget
    /// allows.
    #[error(
        "the snapshot asks for {count} {what}, which take {work} units of work to build, more than \
         the budget of {max_work} (if you trust it, restore it through a builder with a greater \
         `max_work`)"
    )]
    #[non_exhaustive]
    OverBudget {
        /// What the snapshot has too many of: "points" or "slots".
        what: &'static str,
        /// The number of points or slots.
        count: u64,
        /// The work, in units of about a nanosecond.
        work: u64,
        /// The budget.
        max_work: u64,
    },
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A member is refused.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// Returns an identity for people: printable, unambiguous and short.
///
/// Text is shown as it is, except for what does not print: those characters and the backtick, in
/// which messages enclose names, are shown as `\u{…}`, a backslash as two. Bytes that are not text,
/// such as those of a number, are shown as `0x…`, text that begins so as `\u{30}x…`. Only the first
/// 64 bytes are shown.
pub(crate) fn readable(identity: &[u8]) -> String {
    const CUT: usize = 64;
    let text = core::str::from_utf8(identity)
        .ok()
        .filter(|text| !text.chars().any(char::is_control));
    let mut shown = String::new();
    let written = match text {
        Some(text) => {
            // `str::floor_char_boundary` is newer than Rust 1.85.
            let cut = (0..=CUT.min(text.len()))
                .rev()
                .find(|&i| text.is_char_boundary(i))
                .unwrap_or(0);
            let hex = text.starts_with("0x");
            let mut chars = text[..cut].chars().enumerate();
            chars.try_for_each(|(i, c)| write_safely(&mut shown, c, hex && i == 0))
        }
        None => shown.write_str("0x").and_then(|()| {
            let mut bytes = identity.iter().take(CUT);
            bytes.try_for_each(|byte| write!(shown, "{byte:02x}"))
        }),
    };
    written.expect("writing to a String does not fail");
    if identity.len() > CUT {
        write!(shown, "… ({} bytes)", identity.len()).expect("writing to a String does not fail");
    }
    shown
}

/// Writes a character, escaped if that is asked for or if it does not print.
fn write_safely(shown: &mut String, c: char, escape: bool) -> fmt::Result {
    match c {
        // Letters and a symbol that are blank. `escape_debug` knows the other blanks, and all that
        // change the direction or the line, or join what precedes them.
        '`' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' => {
            write!(shown, "{}", c.escape_unicode())
        }
        _ if escape => write!(shown, "{}", c.escape_unicode()),
        '\'' | '"' => shown.write_char(c),
        _ => write!(shown, "{}", c.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_shown_as_text_or_hex_and_cut() {
        assert_eq!(readable(b"cache-1"), "cache-1");
        assert_eq!(readable(b"a "), "a ");
        assert_eq!(readable(b"a\0"), "0x6100");
        assert_eq!(readable(&[0xff, 0x0a]), "0xff0a");
        let long = "ä".repeat(40);
        assert_eq!(readable(long.as_bytes()), "ä".repeat(32) + "… (80 bytes)");
        let odd = "x".to_string() + &long;
        assert_eq!(
            readable(odd.as_bytes()),
            "x".to_string() + &"ä".repeat(31) + "… (81 bytes)"
        );
        assert!(readable("\0".repeat(65_536).as_bytes()).len() < 200);
        assert!(readable("\u{3164}".repeat(400_000).as_bytes()).len() < 200);
    }

    /// Default-ignorable characters (Unicode 16, `DerivedCoreProperties`), other separators and
    /// blanks, and the marks of both directions.
    #[test]
    fn what_does_not_print_is_escaped() {
        let ranges = [
            ('\u{a0}', '\u{a0}'),
            ('\u{ad}', '\u{ad}'),
            ('\u{34f}', '\u{34f}'),
            ('\u{61c}', '\u{61c}'),
            ('\u{115f}', '\u{1160}'),
            ('\u{1680}', '\u{1680}'),
            ('\u{17b4}', '\u{17b5}'),
            ('\u{180b}', '\u{180f}'),
            ('\u{2000}', '\u{200f}'),
            ('\u{2028}', '\u{202f}'),
            ('\u{205f}', '\u{206f}'),
            ('\u{2800}', '\u{2800}'),
            ('\u{3000}', '\u{3000}'),
            ('\u{3164}', '\u{3164}'),
            ('\u{fe00}', '\u{fe0f}'),
            ('\u{feff}', '\u{feff}'),
            ('\u{ffa0}', '\u{ffa0}'),
            ('\u{fff0}', '\u{fffb}'),
            ('\u{1bca0}', '\u{1bca3}'),
            ('\u{1d173}', '\u{1d17a}'),
            ('\u{e0000}', '\u{e0fff}'),
            ('`', '`'),
        ];
        for (first, last) in ranges {
            for c in first..=last {
                let name = format!("a{c}b");
                let shown = format!("a\\u{{{:x}}}b", u32::from(c));
                assert_eq!(readable(name.as_bytes()), shown);
            }
        }
    }

    #[test]
    fn no_two_names_look_the_same() {
        let text = [
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\\u{202e}b", "a\\\\u{202e}b"),
            ("C:\\cache", "C:\\\\cache"),
            ("0x6100", "\\u{30}x6100"),
            ("it's \"é\" 日本 🦀", "it's \"é\" 日本 🦀"),
            ("e\u{301}", "e\\u{301}"),
        ];
        for (name, shown) in text {
            assert_eq!(readable(name.as_bytes()), shown);
        }
        // A cut never splits an escape, and a name cannot pretend to be cut.
        let long = "`".repeat(100);
        assert_eq!(
            readable(long.as_bytes()),
            "\\u{60}".repeat(64) + "… (100 bytes)"
        );
        let honest = readable("x".repeat(100).as_bytes());
        assert!(honest.len() > 64 + "… (100 bytes)".chars().count());
    }
}
