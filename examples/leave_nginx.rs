//! Moves a cache tier from the placement of nginx to a `HashRing`: at first no key moves, then a
//! part of the keys at a time, each once.

use clockwise::compat::Nginx;
use clockwise::{HashRing, Route, Strategy, Token};
use std::collections::BTreeMap;
use std::error::Error;

/// The old and the new placement of one tier, and how far the move has got.
struct Move<Old, New> {
    old: Old,
    new: New,
    /// The keys with a token below this one have moved.
    until: Token,
}

/// The nodes to read a key from: `first`, and on a miss `second`, whose copy is then stored at
/// `first`.
struct Places<'a> {
    first: &'a str,
    second: Option<&'a str>,
}

impl<Old, New> Move<Old, New>
where
    Old: Strategy<Node = &'static str>,
    New: Strategy<Node = &'static str>,
{
    fn places(&self, key: &str) -> Option<Places<'_>> {
        let old = *self.old.route(key)?;
        // The token of the new placement, so that a part of every node's keys moves.
        let token = self.new.token_of(key.as_bytes());
        if token >= self.until {
            return Some(Places {
                first: old,
                second: None,
            });
        }
        let new = *self.new.route_token(token)?;
        Some(Places {
            first: new,
            second: (new != old).then_some(old),
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // upstream cache {
    //     hash $uri consistent;
    //     server 10.0.0.1:80 weight=2;
    //     server 10.0.0.2:80;
    //     server 10.0.0.3:80;
    // }
    let nodes = [("10.0.0.1:80", 2), ("10.0.0.2:80", 1), ("10.0.0.3:80", 1)];
    let old = Nginx::from_weighted(nodes)?;
    let new = HashRing::from_weighted(nodes)?;

    // In production, take them from the log.
    let keys: Vec<String> = (0..20_000).map(|i| format!("/video/{i}.mp4")).collect();

    println!("keys that will move, of {}:", keys.len());
    let mut plan = BTreeMap::new();
    for key in &keys {
        let (from, to) = (old.route(key), new.route(key));
        if from != to {
            *plan.entry((from, to)).or_insert(0) += 1;
        }
    }
    for ((from, to), count) in &plan {
        if let (Some(from), Some(to)) = (from, to) {
            println!("  {count:>6} from {from} to {to}");
        }
    }

    let mut tier = Move {
        old,
        new,
        until: Token::new(0),
    };
    println!("step by step:");
    for percent in [0, 1, 2, 4, 8, 16, 32, 64, 100] {
        tier.until = Token::new(u64::MAX / 100 * percent);
        let (mut at_new, mut twice) = (0, 0);
        for key in &keys {
            let places = tier.places(key).ok_or("no node is up")?;
            at_new += u32::from(places.first == *tier.new.route(key).ok_or("no node is up")?);
            twice += u32::from(places.second.is_some());
        }
        println!(
            "  {percent:>3} %: {at_new:>6} keys at their new owner, {twice:>6} may be read twice"
        );
    }
    // When the longest time to live has passed, drop `old`.
    Ok(())
}
