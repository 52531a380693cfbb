//! The load: requests at random times, of sessions that begin and end.
//!
//! Tools such as `wrk` and `hey` keep no cookie for each of many sessions, and do not tell which
//! upstream served or lost a request. The figures need both.

use super::http::Http;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{COOKIE, HeaderMap, SET_COOKIE};
use hyper::{Method, Request};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp, Zipf};
use std::cell::RefCell;
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until};

/// The part of the requests that may not be done twice.
const POSTS: f64 = 0.05;
/// The mean number of requests of a session.
const REQUESTS_A_SESSION: f64 = 25.0;
/// The keys of requests without a session, by popularity: Zipf's law with exponent 1.
const KEYS: f64 = 10_000.0;

#[derive(Clone)]
pub struct Plan {
    pub target: SocketAddr,
    pub rate: f64,
    pub length: Duration,
    /// Sessions at a time, or 0 for requests without one.
    pub sessions: usize,
    /// The part of the requests that asks for one hot key.
    pub hot: f64,
}

/// What became of one request.
pub struct Sample {
    /// When it was due, since the beginning.
    pub due: Duration,
    pub latency: Duration,
    pub outcome: Outcome,
    pub post: bool,
}

pub enum Outcome {
    Served {
        /// Served by another upstream than the session's, which has no room.
        detour: bool,
        /// The session's upstream before, if that was another one.
        moved_from: Option<String>,
    },
    /// Lost on this upstream, if the proxy says on which.
    Lost { on: Option<String>, why: String },
}

/// A place for a session, and for the next one when that has ended.
#[derive(Default)]
struct Slot {
    cookie: Option<String>,
    upstream: Option<String>,
    is_busy: bool,
}

/// What the tasks of the load share. They run on one thread.
pub struct Load {
    slots: RefCell<Vec<Slot>>,
    samples: RefCell<Vec<Sample>>,
    start: Instant,
    http: Http,
    plan: Plan,
}

impl Load {
    pub fn new(http: Http, plan: Plan, start: Instant) -> Rc<Self> {
        let slots = (0..plan.sessions).map(|_| Slot::default()).collect();
        Rc::new(Load {
            slots: RefCell::new(slots),
            samples: RefCell::default(),
            start,
            http,
            plan,
        })
    }

    /// Returns how many sessions are bound to an upstream, of how many.
    pub fn sessions_on(&self, name: &str) -> (usize, usize) {
        let slots = self.slots.borrow();
        let bound = || slots.iter().filter_map(|slot| slot.upstream.as_deref());
        (
            bound().filter(|upstream| *upstream == name).count(),
            bound().count(),
        )
    }

    /// Sends the requests of the plan, and returns when the last one has ended.
    pub async fn run(self: Rc<Self>) -> Result<Vec<Sample>, Box<dyn Error>> {
        // Seeded, so that the runs with and without a bound get the same requests.
        let mut rng = StdRng::seed_from_u64(1);
        let gaps = Exp::new(self.plan.rate)?;
        let keys = Zipf::new(KEYS, 1.0)?;
        let tasks = LocalSet::new();
        let sender = async {
            let mut due = Duration::ZERO;
            loop {
                // Arrivals do not wait for answers, so a slow proxy cannot slow the load down.
                due += Duration::from_secs_f64(gaps.sample(&mut rng));
                if due >= self.plan.length {
                    break;
                }
                sleep_until(self.start + due).await;
                let is_post = rng.random_bool(POSTS);
                let path = if rng.random_bool(self.plan.hot) {
                    "/hot".to_owned()
                } else {
                    format!("/page/{}", keys.sample(&mut rng))
                };
                let slot = self.idle_slot(&mut rng);
                if let Some(slot) = slot {
                    if rng.random_bool(1.0 / REQUESTS_A_SESSION) {
                        self.slots.borrow_mut()[slot] = Slot::default();
                    }
                    self.slots.borrow_mut()[slot].is_busy = true;
                }
                tokio::task::spawn_local(Rc::clone(&self).send(due, path, is_post, slot));
            }
        };
        tasks.run_until(sender).await;
        tasks.await;
        Ok(self.samples.take())
    }

    /// Returns a slot whose session waits for no answer: the first one from a random place on.
    fn idle_slot(&self, rng: &mut StdRng) -> Option<usize> {
        let slots = self.slots.borrow();
        let n = slots.len();
        let from = rng.random_range(0..n.max(1));
        (from..from + n).map(|i| i % n).find(|&i| !slots[i].is_busy)
    }

    async fn send(self: Rc<Self>, due: Duration, path: String, post: bool, slot: Option<usize>) {
        let cookie = slot.and_then(|slot| self.slots.borrow()[slot].cookie.clone());
        let answer = self.exchange(&path, post, cookie).await;
        let latency = self.start.elapsed().saturating_sub(due);
        let outcome = match answer {
            Ok(headers) => self.served(&headers, slot),
            Err(lost) => lost,
        };
        if let Some(slot) = slot {
            self.slots.borrow_mut()[slot].is_busy = false;
        }
        self.samples.borrow_mut().push(Sample {
            due,
            latency,
            outcome,
            post,
        });
    }

    /// Sends a request and reads the whole answer.
    async fn exchange(
        &self,
        path: &str,
        post: bool,
        cookie: Option<String>,
    ) -> Result<HeaderMap, Outcome> {
        let lost = |on: Option<String>, why: String| Outcome::Lost { on, why };
        let method = if post { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.plan.target));
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request
            .body(Full::<Bytes>::default())
            .map_err(|error| lost(None, error.to_string()))?;
        let response = self.http.request(request).await;
        let response = response.map_err(|error| lost(None, format!("{error:?}")))?;
        let (parts, body) = response.into_parts();
        if !parts.status.is_success() {
            return Err(lost(
                text(&parts.headers, "x-lost-on"),
                parts.status.to_string(),
            ));
        }
        match body.collect().await {
            Ok(_) => Ok(parts.headers),
            // The upstream died while it answered. The proxy can only break off, too.
            Err(error) => Err(lost(text(&parts.headers, "x-upstream"), error.to_string())),
        }
    }

    fn served(&self, headers: &HeaderMap, slot: Option<usize>) -> Outcome {
        let by = text(headers, "x-upstream").unwrap_or_default();
        let detour = headers.contains_key("x-detour");
        let mut moved_from = None;
        if let Some(slot) = slot {
            let slot = &mut self.slots.borrow_mut()[slot];
            if let Some(cookie) = text(headers, SET_COOKIE.as_str()) {
                slot.cookie = cookie.split(';').next().map(str::to_owned);
            }
            if !detour {
                let before = slot.upstream.replace(by.clone());
                moved_from = before.filter(|before| *before != by);
            }
        }
        Outcome::Served { detour, moved_from }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
