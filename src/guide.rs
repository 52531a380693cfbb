//! Guides: longer pages about one task each.

#[doc = include_str!("guide/leaving_your_own_ring.md")]
pub mod leaving_your_own_ring {}

#[doc = include_str!("guide/security.md")]
pub mod security {}
