//! Fourteen kinds of bad input, each given to a contender in a process of its own.
//!
//! A verdict in bold is wrong: an accepted mistake, a panic, an abort, or no answer in time. The
//! parent adds the last two.

use crate::child::{POINTS, change};
use crate::peer::{Node, Peer, Points, Refused};
use crate::timing;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The case that needs the most time: 70,000 nodes.
pub const MANY_NODES: usize = 13;

pub const CASES: [&str; 14] = [
    "A route with no nodes",
    "An empty key",
    "A node with an empty name",
    "A node that is present is added again",
    "An unknown node is removed",
    "The only node is removed",
    "The same nodes in another order",
    "Weight 0",
    "Weight 2³² − 1",
    "NaN as a weight or factor",
    "0 virtual nodes",
    "2³² − 1 virtual nodes",
    "10 and 2⁶⁴ − 1 replicas of 3 nodes",
    "70,000 nodes: are those beyond 65,535 reached?",
];

const KEYS: usize = 20_000;

/// Bytes of address space that a child may use.
const MEMORY: u64 = 3 << 30;

/// Returns the verdict on one of the cases.
pub fn verdict<P: Peer>(case: usize) -> String {
    // Without the limit, a peer that asks for 2³² points could take the machine down.
    let limited = rlimit::setrlimit(rlimit::Resource::AS, MEMORY, MEMORY);
    assert!(limited.is_ok(), "the memory cannot be limited");
    std::panic::set_hook(Box::new(|_| ()));
    let verdict = catch_unwind(AssertUnwindSafe(|| match case {
        0 => no_nodes::<P>(),
        1 => empty_key::<P>(),
        2 => empty_name::<P>(),
        3 => duplicate::<P>(),
        4 => unknown::<P>(),
        5 => only_node::<P>(),
        6 => order::<P>(),
        7 => weight_zero::<P>(),
        8 => weight_max::<P>(),
        9 => nan::<P>(),
        10 => no_points::<P>(),
        11 => many_points::<P>(),
        12 => many_replicas::<P>(),
        _ => many_nodes::<P>(),
    }));
    match verdict {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(Refused::Error)) => "error".to_owned(),
        Ok(Err(Refused::NotOffered)) => "–".to_owned(),
        Err(_) => "**panic**".to_owned(),
    }
}

/// `Err(Error)` is an error of the peer, and `Err(NotOffered)` a case that it cannot have.
type Verdict = Result<String, Refused>;

#[allow(clippy::unnecessary_wraps)] // the cases return what it returns
fn says(text: &str) -> Verdict {
    Ok(text.to_owned())
}

fn three() -> Vec<Node> {
    (0..3).map(Node::new).collect()
}

fn owners<P: Peer>(peer: &P) -> Vec<Option<u64>> {
    let keys = timing::keys(KEYS);
    keys.iter().map(|key| peer.route(key)).collect()
}

fn share<P: Peer>(peer: &P, node: &Node) -> f64 {
    let identity = Some(P::identity(node));
    let owned = owners(peer);
    owned.iter().filter(|owner| **owner == identity).count() as f64 / owned.len() as f64
}

fn no_nodes<P: Peer>() -> Verdict {
    let peer = P::build(&[], POINTS)?;
    match peer.route("key") {
        None => says("`None`"),
        Some(_) => says("**a node**"),
    }
}

fn empty_key<P: Peer>() -> Verdict {
    match P::build(&three(), POINTS)?.route("") {
        Some(_) => says("a node"),
        None => says("**`None`**"),
    }
}

fn empty_name<P: Peer>() -> Verdict {
    if !P::NAMED {
        return Err(Refused::NotOffered);
    }
    let mut nodes = three();
    nodes[1] = Node::new(Node::NAMELESS);
    let peer = P::build(&nodes, POINTS)?;
    assert!(peer.route("key").is_some());
    says("accepted")
}

fn duplicate<P: Peer>() -> Verdict {
    let mut nodes = three();
    let again = nodes[1];
    let mut peer = P::build(&nodes, POINTS)?;
    let before = share(&peer, &again);
    nodes.push(again);
    change(&mut peer, &nodes, |peer| peer.add(&again))?;
    let factor = share(&peer, &again) / before;
    if (0.99..1.01).contains(&factor) {
        says("no change")
    } else {
        Ok(format!("**{factor:.1} × its share**"))
    }
}

fn unknown<P: Peer>() -> Verdict {
    let mut peer = P::build(&three(), POINTS)?;
    let before = owners(&peer);
    peer.remove(&Node::new(77))?;
    if owners(&peer) == before {
        says("no change")
    } else {
        says("**keys move**")
    }
}

fn only_node<P: Peer>() -> Verdict {
    let only = Node::new(1);
    let mut peer = P::build(&[only], POINTS)?;
    change(&mut peer, &[], |peer| peer.remove(&only))?;
    match peer.route("key") {
        None => says("`None`"),
        Some(_) => says("**a node**"),
    }
}

fn order<P: Peer>() -> Verdict {
    let mut nodes: Vec<Node> = (0..20).map(Node::new).collect();
    let before = owners(&P::build(&nodes, POINTS)?);
    nodes.reverse();
    let after = owners(&P::build(&nodes, POINTS)?);
    let moved = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    if moved == 0 {
        says("no change")
    } else {
        Ok(format!("**{} % move**", (moved * 100).div_ceil(KEYS)))
    }
}

fn with_weight<P: Peer>(weight: u32) -> Result<(P, Node), Refused> {
    if !P::WEIGHTED {
        return Err(Refused::NotOffered);
    }
    let mut nodes = three();
    nodes[2].weight = weight;
    Ok((P::build(&nodes, POINTS)?, nodes[2]))
}

fn weight_zero<P: Peer>() -> Verdict {
    let (peer, node) = with_weight::<P>(0)?;
    match share(&peer, &node) {
        0.0 => says("owns nothing"),
        share => Ok(format!("**owns {:.0} %**", share * 100.0)),
    }
}

fn weight_max<P: Peer>() -> Verdict {
    let (peer, node) = with_weight::<P>(u32::MAX)?;
    match share(&peer, &node) {
        share if share > 0.99 => says("owns all"),
        share => Ok(format!("**owns {:.0} %**", share * 100.0)),
    }
}

fn nan<P: Peer>() -> Verdict {
    P::take_nan().unwrap_or(Err(Refused::NotOffered))?;
    says("**accepted**")
}

fn no_points<P: Peer>() -> Verdict {
    if P::POINTS != Points::Given {
        return Err(Refused::NotOffered);
    }
    match P::build(&three(), 0)?.route("key") {
        None => says("`None`"),
        Some(_) => says("**a node**"),
    }
}

fn many_points<P: Peer>() -> Verdict {
    if P::POINTS != Points::Given {
        return Err(Refused::NotOffered);
    }
    let peer = P::build(&three(), u32::MAX)?;
    assert!(peer.route("key").is_some());
    says("a node")
}

fn many_replicas<P: Peer>() -> Verdict {
    if !P::REPLICAS {
        return Err(Refused::NotOffered);
    }
    let peer = P::build(&three(), POINTS)?;
    for n in [10, usize::MAX] {
        let mut nodes = peer.replicas("key", n);
        let listed = nodes.len();
        nodes.sort_unstable();
        nodes.dedup();
        if nodes.len() < listed {
            return says("**repeats nodes**");
        }
        if listed != 3 {
            return Ok(format!("**{listed} nodes**"));
        }
    }
    says("3 nodes")
}

fn many_nodes<P: Peer>() -> Verdict {
    const NODES: u64 = 70_000;
    let nodes: Vec<Node> = (0..NODES).map(Node::new).collect();
    let peer = P::build(&nodes, 1)?;
    let numbers = nodes.iter().map(|node| (P::identity(node), node.id));
    let numbers: HashMap<u64, u64> = numbers.collect();
    // Of 500 keys the nodes from 65,536 on have some 32.
    let keys = timing::keys(500);
    let high = keys.iter().filter(|key| {
        let node = peer.route(key).and_then(|owner| numbers.get(&owner));
        node.is_some_and(|node| *node >= 1 << 16)
    });
    match high.count() {
        0 => says("**no**"),
        _ => says("yes"),
    }
}
