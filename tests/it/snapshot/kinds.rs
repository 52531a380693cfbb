//! Snapshots of rendezvous and of slot tables: the way back gives the same, and hostile ones are
//! typed errors. Those of rings have a file of their own.
#![cfg(feature = "serde")]

use clockwise::{
    ConfigError, HashRing, KeyHasher, NodeError, Rendezvous, SipHash13, SlotTable, Snapshot,
    Strategy, Token, Tracked, Xxh3, error::RestoreError,
};
use serde_json::{Value, json};

/// Every kind of member: weights, drained ones, text that JSON escapes.
const MEMBERS: [(&str, u32); 5] = [
    ("cache-1", 1),
    ("10.0.0.7:8080", 2),
    ("quote\"and\\slash", 3),
    ("naïve", 4),
    ("nul\0", 5),
];

fn rendezvous<H: KeyHasher>(hasher: H) -> Rendezvous<String, H> {
    let mut nodes = Rendezvous::with_hasher(hasher);
    nodes.extend_weighted(members()).unwrap();
    nodes.drain("naïve").unwrap();
    nodes
}

fn table<H: KeyHasher>(hasher: H, max_load: Option<f64>) -> SlotTable<String, H> {
    let builder = SlotTable::builder().slots(64).hasher(hasher);
    let builder = match max_load {
        Some(max_load) => builder.load_factor(max_load),
        None => builder,
    };
    let mut table = builder.build().unwrap();
    table.extend_weighted(members()).unwrap();
    table.drain("naïve").unwrap();
    table
}

fn members() -> impl Iterator<Item = (String, u32)> {
    MEMBERS
        .into_iter()
        .map(|(name, weight)| (name.to_string(), weight))
}

/// The whole order of preference of many tokens, those of every slot too.
fn orders(strategy: &impl Strategy<Node = String>) -> Vec<Vec<String>> {
    (0..64u64)
        .flat_map(|i| [i << 58, !(i << 58), i.wrapping_mul(0x9e37_79b9_7f4a_7c15)])
        .map(|token| {
            let mut order = Vec::new();
            strategy.pick(Token::new(token), &mut |node| {
                order.push(node.clone());
                false
            });
            order
        })
        .collect()
}

/// What both kinds have, for tests that are the same for both.
trait Kind: Strategy<Node = String> + serde::Serialize + serde::de::DeserializeOwned + Sized {
    fn taken(&self) -> Snapshot<String>;
    fn back(snapshot: Snapshot<String>) -> Result<Self, RestoreError>;
    fn checksum(&self) -> u64;
}

macro_rules! kind {
    ($strategy:ident) => {
        impl Kind for $strategy<String> {
            fn taken(&self) -> Snapshot<String> {
                self.snapshot()
            }

            fn back(snapshot: Snapshot<String>) -> Result<Self, RestoreError> {
                $strategy::restore(snapshot, Xxh3::new())
            }

            fn checksum(&self) -> u64 {
                self.fingerprint()
            }
        }
    };
}
kind!(Rendezvous);
kind!(SlotTable);

fn same<K: Kind>(a: &K, b: &K) {
    assert_eq!(a.checksum(), b.checksum());
    assert_eq!(orders(a), orders(b));
    let members = |strategy: &K| {
        let mut members = Vec::new();
        strategy.for_each_member(&mut |m| members.push((m.node.clone(), m.weight, m.drained)));
        members
    };
    assert_eq!(members(a), members(b));
}

fn goes_there_and_back<K: Kind>(plain: &K) {
    let json = serde_json::to_string(plain).unwrap();
    same(plain, &serde_json::from_str::<K>(&json).unwrap());
    let packed = postcard::to_allocvec(plain).unwrap();
    same(plain, &postcard::from_bytes::<K>(&packed).unwrap());
    same(plain, &K::back(plain.taken()).unwrap());
    // It and its snapshot are written alike, and again alike.
    assert_eq!(json, serde_json::to_string(&plain.taken()).unwrap());
    let again: Snapshot<String> = serde_json::from_str(&json).unwrap();
    assert_eq!(json, serde_json::to_string(&again).unwrap());
    // Whatever order the members stand in.
    let mut value: Value = serde_json::from_str(&json).unwrap();
    value["members"].as_array_mut().unwrap().reverse();
    same(plain, &serde_json::from_value::<K>(value).unwrap());
}

#[test]
fn the_way_back_gives_the_same() {
    goes_there_and_back(&rendezvous(Xxh3::new()));
    goes_there_and_back(&Rendezvous::<String>::new());
    goes_there_and_back(&SlotTable::<String>::new());
    // Every cap that a table can have is kept exactly.
    let caps = [
        1.0,
        1.0 + f64::EPSILON,
        1.02,
        1.1,
        3.7e6,
        1e9,
        1e300,
        f64::MAX,
    ];
    for max_load in caps.into_iter().map(Some).chain([None]) {
        let table = table(Xxh3::new(), max_load);
        goes_there_and_back(&table);
        let again = SlotTable::restore(table.snapshot(), Xxh3::new()).unwrap();
        assert_eq!(
            (again.load_factor(), again.slot_count()),
            (table.load_factor(), 64)
        );
    }
}

#[test]
fn the_format_is_as_written() {
    let members = json!([
        { "identity": "61", "node": "a", "weight": 1, "drained": true },
        { "identity": "62", "node": "b", "weight": 3, "drained": false },
    ]);
    let mut nodes = Rendezvous::new();
    nodes.extend_weighted([("b", 3), ("a", 1)]).unwrap();
    nodes.drain("a").unwrap();
    assert_eq!(
        serde_json::to_value(&nodes).unwrap(),
        json!({
            "format": 1,
            "kind": "rendezvous",
            "layout": 1,
            "parameters": {},
            "probe": "b7477a1b31d3778a",
            "fingerprint": format!("{:016x}", nodes.fingerprint()),
            "members": members,
        })
    );
    let mut table = SlotTable::builder()
        .slots(8)
        .load_factor(1.25)
        .build()
        .unwrap();
    table.extend_weighted([("b", 3), ("a", 1)]).unwrap();
    table.drain("a").unwrap();
    assert_eq!(
        serde_json::to_value(&table).unwrap(),
        json!({
            "format": 1,
            "kind": "slot_table",
            "layout": 1,
            "parameters": { "max_load": 5u64 << 30, "slots": 8 },
            "probe": "b7477a1b31d3778a",
            "fingerprint": format!("{:016x}", table.fingerprint()),
            "members": members,
        })
    );
    let snapshot = table.snapshot();
    assert_eq!(snapshot.parameter("max_load"), Some(5 << 30));
    assert_eq!(snapshot.parameter("slots"), Some(8));
    assert_eq!(snapshot.parameter("virtual_nodes"), None);
}

#[test]
fn each_comes_back_as_its_kind_and_under_its_hasher_only() {
    let key = SipHash13::new(*b"0123456789abcdef");
    let (nodes, table) = (rendezvous(key), table(key, Some(1.1)));
    assert_eq!(
        Rendezvous::restore(nodes.snapshot(), key)
            .unwrap()
            .fingerprint(),
        nodes.fingerprint()
    );
    assert_eq!(
        SlotTable::restore(table.snapshot(), key)
            .unwrap()
            .to_array(),
        table.to_array()
    );
    for json in [
        serde_json::to_string(&nodes).unwrap(),
        serde_json::to_string(&table).unwrap(),
    ] {
        assert!(!json.contains("0123456789abcdef") && !json.contains("30313233"));
    }
    let other = Xxh3::new();
    let errors = [
        Rendezvous::restore(nodes.snapshot(), other)
            .map(drop)
            .unwrap_err(),
        SlotTable::restore(table.snapshot(), other)
            .map(drop)
            .unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(error, RestoreError::HasherMismatch { .. }),
            "{error}"
        );
    }
    let errors = [
        HashRing::restore(table.snapshot(), key)
            .map(drop)
            .unwrap_err(),
        Rendezvous::restore(table.snapshot(), key)
            .map(drop)
            .unwrap_err(),
        SlotTable::restore(nodes.snapshot(), key)
            .map(drop)
            .unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(error, RestoreError::KindMismatch { .. }),
            "{error}"
        );
    }
}

/// What is refused of `good` after this change, by both ways.
fn refused<K: Kind>(good: &K, change: &dyn Fn(&mut Value)) -> RestoreError {
    let mut value = serde_json::to_value(good).unwrap();
    change(&mut value);
    let snapshot: Snapshot<String> = serde_json::from_value(value.clone()).unwrap();
    let Err(error) = K::back(snapshot) else {
        panic!("restored: {value}");
    };
    let Err(text) = serde_json::from_value::<K>(value) else {
        panic!("read: {error}");
    };
    assert!(text.to_string().contains(&error.to_string()), "{text}");
    error
}

macro_rules! assert_refused {
    ($good:expr, $pattern:pat, $change:expr) => {
        let error = refused($good, &$change);
        assert!(matches!(error, $pattern), "{error:?}");
    };
}

fn every_change_is_refused<K: Kind>(good: &K) {
    use RestoreError as E;
    assert_refused!(
        good,
        E::UnsupportedFormat { found: 2, .. },
        |v| v["format"] = json!(2)
    );
    assert_refused!(good, E::KindMismatch { .. }, |v| v["kind"] = json!("ring"));
    assert_refused!(
        good,
        E::UnsupportedLayout { found: 2, .. },
        |v| v["layout"] = json!(2)
    );
    assert_refused!(good, E::InvalidParameters, |v| v["parameters"]["more"] =
        json!(1));
    assert_refused!(good, E::HasherMismatch { .. }, |v| v["probe"] =
        json!("0123456789abcdef"));
    assert_refused!(good, E::FingerprintMismatch { .. }, |v| v["fingerprint"] =
        json!("0123456789abcdef"));
    assert_refused!(
        good,
        E::FingerprintMismatch { .. },
        |v| v["members"][0]["weight"] = json!(u32::MAX)
    );
    assert_refused!(
        good,
        E::FingerprintMismatch { .. },
        |v| v["members"][0]["drained"] = json!(true)
    );
    assert_refused!(good, E::FingerprintMismatch { .. }, |v| {
        drop(v["members"].as_array_mut().unwrap().pop());
    });
    assert_refused!(
        good,
        E::IdentityMismatch { .. },
        |v| v["members"][0]["node"] = json!("other")
    );
    assert_refused!(
        good,
        E::IdentityMismatch { .. },
        |v| v["members"][0]["identity"] = json!("00")
    );
    assert_refused!(good, E::Node(NodeError::ZeroWeight { .. }), |v| {
        v["members"][1]["weight"] = json!(0);
    });
    assert_refused!(good, E::Node(NodeError::EmptyIdentity), |v| {
        v["members"][1]["node"] = json!("");
        v["members"][1]["identity"] = json!("");
    });
    assert_refused!(good, E::Node(NodeError::Duplicate { .. }), |v| {
        v["members"][1] = v["members"][0].clone();
    });
}

#[test]
fn every_change_of_what_decides_owners_is_refused() {
    every_change_is_refused(&rendezvous(Xxh3::new()));
    for max_load in [None, Some(1.0)] {
        every_change_is_refused(&table(Xxh3::new(), max_load));
    }
}

#[test]
fn parameters_that_no_table_has_are_refused() {
    use RestoreError as E;
    let good = table(Xxh3::new(), Some(1.5));
    let set =
        |name: &'static str, value: u64| move |v: &mut Value| v["parameters"][name] = json!(value);
    for slots in [0, 3, 63, 65] {
        assert_refused!(
            &good,
            E::Config(ConfigError::SlotsNotPowerOfTwo { .. }),
            set("slots", slots)
        );
    }
    for bits in [25, 29, 31] {
        assert_refused!(
            &good,
            E::Config(ConfigError::TooManySlots { .. }),
            set("slots", 1 << bits)
        );
    }
    // On 32 bits it is no number of slots at all.
    assert_refused!(
        &good,
        E::Config(ConfigError::TooManySlots { .. }) | E::InvalidParameters,
        set("slots", 1 << 63)
    );
    for slots in [1, 32, 128, 1 << 24] {
        assert_refused!(&good, E::FingerprintMismatch { .. }, set("slots", slots));
    }
    for max_load in [1, (1 << 32) - 1] {
        assert_refused!(
            &good,
            E::Config(ConfigError::OutOfRange { .. }),
            set("max_load", max_load)
        );
    }
    for max_load in [0, 1 << 32, u64::MAX] {
        assert_refused!(
            &good,
            E::FingerprintMismatch { .. },
            set("max_load", max_load)
        );
    }
    // More digits than a floating-point number has, so no table was ever given it.
    assert_refused!(&good, E::InvalidParameters, set("max_load", (1 << 60) + 1));
    for name in ["slots", "max_load"] {
        assert_refused!(&good, E::InvalidParameters, |v: &mut Value| {
            v["parameters"].as_object_mut().unwrap().remove(name);
        });
    }
}

/// Truncated at every byte: an error. Every bit of every byte flipped: an error, or, where the flip
/// is in what does not decide owners, the same owners.
fn damage_never_changes_an_owner<K: Kind>(plain: &K) {
    let json = serde_json::to_vec(plain).unwrap();
    let packed = postcard::to_allocvec(plain).unwrap();
    for end in 0..json.len() {
        assert!(serde_json::from_slice::<K>(&json[..end]).is_err());
    }
    for end in 0..packed.len() {
        assert!(postcard::from_bytes::<K>(&packed[..end]).is_err());
    }
    let wanted = orders(plain);
    let (mut errors, mut equal) = (0, 0);
    let mut check = |result: Option<K>| match result {
        None => errors += 1,
        Some(found) => {
            assert_eq!(found.checksum(), plain.checksum());
            assert_eq!(orders(&found), wanted);
            equal += 1;
        }
    };
    let flips = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        (0..bytes.len() * 8).map(move |at| {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            flipped
        })
    };
    for flipped in flips(&json) {
        check(serde_json::from_slice(&flipped).ok());
    }
    for flipped in flips(&packed) {
        check(postcard::from_bytes(&flipped).ok());
    }
    println!("{errors} flips refused, {equal} without effect");
    assert!(errors > 0);
}

#[test]
fn truncated_and_flipped_bytes_never_change_an_owner() {
    damage_never_changes_an_owner(&rendezvous(Xxh3::new()));
    damage_never_changes_an_owner(&table(Xxh3::new(), None));
    damage_never_changes_an_owner(&table(Xxh3::new(), Some(1.05)));
}

/// The nodes alone are written; what is in flight is not, and starts at 0 again.
#[test]
fn tracked_nodes_are_written_as_the_nodes_inside() {
    let names = ["a", "b", "c"].map(String::from);
    let plain = HashRing::from_nodes(names.clone()).unwrap();
    let tracked = HashRing::from_nodes(names.clone().map(Tracked::new)).unwrap();
    let requests: Vec<_> = tracked.nodes().map(Tracked::begin).collect();
    let json = serde_json::to_string(&tracked).unwrap();
    assert_eq!(json, serde_json::to_string(&plain).unwrap());

    let again: HashRing<Tracked<String>> = serde_json::from_str(&json).unwrap();
    assert_eq!(again.fingerprint(), plain.fingerprint());
    assert!(
        again
            .arcs()
            .map(|arc| &**arc.node)
            .eq(plain.arcs().map(|arc| arc.node))
    );
    assert!(again.nodes().all(|node| node.in_flight() == 0));
    assert!(tracked.nodes().all(|node| node.in_flight() == 1));
    drop(requests);
    let packed = postcard::to_allocvec(&tracked).unwrap();
    let again: HashRing<Tracked<String>> = postcard::from_bytes(&packed).unwrap();
    assert_eq!(again.fingerprint(), plain.fingerprint());

    // In the same process a snapshot clones, and clones share the count.
    let request = tracked.route("key").unwrap().begin();
    let again = HashRing::restore(tracked.snapshot(), Xxh3::new()).unwrap();
    assert_eq!(again.route("key").unwrap().in_flight(), 1);
    drop(request);

    let table = SlotTable::from_nodes(names.map(Tracked::new)).unwrap();
    let json = serde_json::to_string(&table).unwrap();
    let again: SlotTable<Tracked<String>> = serde_json::from_str(&json).unwrap();
    assert_eq!(again.to_array(), table.to_array());
}
