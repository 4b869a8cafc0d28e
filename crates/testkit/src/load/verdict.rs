//! Whether what a caller saw is what it may see.

use std::fmt;

use crate::load::place::{Manner, Place};
use crate::load::plan::{Framing, Leave, Plan};

/// How an answer's body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    Cut,
    /// The caller left.
    Left,
}

/// An answer as it came. Its body was compared while it did.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub nonce: Option<String>,
    pub tenant: Option<String>,
    pub length: Option<u64>,
    /// The code of an error of the gateway's own.
    pub error: Option<String>,
    /// The body of such an error.
    pub problem: Vec<u8>,
    pub trailer: Option<String>,
    /// How many bytes of the body came, all of them right.
    pub received: u64,
    pub end: End,
}

impl Answer {
    /// What an error of the gateway's own says of the vendor: whether it may have acted. The answer
    /// to a HEAD has no body that could say so.
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

/// What a caller saw of its call.
#[derive(Clone, Debug)]
pub enum Seen {
    Answer(Answer),
    /// The connection, or the stream, ended before there was a head.
    Nothing,
    /// The caller left before there was a head.
    Left,
    /// The whole HTTP/2 connection ended, which none but the caller may end before the gateway's
    /// stop.
    Broke(String),
    /// What came is wrong, whatever was asked for.
    Wrong(String),
}

/// An outcome that is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Right,
    BadGateway,
    Timeout,
    Overloaded,
    Cut,
    Left,
    /// The gateway had been told to stop before the call reached it.
    Late,
    /// What a reload of the config explains.
    ByConfig,
    /// What an outage of the vendor explains.
    ByOutage,
}

/// Explains what no call in good weather may see, if the test's own events do.
pub type Excuse = fn(&Plan, &Seen) -> Option<Outcome>;

/// An error of the gateway's own: status, code, and whether the vendor may have acted.
type Error = (u16, &'static str, bool);

const PROTOCOL: Error = (502, "upstream-protocol", true);
const UNREACHABLE: Error = (502, "upstream-unreachable", false);
const TIMEOUT: Error = (504, "upstream-timeout", true);
const OVERLOADED: Error = (503, "overloaded", false);

/// What may come of a call.
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
            // What is broken off on a connection that others share.
            _ if plan.place == Place::Wild => {
                expected(true, true, &[PROTOCOL, UNREACHABLE, OVERLOADED])
            }
            Manner::BreakOff => unreachable!("wild vendors alone break off"),
            // A request that crossed with the last GOAWAY.
            _ if plan.place == Place::Leaving && plan.upload.is_some() => {
                expected(true, false, &[PROTOCOL, UNREACHABLE])
            }
            // A request that crossed with the close of its connection: it was written, or its
            // body was asked for, and can't be sent again.
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
            // A request without a body that was refused unseen is sent again.
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

/// The outcome, or what is wrong with it. `trailers`: the caller asked for them.
pub fn judge(plan: &Plan, seen: &Seen, trailers: bool) -> Result<Outcome, String> {
    let expected = Expected::of(plan);
    let answer = match seen {
        Seen::Answer(answer) => answer,
        Seen::Left if plan.leave != Leave::Never => return Ok(Outcome::Left),
        // The head waits for the body's first frame, and goes with it.
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
        End::Left => Err("nobody was to leave".to_owned()),
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
