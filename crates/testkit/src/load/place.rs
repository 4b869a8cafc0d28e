//! The vendors, and the behaviour of each vendor.

use crate::load::draw::Draw;

/// A vendor on its own port. A vendor that may spoil calls beyond the call that asks for a fault
/// has its own place, so that other calls aren't affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// HTTP/1.1 according to the standard.
    Steady,
    /// The same as `Steady`, over TLS.
    Sealed,
    /// HTTP/2 according to the standard.
    Streams,
    /// HTTP/1.1; the vendor answers before it has read the request's body.
    Early,
    /// HTTP/1.1; the vendor breaks off and stalls.
    Broken,
    /// The same as `Broken`, over TLS; the vendor never announces that it's going to close.
    Torn,
    /// HTTP/1.1; the vendor closes without notice after an answer, or sends more than the gateway
    /// asked for.
    Hasty,
    /// HTTP/2; the vendor resets and refuses streams, and stalls.
    Erratic,
    /// HTTP/2; the vendor leaves with GOAWAY.
    Leaving,
    /// HTTP/2; the vendor breaks the connection off with GOAWAY.
    Wild,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Plain,
    Tls,
    /// HTTP/2 over TLS, by ALPN.
    Http2,
}

impl Place {
    pub const ALL: [Self; 10] = [
        Self::Steady,
        Self::Sealed,
        Self::Streams,
        Self::Early,
        Self::Broken,
        Self::Torn,
        Self::Hasty,
        Self::Erratic,
        Self::Leaving,
        Self::Wild,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Sealed => "sealed",
            Self::Streams => "streams",
            Self::Early => "early",
            Self::Broken => "broken",
            Self::Torn => "torn",
            Self::Hasty => "hasty",
            Self::Erratic => "erratic",
            Self::Leaving => "leaving",
            Self::Wild => "wild",
        }
    }

    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Steady | Self::Early | Self::Broken | Self::Hasty => Protocol::Plain,
            Self::Sealed | Self::Torn => Protocol::Tls,
            Self::Streams | Self::Erratic | Self::Leaving | Self::Wild => Protocol::Http2,
        }
    }

    pub fn draw(draw: &mut Draw) -> Self {
        draw.pick(&[
            (30, Self::Steady),
            (12, Self::Sealed),
            (20, Self::Streams),
            (9, Self::Early),
            (7, Self::Broken),
            (4, Self::Torn),
            (8, Self::Hasty),
            (5, Self::Erratic),
            (3, Self::Leaving),
            (2, Self::Wild),
        ])
    }

    pub fn manner(self, draw: &mut Draw) -> Manner {
        use Manner::*;
        match self {
            Self::Steady | Self::Sealed => Proper,
            Self::Streams => draw.pick(&[(95, Proper), (5, EarlyReset)]),
            Self::Early => draw.pick(&[(2, EarlyLinger), (1, EarlyClose), (2, EarlyUnread)]),
            Self::Broken | Self::Torn => draw.pick(&[
                (3, HeadReset),
                (3, HeadClose),
                (3, BodyReset),
                (3, BodyClose),
                (1, HeadStall),
                (1, BodyStall),
                (2, NoHttp),
            ]),
            Self::Hasty => draw.pick(&[(2, IdleClose), (2, Stray), (1, Proper)]),
            Self::Erratic => draw.pick(&[
                (3, HeadReset),
                (3, BodyReset),
                (1, HeadStall),
                (1, BodyStall),
                (4, Refuse),
                (2, Proper),
            ]),
            Self::Leaving => draw.pick(&[(1, GoAway), (3, Proper)]),
            Self::Wild => draw.pick(&[(1, BreakOff), (3, Proper)]),
        }
    }
}

/// The manner in which the vendor answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// Reads the request to its end, and answers in full.
    Proper,
    /// Answers after the first bytes of the upload, and reads the rest.
    EarlyLinger,
    /// Does the same as `EarlyLinger`, and closes when the rest has come.
    EarlyClose,
    /// Answers after the first bytes of the upload, and closes with the rest unread.
    EarlyUnread,
    /// Answers after the first bytes of the upload, and resets the stream without an error.
    EarlyReset,
    /// Answers, and at once closes the connection, which the gateway takes for idle.
    IdleClose,
    /// Answers, with another answer after it that no request asked for.
    Stray,
    /// Resets in the middle of the head.
    HeadReset,
    /// Closes in the middle of the head.
    HeadClose,
    /// Resets in the middle of the body.
    BodyReset,
    /// Closes in the middle of the body.
    BodyClose,
    /// Never answers.
    HeadStall,
    /// Stops in the middle of the body.
    BodyStall,
    /// Answers with bytes that aren't HTTP.
    NoHttp,
    /// Refuses the stream the first time, and answers the second time.
    Refuse,
    /// Answers, and then takes no more streams on this connection.
    GoAway,
    /// Begins to answer, and ends the connection with all its streams.
    BreakOff,
}

impl Manner {
    pub const fn is_early(self) -> bool {
        matches!(
            self,
            Self::EarlyLinger | Self::EarlyClose | Self::EarlyUnread | Self::EarlyReset
        )
    }

    /// Returns whether the answer ends too early.
    pub const fn breaks_body(self) -> bool {
        matches!(
            self,
            Self::BodyReset | Self::BodyClose | Self::BodyStall | Self::BreakOff
        )
    }
}
