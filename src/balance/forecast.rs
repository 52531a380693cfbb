//! [`Forecast`]: how even a ring will be.

use super::Balance;
use core::f64::consts::TAU;

/// The expected balance of a ring, which [`Balance::forecast`] returns.
///
/// Loads are relative to the mean: 1.0 is exactly a node's fair share.
///
/// # Examples
/// ```
/// use clockwise::Balance;
///
/// let forecast = Balance::forecast(100, 512);
/// assert!((1.10..1.12).contains(&forecast.busiest)); // about 11 % more than the fair share
/// assert!(forecast.least < 1.0 && forecast.std_dev < 0.05);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Forecast {
    /// The expected load of the busiest node.
    pub busiest: f64,
    /// The expected load of the least loaded node.
    pub least: f64,
    /// The standard deviation of the loads.
    pub std_dev: f64,
}

impl Balance {
    /// Returns how even a ring of `nodes` nodes with `virtual_nodes` points each will be, expected
    /// over the nodes' names. Needs `std`.
    ///
    /// The load of a node is a Beta(V, NV − V) variable, near a Gamma with V = `virtual_nodes`. The
    /// busiest of N is expected at 1 + m/√V + (s − 1)/(3V), where m and s are the means of the
    /// maximum of N standard normals and of its square (Cornish-Fisher). That is within 1 % from 10
    /// virtual nodes on. The least loaded is expected at (1 − 1/(9V) − m/(3√V))³ (Wilson and
    /// Hilferty), which keeps falling as nodes are added, also for few virtual nodes.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::Balance;
    /// let forecast = Balance::forecast(100, 160);
    /// assert!((forecast.busiest - 1.21).abs() < 0.01);
    /// assert!((forecast.std_dev - 0.079).abs() < 0.001);
    /// ```
    pub fn forecast(nodes: usize, virtual_nodes: u32) -> Forecast {
        let (n, v) = (nodes.max(1) as f64, f64::from(virtual_nodes.max(1)));
        if nodes <= 1 {
            return Forecast {
                busiest: 1.0,
                least: 1.0,
                std_dev: 0.0,
            };
        }
        let (mean, square) = maximum_of_normals(n);
        let skew = (square - 1.0) / (3.0 * v);
        Forecast {
            busiest: 1.0 + mean / v.sqrt() + skew,
            least: (1.0 - 1.0 / (9.0 * v) - mean / (3.0 * v.sqrt()))
                .max(0.0)
                .powi(3)
                .min(1.0),
            std_dev: ((n - 1.0) / (n * v + 1.0)).sqrt(),
        }
    }

    /// Returns how many virtual nodes a ring of `nodes` nodes needs for an expected busiest node of
    /// at most `busiest` times the mean. Returns `None` if `busiest` is not above 1, or needs more
    /// than 2³² − 1. Needs `std`.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::Balance;
    /// assert_eq!(Balance::virtual_nodes_for(100, 1.05), Some(2588));
    /// assert_eq!(Balance::virtual_nodes_for(100, 1.0), None);
    /// ```
    pub fn virtual_nodes_for(nodes: usize, busiest: f64) -> Option<u32> {
        let excess = busiest - 1.0;
        if excess.is_nan() || excess <= 0.0 {
            return None;
        }
        let (mean, square) = maximum_of_normals(nodes.max(1) as f64);
        // The forecast is a quadratic in 1/√V; this form of its root does not cancel.
        let root =
            2.0 * excess / (mean + (mean * mean + 4.0 * excess * (square - 1.0) / 3.0).sqrt());
        let virtual_nodes = (root * root).recip().ceil().max(1.0);
        (virtual_nodes <= f64::from(u32::MAX)).then_some(virtual_nodes as u32)
    }
}

/// Returns the means of the maximum of `n` independent standard normals and of its square, by
/// summing over its distribution Φⁿ.
fn maximum_of_normals(n: f64) -> (f64, f64) {
    const STEP: f64 = 1.0 / 256.0;
    let density = |x: f64| (-x * x / 2.0).exp() / TAU.sqrt();
    let (mut above, mut before) = (0.0f64, 1.0);
    let (mut mean, mut square) = (0.0, 0.0);
    // Sums from the top, because 1 − Φ keeps its digits there. From below, Φ stops at 1 − 10⁻¹⁶,
    // and Φⁿ is 0 for n beyond 10¹⁶.
    for i in (-10 * 256..10 * 256).rev() {
        let middle = (f64::from(i) + 0.5) * STEP;
        above += density(middle) * STEP;
        let here = (n * (-above.min(1.0)).ln_1p()).exp();
        mean += middle * (before - here);
        square += middle * middle * (before - here);
        before = here;
    }
    (mean, square)
}
