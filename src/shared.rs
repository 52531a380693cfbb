//! [`Shared`]: one strategy for many threads, as a snapshot that is swapped whole.

use alloc::sync::Arc;
use arc_swap::ArcSwap;
use core::fmt;
use std::sync::{Mutex, PoisonError};

/// A strategy that many threads read while others change it. Needs the feature `shared`.
///
/// Readers take a snapshot ([`load`](Shared::load)) and never wait, neither for each other nor for a writer. A writer changes a copy and swaps it in whole
/// ([`update`](Shared::update)); writers take turns. A snapshot never changes, so **decisions that must agree are made on one snapshot**: load once for
/// each request, not once for each question.
///
/// What is shared between clones survives the swap: the in-flight counts of [`Tracked`](crate::Tracked), the leases of [`Bounded`](crate::Bounded), the
/// sessions of `Sticky`.
///
/// ```
/// use clockwise::{HashRing, Shared};
/// use std::thread;
///
/// let shared = Shared::new(HashRing::from_nodes(["a", "b", "c"])?);
/// thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| {
///             let ring = shared.load();
///             let owner = ring.route("user:42").unwrap();
///             assert_eq!(ring.replicas("user:42", 2)[0], owner); // of one snapshot, so they agree
///         });
///     }
///     shared.update(|ring| ring.insert("d"))
/// })?;
/// assert_eq!(shared.version(), 1);
/// assert!(shared.update(|ring| ring.insert("d")).is_err()); // a duplicate: nothing has changed
/// assert_eq!(shared.version(), 1);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Cost
/// A load is a few atomic operations, whoever else reads or writes; one of them counts a reference, on a counter that all readers share. [`with`](Shared::with)
/// does without that one. An update clones the strategy: for a ring of P points, a copy of 20 · P bytes. The old snapshot is freed by whoever
/// drops it last, which may be a reader.
pub struct Shared<S> {
    current: ArcSwap<Snapshot<S>>,
    /// Held from a writer's copy to its swap.
    writer: Mutex<()>,
}

struct Snapshot<S> {
    version: u64,
    strategy: Arc<S>,
}

impl<S> Shared<S> {
    /// `strategy`, as version 0.
    pub fn new(strategy: S) -> Self {
        Shared {
            current: ArcSwap::from_pointee(Snapshot {
                version: 0,
                strategy: Arc::new(strategy),
            }),
            writer: Mutex::new(()),
        }
    }

    /// The strategy as it is now. It stays so for as long as it is held, and keeps its memory for as long.
    pub fn load(&self) -> Arc<S> {
        Arc::clone(&self.current.load().strategy)
    }

    /// What `read` makes of the strategy as it is now.
    ///
    /// Unlike [`load`](Shared::load) it counts no reference to the snapshot, so threads that read at once write nothing that they share: for one
    /// short question a request. A swap meanwhile is not waited for, and does not wait.
    ///
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b", "c"])?);
    /// let owner = shared.with(|ring| ring.route("user:42").copied());
    /// assert_eq!(owner, shared.load().route("user:42").copied());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn with<T>(&self, read: impl FnOnce(&S) -> T) -> T {
        read(&self.current.load().strategy)
    }

    /// The version of the current snapshot: how many swaps there were. Never goes back.
    pub fn version(&self) -> u64 {
        self.current.load().version
    }

    /// The current snapshot together with its version. `load` and `version` one after the other may see a swap in between.
    pub fn load_versioned(&self) -> (u64, Arc<S>) {
        let snapshot = self.current.load();
        (snapshot.version, Arc::clone(&snapshot.strategy))
    }

    /// Changes a copy of the strategy and swaps it in, if `change` succeeds. Returns what `change` returns.
    ///
    /// Where it fails or panics, nothing has changed: readers go on with the snapshot that they have, and the next update works. Other writers wait while
    /// `change` runs, so it must not update the same `Shared`: that waits forever, or panics.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn update<T, E>(&self, change: impl FnOnce(&mut S) -> Result<T, E>) -> Result<T, E>
    where
        S: Clone,
    {
        let writer = self.writer.lock();
        // A writer that panicked has changed its copy at most.
        let _writer = writer.unwrap_or_else(PoisonError::into_inner);
        let (version, before) = self.load_versioned();
        let mut strategy = S::clone(&before);
        let done = change(&mut strategy)?;
        self.swap(version, strategy);
        Ok(done)
    }

    /// Swaps in another strategy, and returns the one before. For strategies that cannot be cloned, such as a `Box<dyn Strategy>`.
    pub fn replace(&self, strategy: S) -> Arc<S> {
        let writer = self.writer.lock();
        let _writer = writer.unwrap_or_else(PoisonError::into_inner);
        let (version, before) = self.load_versioned();
        self.swap(version, strategy);
        before
    }

    fn swap(&self, before: u64, strategy: S) {
        self.current.store(Arc::new(Snapshot {
            version: before + 1,
            strategy: Arc::new(strategy),
        }));
    }
}

impl<S: Default> Default for Shared<S> {
    fn default() -> Self {
        Shared::new(S::default())
    }
}

impl<S: fmt::Debug> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, strategy) = self.load_versioned();
        f.debug_struct("Shared")
            .field("version", &version)
            .field("strategy", &strategy)
            .finish_non_exhaustive()
    }
}
