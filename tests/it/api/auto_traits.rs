//! What types can do without saying so: be sent, shared, cloned, shown, put behind `dyn`.

use clockwise::{
    Balance, Changes, ConfigError, HashRing, KeyHasher, Manage, Member, Membership, Mixed,
    NodeError, Route, SipHash13, Strategy, Token, Xxh3, balance::NodeBalance,
    error::NotEnoughDomains, nodes::Members, nodes::Nodes, preference::Preference, ring::Arcs,
    ring::HashRingBuilder, ring::RingArc,
};
use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash};
use std::iter::FusedIterator;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::Arc;

fn plain<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Debug>() {}
fn clone<T: Clone>() {}
fn copy<T: Copy>() {}
fn error<T: Error + Clone + Eq + Send + Sync + 'static>() {}
fn fused<T: FusedIterator + Clone>() {}
fn exact<T: ExactSizeIterator>() {}
fn double_ended<T: DoubleEndedIterator>() {}

#[test]
fn all_types_are_send_sync_and_debug() {
    plain::<HashRing<String>>();
    plain::<HashRing<String, SipHash13>>();
    plain::<
        HashRing<
            String,
            Mixed<clockwise::hash::FromBuildHasher<BuildHasherDefault<DefaultHasher>>>,
        >,
    >();
    plain::<HashRingBuilder<String, SipHash13>>();
    plain::<Preference<'_, String>>();
    plain::<Arcs<'_, String>>();
    plain::<RingArc<'_, String>>();
    plain::<Nodes<'_, String>>();
    plain::<Members<'_, String>>();
    plain::<Member<'_, String>>();
    plain::<Changes<String>>();
    plain::<Balance>();
    plain::<NodeBalance>();
    #[cfg(feature = "std")]
    plain::<clockwise::balance::Forecast>();
    plain::<Token>();
    plain::<clockwise::TokenRange>();
    plain::<(Xxh3, SipHash13)>();
    plain::<(NodeError, ConfigError, NotEnoughDomains)>();
}

#[test]
fn what_holds_no_node_of_its_own_clones_without_asking_the_node() {
    struct NoClone;
    clone::<HashRing<String, Arc<dyn KeyHasher + Send + Sync>>>();
    copy::<RingArc<'_, NoClone>>();
    copy::<Member<'_, NoClone>>();
    fused::<Preference<'_, NoClone>>();
    fused::<Arcs<'_, NoClone>>();
    fused::<Nodes<'_, NoClone>>();
    fused::<Members<'_, NoClone>>();
    exact::<Preference<'_, NoClone>>();
    exact::<Nodes<'_, NoClone>>();
    exact::<Members<'_, NoClone>>();
    double_ended::<Nodes<'_, NoClone>>();
    double_ended::<Members<'_, NoClone>>();
    copy::<(Token, Xxh3, SipHash13, NotEnoughDomains)>();
    #[cfg(feature = "std")]
    copy::<clockwise::balance::Forecast>();
}

#[test]
fn errors_are_errors() {
    error::<NodeError>();
    error::<ConfigError>();
    error::<NotEnoughDomains>();
}

#[test]
fn tokens_are_ordered_hashable_and_shown_with_all_digits() {
    fn key<T: Ord + Hash>() {}
    key::<Token>();
    key::<clockwise::TokenRange>();
    assert!(Token::new(1) < Token::new(2));
    assert_eq!(
        format!("{:?}", Token::new(0xab)),
        "Token(0x00000000000000ab)"
    );
    assert_eq!(
        format!("{:?}", Token::new(u64::MAX)),
        "Token(0xffffffffffffffff)"
    );
}

/// Asking is ambiguous, and does not compile, for what is `Send`.
mod not_send {
    pub(super) struct Is;
    pub(super) trait Ask<A> {
        fn ask() {}
    }
    impl<T: ?Sized> Ask<()> for T {}
    impl<T: ?Sized + Send> Ask<Is> for T {}
}

/// Asking is ambiguous, and does not compile, for what is `Sync`.
mod not_sync {
    pub(super) struct Is;
    pub(super) trait Ask<A> {
        fn ask() {}
    }
    impl<T: ?Sized> Ask<()> for T {}
    impl<T: ?Sized + Sync> Ask<Is> for T {}
}

#[test]
fn a_ring_of_nodes_that_stay_in_their_thread_stays_too() {
    <HashRing<Rc<str>> as not_send::Ask<_>>::ask();
    <HashRing<Cell<u8>> as not_sync::Ask<_>>::ask();
}

#[test]
fn debug_shows_counts_and_needs_nothing_of_the_node() {
    struct Silent(u8);
    impl clockwise::Key for Silent {
        fn key_bytes(&self) -> impl AsRef<[u8]> {
            [self.0]
        }
    }
    let ring = HashRing::from_nodes([Silent(1), Silent(2)]).expect("two nodes");
    assert_eq!(
        format!("{ring:?}"),
        "HashRing { nodes: 2, virtual_nodes: 512, points: 1024, .. }"
    );
    assert_eq!(
        format!("{:?}", ring.preference("key")),
        "Preference { left: 2, .. }"
    );
    assert_eq!(format!("{:?}", ring.arcs()), "Arcs { .. }");
    let builder = HashRing::<Silent>::builder()
        .virtual_nodes(9)
        .max_points(10);
    assert_eq!(
        format!("{builder:?}"),
        "HashRingBuilder { virtual_nodes: 9, max_points: 10, .. }"
    );
    assert_eq!(
        format!("{:?}", Mixed::from_fn(|_: &[u8]| 0)),
        "Mixed { .. }"
    );
}

/// Strategies, memberships and hashers are chosen at run time.
#[test]
fn traits_are_object_safe_and_boxes_forward() {
    let hasher: Box<dyn KeyHasher + Send + Sync> = Box::new(Xxh3::new());
    assert_eq!(hasher.hash_bytes(b"key"), Xxh3::new().hash_bytes(b"key"));
    let ring = HashRing::from_nodes(["a", "b", "c"]).expect("three nodes");
    let mut boxed: Box<dyn Membership<Node = &str>> = Box::new(ring.clone());
    let shared: Arc<dyn Strategy<Node = &str>> = Arc::new(ring.clone());
    let reference: &dyn Strategy<Node = &str> = &ring;
    for key in 0..100u64 {
        assert_eq!(boxed.route(&key), ring.route(&key));
        assert_eq!(shared.route(&key), ring.route(&key));
        assert_eq!(reference.route(&key), ring.route(&key));
        assert_eq!(Route::route(&ring, &key), ring.route(&key));
        assert_eq!(shared.replicas(&key, 2), ring.replicas(&key, 2));
        assert_eq!(boxed.replicas(&key, 0), Vec::<&&str>::new());
        let not_the_owner = |node: &&str| Some(node) != ring.route(&key);
        assert_eq!(
            reference.route_where(&key, not_the_owner),
            ring.route_where(&key, not_the_owner)
        );
        let token = shared.token_of(&key.to_le_bytes());
        assert_eq!(
            (token, boxed.route_token(token)),
            (ring.token(&key), ring.route(&key))
        );
        let same = |strategy: &dyn Strategy<Node = &'static str>| {
            strategy.pick(token, &mut |_| true).copied()
        };
        assert_eq!(
            (same(&boxed), same(&shared), same(&reference)),
            (same(&ring), same(&ring), same(&ring))
        );
        let first = |node: &&str| node.as_bytes()[0] % 2;
        assert_eq!(
            shared.replicas_across(&key, 2, first),
            ring.replicas_across(&key, 2, first)
        );
        assert_eq!(
            boxed
                .try_replicas_across(&key, 3, first)
                .map_err(|e| e.found),
            Err(2)
        );
    }
    let names = |strategy: &dyn Strategy<Node = &str>| {
        let mut names = String::new();
        strategy.for_each_member(&mut |member| {
            names.extend([*member.node, &member.weight.to_string(), " "]);
        });
        names
    };
    assert_eq!(
        (&*names(&boxed), &*names(&shared), &*names(&reference)),
        ("a1 b1 c1 ", "a1 b1 c1 ", "a1 b1 c1 ")
    );
    assert_eq!(boxed.member(b"a").map(|member| *member.node), Some("a"));
    assert!(shared.member(b"z").is_none());

    let changes = boxed.set_nodes(vec![("a", 2), ("d", 1)]).expect("distinct");
    assert_eq!(
        (changes.added(), changes.reweighted(), changes.removed()),
        (1, 1, 2)
    );
    boxed.drain("a").expect("it is a member");
    assert_eq!(boxed.route("key"), Some(&"d"));
    boxed.undrain("a").expect("it is a member");
    assert_eq!(names(&boxed), "a2 d1 ");
    assert!(boxed.drain("b").is_err());
}

/// A ring can be a constant.
const EMPTY: HashRing<&str> = HashRing::new();

#[test]
fn a_default_ring_is_a_new_one() {
    let (default, new) = (HashRing::<&str>::default(), HashRing::<&str>::new());
    assert_eq!(default.fingerprint(), new.fingerprint());
    assert_eq!((default.virtual_nodes(), default.len()), (512, 0));
    assert!(EMPTY.is_empty());
}
