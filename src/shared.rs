//! [`Shared`]: one strategy for many threads, as a snapshot that is replaced whole.

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use arc_swap::ArcSwap;
use core::fmt;
use core::sync::atomic::{Ordering, fence};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A strategy that many threads read while others change it. Needs the feature `shared`.
///
/// Readers take a snapshot with [`read`](Shared::read) or [`load`](Shared::load). They never wait,
/// neither for each other nor for a writer. A writer changes a copy and swaps it in whole with
/// [`try_update`](Shared::try_update) or [`update`](Shared::update). Writers take turns. A snapshot
/// never changes, so **make decisions that must agree on one snapshot**: load once for each
/// request, not once for each question.
///
/// What clones share survives the swap: the in-flight counts of [`Tracked`](crate::Tracked), the
/// leases of [`Bounded`](crate::Bounded), the turns of [`RoundRobin`](crate::RoundRobin), and the
/// sessions of [`Sticky`](crate::Sticky).
///
/// # Removing a node safely
///
/// A reader may hold an older snapshot for as long as it likes, and may still send a request to a
/// node that was drained since. So a drain is over when no reader can choose the node any more
/// *and* its requests have ended, in this order:
///
/// 1. drain the node, and note the [`version`](Shared::version) after it;
/// 2. wait until [`oldest_version_in_use`](Shared::oldest_version_in_use) has reached it, for
///    example with [`wait_for_readers`](Shared::wait_for_readers) (a version that was noted before
///    the drain waits for nothing);
/// 3. wait until the node's [`in_flight`](crate::Tracked::in_flight) is 0;
/// 4. remove the node.
///
/// A reader must hold its snapshot until its request is counted.
///
/// # Examples
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
///             assert_eq!(ring.replicas("user:42", 2)[0], owner); // of one snapshot
///         });
///     }
///     shared.try_update(|ring| ring.insert("d"))
/// })?;
/// assert_eq!(shared.version(), 1);
/// assert!(shared.try_update(|ring| ring.insert("d")).is_err()); // nothing has changed
/// assert_eq!(shared.version(), 1);
/// # Ok::<(), clockwise::NodeError>(())
/// ```
///
/// # Performance
/// A load is a few atomic operations. One of them counts a reference, on a counter that all readers
/// share: [`read`](Shared::read) does without it. An update clones the strategy. The old snapshot
/// is dropped by the last thread that holds it, which may be a reader.
pub struct Shared<S> {
    current: ArcSwap<Version<S>>,
    /// Held by a writer from its copy to its swap.
    writer: Mutex<()>,
    /// Replaced snapshots that a reader may still hold, oldest first.
    replaced: Mutex<VecDeque<(u64, Weak<S>)>>,
}

struct Version<S> {
    version: u64,
    strategy: Arc<S>,
}

/// The lock, of a thread that panicked too: what these locks protect is whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns `true` if a replaced snapshot may still be held. It cannot be loaded again.
fn is_held<S>((_, strategy): &(u64, Weak<S>)) -> bool {
    strategy.strong_count() > 0
}

impl<S> Shared<S> {
    /// Creates a shared strategy. It has version 0.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b"])?);
    /// assert_eq!(shared.version(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(strategy: S) -> Self {
        Shared {
            current: ArcSwap::from_pointee(Version {
                version: 0,
                strategy: Arc::new(strategy),
            }),
            writer: Mutex::new(()),
            replaced: Mutex::new(VecDeque::new()),
        }
    }

    /// Returns the current snapshot. It keeps its memory for as long as it is held.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b"])?);
    /// let ring = shared.load(); // one snapshot for the whole request
    /// shared.try_update(|ring| ring.insert("c"))?;
    /// assert_eq!((ring.len(), shared.load().len()), (2, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load(&self) -> Arc<S> {
        Arc::clone(&self.current.load().strategy)
    }

    /// Calls `read` with the current snapshot and returns what it returns.
    ///
    /// Unlike [`load`](Shared::load) it counts no reference, so threads that read at the same time
    /// write nothing that they share. A swap meanwhile is not waited for, and does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b", "c"])?);
    /// let owner = shared.read(|ring| ring.route("user:42").copied());
    /// assert_eq!(owner, shared.load().route("user:42").copied());
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn read<T>(&self, read: impl FnOnce(&S) -> T) -> T {
        read(&self.current.load().strategy)
    }

    /// Changes a copy of the strategy and swaps it in if `change` returns `Ok`. Returns what
    /// `change` returns.
    ///
    /// If `change` fails or panics, nothing has changed: readers keep the snapshot that they have,
    /// and the next update works. Other writers wait while `change` runs and the strategy is
    /// cloned, so neither may update the same `Shared`: it would wait for itself. The old snapshot,
    /// and a copy that is not swapped in, are dropped after the writers' lock is released, so a
    /// `Drop` of a node may update, unless `change` itself drops that node.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, NodeError, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b"])?);
    /// let refused = shared.try_update(|ring| {
    ///     ring.insert("c")?;
    ///     ring.drain("z") // not a member
    /// });
    /// assert!(refused.is_err() && !shared.load().contains("c")); // all or nothing
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of `change`.
    ///
    /// # Panics
    /// If `change`, or the `Clone` of a node, panics: nothing has changed then. If the `Drop` of a
    /// node of the old snapshot panics: the change is done then. No lock stays poisoned.
    pub fn try_update<T, E>(&self, change: impl FnOnce(&mut S) -> Result<T, E>) -> Result<T, E>
    where
        S: Clone,
    {
        // Declared before the lock, so dropped after it, whichever way this ends: the drop of a
        // node may update.
        let (before, mut strategy);
        let writer = lock(&self.writer);
        before = self.current.load_full();
        strategy = S::clone(&before.strategy);
        let done = change(&mut strategy)?;
        self.swap(&before, strategy);
        drop(writer);
        Ok(done)
    }

    /// Changes a copy of the strategy and swaps it in. Returns what `change` returns.
    ///
    /// **If `change` can fail, use [`try_update`](Shared::try_update)**: this method swaps the copy
    /// in even if `change` returns an `Err`. If `change` panics, nothing has changed.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b", "c"])?);
    /// let removed = shared.update(|ring| ring.remove("b"));
    /// assert_eq!((removed, shared.version()), (Some("b"), 1));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn update<T>(&self, change: impl FnOnce(&mut S) -> T) -> T
    where
        S: Clone,
    {
        let done = self.try_update(|strategy| Ok::<T, core::convert::Infallible>(change(strategy)));
        match done {
            Ok(done) => done,
        }
    }

    /// Swaps in another strategy and returns the one before. For strategies that cannot be cloned,
    /// such as a `Box<dyn Strategy>`.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b"])?);
    /// shared.replace(HashRing::from_nodes(["c"])?); // such as after a reload
    /// assert_eq!(shared.load().route("user:42"), Some(&"c"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&self, strategy: S) -> Arc<S> {
        let writer = lock(&self.writer);
        let before = self.current.load_full();
        self.swap(&before, strategy);
        drop(writer);
        Arc::clone(&before.strategy)
    }

    /// Swaps in the next version. The caller holds the writers' lock, and `before` keeps the old
    /// snapshot alive until that is released.
    fn swap(&self, before: &Version<S>, strategy: S) {
        let mut replaced = lock(&self.replaced);
        replaced.retain(is_held);
        // Entered before the swap, so that a reader of the old version is never overlooked.
        replaced.push_back((before.version, Arc::downgrade(&before.strategy)));
        drop(replaced);
        self.current.store(Arc::new(Version {
            version: before.version + 1,
            strategy: Arc::new(strategy),
        }));
    }

    /// Returns the version of the current snapshot: how many swaps there were. It never decreases.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b"])?);
    /// shared.try_update(|ring| ring.drain("a"))?;
    /// assert_eq!(shared.version(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn version(&self) -> u64 {
        self.current.load().version
    }

    /// Returns the current snapshot and its version. `load` and `version` one after the other may
    /// see a swap in between.
    ///
    /// # Examples
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b"])?);
    /// let (version, ring) = shared.load_versioned();
    /// assert_eq!((version, ring.len()), (0, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_versioned(&self) -> (u64, Arc<S>) {
        let snapshot = self.current.load();
        (snapshot.version, Arc::clone(&snapshot.strategy))
    }

    /// Returns the oldest version that a reader may still hold, or the current version if no
    /// reader holds an older one.
    ///
    /// It never decreases. All that a reader did with an older snapshot has happened before this
    /// returns a newer version. Takes a lock that readers do not take. O(versions in use).
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Shared};
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b", "c"])?);
    /// let reader = shared.load();
    /// shared.try_update(|ring| ring.drain("b"))?;
    /// assert_eq!(shared.oldest_version_in_use(), 0); // the reader may still choose `b`
    /// drop(reader);
    /// assert_eq!(shared.oldest_version_in_use(), 1);
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    pub fn oldest_version_in_use(&self) -> u64 {
        let mut replaced = lock(&self.replaced);
        replaced.retain(is_held);
        // The last drop of each snapshot that is gone, and what came before it, is seen from here.
        fence(Ordering::Acquire);
        match replaced.front() {
            Some(&(version, _)) => version,
            // Read under the lock: a swap enters the version that it replaces before it swaps.
            None => self.version(),
        }
    }

    /// Blocks until no reader holds a version before `version`, or until `timeout` has passed.
    /// Returns `true` if no reader does.
    ///
    /// It looks again and again, at first without and then with short sleeps of up to 1 ms.
    ///
    /// # Examples
    ///
    /// ```
    /// use clockwise::{HashRing, Shared};
    /// use std::time::Duration;
    ///
    /// let shared = Shared::new(HashRing::from_nodes(["a", "b", "c"])?);
    /// let reader = shared.load();
    /// shared.try_update(|ring| ring.drain("b"))?;
    /// let drained = shared.version();
    /// assert!(!shared.wait_for_readers(drained, Duration::from_millis(5)));
    /// drop(reader);
    /// assert!(shared.wait_for_readers(drained, Duration::from_secs(5)));
    /// # Ok::<(), clockwise::NodeError>(())
    /// ```
    #[must_use = "`false` means that a reader still holds an older version"]
    pub fn wait_for_readers(&self, version: u64, timeout: Duration) -> bool {
        let start = Instant::now();
        let mut pause = Duration::from_micros(1);
        while self.oldest_version_in_use() < version {
            let Some(left) = timeout.checked_sub(start.elapsed()) else {
                return false;
            };
            std::thread::sleep(pause.min(left));
            pause = (2 * pause).min(Duration::from_millis(1));
        }
        true
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
