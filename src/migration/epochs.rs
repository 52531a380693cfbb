//! [`Epochs`]: the old and the new placement side by side, while data moves.

use super::stages::{Stage, Stages};
use crate::error::{AdvanceError, NotDone};
use crate::hash::{Token, TokenRange};
use crate::key::Key;
use crate::strategy::Strategy;
use alloc::vec::Vec;
use core::fmt;

/// The old and the new placement side by side, while data moves from the one to the other.
///
/// Each range of tokens is in one [`Stage`], at first in [`Copying`](Stage::Copying).
/// [`reads`](Epochs::reads) and [`writes`](Epochs::writes) say where to read and write a key in its
/// stage:
///
/// | stage | write, and acknowledge when all have it | read |
/// |---|---|---|
/// | before: the process has no epochs yet | old replicas | old replicas |
/// | [`Copying`](Stage::Copying) | old and new replicas | old replicas alone |
/// | [`Copied`](Stage::Copied) | old and new replicas | new replicas alone |
/// | [`Done`](Stage::Done) | new replicas | new replicas |
///
/// A read asks the first of `reads`. The next one is for a node that cannot be *reached*. "Not
/// found" is an answer: a read that continues after it brings deleted data back.
///
/// Works with any two strategies whose order of preference depends on the members alone: rings,
/// rendezvous, slot tables, and wrappers around them. References and `Arc`s are strategies too. A
/// load-driven strategy compiles, but has no fixed order: do not use it here.
///
/// # Protocol
/// Processes that are at most one stage apart never read an old value, if all of this holds:
///
/// 1. **Versions.** Each value and each delete carries a version, and a node keeps the greater one.
///    A delete is a tombstone. It is kept from the first `Copying` until the range is `Done` in
///    every process and its old data is dropped. A copy is written if it is newer; tombstones are
///    copied too. Write values, not changes, and copy the absolute time at which a value expires.
///    A store without versions must hold a lock on the key in all processes while it is copied. To
///    copy an absent value is to delete it then.
/// 2. **An empty taker.** Before a range enters `Copying`, its taker has nothing of it. Leftovers
///    of an earlier attempt bring deleted keys back.
/// 3. **Steps.** A coordinator publishes numbered steps. A step is a set of ranges, each with a
///    stage that is one further. A process stores the step, applies it with
///    [`advance`](Epochs::advance), waits until all operations that it began before have ended, and
///    then acknowledges. If the epochs are in a `Shared`, hold the snapshot during each operation
///    and wait for its `oldest_version_in_use`. A process may also look at the stage again after
///    each operation and repeat the operation if it changed; before it acknowledges `Done` it must
///    still wait, or a late write lands on a replica whose data was dropped. Step k + 1 is
///    published when every process has acknowledged step k.
/// 4. **Every process** means every one that can reach the nodes. A new process loads the present
///    step before its first operation, and is counted before that. A process that cannot renew its
///    lease stops by itself before the lease ends.
/// 5. **Copy** a range when every process has acknowledged `Copying`. Copy from the member that is
///    replaced (`from`). If there is none, or it is dead, copy what a quorum of the old replicas
///    has. If writes wait for all replicas, any old replica will do. Copying twice is safe. A range
///    is `Copied` after *all* its moves; see
///    [`Plan::completed_ranges`](super::Plan::completed_ranges). Ranges in which nothing moves may
///    advance with any step.
/// 6. **Drop** the old data of a range when every process has acknowledged `Done` and no copy of it
///    is under way any more. Drop it on the old replicas that are not new replicas.
/// 7. **Restart** at the stored stages, before the first operation; see
///    [`resume`](Epochs::resume). One step behind is safe.
///
/// Reads that run beside a write are regular, not linearizable: each returns the old or the new
/// value. Repeat a write that failed half-way before its range advances.
///
/// **Quorums.** With [`old_replicas`](Epochs::old_replicas) and
/// [`new_replicas`](Epochs::new_replicas) a write in `Copying` and `Copied` needs a quorum of
/// *each* side, and a read a quorum of the side that is read. Never count over the union of the
/// sides. If the number of replicas falls, copy what a quorum of the old replicas has to every new
/// replica, also to those that stay.
///
/// # Examples
/// ```
/// use clockwise::{Epochs, HashRing, Stage, TokenRange};
///
/// let old = HashRing::from_nodes(["a", "b", "c"])?;
/// let mut new = old.clone();
/// new.insert("d")?;
/// let mut plan = old.diff_replicas(&new, 2)?.plan(4)?;
/// let mut epochs = Epochs::new(old, new).with_replicas(2);
///
/// // Every process has the epochs: copy.
/// while let Some(step) = plan.start() {
///     assert_eq!(epochs.stage(step.range.first()), Stage::Copying);
///     // copy step.range to step.to, and then
///     plan.complete(&step);
/// }
/// for range in plan.completed_ranges() {
///     epochs.advance(range, Stage::Copied)?;
/// }
/// epochs.advance(TokenRange::ALL, Stage::Copied)?; // and where nothing moves
/// // Every process has acknowledged it.
/// epochs.advance(TokenRange::ALL, Stage::Done)?;
/// // Every process has acknowledged that, too: drop the old data.
/// assert_eq!(epochs.writes("user:42"), epochs.new_replicas("user:42"));
/// let ring = epochs.into_new()?;
/// assert!(ring.contains("d"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Epochs<Old, New = Old> {
    pub(super) old: Old,
    pub(super) new: New,
    pub(super) old_count: usize,
    pub(super) new_count: usize,
    pub(super) stages: Stages,
    /// `true` if the ranges are of the new side's tokens, should the two hash differently.
    pub(super) reversed: bool,
}

impl<Old, New> Epochs<Old, New> {
    /// Creates epochs for one replica of each key, with all ranges in [`Stage::Copying`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage};
    ///
    /// let old = HashRing::from_nodes(["a", "b"])?;
    /// let mut new = old.clone();
    /// new.insert("c")?;
    /// let epochs = Epochs::new(old, new);
    /// assert_eq!(epochs.reads("user:42"), epochs.old_replicas("user:42"));
    /// assert_eq!(epochs.stages().count(), 1); // all of it in `Stage::Copying`
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new(old: Old, new: New) -> Self {
        Epochs {
            old,
            new,
            old_count: 1,
            new_count: 1,
            stages: Stages::new(),
            reversed: false,
        }
    }

    /// Sets the number of replicas of each key, the same on both sides. 0 counts as 1.
    ///
    /// It must be the number that the moves were worked out for: `diff_replicas(&new, n)` goes with
    /// `with_replicas(n)`, and `diff` with the default of 1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let old = HashRing::from_nodes(["a", "b", "c"])?;
    /// let mut new = old.clone();
    /// new.insert("d")?;
    /// let epochs = Epochs::new(old, new).with_replicas(2);
    /// assert_eq!(epochs.reads("user:42").len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_replicas(self, n: usize) -> Self {
        self.with_replicas_between(n, n)
    }

    /// Sets the number of replicas of each key on the old and on the new side. 0 counts as 1.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let ring = HashRing::from_nodes(["a", "b", "c"])?;
    /// let epochs = Epochs::new(&ring, &ring).with_replicas_between(2, 3); // one copy more
    /// assert_eq!((epochs.reads("user:42").len(), epochs.writes("user:42").len()), (2, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_replicas_between(self, old_n: usize, new_n: usize) -> Self {
        Epochs {
            old_count: old_n.max(1),
            new_count: new_n.max(1),
            ..self
        }
    }

    /// Returns the old placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let epochs = Epochs::new(HashRing::from_nodes(["a"])?, HashRing::from_nodes(["b"])?);
    /// assert!(epochs.old_strategy().contains("a"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn old_strategy(&self) -> &Old {
        &self.old
    }

    /// Returns the new placement.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let epochs = Epochs::new(HashRing::from_nodes(["a"])?, HashRing::from_nodes(["b"])?);
    /// assert!(epochs.new_strategy().contains("b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new_strategy(&self) -> &New {
        &self.new
    }

    /// Returns the stage of `token`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage, TokenRange};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// let mut epochs = Epochs::new(&ring, &ring);
    /// assert_eq!(epochs.stage(ring.token("user:42")), Stage::Copying);
    /// epochs.advance(TokenRange::ALL, Stage::Copied)?;
    /// assert_eq!(epochs.stage(ring.token("user:42")), Stage::Copied);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Performance
    /// O(log ranges).
    pub fn stage(&self, token: Token) -> Stage {
        self.stages.of(token)
    }

    /// Returns the whole circle in ranges of one stage each, in ascending order.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage, Token, TokenRange};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// let mut epochs = Epochs::new(&ring, &ring);
    /// let half = TokenRange::new(Token::new(0), Token::new(u64::MAX / 2)).unwrap();
    /// epochs.advance(half, Stage::Copied)?;
    /// let stages: Vec<_> = epochs.stages().map(|(_, stage)| stage).collect();
    /// assert_eq!(stages, [Stage::Copied, Stage::Copying]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stages(&self) -> impl Iterator<Item = (TokenRange, Stage)> {
        self.stages.parts(TokenRange::ALL)
    }

    /// Advances a range of tokens to `stage`. Parts that are in this stage or a later one stay as
    /// they are, so a step may be applied again.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage, TokenRange};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// let mut epochs = Epochs::new(&ring, &ring);
    /// assert!(epochs.advance(TokenRange::ALL, Stage::Done).is_err()); // skips a stage
    /// epochs.advance(TokenRange::ALL, Stage::Copied)?;
    /// epochs.advance(TokenRange::ALL, Stage::Done)?;
    /// assert!(epochs.is_done());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AdvanceError`] if a part of the range would skip a stage. It names the first such part,
    /// and nothing has changed then.
    ///
    /// # Performance
    /// O(log ranges) for each part. Neighbours in one stage are merged.
    pub fn advance(&mut self, range: TokenRange, stage: Stage) -> Result<(), AdvanceError> {
        self.stages.advance(range, stage)
    }

    /// Returns `true` if the whole circle is in [`Stage::Done`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let ring = HashRing::from_nodes(["a"])?;
    /// assert!(!Epochs::new(&ring, &ring).is_done());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_done(&self) -> bool {
        self.stages().all(|(_, stage)| stage == Stage::Done)
    }

    /// Ends the migration and returns the new placement.
    ///
    /// This is the only way to a second change. A change on top of one that is not done would need
    /// three sides.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage, TokenRange};
    ///
    /// let mut epochs = Epochs::new(HashRing::from_nodes(["a"])?, HashRing::from_nodes(["b"])?);
    /// epochs.advance(TokenRange::ALL, Stage::Copied)?;
    /// epochs.advance(TokenRange::ALL, Stage::Done)?;
    /// let ring = epochs.into_new()?;
    /// assert_eq!(ring.route("user:42"), Some(&"b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotDone`] if a range is not in [`Stage::Done`]. Ask [`is_done`](Epochs::is_done) first to
    /// keep the epochs.
    pub fn into_new(self) -> Result<New, NotDone> {
        let not_done = self.stages().find(|&(_, stage)| stage != Stage::Done);
        match not_done {
            Some((range, stage)) => Err(NotDone { range, stage }),
            None => Ok(self.new),
        }
    }

    /// Returns both placements, in any stage.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let epochs = Epochs::new(HashRing::from_nodes(["a"])?, HashRing::from_nodes(["b"])?);
    /// let (old, new) = epochs.into_inner();
    /// assert!(old.contains("a") && new.contains("b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_inner(self) -> (Old, New) {
        (self.old, self.new)
    }

    /// Gives the migration up: exchanges the sides, and moves each range to a stage in which no
    /// read is old.
    ///
    /// | when reversed, the range was | becomes | to copy back |
    /// |---|---|---|
    /// | `Copying` in every process | `Copied` | nothing |
    /// | `Copied` in some process, `Done` in none | `Copying` | nothing |
    /// | `Done` in any process | `Copying` | what was written since the first `Done` |
    ///
    /// A range of the second row may advance to `Copied` when every process has acknowledged the
    /// reversal. This is also the way out if a taker died. A range of the third row may do so when
    /// the data is copied back: all of it, if old data was dropped.
    ///
    /// Processes may reverse one by one, but none of them gets a forward step after the first one
    /// has reversed. A process that has no epochs yet needs none. After the reversal the protocol
    /// continues as before, to [`Stage::Done`].
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage};
    ///
    /// let old = HashRing::from_nodes(["a"])?;
    /// let new = HashRing::from_nodes(["b"])?;
    /// let epochs = Epochs::new(&old, &new).reverse(); // the taker died during the copy
    /// assert_eq!(epochs.reads("user:42"), [&"a"]); // which still has everything
    /// assert_eq!(epochs.stage(old.token("user:42")), Stage::Copied);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn reverse(self) -> Epochs<New, Old> {
        Epochs {
            stages: self.stages.reversed(),
            old: self.new,
            new: self.old,
            old_count: self.new_count,
            new_count: self.old_count,
            reversed: !self.reversed,
        }
    }
}

impl<N: Key, Old: Strategy<Node = N>, New: Strategy<Node = N>> Epochs<Old, New> {
    /// Returns the nodes to read `key` from, in order of preference: the replicas of the one side
    /// that has everything.
    ///
    /// Go on to the next node only if one cannot be reached, not if it does not have the key.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing, Stage, TokenRange};
    ///
    /// let mut epochs = Epochs::new(HashRing::from_nodes(["a"])?, HashRing::from_nodes(["b"])?);
    /// assert_eq!(epochs.reads("user:42"), [&"a"]);
    /// epochs.advance(TokenRange::ALL, Stage::Copied)?;
    /// assert_eq!(epochs.reads("user:42"), [&"b"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reads<K: Key + ?Sized>(&self, key: &K) -> Vec<&N> {
        let (old, new) = self.tokens(key);
        self.reads_of(old, new)
    }

    /// Returns the nodes to write `key` to, all of them: the old replicas, then the new ones that
    /// are not among them; in [`Stage::Done`] the new replicas.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let epochs = Epochs::new(HashRing::from_nodes(["a"])?, HashRing::from_nodes(["b"])?);
    /// assert_eq!(epochs.writes("user:42"), [&"a", &"b"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn writes<K: Key + ?Sized>(&self, key: &K) -> Vec<&N> {
        let (old, new) = self.tokens(key);
        self.writes_of(old, new)
    }

    /// Returns the replicas of `key` on the old side, for systems with quorums.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let old = HashRing::from_nodes(["a", "b", "c"])?;
    /// let new = HashRing::from_nodes(["b", "c", "d"])?;
    /// let epochs = Epochs::new(&old, &new).with_replicas(2);
    /// assert_eq!(epochs.old_replicas("user:42"), old.replicas("user:42", 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn old_replicas<K: Key + ?Sized>(&self, key: &K) -> Vec<&N> {
        first(&self.old, self.tokens(key).0, self.old_count)
    }

    /// Returns the replicas of `key` on the new side, for systems with quorums.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let old = HashRing::from_nodes(["a", "b", "c"])?;
    /// let new = HashRing::from_nodes(["b", "c", "d"])?;
    /// let epochs = Epochs::new(&old, &new).with_replicas(2);
    /// assert_eq!(epochs.new_replicas("user:42"), new.replicas("user:42", 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new_replicas<K: Key + ?Sized>(&self, key: &K) -> Vec<&N> {
        first(&self.new, self.tokens(key).1, self.new_count)
    }

    /// Returns what [`reads`](Epochs::reads) returns, for a token. Both sides must have the same
    /// hasher.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let epochs = Epochs::new(&ring, &ring);
    /// assert_eq!(epochs.reads_token(ring.token("user:42")), epochs.reads("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reads_token(&self, token: Token) -> Vec<&N> {
        self.reads_of(token, token)
    }

    /// Returns what [`writes`](Epochs::writes) returns, for a token. Both sides must have the same
    /// hasher.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let epochs = Epochs::new(&ring, &ring);
    /// assert_eq!(epochs.writes_token(ring.token("user:42")), epochs.writes("user:42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn writes_token(&self, token: Token) -> Vec<&N> {
        self.writes_of(token, token)
    }

    /// Returns the replicas of `token` on the old side.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let epochs = Epochs::new(&ring, &ring).with_replicas(2);
    /// assert_eq!(epochs.old_replicas_token(ring.token("user:42")), ring.replicas("user:42", 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn old_replicas_token(&self, token: Token) -> Vec<&N> {
        first(&self.old, token, self.old_count)
    }

    /// Returns the replicas of `token` on the new side.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{Epochs, HashRing};
    ///
    /// let ring = HashRing::from_nodes(["a", "b"])?;
    /// let epochs = Epochs::new(&ring, &ring).with_replicas(2);
    /// assert_eq!(epochs.new_replicas_token(ring.token("user:42")), ring.replicas("user:42", 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new_replicas_token(&self, token: Token) -> Vec<&N> {
        first(&self.new, token, self.new_count)
    }

    /// The token on the old and on the new side.
    fn tokens<K: Key + ?Sized>(&self, key: &K) -> (Token, Token) {
        let bytes = key.key_bytes();
        let bytes = bytes.as_ref();
        (self.old.token_of(bytes), self.new.token_of(bytes))
    }

    fn stage_of(&self, old: Token, new: Token) -> Stage {
        self.stage(if self.reversed { new } else { old })
    }

    fn reads_of(&self, old: Token, new: Token) -> Vec<&N> {
        match self.stage_of(old, new) {
            Stage::Copying => first(&self.old, old, self.old_count),
            Stage::Copied | Stage::Done => first(&self.new, new, self.new_count),
        }
    }

    fn writes_of(&self, old: Token, new: Token) -> Vec<&N> {
        let joining = first(&self.new, new, self.new_count);
        if self.stage_of(old, new) == Stage::Done {
            return joining;
        }
        let mut nodes = first(&self.old, old, self.old_count);
        let olds = nodes.len();
        for node in joining {
            let among = |other: &&N| same(&self.old, other, &self.new, node);
            if !nodes[..olds].iter().any(among) {
                nodes.push(node);
            }
        }
        nodes
    }
}

/// The first `n` nodes in a token's order.
pub(super) fn first<S: Strategy>(strategy: &S, token: Token, n: usize) -> Vec<&S::Node> {
    let mut nodes = Vec::new();
    if n > 0 {
        strategy.pick(token, &mut |node| {
            nodes.push(node);
            nodes.len() == n
        });
    }
    nodes
}

/// Returns `true` if nodes of two strategies have the same identity: the one that they joined with,
/// if the strategy knows it.
fn same<N: Key>(
    a: &impl Strategy<Node = N>,
    node_a: &N,
    b: &impl Strategy<Node = N>,
    node_b: &N,
) -> bool {
    match (a.identity_of(node_a), b.identity_of(node_b)) {
        (Some(a), Some(b)) => a == b,
        (Some(a), None) => a == node_b.key_bytes().as_ref(),
        (None, Some(b)) => node_a.key_bytes().as_ref() == b,
        (None, None) => node_a.key_bytes().as_ref() == node_b.key_bytes().as_ref(),
    }
}

/// Shows the number of ranges, neighbours of one stage merged, and the fraction that is done.
impl<Old, New> fmt::Debug for Epochs<Old, New> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.stages().filter(|part| part.1 == Stage::Done);
        f.debug_struct("Epochs")
            .field("old_replicas", &self.old_count)
            .field("new_replicas", &self.new_count)
            .field("ranges", &self.stages().count())
            .field(
                "done",
                &done
                    .map(|(range, _)| range.share())
                    .fold(0.0, |sum, share| sum + share),
            )
            .finish_non_exhaustive()
    }
}
