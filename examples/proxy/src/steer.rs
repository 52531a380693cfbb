//! [`Steer`]: the choice alone, as a `tower::Service` to copy into a program of your own.

use clockwise::{Bounded, HashRing, Named, Shared, Tracked};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{BoxError, Service, ServiceExt};

/// Services by name, with a cap on the requests in flight of each.
pub type Services<S> = Bounded<HashRing<Tracked<Named<S, Arc<str>>>>>;

/// A service that sends each request to the service which has the request's key.
#[derive(Clone)]
pub struct Steer<S, F> {
    services: Arc<Shared<Services<S>>>,
    key: F,
}

impl<S, F> Steer<S, F> {
    /// Creates it. `key` returns a request's key. Change the members through `services`.
    pub fn new(services: Arc<Shared<Services<S>>>, key: F) -> Self {
        Steer { services, key }
    }
}

impl<R, S, F> Service<R> for Steer<S, F>
where
    R: Send + 'static,
    S: Service<R, Error: Into<BoxError>, Future: Send> + Clone + Send + 'static,
    S::Response: 'static,
    F: Fn(&R) -> String,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    /// Always ready: which service must be ready is known only in `call`. To wait for all of them
    /// would let one that is not ready stop the others.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let services = self.services.load();
        let Some(mut lease) = services.acquire(&(self.key)(&request)) else {
            return Box::pin(async { Err("no service is a member".into()) });
        };
        // A cancelled future runs nothing but a drop.
        lease.expect_answer();
        let (node, mut in_flight) = lease.into_parts();
        let service = node.into_inner().into_node();
        Box::pin(async move {
            // A clone need not be ready when the original is, so the clone that is called is the
            // one that is waited for.
            let response = service.oneshot(request).await.map_err(Into::into);
            match response {
                Ok(_) => in_flight.answered(),
                Err(_) => in_flight.failed(),
            }
            response
        })
    }
}
