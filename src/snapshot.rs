//! [`Snapshot`], which holds what decides a strategy's answers, and the fingerprint over the same
//! data.
//!
//! There is one format for all strategies. Each describes itself in a `Placement`, from which
//! snapshots are taken, checked and fingerprinted. `docs/SPEC.md` describes both for other
//! languages.
//!
//! # Examples
//! ```
//! use clockwise::{HashRing, Xxh3};
//!
//! let ring = HashRing::from_weighted([("a", 1), ("b", 2)])?;
//! let copy = HashRing::restore(ring.snapshot(), Xxh3::new())?; // in another process
//! assert_eq!(copy.fingerprint(), ring.fingerprint());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "serde")]
mod record;
mod work;

pub(crate) use work::{MAX_WORK, Work};

use crate::error::{DiffError, RestoreError, readable};
use crate::hash::{KeyHasher, Xxh3, layout, take_points};
use crate::key::Key;
use crate::nodes::{Draft, Entry, Members, NodeSet};
use alloc::string::String;
use alloc::vec::Vec;

/// The format that this release writes and reads.
pub(crate) const FORMAT: u32 = 1;

/// The configuration and members of a strategy: everything that decides its answers except the
/// hasher.
///
/// It holds no points, no table and no key. The hasher is known only by its hash of a fixed probe,
/// so you pass the hasher again when you restore. `snapshot` takes a snapshot of a ring, a
/// rendezvous or a slot table. `restore`, such as [`HashRing::restore`](crate::HashRing::restore),
/// checks everything, including the fingerprint, and builds the strategy again.
///
/// With the feature `serde` it is `Serialize` and `Deserialize` if the nodes are. So are the
/// strategies themselves, in the form of their snapshots.
///
/// # Examples
/// ```
/// use clockwise::{HashRing, SipHash13};
///
/// let key = *b"16 secret bytes!";
/// let mut ring = HashRing::with_hasher(SipHash13::new(key));
/// ring.extend_weighted([("a", 1), ("b", 2)])?;
///
/// let again = HashRing::restore(ring.snapshot(), SipHash13::new(key))?;
/// assert_eq!(again.fingerprint(), ring.fingerprint());
/// // Another key would have other owners:
/// assert!(HashRing::restore(ring.snapshot(), SipHash13::new([0; 16])).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot<N> {
    format: u32,
    kind: String,
    layout: u8,
    #[cfg_attr(feature = "serde", serde(with = "record::parameters"))]
    parameters: Vec<(String, u64)>,
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::word"))]
    probe: u64,
    #[cfg_attr(feature = "serde", serde(with = "crate::hex::word"))]
    fingerprint: u64,
    #[cfg_attr(
        feature = "serde",
        serde(
            deserialize_with = "record::members",
            bound(deserialize = "N: serde::Deserialize<'de>")
        )
    )]
    members: Vec<Entry<N>>,
}

impl<N> Snapshot<N> {
    /// Returns the kind of strategy: `"ring"`, `"rendezvous"` or `"slot_table"`.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a"])?;
    /// println!("{}", ring.snapshot().kind());
    /// let table = clockwise::SlotTable::from_nodes(["a"])?;
    /// assert_ne!(ring.snapshot().kind(), table.snapshot().kind());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the number of the layout, which defines how nodes and keys become owners.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a"])?;
    /// assert_eq!(ring.snapshot().layout(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn layout(&self) -> u8 {
        self.layout
    }

    /// Returns the parameter of the placement with this name, or `None` if there is no such
    /// parameter. A ring has `"virtual_nodes"`. A table has `"slots"` and `"max_load"`, which is in
    /// units of 2⁻³², or 0 for none.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a"])?;
    /// assert_eq!(ring.snapshot().parameter("virtual_nodes"), Some(512));
    /// assert_eq!(ring.snapshot().parameter("slots"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parameter(&self, name: &str) -> Option<u64> {
        let named = self.parameters.iter().find(|(known, _)| known == name);
        named.map(|&(_, value)| value)
    }

    /// Returns the number by which hashers are told apart: the hash of the bytes `clockwise probe`,
    /// mixed with two points of a node of that name if the hasher has
    /// [points of its own](crate::KeyHasher::hash_points).
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Xxh3};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// let seeded = HashRing::builder().hasher(Xxh3::with_seed(1)).from_nodes(["a"])?;
    /// assert_ne!(ring.snapshot().probe(), seeded.snapshot().probe());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn probe(&self) -> u64 {
        self.probe
    }

    /// Returns the fingerprint of the strategy that the snapshot was taken of.
    ///
    /// # Examples
    /// ```
    /// let ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// assert_eq!(ring.snapshot().fingerprint(), ring.fingerprint());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Returns the members, as [`HashRing::members`](crate::HashRing::members) does, but in the
    /// order of the snapshot.
    ///
    /// # Examples
    /// ```
    /// let mut ring = clockwise::HashRing::from_nodes(["a", "b"])?;
    /// ring.drain("a")?;
    /// let snapshot = ring.snapshot();
    /// assert!(snapshot.members().any(|member| *member.node == "a" && member.drained));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn members(&self) -> Members<'_, N> {
        Members::of(&self.members)
    }
}

/// The bytes that are hashed to tell hashers apart.
const PROBE: &[u8] = b"clockwise probe";

/// Returns a number by which hashers are told apart: the hash of a fixed byte string, combined with
/// the first two points of a node of that name unless they are those of layout V1. It reveals
/// nothing about a key.
pub(crate) fn probe(hasher: &(impl KeyHasher + ?Sized)) -> u64 {
    let hash = |bytes: &[u8]| hasher.hash_bytes(bytes);
    let (mut points, mut v1) = (Vec::new(), Vec::new());
    take_points(hasher, PROBE, 2, &mut points);
    layout::for_each_point(hash, PROBE, 2, |point| v1.push(point));
    let token = hash(PROBE);
    if points == v1 {
        return token;
    }
    let words = core::iter::once(token).chain(points);
    let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    Xxh3::new().hash_bytes(&bytes)
}

/// Checks that keys have the same tokens on both sides. The points of nodes may differ, so that the
/// way from points of one's own to those of layout V1 can be planned.
pub(crate) fn same_hasher(old: &impl KeyHasher, new: &impl KeyHasher) -> Result<(), DiffError> {
    let (old_probe, new_probe) = (old.hash_bytes(PROBE), new.hash_bytes(PROBE));
    if old_probe == new_probe {
        Ok(())
    } else {
        Err(DiffError::HasherMismatch {
            old_probe,
            new_probe,
        })
    }
}

/// The description of a strategy without its hasher and its members.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placement<const PARAMETERS: usize> {
    pub(crate) kind: &'static str,
    pub(crate) layout: u8,
    /// The parameters, in order of their names, which a layout never changes.
    pub(crate) parameters: [(&'static str, u64); PARAMETERS],
}

impl<const PARAMETERS: usize> Placement<PARAMETERS> {
    pub(crate) fn fingerprint<N>(&self, hasher: &impl KeyHasher, nodes: &NodeSet<N>) -> u64 {
        self.fingerprint_of(probe(hasher), nodes.entries())
    }

    fn fingerprint_of<N>(&self, probe: u64, entries: &[Entry<N>]) -> u64 {
        let mut bytes = Vec::from(*b"clockwise ");
        bytes.extend(self.kind.as_bytes());
        bytes.push(0);
        bytes.push(self.layout);
        for (_, value) in self.parameters {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(probe.to_le_bytes());
        for entry in entries {
            bytes.extend((entry.identity.len() as u64).to_le_bytes());
            bytes.extend(&entry.identity);
            bytes.extend(entry.weight.to_le_bytes());
            bytes.push(u8::from(entry.drained));
        }
        Xxh3::new().hash_bytes(&bytes)
    }

    /// Takes a snapshot. `node` clones the nodes, or leaves them as references.
    pub(crate) fn snapshot<'a, N, M>(
        &self,
        hasher: &impl KeyHasher,
        nodes: &'a NodeSet<N>,
        node: impl Fn(&'a N) -> M,
    ) -> Snapshot<M> {
        let named = self.parameters.iter();
        let members = nodes.entries().iter().map(|entry| Entry {
            identity: entry.identity.clone(),
            node: node(&entry.node),
            weight: entry.weight,
            drained: entry.drained,
            place: entry.place,
        });
        Snapshot {
            format: FORMAT,
            kind: self.kind.into(),
            layout: self.layout,
            parameters: named.map(|&(name, value)| (name.into(), value)).collect(),
            probe: probe(hasher),
            fingerprint: self.fingerprint(hasher, nodes),
            members: members.collect(),
        }
    }

    /// Checks a snapshot against the placement that was made from its
    /// [`parameter`](Snapshot::parameter)s, against the hasher and against itself, and plans its
    /// members into `nodes`, which must be empty. What it allocates does not depend on the weights.
    pub(crate) fn plan<N: Key>(
        &self,
        snapshot: Snapshot<N>,
        hasher: &impl KeyHasher,
        nodes: &NodeSet<N>,
    ) -> Result<Draft<N>, RestoreError> {
        let found = snapshot.parameters.iter();
        if !found
            .map(|(name, value)| (&**name, *value))
            .eq(self.parameters)
        {
            return Err(RestoreError::InvalidParameters);
        }
        let own = probe(hasher);
        if snapshot.probe != own {
            return Err(RestoreError::HasherMismatch {
                expected: snapshot.probe,
                found: own,
            });
        }
        let other = |entry: &&Entry<N>| *entry.node.key_bytes().as_ref() != *entry.identity;
        if let Some(entry) = snapshot.members.iter().find(other) {
            return Err(RestoreError::IdentityMismatch {
                node: readable(&entry.identity),
                found: readable(entry.node.key_bytes().as_ref()),
            });
        }
        let edit = nodes.plan_restore(snapshot.members)?;
        let fingerprint = self.fingerprint_of(own, edit.added());
        if snapshot.fingerprint != fingerprint {
            return Err(RestoreError::FingerprintMismatch {
                expected: snapshot.fingerprint,
                found: fingerprint,
            });
        }
        Ok(edit)
    }
}

impl<N> Snapshot<N> {
    /// Checks that this release can read the snapshot as this kind of strategy, before any other
    /// check.
    pub(crate) fn expect(&self, kind: &'static str, layout: u8) -> Result<(), RestoreError> {
        if self.format != FORMAT {
            return Err(RestoreError::UnsupportedFormat {
                found: self.format,
                known: FORMAT,
            });
        }
        if self.kind != kind {
            return Err(RestoreError::KindMismatch {
                expected: kind,
                found: readable(self.kind.as_bytes()),
            });
        }
        if self.layout != layout {
            return Err(RestoreError::UnsupportedLayout {
                found: self.layout,
                known: layout,
            });
        }
        Ok(())
    }

    /// Returns a parameter that must be present and fit its type.
    pub(crate) fn require<T: TryFrom<u64>>(&self, name: &str) -> Result<T, RestoreError> {
        self.parameter(name)
            .and_then(|value| T::try_from(value).ok())
            .ok_or(RestoreError::InvalidParameters)
    }
}

/// Implements the verbs of a strategy `S<N, H>` that has `nodes`, a `hasher`, a `placement()` and a
/// `restore(snapshot, hasher)`.
macro_rules! snapshot_verbs {
    ($strategy:ident) => {
        /// Snapshots.
        impl<N, H: $crate::hash::KeyHasher> $strategy<N, H> {
            /// Returns a checksum of everything that decides owners: the layout, the parameters,
            /// the hasher (by its hash of a fixed probe), and each member's identity, weight and
            /// drained state.
            ///
            /// Equal fingerprints mean equal answers, in every process, language and release. The
            /// insertion order and the history do not matter. The fingerprint is 64 bits of XXH3.
            /// It detects accidents, but not an attacker who makes two memberships look the same.
            ///
            /// # Examples
            /// ```
            #[doc = concat!(
                "let mut strategy = clockwise::", stringify!($strategy),
                "::from_nodes([\"a\", \"b\"])?;"
            )]
            /// let before = strategy.fingerprint();
            /// strategy.drain("a")?;
            /// assert_ne!(strategy.fingerprint(), before);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Performance
            /// O(bytes of all identities).
            pub fn fingerprint(&self) -> u64 {
                self.placement().fingerprint(&self.hasher, &self.nodes)
            }

            /// Returns `true` if every key has the same order of preference on both sides: the same
            /// parameters, the same hasher (by its hash of a fixed probe), and members of the same
            /// identities, weights and drained states. The nodes may be of different types and
            /// carry different data.
            ///
            /// # Examples
            /// ```
            #[doc = concat!(
                "let here = clockwise::", stringify!($strategy), "::from_nodes([\"a\", \"b\"])?;"
            )]
            #[doc = concat!(
                "let there = clockwise::", stringify!($strategy), "::from_nodes([\"b\", \"a\"])?;"
            )]
            /// assert!(here.same_placement(&there)); // the order of the list does not matter
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Performance
            /// O(bytes of all identities).
            pub fn same_placement<M, H2: $crate::hash::KeyHasher>(
                &self,
                other: &$strategy<M, H2>,
            ) -> bool {
                let (own, others) = (self.placement(), other.placement());
                own == others
                    && $crate::snapshot::probe(&self.hasher)
                        == $crate::snapshot::probe(&other.hasher)
                    && self.nodes.same_members(&other.nodes)
            }

            /// Returns the configuration and the members, to be stored or sent. The snapshot holds
            /// neither the hasher's key nor anything that follows from the members, such as points
            /// or slots.
            ///
            /// # Examples
            /// ```
            /// use clockwise::Xxh3;
            ///
            #[doc = concat!(
                "let strategy = clockwise::", stringify!($strategy),
                "::from_nodes([\"a\", \"b\"])?;"
            )]
            #[doc = concat!(
                "let copy = clockwise::", stringify!($strategy),
                "::restore(strategy.snapshot(), Xxh3::new())?;"
            )]
            /// assert!(copy.same_placement(&strategy));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            ///
            /// # Performance
            /// O(N).
            pub fn snapshot(&self) -> $crate::Snapshot<N>
            where
                N: Clone,
            {
                let (hasher, nodes) = (&self.hasher, &self.nodes);
                self.placement().snapshot(hasher, nodes, N::clone)
            }
        }

        /// Serializes the strategy as its [`Snapshot`](crate::Snapshot).
        #[cfg(feature = "serde")]
        impl<N: serde::Serialize, H: $crate::hash::KeyHasher> serde::Serialize for $strategy<N, H> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (hasher, nodes) = (&self.hasher, &self.nodes);
                let snapshot = self.placement().snapshot(hasher, nodes, |node| node);
                snapshot.serialize(serializer)
            }
        }

        /// Restores a [`Snapshot`](crate::Snapshot) with the default hasher, which must be the one
        /// that it was taken with, and within the default budget of work. Use `restore` for a
        /// hasher with a seed or a key, and for another budget.
        #[cfg(feature = "serde")]
        impl<'de, N, H> serde::Deserialize<'de> for $strategy<N, H>
        where
            N: serde::Deserialize<'de> + $crate::Key,
            H: $crate::hash::KeyHasher + Default,
        {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let snapshot = $crate::Snapshot::deserialize(deserializer)?;
                $strategy::restore(snapshot, H::default()).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use snapshot_verbs;
