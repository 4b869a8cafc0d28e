//! The reaction of a scripted vendor to a request.

use super::wait::Signal;

/// One step of an answer.
#[derive(Clone, Debug)]
pub enum Step {
    Write(Vec<u8>),
    /// Waits until the test gives the signal.
    Until(Signal),
    /// Ends the connection in order.
    Close,
    /// Ends the sending side; the vendor closes the connection once the gateway closes.
    Finish,
    /// Sends a TCP reset.
    Reset,
    /// Never answers.
    Silence,
}

/// Steps in order. After the last step the connection waits for the next request.
#[derive(Clone, Debug, Default)]
pub struct Reply(pub Vec<Step>);

impl Reply {
    pub fn silence() -> Self {
        Self(vec![Step::Silence])
    }

    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(vec![Step::Write(bytes.into())])
    }

    /// Returns a 200 with that body and its length.
    pub fn ok(body: &str) -> Self {
        let length = body.len();
        Self::bytes(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    pub fn then(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Step::Write(bytes.into()));
        self
    }

    pub fn until(mut self, signal: &Signal) -> Self {
        self.0.push(Step::Until(signal.clone()));
        self
    }

    pub fn close(mut self) -> Self {
        self.0.push(Step::Close);
        self
    }

    pub fn finish(mut self) -> Self {
        self.0.push(Step::Finish);
        self
    }

    pub fn reset(mut self) -> Self {
        self.0.push(Step::Reset);
        self
    }
}

impl From<&str> for Reply {
    fn from(bytes: &str) -> Self {
        Self::bytes(bytes)
    }
}

impl From<String> for Reply {
    fn from(bytes: String) -> Self {
        Self::bytes(bytes)
    }
}

impl From<Vec<u8>> for Reply {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}
