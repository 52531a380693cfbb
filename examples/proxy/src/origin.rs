//! A server behind the proxy: it answers as a real one does, in a time drawn from a distribution,
//! and only so many requests at a time.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rand_distr::{Distribution, LogNormal};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Requests that it serves side by side. The others wait.
pub const PARALLEL: u32 = 8;
/// The mean service time. So one server can do 200 requests a second.
const MEAN_MS: f64 = 40.0;
/// The shape of the log-normal service times: the 99th percentile is 3.4 times the mean.
const SIGMA: f64 = 0.6;

/// Serves until the process is ended.
pub fn serve(name: &str, address: &str) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(accept(name.into(), address))
}

async fn accept(name: Arc<str>, address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let places = Arc::new(Semaphore::new(PARALLEL as usize));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (name, places) = (Arc::clone(&name), Arc::clone(&places));
        let service = service_fn(move |request| {
            let (name, places) = (Arc::clone(&name), Arc::clone(&places));
            async move { Ok::<_, Infallible>(answer(&request, &name, &places).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(
    request: &Request<Incoming>,
    name: &str,
    places: &Semaphore,
) -> Response<Full<Bytes>> {
    // A health check does not wait behind requests: a busy server is not a dead one.
    if request.uri().path() != "/healthz" {
        let _place = places.acquire().await;
        sleep(service_time()).await;
    }
    Response::new(Full::from(format!("{name}\n")))
}

fn service_time() -> Duration {
    // The mean of a log-normal distribution is exp(mu + sigma²/2).
    let mu = MEAN_MS.ln() - SIGMA * SIGMA / 2.0;
    let times = LogNormal::new(mu, SIGMA).expect("sigma is finite");
    Duration::from_secs_f64(times.sample(&mut rand::rng()) / 1000.0)
}
