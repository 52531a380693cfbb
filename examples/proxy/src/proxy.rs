//! The proxy: its listeners, and the file that it follows.

mod admin;
mod config;
mod forward;
mod headers;
mod health;
mod pool;
mod reply;
mod retire;

mod upstream;

use config::{Config, Refused};
use forward::Proxy;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use pool::Pool;
use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::net::TcpListener;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Why the proxy cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] Refused),
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot start threads: {0}")]
    Threads(std::io::Error),
}

/// Serves until the process is ended.
pub fn serve(file: &Path) -> Result<(), StartError> {
    let config = Config::read(file)?;
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    if config.workers > 0 {
        threads.worker_threads(config.workers);
    }
    let runtime = threads.enable_all().build().map_err(StartError::Threads)?;
    // Spawned, so that it is the workers that accept, too.
    let file = file.to_owned();
    runtime.block_on(async {
        tokio::spawn(run(config, file))
            .await
            .expect("it does not panic")
    })
}

async fn run(config: Config, file: PathBuf) -> Result<(), StartError> {
    let mtime = modified(&file);
    let pool = Arc::new(Pool::new(&config)?);
    let [requests, admin] = [listen(config.listen).await?, listen(config.admin).await?];
    println!("the proxy listens on {}", config.listen);

    let proxy = Arc::new(Proxy::new(Arc::clone(&pool), config.clone()));
    let mut follower = Follower {
        pool: Arc::clone(&pool),
        running: config.clone(),
    };
    follower.follow(config)?;
    tokio::spawn(follower.watch(file, mtime));
    tokio::spawn(accept(admin, move |request, _| {
        let pool = Arc::clone(&pool);
        async move {
            match request.uri().path() {
                "/status" => reply::text(StatusCode::OK, admin::status(&pool)),
                _ => reply::error(StatusCode::NOT_FOUND, "there is only /status"),
            }
        }
    }));
    accept(requests, move |request, peer| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.forward(request, peer).await }
    })
    .await;
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| StartError::Listen { address, source })
}

/// Accepts connections and answers their requests.
async fn accept<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response<reply::Body>> + Send + 'static,
{
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // For example too many open files. It passes.
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        // Without it, small responses may wait for an acknowledgement. It fails on a closed socket.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let response = answer(request, peer);
            async move { Ok::<_, Infallible>(response.await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        let connection = http.serve_connection(TokioIo::new(stream), service);
        // An error here is a client that broke its connection.
        tokio::spawn(async move { drop(connection.await) });
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|data| data.modified()).ok()
}

/// Brings the pool to what the file says.
struct Follower {
    pool: Arc<Pool>,
    running: Config,
}

impl Follower {
    /// Looks at the file again and again. If what it says cannot be used, the old stays.
    async fn watch(mut self, file: PathBuf, mut seen: Option<SystemTime>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = modified(&file);
            if now == seen {
                continue;
            }
            seen = now;
            match Config::read(&file).and_then(|config| self.follow(config)) {
                Ok(()) => println!("{} was read again", file.display()),
                Err(refused) => eprintln!("refused, the old configuration stays: {refused}"),
            }
        }
    }

    fn follow(&mut self, config: Config) -> Result<(), Refused> {
        config.can_follow(&self.running)?;
        let changes = self.pool.follow(&config.upstreams)?;
        let (health, patience) = (config.health.clone(), config.drain.patience());
        self.running = config;
        for name in changes.joined {
            let pool = Arc::clone(&self.pool);
            tokio::spawn(health::watch(pool, name, health.clone()));
        }
        for name in changes.draining {
            tokio::spawn(retire::retire(Arc::clone(&self.pool), name, patience));
        }
        Ok(())
    }
}
