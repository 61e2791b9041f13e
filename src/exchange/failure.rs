//! Why no whole response came.

use url::Url;

/// The message of hyper, which has no other sign of it, for a server that sends data without a request.
pub const UNASKED: &str = "unexpected message from connection";

/// Why no whole response came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which kind.
    pub kind: FailureKind,
    /// The message.
    pub message: String,
}

/// Between the status of an answer and why the rest of it did not come.
pub const CUT_OFF: &str = ", then the body was cut off: ";

impl Failure {
    /// Whether an answer began, and did not come whole.
    pub fn is_cut_off(&self) -> bool {
        self.message.contains(CUT_OFF)
    }

    /// What to say of it where the target has answered nothing so far.
    pub fn at_first(&self, url: &Url) -> String {
        // Who speaks before the first request speaks something else, whichever of the two is seen first.
        let kind = if self.message.contains(UNASKED) { FailureKind::Protocol } else { self.kind };
        // Where a certificate of ours is asked for, an end of the connection may be all that is seen of it.
        let perhaps = match (kind, url.scheme()) {
            (FailureKind::Broken, "https") => "; it may ask for a client_certificate (--client-certificate)",
            _ => "",
        };
        format!("{} ({}{perhaps})", kind.text(), self.message)
    }
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection was made.
    Connect,
    /// There is somebody, but certificates are not what they should be, or it does not speak TLS.
    Tls,
    /// The time limit ran out.
    Timeout,
    /// The connection broke before the response was complete.
    Broken,
    /// What came is not HTTP.
    Protocol,
    /// The body is longer than we read.
    TooLarge,
    /// The server kept asking to wait.
    Throttled,
    /// The request cannot be written down in HTTP.
    Unsendable,
    /// A token cannot be had, or no longer works.
    Credentials,
    /// It was refused for now, and is not sent again: the run was ended, or its budget used up.
    GivenUp,
}

impl FailureKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Broken,
        Self::Protocol,
        Self::TooLarge,
        Self::Throttled,
        Self::Unsendable,
        Self::Credentials,
        Self::GivenUp,
    ];

    /// The kind's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::Throttled => "throttled",
            Self::Unsendable => "unsendable",
            Self::Credentials => "credentials",
            Self::GivenUp => "given_up",
        }
    }

    /// Whether the server was reached, and gave no whole answer.
    pub fn is_silence(self) -> bool {
        matches!(self, Self::Timeout | Self::Broken | Self::Protocol | Self::TooLarge)
    }

    /// A few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::Tls => "no secure connection",
            Self::Timeout => "no complete response within the time limit",
            Self::Broken => "the connection was closed before the response was complete",
            Self::Protocol => "the answer is not valid HTTP",
            Self::TooLarge => "the response body is longer than is read",
            Self::Throttled => "the server kept asking to wait",
            Self::Unsendable => "the request cannot be sent over HTTP",
            Self::Credentials => "there is no token that works",
            Self::GivenUp => "it was not sent again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_first_speaks_no_http() {
        let url = Url::parse("http://127.0.0.1:25/").unwrap();
        let failure = |message: &str| Failure { kind: FailureKind::Broken, message: message.to_owned() };
        let unasked = failure("error sending request: received unexpected message from connection").at_first(&url);
        assert!(unasked.starts_with(FailureKind::Protocol.text()), "{unasked}");
        let closed = failure("connection closed").at_first(&url);
        assert!(closed.starts_with(FailureKind::Broken.text()), "{closed}");
    }
}
