//! The memory store passes the suite; stores with the field's usual faults do not.

mod memory {
    use countersign_store::{MemoryReplay, replay_conformance};

    replay_conformance!(|limits| Box::new(MemoryReplay::new(limits)));
}

/// Sixteen of them, each with its share of the limits and its share of the entries.
mod divided {
    use countersign_core::replay::{Answer, ReplayEntry, ReplayGuard};
    use countersign_store::conformance::{Decision, Parts};
    use countersign_store::{Limits, MemoryReplay, replay_conformance};

    pub(super) const PARTS: Parts = Parts { count: 16, of: |entry| usize::from(entry.digest[31] % 16) };

    struct Divided(Vec<MemoryReplay>);

    impl ReplayGuard for Divided {
        fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Decision> {
            self.0[(PARTS.of)(entry)].admit(entry)
        }
    }

    fn open(limits: Limits) -> Box<dyn ReplayGuard> {
        let share = |whole: usize| whole.div_ceil(PARTS.count);
        let share = Limits { entries: share(limits.entries), entries_per_key: share(limits.entries_per_key) };
        Box::new(Divided((0..PARTS.count).map(|_| MemoryReplay::new(share)).collect()))
    }

    replay_conformance!(open, PARTS);
}

/// A suite is worth what it refuses. Each of these is a fault seen in the field, and the check that finds it.
mod faulty {
    use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
    use countersign_store::conformance::{self, Decision, Fresh, Parts};
    use countersign_store::{Limits, MemoryReplay};
    use std::collections::{HashMap, VecDeque};
    use std::sync::Mutex;

    /// A list of (digest, last second) and a rule that decides by it.
    struct Faulty<S, F> {
        limits: Limits,
        state: Mutex<S>,
        rule: F,
    }

    impl<S: Send, F: Fn(&Mutex<S>, &ReplayEntry, Limits) -> Decision + Send + Sync> ReplayGuard for Faulty<S, F> {
        fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Decision> {
            Answer::Ready((self.rule)(&self.state, entry, self.limits))
        }
    }

    type Ends = HashMap<[u8; 32], i64>;

    fn refuses<S: Send + Default + 'static>(
        check: fn(Fresh<'_>),
        rule: impl Fn(&Mutex<S>, &ReplayEntry, Limits) -> Decision + Send + Sync + Copy + 'static,
    ) {
        let open = move |limits| -> Box<dyn ReplayGuard> {
            Box::new(Faulty { limits, state: Mutex::new(S::default()), rule })
        };
        let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&open))).is_ok();
        assert!(!passed, "the suite let a faulty store pass");
    }

    fn first_unless_live(ends: &mut Ends, entry: &ReplayEntry, live: impl Fn(i64) -> bool) -> FirstUse {
        if ends.get(&entry.digest).copied().is_some_and(live) {
            return FirstUse::Seen;
        }
        ends.insert(entry.digest, entry.live_until.secs());
        FirstUse::First
    }

    #[test]
    fn looking_and_then_inserting_is_caught() {
        refuses(conformance::attack_22_check_then_set_race_exactly_one_is_first, |state: &Mutex<Ends>, entry, _| {
            let known = state.lock().unwrap().contains_key(&entry.digest);
            std::thread::sleep(std::time::Duration::from_millis(1));
            state.lock().unwrap().insert(entry.digest, 0);
            Ok(if known { FirstUse::Seen } else { FirstUse::First })
        });
    }

    /// Looks when it is asked, and inserts when it is waited for.
    #[derive(Default)]
    struct LooksEarly(Mutex<Ends>);

    impl ReplayGuard for LooksEarly {
        fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Decision> {
            let known = self.0.lock().unwrap().contains_key(&entry.digest);
            Answer::Later(Box::pin(async move {
                self.0.lock().unwrap().insert(entry.digest, 0);
                Ok(if known { FirstUse::Seen } else { FirstUse::First })
            }))
        }
    }

    #[test]
    fn looking_before_the_answer_is_waited_for_is_caught() {
        let check = conformance::attack_22_thousands_of_questions_under_way_at_once_are_one;
        let open = |_| -> Box<dyn ReplayGuard> { Box::new(LooksEarly::default()) };
        let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&open))).is_ok();
        assert!(!passed, "the suite let a faulty store pass");
    }

    #[test]
    fn telling_the_second_that_it_is_first_is_caught() {
        refuses(
            conformance::attack_22_a_recorded_history_is_linearizable,
            |state: &Mutex<HashMap<[u8; 32], u32>>, entry, _| {
                let mut asked = state.lock().unwrap();
                let asked = asked.entry(entry.digest).or_default();
                *asked += 1;
                Ok(if *asked == 40 { FirstUse::First } else { FirstUse::Seen })
            },
        );
    }

    #[test]
    fn a_history_is_judged_by_when_its_requests_began_and_ended() {
        use conformance::{Event, linearizable};
        let event = |number, began, ended, answer| Event { number, began, ended, answer: Ok(answer) };
        let first = event(1, 2, 5, FirstUse::First);
        for (other, holds) in [
            (event(1, 3, 4, FirstUse::Seen), true),
            (event(1, 0, 3, FirstUse::Seen), true),
            (event(1, 0, 1, FirstUse::Seen), false),
            (event(1, 6, 7, FirstUse::First), false),
            (event(2, 6, 7, FirstUse::Seen), false),
            (event(2, 0, 1, FirstUse::First), true),
        ] {
            assert_eq!(linearizable(&[first.clone(), other.clone()]).is_ok(), holds, "{other:?}");
        }
    }

    #[test]
    fn ending_a_second_early_is_caught() {
        refuses(
            conformance::attack_23_an_entry_lives_to_the_end_of_its_last_second,
            |state: &Mutex<Ends>, entry, _| {
                Ok(first_unless_live(&mut state.lock().unwrap(), entry, |until| until > entry.now.secs()))
            },
        );
    }

    #[test]
    fn ending_a_second_late_is_caught() {
        refuses(
            conformance::attack_23_an_entry_lives_to_the_end_of_its_last_second,
            |state: &Mutex<Ends>, entry, _| {
                Ok(first_unless_live(&mut state.lock().unwrap(), entry, |until| until + 1 >= entry.now.secs()))
            },
        );
    }

    #[test]
    fn prolonging_on_each_use_is_caught() {
        refuses(
            conformance::attack_23_being_seen_does_not_change_when_an_entry_ends,
            |state: &Mutex<Ends>, entry, _| {
                let mut ends = state.lock().unwrap();
                let decision = first_unless_live(&mut ends, entry, |until| until >= entry.now.secs());
                ends.insert(entry.digest, entry.live_until.secs());
                Ok(decision)
            },
        );
    }

    #[test]
    fn remembering_only_the_last_of_each_client_is_caught() {
        refuses(
            conformance::attack_24_after_another_request_the_first_is_still_seen,
            |state: &Mutex<HashMap<[u8; 16], [u8; 32]>>, entry, _| {
                let last = state.lock().unwrap().insert(entry.key, entry.digest);
                Ok(if last == Some(entry.digest) { FirstUse::Seen } else { FirstUse::First })
            },
        );
    }

    #[test]
    fn evicting_the_eldest_is_caught() {
        refuses(
            |open| conformance::attack_25_a_full_store_forgets_nothing(open, Parts::ONE),
            |state: &Mutex<VecDeque<[u8; 32]>>, entry, limits| {
                let mut queue = state.lock().unwrap();
                if queue.contains(&entry.digest) {
                    return Ok(FirstUse::Seen);
                }
                if queue.len() == limits.entries {
                    queue.pop_front();
                }
                queue.push_back(entry.digest);
                Ok(FirstUse::First)
            },
        );
    }

    #[test]
    fn one_capacity_for_everybody_is_caught() {
        refuses(
            |open| conformance::attack_25_one_key_cannot_fill_the_store(open, Parts::ONE),
            |state: &Mutex<Ends>, entry, limits| {
                let mut ends = state.lock().unwrap();
                ends.retain(|_, until| *until >= entry.now.secs());
                if ends.len() >= limits.entries && !ends.contains_key(&entry.digest) {
                    return Err(StoreError::Full);
                }
                Ok(first_unless_live(&mut ends, entry, |_| true))
            },
        );
    }

    #[test]
    fn inserting_before_there_is_room_is_caught() {
        refuses(
            |open| conformance::attack_28_what_could_not_be_decided_burns_nothing(open, Parts::ONE),
            |state: &Mutex<Ends>, entry, limits| {
                let mut ends = state.lock().unwrap();
                ends.retain(|_, until| *until >= entry.now.secs());
                let decision = first_unless_live(&mut ends, entry, |_| true);
                if ends.len() > limits.entries { Err(StoreError::Full) } else { Ok(decision) }
            },
        );
    }

    #[test]
    fn believing_the_clock_is_caught() {
        refuses(conformance::attack_29_a_clock_that_steps_back_reopens_nothing, |state: &Mutex<Ends>, entry, _| {
            let mut ends = state.lock().unwrap();
            ends.retain(|_, until| *until >= entry.now.secs());
            Ok(first_unless_live(&mut ends, entry, |_| true))
        });
    }

    #[test]
    fn taking_the_highest_time_ever_seen_for_the_floor_is_caught() {
        refuses(
            conformance::a_clock_that_jumped_ahead_and_came_back_recovers,
            |state: &Mutex<(i64, Ends)>, entry, _| {
                let (highest, ends) = &mut *state.lock().unwrap();
                *highest = entry.now.secs().max(*highest);
                if entry.live_until.secs() < *highest {
                    return Err(StoreError::ClockWentBack);
                }
                Ok(first_unless_live(ends, entry, |_| true))
            },
        );
    }

    #[test]
    fn letting_a_dead_entry_through_is_caught() {
        refuses(conformance::an_entry_that_is_over_is_never_first, |state: &Mutex<Ends>, entry, _| {
            Ok(first_unless_live(&mut state.lock().unwrap(), entry, |until| until >= entry.now.secs()))
        });
    }

    #[test]
    fn a_model_without_limits_is_caught() {
        refuses(
            |open| conformance::agrees_with_a_model(open, Parts::ONE),
            |state: &Mutex<Ends>, entry, _| {
                Ok(first_unless_live(&mut state.lock().unwrap(), entry, |until| until >= entry.now.secs()))
            },
        );
    }

    /// Who says that limits are divided has to divide them.
    #[test]
    fn one_part_that_is_said_to_be_sixteen_is_caught() {
        let checks: [fn(Fresh<'_>, Parts); 4] = [
            conformance::attack_25_a_full_store_forgets_nothing,
            conformance::attack_25_one_key_cannot_fill_the_store,
            conformance::attack_28_what_could_not_be_decided_burns_nothing,
            conformance::agrees_with_a_model,
        ];
        let open = |limits| -> Box<dyn ReplayGuard> { Box::new(MemoryReplay::new(limits)) };
        for check in checks {
            let passed = std::panic::catch_unwind(|| check(&open, super::divided::PARTS)).is_ok();
            assert!(!passed, "the suite let an undivided store pass");
        }
    }
}
