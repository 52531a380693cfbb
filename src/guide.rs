//! Guides: longer pages about one task each, in the order in which most readers need them.
//!
//! 1. [First steps](first_steps): build a ring, route a key, add and remove nodes.
//! 2. [Choosing](choosing): which strategy for which job, what each costs, and what moves.
//! 3. [Keys and stability](keys_and_stability): which values are keys, what decides the owner, and
//!    how to check that two programs agree.
//! 4. [Weights, drain and warm-up](weights_drain_and_warm_up): nodes of different sizes,
//!    maintenance, new nodes.
//! 5. [Replicas and zones](replicas_and_zones): several copies of each key.
//! 6. [Threads and async](threads_and_async): changes while others route, guards in futures.
//! 7. [Health and bounded load](health_and_bounded_load): nodes that are down, slow or full.
//! 8. [Sessions](sessions): with a table and without.
//! 9. [Migrations](migrations): to move stored data without stale reads.
//! 10. [Leaving another system](leaving_another_system) and
//!     [leaving your own ring](leaving_your_own_ring), without moving a key.
//! 11. [Recipes](recipes): short answers to single questions.
//! 12. [Security](security): keys, names and snapshots from people you do not trust.
//!
//! # Examples
//! ```
//! use clockwise::HashRing;
//!
//! let ring = HashRing::from_nodes(["cache-1", "cache-2", "cache-3"])?;
//! assert_eq!(ring.route("user:42"), Some(&"cache-2"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc = include_str!("guide/first_steps.md")]
pub mod first_steps {}

#[doc = include_str!("guide/choosing.md")]
pub mod choosing {}

#[doc = include_str!("guide/keys_and_stability.md")]
pub mod keys_and_stability {}

#[doc = include_str!("guide/weights_drain_and_warm_up.md")]
pub mod weights_drain_and_warm_up {}

#[doc = include_str!("guide/replicas_and_zones.md")]
pub mod replicas_and_zones {}

#[doc = include_str!("guide/threads_and_async.md")]
pub mod threads_and_async {}

#[doc = include_str!("guide/health_and_bounded_load.md")]
pub mod health_and_bounded_load {}

#[doc = include_str!("guide/sessions.md")]
pub mod sessions {}

#[doc = include_str!("guide/migrations.md")]
pub mod migrations {}

#[doc = include_str!("guide/leaving_another_system.md")]
pub mod leaving_another_system {}

#[doc = include_str!("guide/leaving_your_own_ring.md")]
pub mod leaving_your_own_ring {}

#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("guide/security.md")]
pub mod security {}
