//! What all requests pass through, whatever they ask for: admission, delays, and the look of the response on the wire.

use crate::reference::Variation;
use crate::reference::deviations::Deviations;
use crate::reference::faults::state;
use crate::reference::idempotency;
use crate::reference::ids::mix;
use crate::reference::respond::{self, Severed};
use crate::reference::server_state::ServerState;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, DATE, LOCATION, SET_COOKIE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Version};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Frame;
use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The layer around all of the app.
pub(super) async fn around(State(server): State<Arc<ServerState>>, request: Request, next: Next) -> Response {
    let takes_gzip = takes_gzip(request.headers());
    let key = request.headers().get(idempotency::HEADER).cloned();
    let response = match server.limits.check(&server.deviations, &server.clock) {
        Some(response) => response,
        None => match state::admit(&server, request.extensions()).await {
            Ok(_under_way) => {
                delay(&server).await;
                next.run(request).await
            }
            Err(broken) => respond::response(&server, Err(broken.into())).await,
        },
    };
    if response.extensions().get::<Severed>().is_some() {
        return response;
    }
    dressed(&server, response, takes_gzip, key).await
}

async fn delay(server: &ServerState) {
    let d = &server.deviations;
    let milliseconds = if d.variation(Variation::Latency) {
        50
    } else if d.variation(Variation::Jitter) {
        // Chance enough for a delay.
        mix(server.clock.now().timestamp_micros().cast_unsigned()) % 100
    } else {
        return;
    };
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("gzip"))
}

/// Whether responses go without a date.
pub(super) fn is_undated(d: &Deviations) -> bool {
    [Variation::Undated, Variation::ClockAheadUndated, Variation::ClockBehindUndated]
        .into_iter()
        .any(|l| d.variation(l))
}

async fn dressed(server: &ServerState, mut response: Response, takes_gzip: bool, key: Option<HeaderValue>) -> Response {
    let d = &server.deviations;
    let headers = response.headers_mut();
    let date = HeaderValue::try_from(httpdate::fmt_http_date(server.clock.now().into()));
    if let (false, Ok(date)) = (is_undated(d), date) {
        headers.insert(DATE, date);
    }
    if d.variation(Variation::ConnectionClose) || d.variation(Variation::Http10) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let (true, Some(key)) = (d.variation(Variation::KeysEchoed), key) {
        headers.insert(idempotency::HEADER, key);
    }
    if d.variation(Variation::ExtraHeaders) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(SET_COOKIE, HeaderValue::from_static("session=none; HttpOnly"));
        if response.status().is_success() {
            response.headers_mut().insert(LOCATION, HeaderValue::from_static("/v1/opportunities/latest"));
        }
    }
    if d.variation(Variation::Http10) {
        *response.version_mut() = Version::HTTP_10;
    }
    if d.variation(Variation::Gzip) && takes_gzip {
        response = compressed(response).await;
    }
    if d.variation(Variation::Chunked) {
        response.headers_mut().remove(CONTENT_LENGTH);
        let (parts, body) = response.into_parts();
        response = Response::from_parts(parts, Body::new(Pieces(whole(body).await)));
    }
    response
}

/// The bodies of this server are in memory, so that nothing can fail here.
async fn whole(body: Body) -> Bytes {
    axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default()
}

async fn compressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = whole(body).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(&body).and_then(|()| encoder.finish());
    match written {
        Ok(written) if !body.is_empty() => {
            parts.headers.remove(CONTENT_LENGTH);
            parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
            Response::from_parts(parts, Body::from(written))
        }
        _ => Response::from_parts(parts, Body::from(body)),
    }
}

/// A body in pieces of unknown number.
struct Pieces(Bytes);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(97);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }
}
