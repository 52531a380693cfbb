//! The two placements that the client is compared with.

mod modulo;
mod twemproxy;

pub(crate) use modulo::Modulo;
pub(crate) use twemproxy::Twemproxy;
