//! Every error, each naming what offends.

use alloc::string::String;
use core::fmt::Write;
use thiserror::Error;

/// A change of the membership that was refused. Nothing has changed.
///
/// `node` is the offending identity: as text where it is printable, else in hexadecimal after `0x`; long ones are cut.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The identity is a member already, or stands twice in one list.
    #[error(
        "node `{node}` is there already; to exchange what it carries use `replace`, to change its weight `set_weight`"
    )]
    #[non_exhaustive]
    Duplicate {
        /// The identity.
        node: String,
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
        "node `{node}` has weight 0, but weights start at 1; to keep a member that owns nothing use `drain`"
    )]
    #[non_exhaustive]
    ZeroWeight {
        /// The identity.
        node: String,
    },
    /// The identity has no bytes, so it could not be told from a node that forgot to say who it is.
    #[error("a node's identity is empty")]
    EmptyIdentity,
    /// The members would need more points than the ring's budget. Drained members count.
    #[error(
        "with node `{node}` of weight {weight} the ring would need {points} points, more than its budget of {max_points}; \
         lower the weights or the virtual nodes, or raise `max_points`"
    )]
    #[non_exhaustive]
    TooManyPoints {
        /// The identity at which the budget was exceeded.
        node: String,
        /// Its weight.
        weight: u32,
        /// Points that all members up to this one would need.
        points: u128,
        /// The budget.
        max_points: usize,
    },
    /// The placement of another program has no place for such a weight.
    #[error(
        "node `{node}` has weight {weight}, but the greatest that this placement knows is {max_weight}"
    )]
    #[non_exhaustive]
    WeightTooGreat {
        /// The identity.
        node: String,
        /// Its weight.
        weight: u32,
        /// The greatest weight of one node.
        max_weight: u32,
    },
    /// The weights together are more than the other program can add up.
    #[error(
        "with node `{node}` the weights add up to {total}, but this placement knows sums up to {max_total}"
    )]
    #[non_exhaustive]
    TotalWeightTooGreat {
        /// The identity at which the sum was exceeded.
        node: String,
        /// The sum up to this node.
        total: u64,
        /// The greatest sum.
        max_total: u64,
    },
    /// Each node has a fixed number of points here, and this many do not fit the budget.
    #[error("with node `{node}` there are more than {max_nodes} nodes")]
    #[non_exhaustive]
    TooManyNodes {
        /// The first identity that does not fit.
        node: String,
        /// How many do.
        max_nodes: usize,
    },
}

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A node without points could own nothing.
    #[error("0 virtual nodes: every node needs at least 1")]
    ZeroVirtualNodes,
    /// Not even one node of weight 1 would fit the budget.
    #[error(
        "{virtual_nodes} virtual nodes do not fit the budget of {max_points} points even for one node"
    )]
    #[non_exhaustive]
    TooManyVirtualNodes {
        /// Points per unit of weight.
        virtual_nodes: u32,
        /// The budget.
        max_points: usize,
    },
}

/// Fewer distinct domains (zones, racks) have an eligible node than replicas were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "{wanted} replicas in distinct domains were asked for, but only {found} domains have an eligible node"
)]
#[non_exhaustive]
pub struct NotEnoughDomains {
    /// Replicas asked for.
    pub wanted: usize,
    /// Domains with an eligible node.
    pub found: usize,
}

/// An identity for people: the text if it is printable, else `0x…`, cut after 64 bytes.
pub(crate) fn readable(identity: &[u8]) -> String {
    const CUT: usize = 64;
    let text = core::str::from_utf8(identity)
        .ok()
        .filter(|text| !text.chars().any(char::is_control));
    let mut shown = match text {
        Some(text) => {
            // `str::floor_char_boundary` came after Rust 1.85.
            let cut = (0..=CUT.min(text.len()))
                .rev()
                .find(|&i| text.is_char_boundary(i))
                .unwrap_or(0);
            String::from(&text[..cut])
        }
        None => identity
            .iter()
            .take(CUT)
            .fold(String::from("0x"), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("writing to a String does not fail");
                hex
            }),
    };
    if identity.len() > CUT {
        write!(shown, "… ({} bytes)", identity.len()).expect("writing to a String does not fail");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

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
        assert!(readable(&[0; 65536]).len() < 200);
    }
}
