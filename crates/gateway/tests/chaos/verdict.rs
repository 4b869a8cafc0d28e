//! The soak's check of an answer, and the further results that a reload or an outage may have.
//!
//! Neither of the two excuses a wrong answer: an answer to another request, or an answer that looks whole and isn't.

use testkit::load::plan::Plan;
use testkit::load::verdict::{Answer, End, Outcome, Seen};

use crate::config::Tenant;
use crate::door::Doors;

/// An error of the gateway: status, code, and whether the vendor may have acted.
type Error = (u16, &'static str, bool);

/// The errors that a call may get if its vendor can't be reached, leaves in the middle of the call, or stalls.
const OUTAGE: [Error; 5] = [
    (502, "upstream-unreachable", false),
    (502, "upstream-protocol", true),
    (503, "overloaded", false),
    (504, "upstream-timeout", false),
    (504, "upstream-timeout", true),
];

/// Returns the outcome that an event of the test itself explains.
pub(crate) fn excuse(plan: &Plan, seen: &Seen) -> Option<Outcome> {
    if by_config(plan, seen) {
        Some(Outcome::ByConfig)
    } else if Doors::lead_to(plan.place) && by_outage(plan, seen) {
        Some(Outcome::ByOutage)
    } else {
        None
    }
}

fn by_config(plan: &Plan, seen: &Seen) -> bool {
    const UNKNOWN: Error = (404, "unknown-connection", false);
    let errors: &[Error] = match Tenant::of(plan.tenant) {
        Tenant::Unchanged => return false,
        // If the key is removed after the call was authenticated and before the call is authorized, the caller has no connection.
        Tenant::Keyless => &[(401, "unauthenticated", false), UNKNOWN],
        Tenant::Disconnected => &[UNKNOWN],
        Tenant::Misled => &[(502, "upstream-unreachable", false)],
    };
    matches!(seen, Seen::Answer(answer) if errors.iter().any(|error| is(answer, *error)))
}

fn by_outage(plan: &Plan, seen: &Seen) -> bool {
    match seen {
        // The head waits for the body's first frame, and is lost with that frame.
        Seen::Nothing => plan.has_body(),
        Seen::Answer(answer) if answer.error.is_some() => {
            OUTAGE.iter().any(|error| is(answer, *error))
        }
        Seen::Answer(answer) => {
            let nonce = format!("{:016x}", plan.nonce);
            let tenant = plan.tenant.to_string();
            answer.end == End::Cut
                && answer.nonce.as_ref() == Some(&nonce)
                && answer.tenant.as_ref() == Some(&tenant)
        }
        Seen::Left | Seen::Broke(_) | Seen::Wrong(_) => false,
    }
}

/// Returns whether the answer is that error. The answer to a HEAD has no body that could say whether the vendor may
/// have acted.
fn is(answer: &Answer, (status, code, may_have): Error) -> bool {
    let sent = answer.sent();
    answer.status == status
        && answer.error.as_deref() == Some(code)
        && sent.is_none_or(|sent| sent == may_have)
}
