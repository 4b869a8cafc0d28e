//! The content of one call: the caller, the vendor, the request, the vendor's manner of answering,
//! and whether the caller stays. The whole plan follows from the call's number, its nonce, so that
//! each side knows the plan from the request alone.

use std::time::Duration;

use crate::load::content::Content;
use crate::load::draw::{Draw, mix};
use crate::load::place::{Manner, Place};

/// The number of customers; each customer has its own credential at each vendor.
pub const TENANTS: u64 = 8;

/// The credential that the gateway puts on for that tenant.
pub fn token(tenant: u64) -> String {
    format!("s0ak-token-{tenant}-{:016x}", mix(tenant))
}

/// The key with which a caller authenticates for that tenant.
pub fn key(tenant: u64) -> String {
    format!("s0ak-key-{tenant}-{:016x}", mix(tenant + TENANTS))
}

/// The framing of an HTTP/1.1 body. On HTTP/2, `Length` has a `Content-Length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length,
    Chunked,
    /// Framing by the connection's end, for answers alone.
    Close,
}

/// The moment at which the caller leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    Never,
    /// The caller leaves this time after the start, which is mostly before there is an answer.
    After(Duration),
    /// The caller leaves with this number of bytes of the answer's body.
    Download(u64),
    /// The caller leaves with this number of bytes of the request's body sent.
    Upload(u64),
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub nonce: u64,
    pub tenant: u64,
    pub place: Place,
    pub method: &'static str,
    pub upload: Option<(Framing, u64)>,
    pub manner: Manner,
    pub status: u16,
    /// The length of the answer's whole body, if neither the method nor the status removes the
    /// body.
    pub length: u64,
    pub framing: Framing,
    /// The number of bytes that are sent of a body that breaks off.
    pub cut: u64,
    /// The vendor closes after the answer, and the answer announces the close.
    pub closes: bool,
    pub trailers: bool,
    pub delay: Duration,
    pub leave: Leave,
    /// The pause between two stretches that the caller reads.
    pub slow_caller: Option<Duration>,
    /// The pause between two stretches that the vendor reads.
    pub slow_vendor: Option<Duration>,
}

impl Plan {
    pub fn of(nonce: u64) -> Self {
        let mut draw = Draw::new(nonce);
        let draw = &mut draw;
        let tenant = draw.number() % TENANTS;
        let place = Place::draw(draw);
        let manner = place.manner(draw);
        let mut plan = Self {
            nonce,
            tenant,
            place,
            method: draw.pick(&[(48, "GET"), (44, "POST"), (8, "HEAD")]),
            upload: None,
            manner,
            status: draw.pick(&[
                (76, 200),
                (5, 201),
                (4, 401),
                (4, 404),
                (3, 500),
                (4, 204),
                (4, 304),
            ]),
            length: size(draw),
            framing: draw.pick(&[
                (50, Framing::Length),
                (35, Framing::Chunked),
                (15, Framing::Close),
            ]),
            cut: 0,
            closes: draw.chance(10),
            trailers: draw.chance(30),
            delay: Duration::ZERO,
            leave: Leave::Never,
            slow_caller: draw.chance(4).then_some(Duration::from_millis(10)),
            slow_vendor: draw.chance(4).then_some(Duration::from_millis(10)),
        };
        if draw.chance(15) {
            plan.delay = Duration::from_millis(draw.between(1, 300));
        }
        plan.suit_manner(draw);
        if plan.method == "POST" && plan.upload.is_none() {
            let framing = draw.pick(&[(1, Framing::Length), (1, Framing::Chunked)]);
            plan.upload = Some((framing, size(draw)));
        }
        plan.leaves(draw);
        plan
    }

    /// Adjusts the plan, so that the manner has its effect.
    fn suit_manner(&mut self, draw: &mut Draw) {
        if self.manner.is_early() {
            // The body is mostly larger than the buffers on the way.
            self.method = "POST";
            let framing = draw.pick(&[(1, Framing::Length), (1, Framing::Chunked)]);
            self.upload = Some((framing, draw.between(256 << 10, 2 << 20)));
            self.status = draw.pick(&[(3, 413), (1, 200)]);
            self.length = draw.between(0, 8 << 10);
            self.framing = draw.pick(&[(1, Framing::Length), (1, Framing::Chunked)]);
            // The connection's end would end the answer, and an upload is under way on the
            // connection.
            self.closes = self.manner == Manner::EarlyClose;
        }
        if self.manner.breaks_body() {
            self.method = draw.pick(&[(1, "GET"), (1, "POST")]);
            self.status = 200;
            self.length = draw.between(1, 200 << 10);
            self.cut = draw.number() % self.length;
            // A body that ends with the connection looks whole when the connection closes, unless
            // TLS shows the cut.
            let closes = self.manner == Manner::BodyClose;
            if self.framing == Framing::Close && closes && self.place != Place::Torn {
                self.framing = Framing::Length;
            }
        }
        match self.manner {
            Manner::IdleClose => {
                self.closes = false;
                self.framing = draw.pick(&[(1, Framing::Length), (1, Framing::Chunked)]);
            }
            Manner::Stray => {
                // The body goes in one piece with the answer, so that both are there at once.
                self.length = draw.between(0, 800);
                self.framing = Framing::Length;
                self.closes = false;
            }
            Manner::HeadStall => self.method = draw.pick(&[(1, "GET"), (1, "POST")]),
            _ => {}
        }
        self.closes |= self.framing == Framing::Close;
        self.trailers &= self.framing == Framing::Chunked && self.has_body();
    }

    fn leaves(&mut self, draw: &mut Draw) {
        if !draw.chance(15) {
            return;
        }
        let upload = self.upload.map_or(0, |(_, length)| length);
        let half = |draw: &mut Draw, length: u64| draw.between(length / 4, length * 3 / 4);
        self.leave = match draw.number() % 3 {
            0 if self.has_body() => Leave::Download(half(draw, self.length)),
            1 if upload > 0 => Leave::Upload(half(draw, upload)),
            _ => {
                self.delay += Duration::from_millis(80);
                Leave::After(Duration::from_millis(draw.between(0, 60)))
            }
        };
    }

    /// Returns whether the answer has a body (RFC 9110 §6.4.1).
    pub fn has_body(&self) -> bool {
        self.method != "HEAD" && !matches!(self.status, 204 | 304)
    }

    /// Returns the target at which the gateway finds the vendor.
    pub fn target(&self) -> String {
        let Self {
            nonce,
            tenant,
            place,
            ..
        } = self;
        format!(
            "/passthrough/{}-{tenant}/{tenant}/{nonce:016x}",
            place.name()
        )
    }

    /// Returns the bytes that the caller sends.
    pub fn sent(&self) -> Content {
        Content {
            seed: mix(self.nonce ^ 0x7570),
            length: self.upload.map_or(0, |(_, length)| length),
        }
    }

    /// Returns the vendor's answer after `read` bytes of the upload, all of them right. An early
    /// answer ignores the number of bytes.
    pub fn answer(&self, read: u64) -> Content {
        let length = if self.has_body() { self.length } else { 0 };
        Content {
            seed: mix(self.nonce ^ mix(self.tenant ^ mix(read))),
            length,
        }
    }

    /// Returns the number of bytes that the vendor has read when it answers.
    pub fn read_before_answer(&self) -> u64 {
        if self.manner.is_early() {
            0
        } else {
            self.sent().length
        }
    }
}

/// Returns a size: most sizes are small, some are a few buffers, and few are 4 MiB.
fn size(draw: &mut Draw) -> u64 {
    match draw.number() % 100 {
        0..5 => 0,
        5..65 => draw.between(1, 2000),
        65..82 => 64 << 10,
        82..96 => draw.between(2000, 300_000),
        _ => 4 << 20,
    }
}

#[test]
fn each_manner_and_each_way_to_leave_occurs() {
    let plans: Vec<_> = (0..20_000).map(|n| Plan::of(mix(n))).collect();
    let manners: std::collections::BTreeSet<_> =
        plans.iter().map(|plan| (plan.place, plan.manner)).collect();
    assert_eq!(manners.len(), 2 + 2 + 3 + 2 * 7 + 3 + 6 + 2 + 2);
    for leaves in [
        |leave| matches!(leave, Leave::After(_)),
        |leave| matches!(leave, Leave::Download(_)),
        |leave| matches!(leave, Leave::Upload(_)),
    ] {
        assert!(plans.iter().any(|plan| leaves(plan.leave)));
    }
}
