//! The requests that vendors have seen, and the faults in those requests.

use std::collections::HashSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::load::place::Place;
use crate::load::plan::{Plan, token};

/// The number of faults that are printed in full.
const TOLD: usize = 20;

/// A record that all vendors and callers share.
#[derive(Debug, Default)]
pub struct Book {
    acted: Mutex<HashSet<u64>>,
    refused: Mutex<HashSet<u64>>,
    faults: AtomicUsize,
}

impl Book {
    /// Records a fault that the soak looks for: a fault of the gateway, or of the soak itself.
    pub fn fault(&self, what: impl fmt::Display) {
        if self.faults.fetch_add(1, Ordering::Relaxed) < TOLD {
            eprintln!("fault: {what}");
        }
    }

    pub fn faults(&self) -> usize {
        self.faults.load(Ordering::Relaxed)
    }

    /// Returns the plan of the request, if the request is correct, as its caller and the gateway
    /// must have made the request: for this vendor, with the credential of its tenant and without
    /// the caller's own key.
    pub fn read(
        &self,
        place: Place,
        method: &str,
        target: &str,
        values: impl Fn(&str) -> Vec<String>,
    ) -> Option<Plan> {
        let path = target.strip_prefix("/api/").unwrap_or_default();
        let (tenant, nonce) = path.split_once('/').unwrap_or_default();
        let Ok(nonce) = u64::from_str_radix(nonce, 16) else {
            self.fault(format!("{place:?} was asked for {target:?}"));
            return None;
        };
        let plan = Plan::of(nonce);
        let credential = format!("Bearer {}", token(plan.tenant));
        let expected = [
            (
                "tenant",
                vec![plan.tenant.to_string()],
                vec![tenant.to_owned()],
            ),
            (
                "method",
                vec![plan.method.to_owned()],
                vec![method.to_owned()],
            ),
            ("credential", vec![credential], values("authorization")),
            ("nonce", vec![format!("{nonce:016x}")], values("x-nonce")),
            ("caller's key", Vec::new(), values("x-api-key")),
        ];
        let wrong: Vec<_> = expected
            .into_iter()
            .filter(|(_, expected, got)| expected != got)
            .map(|(what, expected, got)| format!("{what} {got:?} for {expected:?}"))
            .collect();
        if wrong.is_empty() && plan.place == place {
            return Some(plan);
        }
        self.fault(format!("{place:?} got a request with {wrong:?}: {plan:?}"));
        None
    }

    pub fn has_acted(&self, plan: &Plan) -> bool {
        let acted = self.acted.lock().expect("no panic while the lock is held");
        acted.contains(&plan.nonce)
    }

    /// Records that the vendor acts on the request. The gateway never sends a written request
    /// again, because no retries are configured.
    pub fn acts(&self, plan: &Plan) {
        let mut acted = self.acted.lock().expect("no panic while the lock is held");
        if !acted.insert(plan.nonce) {
            self.fault(format!("acted on twice: {plan:?}"));
        }
    }

    /// Returns whether the vendor must refuse the request, which is so the first time only.
    pub fn refuses(&self, plan: &Plan) -> bool {
        let mut refused = self
            .refused
            .lock()
            .expect("no panic while the lock is held");
        refused.insert(plan.nonce)
    }

    pub fn acted(&self) -> usize {
        self.acted
            .lock()
            .expect("no panic while the lock is held")
            .len()
    }
}
