//! Copies over zones.
