//! Requests that are to arrive together: each is sent except for its last byte, and held until all others have come as
//! far. Then the last bytes leave at once, on open connections.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a request is held at most: others may never come as far.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long the bytes that were sent last get to leave this machine.
const GRACE: Duration = Duration::from_millis(2);

/// Holds back the last byte of some requests.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    expected: usize,
    state: Mutex<State>,
    /// Notified when a request has come as far as its last byte.
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    arrived: usize,
    opened: Option<Instant>,
    held: Vec<Waker>,
}

impl Gate {
    /// A gate for this number of requests with a body.
    pub fn new(expected: usize) -> Self {
        Self(Arc::new(Shared { expected, state: Mutex::default(), arrived: Notify::new() }))
    }

    /// Opens once all requests wait for their last byte, or have waited long enough. To be awaited alongside them.
    pub async fn hold(&self) {
        let mut patience = None;
        loop {
            let more = self.0.arrived.notified();
            let arrived = self.lock().arrived;
            if arrived >= self.0.expected {
                break;
            }
            let patience = *patience.get_or_insert_with(|| Instant::now() + PATIENCE);
            if arrived == 0 {
                more.await;
            } else if tokio::time::timeout_at(patience, more).await.is_err() {
                break;
            }
        }
        tokio::time::sleep(GRACE).await;
        let held = {
            let mut state = self.lock();
            state.opened = Some(Instant::now());
            std::mem::take(&mut state.held)
        };
        held.into_iter().for_each(Waker::wake);
    }

    /// When the last bytes left, if they did.
    pub fn opened(&self) -> Option<Instant> {
        self.lock().opened
    }

    /// A body that is held at this gate.
    pub(super) fn body(&self, whole: Bytes) -> reqwest::Body {
        reqwest::Body::wrap(Held { gate: self.clone(), has_arrived: false, rest: whole })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body whose last byte waits at a gate.
struct Held {
    gate: Gate,
    has_arrived: bool,
    rest: Bytes,
}

impl Body for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.rest.len() {
            0 => return Poll::Ready(None),
            1 => {}
            more => return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(more - 1))))),
        }
        let is_new = !std::mem::replace(&mut self.has_arrived, true);
        let gate = self.gate.clone();
        let mut state = gate.lock();
        state.arrived += usize::from(is_new);
        if state.opened.is_none() {
            state.held.push(context.waker().clone());
            drop(state);
            if is_new {
                gate.0.arrived.notify_one();
            }
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    // Exact, so that `Content-Length` is sent as with any other request.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn frame(body: &mut Held) -> Option<Bytes> {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        frame.and_then(|frame| frame.ok()?.into_data().ok())
    }

    fn held(gate: &Gate, text: &'static str) -> Held {
        Held { gate: gate.clone(), has_arrived: false, rest: Bytes::from_static(text.as_bytes()) }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_byte_waits_for_all() {
        let gate = Gate::new(2);
        let (mut one, mut other) = (held(&gate, "one"), held(&gate, "o"));
        assert_eq!(one.size_hint().exact(), Some(3));
        assert_eq!(frame(&mut one).await.as_deref(), Some(&b"on"[..]));
        let began = Instant::now();
        let late = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (frame(&mut other).await, frame(&mut other).await)
        };
        let (last, (first, end), ()) = tokio::join!(frame(&mut one), late, gate.hold());
        assert_eq!((last.as_deref(), first.as_deref(), end), (Some(&b"e"[..]), Some(&b"o"[..]), None));
        assert!(began.elapsed() >= Duration::from_millis(100));
        assert!(one.is_end_stream() && gate.opened().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_comes_is_not_waited_for() {
        let gate = Gate::new(2);
        let mut one = held(&gate, "1");
        let began = Instant::now();
        let (last, ()) = tokio::join!(frame(&mut one), gate.hold());
        assert_eq!(last.as_deref(), Some(&b"1"[..]));
        assert!((PATIENCE..PATIENCE * 2).contains(&began.elapsed()));
    }
}
