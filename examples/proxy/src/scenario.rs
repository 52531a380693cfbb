//! The run: servers die, return and drain under load, and a hot key meets the proxy with and
//! without bounded load. The figures are checked against the limits of `figures.rs`.

mod children;
mod figures;
mod http;
mod load;
mod picture;
mod setup;
mod status;

use children::Children;
use figures::{Change, Events, HotKey};
use load::{Load, Plan, Sample};
use setup::{NAMES, Setup};
use status::{Row, status};
use std::error::Error;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

/// How often the proxy's state is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long processes may take to start.
const START: Duration = Duration::from_secs(20);
/// Requests a second. The five servers can do 1000.
const RATE: f64 = 400.0;
const HOT_RATE: f64 = 450.0;
/// One key's part of the requests. So the plain ring sends its server 285 a second, of 200.
const HOT: f64 = 0.55;
const SESSIONS: usize = 400;
const KILLED: [&str; 2] = ["web-2", "web-4"];
const DRAINED: &str = "web-1";

/// What the proxy said about itself, and when.
pub struct Look {
    at: Duration,
    rows: Vec<Row>,
}

pub struct Run {
    pub samples: Vec<Sample>,
    pub looks: Vec<Look>,
    pub changes: Vec<Change>,
}

/// Runs everything, prints the figures, and draws the picture.
pub fn run(short: bool, picture: &Path) -> Result<(), Box<dyn Error>> {
    let scale = if short { 1.0 } else { 2.5 };
    let second = Duration::from_secs_f64(scale);
    // In the target directory, so that nothing is left elsewhere if this is killed.
    let folder = format!("scenario-{}", std::process::id());
    let folder = std::env::current_exe()?.with_file_name(folder);
    std::fs::create_dir_all(&folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = LocalSet::new().block_on(&runtime, async {
        let events = events(second, &folder).await?;
        let plain = hot_key(second, &folder, None).await?;
        let bounded = hot_key(second, &folder, Some(setup::LOAD_FACTOR)).await?;
        Ok::<_, Box<dyn Error>>((Events::new(events), HotKey { plain, bounded }))
    });
    std::fs::remove_dir_all(&folder)?;
    let (events, hot_key) = done?;
    picture::draw(picture, &events, &hot_key)?;
    println!("\nthe picture is {}", picture.display());
    figures::check(&events, &hot_key)
}

/// Steady load, two servers killed and started again, one drained through the file.
async fn events(second: Duration, folder: &Path) -> Result<Run, Box<dyn Error>> {
    let mut setup = Setup::new(folder);
    setup.slow_start = 3 * second;
    setup.patience = 2 * second;
    let plan = Plan {
        target: setup.listen,
        rate: RATE,
        length: 24 * second,
        sessions: SESSIONS,
        hot: 0.0,
    };
    println!("\nservers die, return and drain:");
    let mut stage = Stage::start(setup, plan).await?;

    stage.until(2 * second).await?;
    stage.setup.write_text("listen = \"nowhere\"")?;
    stage.until(3 * second).await?;
    stage.setup.write()?;
    for (name, at) in KILLED.into_iter().zip([5, 7]) {
        stage.until(at * second).await?;
        stage.note(name, "killed");
        stage.children.kill(name)?;
    }
    for (name, at) in KILLED.into_iter().zip([10, 12]) {
        stage.until(at * second).await?;
        stage.note(name, "restarted");
        stage.children.start_origin(&stage.setup, name)?;
    }
    stage.until(18 * second).await?;
    stage.note(DRAINED, "drained");
    for upstream in &mut stage.setup.upstreams {
        upstream.drain |= upstream.name == DRAINED;
    }
    stage.setup.write()?;
    stage.until(24 * second).await?;
    stage.end().await
}

/// A load of which more than half asks for one key.
async fn hot_key(
    second: Duration,
    folder: &Path,
    load_factor: Option<f64>,
) -> Result<Run, Box<dyn Error>> {
    let mut setup = Setup::new(folder);
    setup.load_factor = load_factor;
    setup.has_sessions = false;
    let plan = Plan {
        target: setup.listen,
        rate: HOT_RATE,
        length: 6 * second,
        sessions: 0,
        hot: HOT,
    };
    println!(
        "\na hot key, with {}:",
        match load_factor {
            Some(factor) => format!("bounded load, c = {factor}"),
            None => "a plain ring".to_owned(),
        }
    );
    let mut stage = Stage::start(setup, plan).await?;
    stage.until(6 * second).await?;
    stage.end().await
}

/// Running processes, and the load on them.
struct Stage {
    children: Children,
    setup: Setup,
    http: http::Http,
    load: Rc<Load>,
    running: tokio::task::JoinHandle<Vec<Sample>>,
    start: Instant,
    looks: Vec<Look>,
    changes: Vec<Change>,
}

impl Stage {
    /// Starts the processes, and the load once every server is in full service.
    async fn start(setup: Setup, plan: Plan) -> Result<Self, Box<dyn Error>> {
        let mut children = Children::new();
        for name in NAMES {
            children.start_origin(&setup, name)?;
        }
        setup.write()?;
        children.start_proxy(&setup.file)?;
        let http = http::client();
        let begin = Instant::now();
        loop {
            let rows = status(&http, setup.admin).await.unwrap_or_default();
            let is_ready = |row: &Row| row.state == "up" && row.weight == 10;
            if rows.len() == NAMES.len() && rows.iter().all(is_ready) {
                break;
            }
            if let Some(name) = children.ended() {
                return Err(format!("{name} has ended").into());
            }
            if begin.elapsed() > START + setup.slow_start {
                return Err("the servers do not come up".into());
            }
            sleep(LOOK).await;
        }
        let start = Instant::now();
        let load = Load::new(http.clone(), plan, start);
        let run = Rc::clone(&load).run();
        let running = tokio::task::spawn_local(async { run.await.expect("the plan is valid") });
        Ok(Stage {
            children,
            setup,
            http,
            load,
            running,
            start,
            looks: Vec::new(),
            changes: Vec::new(),
        })
    }

    /// Looks at the proxy's state until this time since the start.
    async fn until(&mut self, time: Duration) -> Result<(), Box<dyn Error>> {
        let end = self.start + time;
        while Instant::now() < end {
            let at = self.start.elapsed();
            let rows = status(&self.http, self.setup.admin).await?;
            self.looks.push(Look { at, rows });
            sleep_until(end.min(Instant::now() + LOOK)).await;
        }
        match self.children.ended() {
            Some(name) => Err(format!("{name} has ended").into()),
            None => Ok(()),
        }
    }

    fn note(&mut self, name: &'static str, what: &'static str) {
        let at = self.start.elapsed();
        println!("{:5.1} s: {name} is {what}", at.as_secs_f64());
        let (sessions, of) = self.load.sessions_on(name);
        self.changes.push(Change {
            at,
            name,
            what,
            sessions,
            of,
        });
    }

    /// Waits for the last answers and stops the processes.
    async fn end(mut self) -> Result<Run, Box<dyn Error>> {
        let samples = (&mut self.running).await?;
        let at = self.start.elapsed();
        let rows = status(&self.http, self.setup.admin).await?;
        self.looks.push(Look { at, rows });
        Ok(Run {
            samples,
            looks: self.looks,
            changes: self.changes,
        })
    }
}
