//! The forecast of evenness against what rings turn out to be.

#![cfg(feature = "std")]

use crate::common::names::{self, Style};
use crate::common::random::Rng;
use crate::common::scaled;
use clockwise::{Balance, HashRing};

/// The forecast against what rings are: the mean of the busiest of 40 (400) sets. The busiest of 10
/// nodes spreads by about 0.6 σ, so its mean over 40 sets is known to 0.1 σ = 0.8 %; 4 of those are
/// allowed, and 1 % for the forecast's own approximation.
#[test]
fn a_forecast_comes_true() {
    let sets = scaled(12, 40, 400);
    for (nodes, virtual_nodes) in [(10, 160), (10, 40), (50, 160)] {
        let mut random = Rng::new(12);
        let forecast = Balance::forecast(nodes, virtual_nodes);
        let (mut busiest, mut least) = (0.0, 0.0);
        for _ in 0..sets {
            let names = names::nodes(Style::Uuids, nodes, &mut random);
            let builder = HashRing::builder().virtual_nodes(virtual_nodes);
            let mut ring = builder.build().expect("it fits");
            ring.extend_weighted(names.into_iter().map(|name| (name, 1)))
                .expect("distinct");
            let balance = ring.balance();
            busiest += balance.busiest() / sets as f64;
            least += balance.least() / sets as f64;
        }
        let sigma = 1.0 / f64::from(virtual_nodes).sqrt();
        let tolerance = 4.0 * 0.6 * sigma / (sets as f64).sqrt() + 0.01;
        println!(
            "{nodes} × {virtual_nodes}: busiest {busiest:.3} ({:.3} foretold)",
            forecast.busiest
        );
        assert!(
            (busiest - forecast.busiest).abs() < tolerance,
            "{busiest} {forecast:?}"
        );
        assert!(
            (least - forecast.least).abs() < tolerance,
            "{least} {forecast:?}"
        );
        let theory = ((nodes - 1) as f64 / (nodes as f64 * f64::from(virtual_nodes) + 1.0)).sqrt();
        assert!((forecast.std_dev - theory).abs() < 1e-12);
    }
}

/// The number of virtual nodes is the least whose forecast is as even as wanted.
#[test]
fn virtual_nodes_for_an_evenness_are_the_fewest_that_reach_it() {
    for nodes in [2, 3, 10, 100, 1000, 10_000] {
        for wanted in [1.01, 1.05, 1.1, 1.25, 1.5, 2.0] {
            let v = Balance::virtual_nodes_for(nodes, wanted).expect("it can be reached");
            let reached = Balance::forecast(nodes, v).busiest;
            assert!(
                reached <= wanted + 1e-9,
                "{nodes}, {wanted}: {v} reach {reached}"
            );
            if v > 1 {
                let fewer = Balance::forecast(nodes, v - 1).busiest;
                assert!(
                    fewer > wanted - 1e-9,
                    "{nodes}, {wanted}: {} reach {fewer}",
                    v - 1
                );
            }
        }
    }
}

#[test]
fn a_forecast_of_odd_numbers_is_still_a_number() {
    for nodes in [0, 1, usize::MAX] {
        for virtual_nodes in [0, 1, u32::MAX] {
            let forecast = Balance::forecast(nodes, virtual_nodes);
            assert!(
                forecast.busiest.is_finite() && forecast.busiest >= 1.0 - 1e-6,
                "{forecast:?}"
            );
            assert!((0.0..=1.0).contains(&forecast.least), "{forecast:?}");
            assert!(forecast.std_dev.is_finite(), "{forecast:?}");
        }
    }
    for wanted in [
        f64::NAN,
        1.0,
        0.0,
        -1.0,
        f64::NEG_INFINITY,
        1.0 + f64::EPSILON,
    ] {
        assert_eq!(Balance::virtual_nodes_for(10, wanted), None, "{wanted}");
    }
    assert_eq!(Balance::virtual_nodes_for(10, f64::INFINITY), Some(1));
    // The greatest of 2⁶⁴ normals is expected at 9.2, of 2³² at 6.3.
    let all = Balance::forecast(usize::MAX, 160);
    assert!(all.busiest > 1.4 && all.busiest < 2.0, "{all:?}");
    let one = Balance::forecast(1, 160);
    assert!(
        (one.busiest - 1.0).abs() < 0.01 && one.std_dev == 0.0,
        "{one:?}"
    );
}

/// With one virtual node each, the least of N exponential loads is expected at 1/N.
#[test]
fn the_least_never_rises_as_nodes_are_added() {
    for virtual_nodes in [1, 2, 3, 10, 160] {
        let forecast = |nodes: usize| Balance::forecast(nodes, virtual_nodes).least;
        let leasts: Vec<f64> = (1..20).map(|power| forecast(1 << power)).collect();
        assert!(
            leasts.windows(2).all(|pair| pair[1] <= pair[0]),
            "{virtual_nodes}: {leasts:?}"
        );
    }
    assert!(Balance::forecast(1000, 1).least < 0.01);
}
