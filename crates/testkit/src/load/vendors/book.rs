//! What vendors have seen, and what was wrong with it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::load::place::Place;
use crate::load::plan::{Plan, token};

/// How many faults are told in full.
const TOLD: usize = 20;

/// Shared by all vendors and callers.
#[derive(Debug, Default)]
pub struct Book {
    acted: Mutex<HashSet<u64>>,
    refused: Mutex<HashSet<u64>>,
    faults: AtomicUsize,
}

impl Book {
    /// Notes what the soak looks for: a fault of the gateway's, or of the soak's own.
    pub fn fault(&self, what: impl fmt::Display) {
        if self.faults.fetch_add(1, Ordering::Relaxed) < TOLD {
            eprintln!("fault: {what}");
        }
    }

    pub fn faults(&self) -> usize {
        self.faults.load(Ordering::Relaxed)
    }

    /// What the request asks for, if it is as its caller and the gateway must have made it: for
    /// this vendor, with the credential of its own tenant and nothing of the caller's.
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
        let acted = self.acted.lock().expect("no panic while it's held");
        acted.contains(&plan.nonce)
    }

    /// The vendor acts on the request. Nothing that was written is ever sent again, as no retries
    /// are configured.
    pub fn acts(&self, plan: &Plan) {
        let mut acted = self.acted.lock().expect("no panic while it's held");
        if !acted.insert(plan.nonce) {
            self.fault(format!("acted on twice: {plan:?}"));
        }
    }

    /// Whether it is to be refused: the first time.
    pub fn refuses(&self, plan: &Plan) -> bool {
        let mut refused = self.refused.lock().expect("no panic while it's held");
        refused.insert(plan.nonce)
    }

    pub fn acted(&self) -> usize {
        self.acted.lock().expect("no panic while it's held").len()
    }
}
