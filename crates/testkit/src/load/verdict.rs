//! The check whether a caller saw an allowed result.

use std::fmt;

use crate::load::place::{Manner, Place};
use crate::load::plan::{Framing, Leave, Plan};

/// The end of an answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    Cut,
    /// The caller left.
    Left,
}

/// An answer, as the caller received it. The caller compared the body while the body came.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub nonce: Option<String>,
    pub tenant: Option<String>,
    pub length: Option<u64>,
    /// The code of an error that the gateway itself answers with.
    pub error: Option<String>,
    /// The body of an error from the gateway itself.
    pub problem: Vec<u8>,
    pub trailer: Option<String>,
    /// The number of bytes of the body that came, all of them right.
    pub received: u64,
    pub end: End,
}

impl Answer {
    /// Returns the statement of the gateway's own error about the vendor: whether the vendor may
    /// have acted. The answer to a HEAD has no body with such a statement.
    pub fn sent(&self) -> Option<bool> {
        let problem: serde_json::Value = serde_json::from_slice(&self.problem).ok()?;
        problem.get("sent")?.as_bool()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("nonce", &self.nonce)
            .field("length", &self.length)
            .field("error", &self.error)
            .field("problem", &String::from_utf8_lossy(&self.problem))
            .field("received", &self.received)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// The result that a caller saw of its call.
#[derive(Clone, Debug)]
pub enum Seen {
    Answer(Answer),
    /// The connection, or the stream, ended before there was a head.
    Nothing,
    /// The caller left before there was a head.
    Left,
    /// The whole HTTP/2 connection ended, which only the caller may end before the gateway's stop.
    Broke(String),
    /// The answer is wrong for every possible request.
    Wrong(String),
}

/// An outcome that is correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Right,
    BadGateway,
    Timeout,
    Overloaded,
    Cut,
    Left,
    /// The gateway had been asked to stop before the call reached the gateway.
    Late,
    /// An outcome that a reload of the config explains.
    ByConfig,
    /// An outcome that an outage of the vendor explains.
    ByOutage,
}

/// Explains a result that no call may see under ordinary conditions, if the test's own events
/// explain the result.
pub type Excuse = fn(&Plan, &Seen) -> Option<Outcome>;

/// An error that the gateway itself answers with: status, code, and whether the vendor may have
/// acted.
type Error = (u16, &'static str, bool);

const PROTOCOL: Error = (502, "upstream-protocol", true);
const UNREACHABLE: Error = (502, "upstream-unreachable", false);
const TIMEOUT: Error = (504, "upstream-timeout", true);
const OVERLOADED: Error = (503, "overloaded", false);

/// The possible results of a call.
struct Expected {
    answer: bool,
    cut: bool,
    errors: &'static [Error],
}

const fn expected(answer: bool, cut: bool, errors: &'static [Error]) -> Expected {
    Expected {
        answer,
        cut,
        errors,
    }
}

impl Expected {
    fn of(plan: &Plan) -> Self {
        match plan.manner {
            // A call that is broken off on a connection that other calls share.
            _ if plan.place == Place::Wild => {
                expected(true, true, &[PROTOCOL, UNREACHABLE, OVERLOADED])
            }
            Manner::BreakOff => unreachable!("only wild vendors break off"),
            // A request that was sent at the same time as the last GOAWAY.
            _ if plan.place == Place::Leaving && plan.upload.is_some() => {
                expected(true, false, &[PROTOCOL, UNREACHABLE])
            }
            // A request that was sent at the same time as the close of its connection: the request
            // was written, or its body was asked for, so the gateway can't send the request again.
            _ if plan.place == Place::Hasty || plan.place == Place::Early => {
                expected(true, false, &[PROTOCOL, UNREACHABLE])
            }
            Manner::Proper
            | Manner::EarlyLinger
            | Manner::EarlyClose
            | Manner::EarlyReset
            | Manner::EarlyUnread
            | Manner::IdleClose
            | Manner::Stray
            | Manner::GoAway => expected(true, false, &[]),
            // The gateway sends again a request that has no body and that was refused unprocessed.
            Manner::Refuse if plan.upload.is_none() => expected(true, false, &[]),
            Manner::Refuse => expected(true, false, &[PROTOCOL, UNREACHABLE]),
            Manner::HeadReset | Manner::HeadClose | Manner::NoHttp => {
                expected(false, false, &[PROTOCOL])
            }
            Manner::BodyReset => expected(false, true, &[PROTOCOL]),
            Manner::BodyClose | Manner::BodyStall => expected(false, true, &[]),
            Manner::HeadStall => expected(false, false, &[TIMEOUT]),
        }
    }
}

/// Returns the outcome, or a description of a fault in the result. `trailers` means that the caller
/// asked for trailers.
pub fn judge(plan: &Plan, seen: &Seen, trailers: bool) -> Result<Outcome, String> {
    let expected = Expected::of(plan);
    let answer = match seen {
        Seen::Answer(answer) => answer,
        Seen::Left if plan.leave != Leave::Never => return Ok(Outcome::Left),
        // The head waits for the body's first frame, and is lost with that frame.
        Seen::Nothing if expected.cut => return Ok(Outcome::Cut),
        Seen::Left | Seen::Nothing => return Err("no answer".to_owned()),
        Seen::Broke(what) | Seen::Wrong(what) => return Err(what.clone()),
    };
    if let Some(code) = &answer.error {
        return own_error(answer, code, &expected);
    }
    let nonce = format!("{:016x}", plan.nonce);
    let tenant = plan.tenant.to_string();
    if answer.nonce.as_ref() != Some(&nonce) || answer.tenant.as_ref() != Some(&tenant) {
        return Err("another call's answer".to_owned());
    }
    if answer.status != plan.status {
        return Err(format!("status {} for {}", answer.status, plan.status));
    }
    match answer.end {
        End::Left if plan.leave != Leave::Never => Ok(Outcome::Left),
        End::Left => Err("the caller wasn't meant to leave".to_owned()),
        End::Cut if expected.cut => Ok(Outcome::Cut),
        End::Cut => Err("a body that breaks off".to_owned()),
        End::Whole if !expected.answer || plan.manner.breaks_body() => {
            Err("a body that broke off looks whole".to_owned())
        }
        End::Whole => whole(plan, answer, trailers, &nonce),
    }
}

fn whole(plan: &Plan, answer: &Answer, trailers: bool, nonce: &str) -> Result<Outcome, String> {
    let due = plan.answer(plan.read_before_answer()).length;
    if answer.received != due {
        return Err(format!("{} bytes for {due}", answer.received));
    }
    let length = (plan.framing == Framing::Length).then_some(plan.length);
    // A 304 needs no length, and a 204 must have none.
    if !matches!(plan.status, 204 | 304) && answer.length != length {
        return Err(format!("a length of {:?} for {length:?}", answer.length));
    }
    let sum = (plan.trailers && trailers).then_some(nonce);
    if trailers && answer.trailer.as_deref() != sum {
        return Err(format!("a trailer {:?} for {sum:?}", answer.trailer));
    }
    Ok(Outcome::Right)
}

fn own_error(answer: &Answer, code: &str, expected: &Expected) -> Result<Outcome, String> {
    let sent = answer.sent();
    let told = |(status, expected, may_have): &&Error| {
        *status == answer.status && *expected == code && sent.is_none_or(|sent| sent == *may_have)
    };
    match expected.errors.iter().find(told) {
        Some((502, ..)) => Ok(Outcome::BadGateway),
        Some((503, ..)) => Ok(Outcome::Overloaded),
        Some(_) => Ok(Outcome::Timeout),
        None => Err(format!("{} {code}, sent: {sent:?}", answer.status)),
    }
}
