//! Zones: replicas that do not fail together.

use clockwise::{HashRing, Key, NotEnoughDomains};

#[derive(Debug)]
struct Server {
    name: &'static str,
    zone: &'static str,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name.as_bytes()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ring = HashRing::from_nodes([
        Server {
            name: "a1",
            zone: "eu-a",
        },
        Server {
            name: "a2",
            zone: "eu-a",
        },
        Server {
            name: "b1",
            zone: "eu-b",
        },
        Server {
            name: "b2",
            zone: "eu-b",
        },
        Server {
            name: "c1",
            zone: "eu-c",
        },
    ])?;

    // Plain replicas may share a zone; these do not.
    for key in ["photo:1", "photo:2", "photo:3"] {
        let replicas = ring.replicas_across(key, 3, |server| server.zone);
        let shown: Vec<_> = replicas
            .iter()
            .map(|s| format!("{} in {}", s.name, s.zone))
            .collect();
        println!("{key}: {}", shown.join(", "));
    }

    // More replicas than zones: every zone once, then second ones. Or ask for an error instead.
    assert_eq!(
        ring.replicas_across("photo:1", 4, |server| server.zone)
            .len(),
        4
    );
    let error: NotEnoughDomains = ring
        .try_replicas_across("photo:1", 4, |server| server.zone)
        .unwrap_err();
    println!("{}", error.to_string().replace(", ", ",\n  "));
    Ok(())
}
