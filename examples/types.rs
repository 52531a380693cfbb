//! Key and node types of your own.

use clockwise::{HashRing, Key};
use std::net::SocketAddr;

/// A node that carries what the application needs. Its identity is its address alone.
#[derive(Debug)]
struct Backend {
    address: SocketAddr,
    version: String,
}

impl Key for Backend {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.address.key_bytes()
    }
}

/// A key of two parts; the pair is length-prefixed, so ("ab", "c") and ("a", "bc") differ.
struct Session<'a> {
    tenant: &'a str,
    id: u64,
}

// Simple, but it allocates; where that matters, route by the pair `(tenant, id)` itself: it is a
// key too and stays on the stack.
impl Key for Session<'_> {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        (self.tenant, self.id).key_bytes().as_ref().to_vec()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address: SocketAddr = "10.0.0.1:8080".parse()?;
    let mut ring = HashRing::new();
    for (host, version) in [(1, "1.4"), (2, "1.4"), (3, "1.5")] {
        ring.insert(Backend {
            address: ([10, 0, 0, host], 8080).into(),
            version: version.into(),
        })?;
    }

    let session = Session {
        tenant: "acme",
        id: 42,
    };
    let backend = ring.route(&session).ok_or("the ring is empty")?;
    println!(
        "acme/42 -> {} (version {})",
        backend.address, backend.version
    );
    assert_eq!(
        ring.route(&("acme", 42u64)).map(|b| b.address),
        Some(backend.address)
    );

    // Any key with the same bytes names the node: look it up by its address.
    assert!(ring.contains(&address));

    // Same identity, new payload: no key moves.
    let fingerprint = ring.fingerprint();
    let old = ring.replace(Backend {
        address,
        version: "1.5".into(),
    })?;
    assert_eq!(
        (old.version.as_str(), ring.fingerprint()),
        ("1.4", fingerprint)
    );
    println!(
        "{address} now runs {}",
        ring.get(&address).ok_or("gone")?.version
    );
    Ok(())
}
