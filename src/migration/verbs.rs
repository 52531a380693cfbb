//! The verbs that compare two placements of one kind, for rings and slot tables.

use super::diff::Migration;
use super::replicas::Domains;
use super::union::Union;

/// A placement that cuts the circle into pieces with one order of preference each.
pub(crate) trait Pieces {
    /// Returns the pieces with their replica sets: ascending from 0 to MAX without a gap, or none
    /// at all if no node is eligible.
    fn sets(&self, domains: &Domains) -> impl Iterator<Item = (u64, u64, alloc::vec::Vec<u32>)>;
}

/// Compares the replica sets of two placements.
pub(crate) fn between_replicas<'a, N>(
    union: Union<'a, N>,
    (old, old_domains): (&impl Pieces, &Domains),
    (new, new_domains): (&impl Pieces, &Domains),
) -> Migration<'a, N> {
    Migration::of_sets(
        union,
        old_domains.copies().max(new_domains.copies()),
        old.sets(old_domains),
        new.sets(new_domains),
    )
}

/// The verbs, for a type with `nodes`, `beside` (both memberships, if the two can be compared),
/// `owners_beside` (the ranges whose owners differ) and [`Pieces`].
macro_rules! diff_verbs {
    ($Type:ident, performance: $owners:literal, $replicas:literal, errors: $errors:literal) => {
        /// What a change moves.
        impl<N, H: KeyHasher> $Type<N, H> {
            /// Compares the owners of all tokens with those in `new`, and returns what moves:
            /// ranges of tokens, each with its giver and its taker.
            ///
            /// Members, weights and settings may differ in any way. Nodes are compared by
            /// identity.
            ///
            /// # Examples
            /// ```
            #[doc = concat!(
                "let old = clockwise::", stringify!($Type), "::from_nodes([\"a\", \"b\", \"c\"])?;"
            )]
            /// let mut planned = old.clone();
            /// planned.set_weight("b", 2)?; // what would that move?
            ///
            /// let migration = old.diff(&planned)?;
            /// assert!(migration.moves().all(|m| m.to == Some(&"b")));
            /// println!("{migration}"); // the flows between nodes
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            #[doc = $errors]
            ///
            /// # Performance
            #[doc = $owners]
            pub fn diff<'a, H2: KeyHasher>(
                &'a self,
                new: &'a $Type<N, H2>,
            ) -> Result<$crate::migration::Migration<'a, N>, $crate::error::DiffError> {
                let $crate::migration::Union { nodes, places } = self.beside(new)?;
                let ranges = self.owners_beside(new, &places);
                Ok($crate::migration::Migration::of_owners(nodes, &places, ranges))
            }

            /// Compares the replica sets of all tokens with those in `new`, if each key has `n`
            /// replicas, and returns which member of a set is replaced by which.
            ///
            /// The members are compared as sets, so another order in a set moves nothing. If
            /// several members of a set are replaced, the i-th that leaves, in order of preference,
            /// is replaced by the i-th that joins. A change of one node replaces at most one member
            /// of any set, unless a load factor moves others.
            ///
            /// # Examples
            /// ```
            #[doc = concat!(
                "let old = clockwise::", stringify!($Type),
                "::from_nodes([\"a\", \"b\", \"c\", \"d\"])?;"
            )]
            /// let mut new = old.clone();
            /// new.remove("a");
            /// let migration = old.diff_replicas(&new, 2)?;
            /// assert!(migration.moves().all(|m| m.from == Some(&"a")));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As [`diff`](Self::diff).
            ///
            /// # Performance
            #[doc = $replicas]
            pub fn diff_replicas<'a, H2: KeyHasher>(
                &'a self,
                new: &'a $Type<N, H2>,
                n: usize,
            ) -> Result<$crate::migration::Migration<'a, N>, $crate::error::DiffError> {
                self.diff_replicas_between(new, n, n)
            }

            /// Compares as [`diff_replicas`](Self::diff_replicas) does, if each key has `old_n`
            /// replicas now and `new_n` in `new`.
            ///
            /// The members may change at the same time. A move of a set that grows may have no
            /// giver (`from: None`), and one of a set that shrinks no taker (`to: None`).
            ///
            /// # Examples
            /// ```
            #[doc = concat!(
                "let old = clockwise::", stringify!($Type),
                "::from_nodes([\"a\", \"b\", \"c\", \"d\"])?;"
            )]
            /// // From two copies of each key to three, on the same nodes.
            /// let migration = old.diff_replicas_between(&old, 2, 3)?;
            /// assert_eq!(migration.measure(), 1 << 64); // one copy of everything
            /// assert!(migration.moves().all(|m| m.from.is_none()));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As [`diff`](Self::diff).
            ///
            /// # Performance
            /// As [`diff_replicas`](Self::diff_replicas).
            pub fn diff_replicas_between<'a, H2: KeyHasher>(
                &'a self,
                new: &'a $Type<N, H2>,
                old_n: usize,
                new_n: usize,
            ) -> Result<$crate::migration::Migration<'a, N>, $crate::error::DiffError> {
                let old_domains = $crate::migration::Domains::none(&self.nodes, old_n);
                let new_domains = $crate::migration::Domains::none(&new.nodes, new_n);
                let union = self.beside(new)?;
                Ok($crate::migration::between_replicas(
                    union,
                    (self, &old_domains),
                    (new, &new_domains),
                ))
            }

            /// Compares as [`diff_replicas`](Self::diff_replicas) does, for replicas that are
            /// spread over domains as [`replicas_across`](Self::replicas_across) does.
            ///
            /// # Examples
            /// ```
            #[doc = concat!(
                "let old = clockwise::", stringify!($Type),
                "::from_nodes([\"eu-1\", \"eu-2\", \"us-1\"])?;"
            )]
            /// let mut new = old.clone();
            /// new.insert("us-2")?;
            /// let migration = old.diff_replicas_across(&new, 2, |node| &node[..2])?;
            /// assert!(migration.moves().all(|m| m.to == Some(&"us-2")));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Errors
            /// As [`diff`](Self::diff).
            ///
            /// # Performance
            /// As [`diff_replicas`](Self::diff_replicas), if the domains are few and of equal size.
            /// A domain of few nodes can be far to find.
            pub fn diff_replicas_across<'a, H2, Z, F>(
                &'a self,
                new: &'a $Type<N, H2>,
                n: usize,
                mut domain: F,
            ) -> Result<$crate::migration::Migration<'a, N>, $crate::error::DiffError>
            where
                H2: KeyHasher,
                Z: PartialEq,
                F: FnMut(&'a N) -> Z,
            {
                let union = self.beside(new)?;
                let old_domains = $crate::migration::Domains::new(&self.nodes, n, &mut domain);
                let new_domains = $crate::migration::Domains::new(&new.nodes, n, &mut domain);
                Ok($crate::migration::between_replicas(
                    union,
                    (self, &old_domains),
                    (new, &new_domains),
                ))
            }
        }
    };
}
pub(crate) use diff_verbs;
