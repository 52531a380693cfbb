//! What the examples of the verbs differ in: each type's page shows its own type.

/// Three nodes in a strategy of this type, as lines of an example. The literal is `let ` or
/// `let mut `.
macro_rules! setup {
    (AnyStrategy, $let:literal) => {
        concat!(
            "use clockwise::{AnyStrategy, HashRing};\n\n\
             let ring = HashRing::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"])?;\n\
             ", $let, "strategy = AnyStrategy::new(ring);"
        )
    };
    (Bounded, $let:literal) => {
        concat!(
            "use clockwise::{Bounded, HashRing, Tracked};\n\n\
             let ring = HashRing::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"].map(Tracked::new))?;\n\
             ", $let, "strategy = Bounded::new(ring, 1.25)?;"
        )
    };
    (Failover, $let:literal) => {
        concat!(
            "use clockwise::{Failover, HashRing};\n\n\
             let near = HashRing::from_nodes([\"eu-1\", \"eu-2\"])?;\n\
             let far = HashRing::from_nodes([\"us-1\"])?;\n\
             ", $let, "strategy = Failover::new(vec![near, far]);"
        )
    };
    (Filtered, $let:literal) => {
        concat!(
            "use clockwise::{Filtered, HashRing};\n\n\
             let up = |node: &&str| *node != \"eu-9\";\n\
             let ring = HashRing::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"])?;\n\
             ", $let, "strategy = Filtered::new(ring, up);"
        )
    };
    (Spread, $let:literal) => {
        concat!(
            "use clockwise::{HashRing, Spread, Tracked};\n\n\
             let ring = HashRing::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"].map(Tracked::new))?;\n\
             ", $let, "strategy = Spread::new(ring, |_| 2);"
        )
    };
    (Sticky, $let:literal) => {
        concat!(
            "use clockwise::{RoundRobin, Sticky};\nuse std::time::Duration;\n\n\
             let turns = RoundRobin::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"])?;\n\
             ", $let, "strategy = Sticky::new(turns, 10_000, Duration::from_secs(1800));"
        )
    };
    (Zoned, $let:literal) => {
        concat!(
            "use clockwise::{HashRing, Zoned};\n\n\
             let ring = HashRing::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"])?;\n\
             ", $let, "strategy = Zoned::new(ring, |node: &&'static str| &node[..2]);"
        )
    };
    (LeastLoaded, $let:literal) => {
        $crate::strategy::setup!(counted "LeastLoaded", $let)
    };
    (PowerOfTwo, $let:literal) => {
        $crate::strategy::setup!(counted "PowerOfTwo", $let)
    };
    (counted $name:literal, $let:literal) => {
        concat!(
            "use clockwise::{", $name, ", Tracked};\n\n",
            "let nodes = [\"eu-1\", \"eu-2\", \"us-1\"];\n",
            $let, "strategy = ", $name, "::from_nodes(nodes.map(Tracked::new))?;"
        )
    };
    ($Type:ident, $let:literal) => {
        concat!(
            "use ", $crate::strategy::import!($Type), ";\n\n",
            $let, "strategy = ", stringify!($Type), "::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"])?;"
        )
    };
}
pub(crate) use setup;

/// The path that an example imports a type by.
macro_rules! import {
    (EnvoyMaglev) => {
        "clockwise::compat::EnvoyMaglev"
    };
    (EnvoyRing) => {
        "clockwise::compat::EnvoyRing"
    };
    (HaproxyConsistent) => {
        "clockwise::compat::HaproxyConsistent"
    };
    (Jump) => {
        "clockwise::compat::Jump"
    };
    (Ketama) => {
        "clockwise::compat::Ketama"
    };
    (Nginx) => {
        "clockwise::compat::Nginx"
    };
    (LeastLoaded) => {
        "clockwise::{LeastLoaded, Tracked}"
    };
    (PowerOfTwo) => {
        "clockwise::{PowerOfTwo, Tracked}"
    };
    ($Type:ident) => {
        concat!("clockwise::", stringify!($Type))
    };
}
pub(crate) use import;

/// A node with this name, as an expression of an example.
macro_rules! node {
    (Bounded, $name:literal) => {
        $crate::strategy::node!(counted $name)
    };
    (Spread, $name:literal) => {
        $crate::strategy::node!(counted $name)
    };
    (LeastLoaded, $name:literal) => {
        $crate::strategy::node!(counted $name)
    };
    (PowerOfTwo, $name:literal) => {
        $crate::strategy::node!(counted $name)
    };
    (counted $name:literal) => {
        concat!("Tracked::new(\"", $name, "\")")
    };
    ($Type:ident, $name:literal) => {
        concat!("\"", $name, "\"")
    };
}
pub(crate) use node;

/// A weight that the type takes, as an expression of an example.
macro_rules! weight {
    (Jump) => {
        "1"
    };
    ($Type:ident) => {
        "3"
    };
}
pub(crate) use weight;
