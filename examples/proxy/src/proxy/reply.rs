//! What the client gets: an upstream's response, or a text of our own.

use super::upstream::Node;
use clockwise::load::InFlightOf;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of a response.
pub enum Body {
    /// An upstream's. The request counts as in flight until it is sent or dropped.
    Counted {
        body: Incoming,
        _in_flight: InFlightOf<Node>,
    },
    Text(Full<Bytes>),
}

impl Body {
    pub fn counted(body: Incoming, in_flight: InFlightOf<Node>) -> Self {
        Body::Counted {
            body,
            _in_flight: in_flight,
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Body::Counted { body, .. } => Pin::new(body).poll_frame(context),
            Body::Text(text) => Pin::new(text)
                .poll_frame(context)
                .map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Counted { body, .. } => body.is_end_stream(),
            Body::Text(text) => text.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Counted { body, .. } => body.size_hint(),
            Body::Text(text) => text.size_hint(),
        }
    }
}

/// Returns a response with this text.
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Text(Full::new(text.into())));
    *response.status_mut() = status;
    response
}

/// Returns an error that no upstream caused.
pub fn error(status: StatusCode, reason: &str) -> Response<Body> {
    text(status, format!("{reason}\n"))
}

/// Returns an error that names the upstream on which the request was lost.
pub fn failed_on(name: &str, status: StatusCode, reason: &str) -> Response<Body> {
    let mut response = text(status, format!("{name}: {reason}\n"));
    if let Ok(name) = HeaderValue::from_str(name) {
        response.headers_mut().insert("x-lost-on", name);
    }
    response
}
