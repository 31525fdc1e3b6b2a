//! The schedule under random work.

use proptest::prelude::*;

use super::setting::{HOSTS, MAX_WAIT, Setting};
use super::world::{End, Move, World};

fn any_setting() -> impl Strategy<Value = Setting> {
    let interval = || prop_oneof![Just(0), Just(100), Just(500), Just(333)];
    let budget = || prop_oneof![2 => Just(None), 1 => (0_u64..12).prop_map(Some)];
    let delay = prop_oneof![4 => Just(0), 2 => Just(250), 1 => Just(2_000), 1 => Just(MAX_WAIT * 10)];
    let hosts = prop::collection::vec((delay, any::<bool>()), HOSTS as usize);
    let caps = ((1_usize..6, 0_usize..4), 1_usize..4, interval(), prop_oneof![3 => Just(0), 1 => Just(50)]);
    (caps, budget(), budget(), 2_usize..20, any::<bool>(), hosts).prop_map(
        |(
            ((connections, waiting), per_host, interval, global_interval),
            max_pages,
            max_pages_per_host,
            window,
            checks,
            hosts,
        )| Setting {
            connections,
            uncommitted: connections + waiting,
            per_host,
            interval,
            global_interval,
            max_pages,
            max_pages_per_host,
            window,
            checks,
            hosts,
        },
    )
}

fn any_end() -> impl Strategy<Value = End> {
    prop_oneof![
        12 => Just(End::Stored),
        3 => Just(End::Failed),
        3 => Just(End::Again),
        2 => (1..5_000_i64).prop_map(End::Busy),
        1 => Just(End::Busy(MAX_WAIT * 3)),
        2 => Just(End::Dead),
        2 => Just(End::Short),
    ]
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..HOSTS).prop_map(Move::Push),
        2 => (0..HOSTS).prop_map(Move::Check),
        5 => (1_usize..5).prop_map(Move::Next),
        4 => (any::<usize>(), any_end()).prop_map(|(which, end)| Move::Release(which, end)),
        4 => any::<usize>().prop_map(Move::Settle),
        3 => prop_oneof![0_i64..20, 50_i64..700, Just(3_000)].prop_map(Move::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    /// Never before a host may be asked, never beyond a cap or a budget, nothing lost or handed out twice, robots.txt
    /// first, drained exactly when nothing is left, and no host in memory that has nothing left.
    #[test]
    fn any_sequence_of_work_keeps_the_invariants(
        setting in any_setting(),
        moves in prop::collection::vec(any_move(), 1..120),
    ) {
        let mut world = World::new(setting);
        for step in &moves {
            world.play(step);
        }
        world.finish();
        world.check_drained();
        world.check_left();
    }
}
