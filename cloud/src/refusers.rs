//! Hosts that gave no clean answer to several questions at once. One that answered otherwise is asked one
//! by one from then on, for as long as the process lives. One of which nothing came, for one question
//! alone neither, that had too many of them while it answered one alone, or whose
//! answer was too large to be read, is asked one by one for a look,
//! and for twice as many each time that it happens again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::batch::Route;

/// There are as many as the lookups name.
#[derive(Default)]
pub(crate) struct Refusers(Mutex<HashMap<Route, Standing>>);

enum Standing {
    NeverTogether,
    Resting {
        /// How often in a row it was so.
        times: u32,
        /// The looks that go by without one of several questions.
        looks: u32,
    },
}

impl Refusers {
    pub(crate) fn may_ask(&self, route: &Route) -> bool {
        match self.lock().get(route) {
            None => true,
            Some(Standing::NeverTogether) => false,
            Some(Standing::Resting { looks, .. }) => *looks == 0,
        }
    }

    /// A look has begun, for which it was decided who is asked how.
    pub(crate) fn begin_look(&self) {
        for standing in self.lock().values_mut() {
            if let Standing::Resting { looks, .. } = standing {
                *looks = looks.saturating_sub(1);
            }
        }
    }

    pub(crate) fn answered_cleanly(&self, route: &Route) {
        let mut refusers = self.lock();
        if let Some(Standing::Resting { .. }) = refusers.get(route) {
            refusers.remove(route);
        }
    }

    pub(crate) fn never_ask_again(&self, route: &Route) {
        self.lock().insert(route.clone(), Standing::NeverTogether);
    }

    pub(crate) fn let_rest(&self, route: &Route) {
        let mut refusers = self.lock();
        let rest = Standing::Resting { times: 0, looks: 0 };
        if let Standing::Resting { times, looks } = refusers.entry(route.clone()).or_insert(rest) {
            // Several calls of one look say it once.
            if *looks == 0 {
                *looks = 1 << *times;
                *times = (*times + 1).min(MOST_DOUBLINGS);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Route, Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MOST_DOUBLINGS: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchService;

    #[test]
    fn a_host_that_gave_no_answer_rests_for_twice_as_many_looks_each_time() {
        let endpoint = String::from("kms.cn-hangzhou.aliyuncs.com");
        let route = Route { endpoint, assume: None, service: BatchService::Kms };
        let refusers = Refusers::default();
        let looks = || {
            let mut looks = 0;
            while !refusers.may_ask(&route) {
                refusers.begin_look();
                looks += 1;
            }
            looks
        };
        let mut rests = Vec::new();
        for _ in 0..9 {
            refusers.let_rest(&route);
            refusers.let_rest(&route);
            rests.push(looks());
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        refusers.answered_cleanly(&route);
        refusers.let_rest(&route);
        assert_eq!(looks(), 1);
        refusers.never_ask_again(&route);
        refusers.let_rest(&route);
        refusers.answered_cleanly(&route);
        refusers.begin_look();
        assert!(!refusers.may_ask(&route));
    }
}
