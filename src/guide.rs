//! Guides: longer pages about one task each.

#[doc = include_str!("guide/choosing.md")]
pub mod choosing {}

#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("guide/leaving_another_system.md")]
pub mod leaving_another_system {}

#[doc = include_str!("guide/leaving_your_own_ring.md")]
pub mod leaving_your_own_ring {}

#[doc = include_str!("guide/security.md")]
pub mod security {}
