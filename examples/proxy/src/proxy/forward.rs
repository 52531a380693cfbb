//! One request: choose an upstream, send it there, and try another one if that dies.

use super::config::{Config, KeySource};
use super::headers;
use super::pool::{Place, Pool, Session};
use super::reply::{self, Body};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::timeout;

pub struct Proxy {
    pool: Arc<Pool>,
    config: Config,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Proxy {
    pub fn new(pool: Arc<Pool>, config: Config) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Proxy {
            pool,
            config,
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Answers a request.
    pub async fn forward(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        // The whole body is read first, so that it can be sent again.
        let Ok(body) = Limited::new(body, self.config.max_body).collect().await else {
            return reply::error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        };
        let body = body.to_bytes();
        let key = self.key(&parts);
        let session = self.session(&parts);
        headers::for_upstream(&mut parts.headers, peer.ip());

        let mut tried = Vec::new();
        while let Some(place) = self.pool.acquire(&key, session.as_ref(), &tried) {
            let Place {
                node,
                mut in_flight,
                detour,
            } = place;
            // A cancelled future runs nothing but a drop.
            in_flight.expect_answer();
            let Ok(request) = to_upstream(&parts, &body, node.address) else {
                return reply::error(StatusCode::BAD_REQUEST, "the path is not valid");
            };
            let answer = timeout(self.config.answer_timeout(), self.client.request(request)).await;
            let failure = match answer {
                Ok(Ok(mut response)) => {
                    in_flight.answered();
                    node.state.served.fetch_add(1, Relaxed);
                    headers::end_to_end(response.headers_mut());
                    self.mark(&mut response, &node.name, session.as_ref(), detour);
                    return response.map(|body| Body::counted(body, in_flight));
                }
                Ok(Err(failure)) => failure,
                Err(_) => {
                    return reply::failed_on(&node.name, StatusCode::GATEWAY_TIMEOUT, "no answer");
                }
            };
            in_flight.failed();
            self.pool.take_down(&node, "a connection broke");
            // What never reached it, or may be done twice, is sent to another one.
            let repeatable = failure.is_connect() || parts.method.is_idempotent();
            tried.push(Arc::clone(&node.name));
            if !repeatable || tried.len() > self.config.retries {
                return reply::failed_on(&node.name, StatusCode::BAD_GATEWAY, "the upstream died");
            }
        }
        reply::error(StatusCode::SERVICE_UNAVAILABLE, "no upstream is up")
    }

    fn key(&self, parts: &Parts) -> String {
        match &self.config.key {
            KeySource::Path => parts.uri.path().to_owned(),
            KeySource::Header(name) => {
                let value = parts.headers.get(name.as_str());
                value
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or("")
                    .to_owned()
            }
        }
    }

    /// Returns the request's session, or a new one. Returns `None` if the proxy keeps no sessions.
    fn session(&self, parts: &Parts) -> Option<Session> {
        let name = &self.config.session.as_ref()?.cookie;
        Some(match headers::cookie(&parts.headers, name) {
            Some(id) => Session { id, is_new: false },
            None => Session {
                id: format!("{:032x}", rand::random::<u128>()),
                is_new: true,
            },
        })
    }

    /// Says in the response which upstream served it, and which session is new.
    fn mark<B>(
        &self,
        response: &mut Response<B>,
        name: &str,
        session: Option<&Session>,
        detour: bool,
    ) {
        let headers = response.headers_mut();
        if let Ok(name) = HeaderValue::from_str(name) {
            headers.insert("x-upstream", name);
        }
        if detour {
            headers.insert("x-detour", HeaderValue::from_static("1"));
        }
        let new = session.filter(|session| session.is_new);
        if let (Some(session), Some(config)) = (new, &self.config.session) {
            let cookie = format!("{}={}; Path=/; HttpOnly", config.cookie, session.id);
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                headers.append(hyper::header::SET_COOKIE, cookie);
            }
        }
    }
}

fn to_upstream(
    parts: &Parts,
    body: &Bytes,
    address: SocketAddr,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder()
        .scheme("http")
        .authority(address.to_string())
        .path_and_query(path)
        .build()?;
    let mut request = Request::builder().method(parts.method.clone()).uri(uri);
    if let Some(headers) = request.headers_mut() {
        headers.clone_from(&parts.headers);
    }
    request.body(Full::new(body.clone()))
}
