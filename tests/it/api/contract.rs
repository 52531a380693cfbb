//! Every name and signature that is settled can be used from outside, without a trait in scope
//! unless the value is a `dyn`.
#![cfg(all(
    feature = "std",
    feature = "serde",
    feature = "compat",
    feature = "sticky",
    feature = "shared"
))]

use clockwise::compat::{EnvoyMaglev, EnvoyRing, HaproxyConsistent, Jump, Ketama, Nginx};
use clockwise::error::NotDone;
use clockwise::load::{Counted, Counter, InFlight, InFlightOf, Timer, Watch};
use clockwise::migration::{EpochsProgress, Progress};
use clockwise::preference::Preference;
use clockwise::ring::RingArc;
use clockwise::wrappers::{Lease, Session};
use clockwise::{
    AnyStrategy, Balance, Bounded, Changes, ConfigError, Edit, Epochs, Failover, Filtered,
    HashRing, Key, KeyHasher, LeastLoaded, Load, Member, Membership, Migration, Mixed, Move, Named,
    NodeError, PeakEwma, Plan, PowerOfTwo, Rendezvous, Reported, RoundRobin, Shared, SipHash13,
    SlotTable, SlowStart, Snapshot, Spread, Stage, Sticky, Strategy, Token, TokenRange, Tracked,
    WeightedRandom, Xxh3, Zoned,
};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

const HOUR: Duration = Duration::from_secs(3600);

fn token_of(place: u64) -> Token {
    Token::new(place)
}

/// The verbs that change members and tell of them, on a strategy of the nodes a, b and c.
macro_rules! membership_verbs {
    ($x:ident, $node:expr) => {{
        let node = $node;
        assert_eq!(($x.len(), $x.eligible(), $x.is_empty()), (3, 3, false));
        let _: Token = $x.token("key");
        assert!($x.route("key").is_some());
        assert!($x.route(&7u64).is_some());
        assert!($x.route_token(token_of(1)).is_some());
        assert!($x.route_where("key", |_| true).is_some());
        assert!($x.route_where(&("a", 7i64), |_| false).is_none());
        assert_eq!($x.replicas("key", 2).len(), 2);
        assert_eq!($x.replicas_across("key", 2, |_| 0).len(), 2);
        assert!($x.try_replicas_across("key", 2, |_| 0).is_err());
        $x.insert(node("d"))?;
        $x.insert_weighted(node("e"), 2)?;
        $x.extend_weighted([(node("f"), 1), (node("g"), 3)])?;
        assert!(matches!(
            $x.insert(node("d")),
            Err(NodeError::Duplicate { .. })
        ));
        let changes: Changes<_> = $x.set_nodes(["a", "b", "c", "d"].map(|n| (node(n), 2)))?;
        assert_eq!(
            (changes.added(), changes.removed(), changes.reweighted()),
            (0, 3, 4)
        );
        $x.set_nodes_with(
            ["a", "b", "c", "d"].map(|n| (node(n), 1)),
            |present, listed| {
                *present = listed;
            },
        )?;
        let changes = $x.apply([
            Edit::insert(node("h"), 1),
            Edit::remove("d"),
            Edit::set_weight("a", 3),
            Edit::drain("b"),
            Edit::replace(node("c")),
        ])?;
        assert_eq!(
            [
                changes.added(),
                changes.removed(),
                changes.reweighted(),
                changes.drained(),
                changes.undrained(),
                changes.replaced(),
            ],
            [1, 1, 1, 1, 0, 1]
        );
        let (left, replaced) = changes.into_parts();
        assert_eq!((left.len(), replaced.len()), (1, 1));
        assert_eq!($x.apply([Edit::undrain("b")])?.into_removed().len(), 0);
        assert!(matches!(
            $x.apply([Edit::remove("x")]),
            Err(NodeError::Unknown { .. })
        ));
        assert!($x.remove("h").is_some());
        assert!($x.remove("h").is_none());
        assert_eq!(
            $x.retain(|member| member.weight == 3 || *member.id == *b"b")
                .len(),
            1
        );
        $x.set_weight("a", 1)?;
        $x.drain("a")?;
        $x.undrain("a")?;
        assert_eq!($x.drain_where(|_| true), 2);
        assert_eq!($x.undrain_where(|_| true), 2);
        let _old = $x.replace(node("a"))?;
        assert!($x.contains("a") && $x.get("a").is_some() && $x.get_mut("a").is_some());
        assert_eq!(($x.weight("a"), $x.is_drained("a")), (Some(1), Some(false)));
        assert_eq!($x.clear().len(), 2);
        assert!($x.is_empty());
    }};
}

/// And what only the strategies themselves have.
macro_rules! strategy_verbs {
    ($Type:ty, $node:expr) => {{
        let node = $node;
        let _: Result<$Type, NodeError> = <$Type>::from_weighted([(node("a"), 1)]);
        let _ = <$Type>::default();
        let mut x = <$Type>::new();
        x.insert(node("a"))?;
        let mut x: $Type = <$Type>::from_nodes(["a", "b", "c"].map(node))?;
        assert_eq!((x.nodes().len(), x.members().len()), (3, 3));
        membership_verbs!(x, node);
        assert!(x.into_nodes().is_empty());
    }};
}

macro_rules! placement_verbs {
    ($Type:ty) => {{
        strategy_verbs!($Type, |name: &str| name.to_string());
        let x = <$Type>::from_nodes(["a", "b", "c"].map(String::from))?;
        let preference: Preference<'_, String> = x.preference("key");
        assert_eq!(preference.len(), 3);
        assert!(x.preference_token(x.token("key")).eq(x.preference("key")));
    }};
}

#[test]
fn every_strategy_has_the_same_verbs() -> Outcome {
    placement_verbs!(HashRing<String>);
    placement_verbs!(Rendezvous<String>);
    placement_verbs!(SlotTable<String>);
    let tracked = |name: &str| Tracked::new(name.to_string());
    strategy_verbs!(RoundRobin<Tracked<String>>, tracked);
    strategy_verbs!(WeightedRandom<Tracked<String>>, tracked);
    strategy_verbs!(LeastLoaded<Tracked<String>>, tracked);
    strategy_verbs!(PowerOfTwo<Tracked<String>>, tracked);
    Ok(())
}

#[test]
fn other_systems_placements_have_them_too() -> Outcome {
    placement_verbs!(EnvoyMaglev<String>);
    placement_verbs!(EnvoyRing<String>);
    placement_verbs!(HaproxyConsistent<String>);
    placement_verbs!(Ketama<String>);
    placement_verbs!(Nginx<String>);
    // Jump has no weights.
    let mut jump: Jump<&str> = Jump::from_nodes(["a", "b", "c"])?;
    assert!(jump.route("key").is_some() && jump.preference("key").len() == 3);
    jump.drain("a")?;
    jump.set_nodes(["a", "b"].map(|name| (name, 1)))?;
    let _: Result<Nginx<&str>, ConfigError> = Nginx::pingora().build();
    let _: Result<Nginx<&str>, ConfigError> = Nginx::pingora().from_nodes(["a"]);
    let _: Result<Ketama<&str>, ConfigError> = Ketama::twemproxy().from_weighted([("a", 1)]);
    let _: EnvoyRing<&str> = EnvoyRing::grpc().from_nodes(["a"])?;
    let _: EnvoyMaglev<&str> = EnvoyMaglev::builder().from_nodes(["a"])?;
    let _: HaproxyConsistent<&str> = HaproxyConsistent::builder().from_nodes(["a"])?;
    Ok(())
}

#[test]
fn every_wrapper_has_them_without_an_import() -> Outcome {
    let node = |name: &str| Tracked::new(name.to_string());
    let ring = || HashRing::from_nodes(["a", "b", "c"].map(node));
    let mut x = Bounded::new(ring()?, 1.25)?.min_cap(8);
    membership_verbs!(x, node);
    let mut x = Filtered::new(ring()?, |_: &Tracked<String>| true);
    membership_verbs!(x, node);
    let mut x = Failover::new(vec![ring()?, HashRing::new()]).overprovision(1.4)?;
    membership_verbs!(x, node);
    let mut x = Spread::new(ring()?, |_| 2);
    membership_verbs!(x, node);
    let mut x = Zoned::new(ring()?, |node: &Tracked<String>| node.len());
    membership_verbs!(x, node);
    let mut x = Sticky::new(ring()?, 1000, HOUR).max_age(HOUR);
    membership_verbs!(x, node);
    let mut x: AnyStrategy<Tracked<String>> = AnyStrategy::new(ring()?);
    membership_verbs!(x, node);
    let inside = Filtered::new(AnyStrategy::new(ring()?), |_: &Tracked<String>| true);
    let zoned = Zoned::new(inside, |node: &Tracked<String>| node.len());
    let mut x = Sticky::new(Bounded::new(zoned, 1.5)?, 1000, HOUR);
    membership_verbs!(x, node);
    Ok(())
}

#[test]
fn strategies_behind_dyn() -> Outcome {
    use clockwise::{Manage, Route};
    type Server = Tracked<&'static str>;
    let mut boxed: Box<dyn Membership<Node = Server> + Send + Sync> = Box::new(HashRing::new());
    boxed.set_nodes(vec![(Tracked::new("a"), 1), (Tracked::new("b"), 1)])?;
    boxed.set_nodes_with(vec![(Tracked::new("a"), 1)], &mut |present, listed| {
        *present = listed;
    })?;
    boxed.apply(vec![Edit::insert(Tracked::new("b"), 1)])?;
    boxed.check(&[&Edit::remove("a")])?;
    boxed.drain("b")?;
    boxed.undrain("b")?;
    assert!(boxed.member_mut(b"a").is_some() && boxed.get_mut("a").is_some());
    assert!(boxed.remove(&7u64).is_none());
    assert!(boxed.route("key").is_some() && boxed.route_where("key", |_| true).is_some());
    let by_reference: &mut dyn Membership<Node = Server> = &mut *boxed;
    by_reference.set_weight("a", 2)?;
    by_reference.insert(Tracked::new("c"))?;

    let mut bounded = Bounded::new(boxed, 1.25)?;
    bounded.drain("c")?;
    assert!(bounded.acquire("key").is_some());
    let more: Box<dyn Membership<Node = Server> + Send + Sync> = Box::new(RoundRobin::new());
    let mut groups = Failover::new(vec![more]);
    groups.set_nodes([(Tracked::new("a"), 1)])?;
    assert!(groups.route("key").is_some());

    let shared = Shared::new(Bounded::new(
        AnyStrategy::new(HashRing::<Server>::new()),
        1.5,
    )?);
    shared.try_update(|stack| stack.insert(Tracked::new("a")))?;
    assert_eq!(shared.update(|stack| stack.len()), 1);
    let plain: Box<dyn Strategy<Node = &str>> = Box::new(Rendezvous::from_nodes(["a", "b"])?);
    assert_eq!(plain.replicas("key", 2).len(), 2);
    let Member {
        id,
        node,
        weight,
        drained,
        ..
    } = plain.member(b"a").unwrap();
    assert_eq!((id, node, weight, drained), (&b"a"[..], &"a", 1, false));
    let _ = Member::new(b"a", node, 1, false);
    plain.for_each_member(&mut |_| ());
    assert!(plain.route_token(plain.token_of(b"key")).is_some());
    Ok(())
}

#[test]
fn keys() {
    fn bytes(key: &(impl Key + ?Sized)) -> Vec<u8> {
        key.key_bytes().as_ref().to_vec()
    }
    assert_eq!(bytes(&-1i8), [255]);
    assert_eq!(bytes(&-2i16), [254, 255]);
    assert_eq!(bytes(&-2i64), (-2i64).to_le_bytes());
    assert_eq!(bytes(&-2i128), (-2i128).to_le_bytes());
    assert_eq!(bytes(&("a", "b", "c")).len(), 19);
    assert_eq!(bytes(&(1u64, "b", 3u32, "d")).len(), 3 * 8 + 8 + 1 + 4 + 1);
    let mut named = Named::new("name", 7.5);
    assert_eq!((bytes(&named), *named), (b"name".to_vec(), 7.5));
    *named = 8.5;
    Key::take_over(&mut 7u64, &8);
}

struct Doubled;

impl KeyHasher for Doubled {
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        Xxh3::new().hash_bytes(bytes)
    }
    fn hash_points(&self, identity: &[u8], count: u32, point: &mut dyn FnMut(u64)) {
        (0..count).for_each(|i| point(self.hash_bytes(&[identity, &i.to_le_bytes()].concat())));
    }
}

#[test]
fn rings_and_tables() -> Outcome {
    let ring: HashRing<&str, Doubled> = HashRing::builder()
        .virtual_nodes(16)
        .max_points(1 << 20)
        .hasher(Doubled)
        .build()?;
    let _: &Doubled = ring.hasher();
    assert_eq!((ring.virtual_nodes(), ring.max_points()), (16, 1 << 20));
    let _: HashRing<&str, Box<dyn KeyHasher>> = HashRing::with_hasher(Box::new(Doubled));
    let _: HashRing<&str, Arc<Doubled>> = HashRing::with_hasher(Arc::new(Doubled));
    let _: HashRing<&str, &Doubled> = HashRing::with_hasher(&Doubled);
    let _: HashRing<&str, SipHash13> = HashRing::with_hasher(SipHash13::new([7; 16]));
    let _ = HashRing::<&str, _>::with_hasher(Mixed::from_fn(|bytes: &[u8]| bytes.len() as u64));

    let mut ring: HashRing<&str> = HashRing::builder()
        .virtual_nodes(64)
        .from_nodes(["a", "b"])?;
    ring = ring.resized(32)?;
    assert_eq!(ring.point_count(), 64);
    let _: HashRing<&str> = HashRing::builder().from_weighted([("a", 1)])?;
    let mut out = Vec::new();
    ring.route_batch(&["x", "y"], &mut out);
    let arcs: u128 = ring
        .arcs()
        .map(|RingArc { range, node: _, .. }| range.len())
        .sum();
    assert_eq!(arcs, 1 << 64);
    assert_eq!(
        ring.measure("a").unwrap() + ring.measure("b").unwrap(),
        1 << 64
    );
    assert!(ring.share("a").unwrap() > 0.0);
    let _: Balance = ring.balance();
    let _: Balance = ring.balance_of(2);
    assert!(
        ring.same_placement(
            &HashRing::builder()
                .virtual_nodes(32)
                .from_nodes(["a".to_string(), "b".to_string()])?
        )
    );
    let _: u64 = ring.fingerprint();
    let snapshot: Snapshot<&str> = ring.snapshot();
    assert!(HashRing::restore(snapshot, Xxh3::new())?.same_placement(&ring));

    let table: SlotTable<&str> = SlotTable::builder()
        .slots(1024)
        .load_factor(1.25)
        .from_nodes(["a", "b"])?;
    assert_eq!(
        (table.slot_count(), table.load_factor()),
        (1024, Some(1.25))
    );
    let _: Balance = table.balance_of(2);
    let order: Vec<&&str> = Rendezvous::<&str>::order("key", &["a", "b"]);
    assert_eq!(order.len(), 2);
    Ok(())
}

#[test]
fn tokens() -> Outcome {
    let (first, last) = (Token::new(16), Token::new(31));
    let range: TokenRange = TokenRange::new(first, last).unwrap();
    assert_eq!(
        (range.first(), range.last(), range.len()),
        (first, last, 16u128)
    );
    assert!(range.contains(last) && range.share() > 0.0 && TokenRange::new(last, first).is_none());
    assert_eq!(first.to_string(), "0x0000000000000010");
    assert_eq!(range.to_string(), "0x0000000000000010..=0x000000000000001f");
    let json = serde_json::to_string(&(first, range))?;
    assert_eq!(
        serde_json::from_str::<(Token, TokenRange)>(&json)?,
        (first, range)
    );
    assert!(serde_json::from_str::<TokenRange>(r#""000000000000001f-0000000000000010""#).is_err());
    Ok(())
}

/// A plan and epochs outlive the rings and can be stored in a struct.
struct Running {
    plan: Plan<String>,
    epochs: Epochs<HashRing<String>>,
}

#[test]
fn migrations() -> Outcome {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut running = {
        let old = HashRing::from_nodes(names(&["a", "b", "c"]))?;
        let new = HashRing::from_nodes(names(&["a", "b", "c", "d"]))?;
        let _: Migration<'_, String> = old.diff(&new)?;
        let _ = old.diff_replicas(&new, 2)?;
        let _ = old.diff_replicas_across(&new, 2, String::len)?;
        let _ = old.diff_replicas_between(&new, 1, 2)?;
        let migration = old.diff_replicas(&new, 2)?;
        let first: Move<&String> = migration.moves().next().unwrap();
        let owned: Move<String> = first.cloned();
        let _: Move<&String> = owned.as_ref();
        let Move {
            range: _,
            from: _,
            to: _,
            ..
        } = owned;
        let plan = migration.plan(4)?;
        Running {
            plan,
            epochs: Epochs::new(old, new).with_replicas(2),
        }
    };
    let plan = &mut running.plan;
    let step: Move<String> = plan.start().unwrap();
    let sent: Move<String> = serde_json::from_str(&serde_json::to_string(&step)?)?;
    assert!(plan.retry(&sent.as_ref()) && !plan.retry(&sent));
    let step = plan.start().unwrap();
    assert!(plan.complete(&step) && !plan.complete(&step.as_ref()));
    assert_eq!(plan.in_flight(), 0);
    assert!(plan.remaining() > 0 && plan.fraction() > 0.0);
    let _: Vec<TokenRange> = plan.completed_ranges().collect();
    let progress: Progress = plan.progress();
    let stored = serde_json::to_string(&progress)?;
    plan.resume(&serde_json::from_str(&stored)?)?;
    while let Some(step) = plan.start() {
        plan.complete(&step);
    }
    let epochs = &mut running.epochs;
    for range in plan.completed_ranges() {
        epochs.advance(range, Stage::Copied)?;
    }
    let token = Token::new(7);
    let _: Stage = epochs.stage(token);
    let reads: Vec<&String> = epochs.reads("key");
    let writes: Vec<&String> = epochs.writes("key");
    assert_eq!(reads.len(), 2);
    assert!(writes.len() >= 2);
    assert_eq!(
        (
            epochs.old_replicas("key").len(),
            epochs.new_replicas("key").len()
        ),
        (2, 2)
    );
    let progress: EpochsProgress = epochs.progress();
    let stored = serde_json::to_string(&progress)?;
    epochs.resume(&serde_json::from_str(&stored)?)?;
    let back: Epochs<HashRing<String>, HashRing<String>> = epochs.clone().reverse();
    assert_ne!(back.stage(token), Stage::Done);
    let not_done: Result<HashRing<String>, NotDone> = epochs.clone().into_new();
    assert!(not_done.is_err());
    epochs.advance(TokenRange::ALL, Stage::Copied)?;
    epochs.advance(TokenRange::ALL, Stage::Done)?;
    let new: HashRing<String> = running.epochs.into_new()?;
    let (old_n, new_n) = (1, 3);
    let _ = Epochs::new(&new, Arc::new(new.clone())).with_replicas_between(old_n, new_n);
    Ok(())
}

struct Server {
    name: &'static str,
    requests: Counter,
}

impl Key for Server {
    fn key_bytes(&self) -> impl AsRef<[u8]> {
        self.name
    }
    fn take_over(&mut self, present: &Self) {
        self.requests = present.requests.clone();
    }
}

impl Counted for Server {
    type Watch = ();
    fn counter(&self) -> &Counter {
        &self.requests
    }
    fn watch(&self) {}
}

struct Told(u32);

impl Watch for Told {
    fn answered(&mut self) {
        self.0 += 1;
    }
    fn failed(&mut self) {}
    fn ended(&mut self) {}
    fn expect_answer(&mut self) {}
}

struct Half;

impl Load for Half {
    fn load(&self) -> f64 {
        0.5
    }
}

#[test]
fn loads() -> Outcome {
    let mut tracked = Tracked::new("a".to_string());
    let guard: InFlight = tracked.begin();
    assert_eq!((tracked.in_flight(), Half.warmth()), (1, 1.0));
    drop(guard);
    assert!(tracked.try_begin(0).is_none());
    tracked.push('b'); // DerefMut
    let mut timed = PeakEwma::new(tracked, HOUR)?.failure_cost(HOUR);
    timed.push('c');
    let mut guard: InFlight<Timer<()>> = timed.begin();
    guard.answered();
    guard.failed();
    let guard: InFlight<Timer<()>> = timed.begin_async();
    drop(guard);
    let mut slow = SlowStart::new(timed, HOUR);
    slow.push('d');
    let _: f64 = slow.warmth();
    let guard: InFlightOf<SlowStart<PeakEwma<Tracked<String>>>> = Counted::begin(&slow);
    drop(guard);
    let mut reported = Reported::new("a".to_string(), HOUR);
    reported.push('e');
    reported.report(-1.0);
    assert_eq!(reported.fresh(), Some(-1.0));

    let own = ["a", "b"].map(|name| Server {
        name,
        requests: Counter::new(),
    });
    let bounded = Bounded::new(HashRing::from_nodes(own)?, 1.25)?;
    assert!(bounded.acquire("key").is_some());
    let two = PowerOfTwo::from_nodes(["a", "b"])?;
    assert!(two.route_by(|a, b| a < b).is_some());
    let round = RoundRobin::from_nodes(["a", "b"])?;
    round.reset();
    let stack: Bounded<PowerOfTwo<PeakEwma<Tracked<&str>>>> = Bounded::new(
        PowerOfTwo::from_nodes([PeakEwma::new(Tracked::new("a"), HOUR)?])?,
        1.25,
    )?;
    assert!(stack.acquire("key").is_some());
    let _ = Told(0);
    Ok(())
}

#[test]
fn bounded_and_sticky() -> Outcome {
    let ring =
        HashRing::from_nodes(["a", "b", "c"].map(|name| Tracked::new(Arc::<str>::from(name))))?;
    let bounded = Bounded::new(ring, 1.25)?.min_cap(8);
    let lease: Lease<'_, Tracked<Arc<str>>> = bounded.acquire("key").unwrap();
    let token = bounded.token("key");
    assert!(bounded.acquire_token(token).is_some());
    assert!(bounded.acquire_where("key", |_| false).is_none());
    assert_eq!(&***bounded.acquire_preferring("a", "key").unwrap(), "a");
    assert!(bounded.cap("a").unwrap() >= 8);
    assert_eq!(bounded.load_factor(), 1.25);
    let (node, guard): (Tracked<Arc<str>>, InFlight) = lease.into_parts();
    let guard = std::thread::spawn(move || guard).join().unwrap();
    assert_eq!(node.in_flight(), 1);
    drop(guard);
    let _: InFlight = bounded.acquire("key").unwrap().into_in_flight();

    let sticky = Sticky::new(bounded, 1000, HOUR).max_age(HOUR);
    assert!(sticky.acquire("session").is_some());
    sticky.bind("session", "b")?;
    sticky.bind_token(sticky.token("other"), "b")?;
    assert!(sticky.bind("session", "x").is_err());
    assert_eq!((sticky.sessions_on("b"), sticky.purge()), (2, 0));
    let sessions: Vec<Session> = sticky.sessions();
    assert_eq!(sticky.release("b"), 2);
    assert_eq!(sticky.restore_sessions(sessions), 2);
    Ok(())
}

#[test]
fn zones_and_snapshots_of_a_strategy() -> Outcome {
    let ring = HashRing::from_nodes(["a1", "a2", "b1"])?;
    let zoned = Zoned::new(ring.clone(), |node| node.as_bytes()[0]);
    let across = ring.replicas_across("key", 2, |node| node.as_bytes()[0]);
    assert_eq!(zoned.replicas("key", 2), across);
    let _: Balance = zoned.balance_of(2);
    let _: Balance = Zoned::new(SlotTable::from_nodes(["a1"])?, |_| 0).balance_of(1);

    let shared: Shared<HashRing<&str>> = Shared::new(ring);
    let snapshot: Arc<HashRing<&str>> = shared.load();
    assert_eq!(shared.read(HashRing::len), 3);
    let removed: Option<&str> = shared.update(|ring| ring.remove("a1"));
    assert!(removed.is_some());
    let failed: Result<(), NodeError> = shared.try_update(|ring| ring.insert("a2"));
    assert!(failed.is_err());
    assert_eq!((shared.version(), shared.oldest_version_in_use()), (1, 0));
    drop(snapshot);
    assert_eq!(shared.oldest_version_in_use(), 1);
    let _ = shared.replace(HashRing::new());
    Ok(())
}
