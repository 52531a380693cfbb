//! The fair share of a node.

/// Computes fair shares by weight if a node can hold at most one copy of a key.
///
/// With n copies and total weight W a node of weight w should hold n·w/W of all keys. If that is
/// more than all keys, it should hold all of them, and the others share the rest by weight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fair {
    /// The number of copies that are left for the nodes that should not hold everything.
    copies: usize,
    /// The weight of those nodes.
    weight: u64,
}

impl Fair {
    /// Computes the shares. `weights` must be in descending order, and `total` their sum. Reads
    /// only the weights of the nodes that should hold everything, and one more.
    pub(crate) fn new(weights: impl Iterator<Item = u32>, total: u64, copies: usize) -> Self {
        let mut fair = Fair {
            copies,
            weight: total,
        };
        for weight in weights {
            let part = u128::from(weight) * fair.copies as u128;
            if fair.copies == 0 || part < u128::from(fair.weight) {
                break;
            }
            fair.copies -= 1;
            fair.weight -= u64::from(weight);
        }
        fair
    }

    /// Returns the fraction of all keys that a node of this weight should hold, 0 to 1.
    pub(crate) fn part(&self, weight: u32) -> f64 {
        if self.weight == 0 {
            return 1.0;
        }
        let part = f64::from(weight) * self.copies as f64 / self.weight as f64;
        part.min(1.0)
    }

    /// Returns the greatest load by weight relative to the fair one.
    pub(crate) fn relative(&self, greatest: f64) -> f64 {
        if self.weight == 0 || self.copies == 0 {
            return 1.0;
        }
        greatest * self.weight as f64 / self.copies as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<const N: usize>(weights: [u32; N], copies: usize) -> [f64; N] {
        let total = weights.iter().map(|&weight| u64::from(weight)).sum();
        let fair = Fair::new(weights.into_iter(), total, copies);
        weights.map(|weight| fair.part(weight))
    }

    #[test]
    fn no_node_holds_a_key_twice() {
        assert_eq!(parts([2, 1, 1], 1), [0.5, 0.25, 0.25]);
        assert_eq!(parts([2, 1, 1], 2), [1.0, 0.5, 0.5]);
        assert_eq!(parts([9, 1, 1], 2), [1.0, 0.5, 0.5]);
        assert_eq!(parts([9, 4, 1, 1], 3), [1.0, 1.0, 0.5, 0.5]);
        assert_eq!(parts([9, 1], 5), [1.0, 1.0]);
        assert_eq!(parts([9, 1], 0), [0.0, 0.0]);
    }
}
