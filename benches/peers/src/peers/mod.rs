//! The contenders, each in a file of its own.

mod anchorhash;
mod clockwise;
mod conhash;
mod consistent_choose_k;
mod consistent_hash;
mod consistent_hash_ring;
mod consistent_rs;
mod hash_ring;
mod hash_rings;
mod hashring;
mod hashring_coordinator;
mod hrw;
mod hrw_hash;
mod jumphash;
mod ketama;
mod lfchring;
mod maglev;
mod maglev_hash;
mod mpchash;
mod naive;
mod pingora_ketama;
mod rendezvous_hash;

use crate::child::{Answer, answer};
use crate::peer::Peer;

/// A contender whose type is not known any more.
pub struct Contender {
    pub name: &'static str,
    pub replicas: bool,
    /// Answers the questions of the parent process.
    pub answer: fn(&[String]) -> Answer,
}

const fn of<P: Peer>() -> Contender {
    Contender {
        name: P::NAME,
        replicas: P::REPLICAS,
        answer: answer::<P>,
    }
}

/// All contenders. The first one is the measure of the others.
pub const ALL: [Contender; 24] = [
    of::<clockwise::Ring>(),
    of::<clockwise::Table>(),
    of::<clockwise::Hrw>(),
    of::<naive::Peer>(),
    of::<pingora_ketama::Peer>(),
    of::<ketama::Peer>(),
    of::<consistent_hash_ring::Peer>(),
    of::<hashring::Peer>(),
    of::<hashring_coordinator::Peer>(),
    of::<hash_rings::Peer>(),
    of::<hash_ring::Peer>(),
    of::<conhash::Peer>(),
    of::<consistent_hash::Peer>(),
    of::<consistent_rs::Peer>(),
    of::<lfchring::Peer>(),
    of::<mpchash::Peer>(),
    of::<anchorhash::Peer>(),
    of::<jumphash::Peer>(),
    of::<consistent_choose_k::Peer>(),
    of::<maglev::Peer>(),
    of::<maglev_hash::Peer>(),
    of::<rendezvous_hash::Peer>(),
    of::<hrw::Peer>(),
    of::<hrw_hash::Peer>(),
];
