//! The parent process: it starts children, asks them in turns, and gives up on those that hang.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// A child.
pub struct Process {
    child: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

/// Why there is no figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The peer has no such function.
    NotOffered,
    /// It took longer than so many seconds to answer.
    TooSlow(u64),
    /// It took longer than so many seconds to place the nodes.
    SlowBuild(u64),
    /// The process ended.
    Died,
    /// It refused to place the nodes.
    Refused,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Missing::NotOffered => write!(f, "–"),
            Missing::TooSlow(seconds) => write!(f, "> {seconds} s"),
            Missing::SlowBuild(seconds) => write!(f, "build > {seconds} s"),
            Missing::Died => write!(f, "died"),
            Missing::Refused => write!(f, "refused"),
        }
    }
}

impl Process {
    /// Starts a child that holds the contender with so many nodes, and waits until it is ready.
    pub fn holding(contender: usize, nodes: usize, limit: u64) -> Result<Self, Missing> {
        let mut process = Process::start(&[
            "child".to_owned(),
            contender.to_string(),
            "serve".to_owned(),
            nodes.to_string(),
        ]);
        match process.line(limit) {
            Ok(line) if line == "ready" => Ok(process),
            Ok(_) => Err(Missing::Refused),
            Err(Missing::TooSlow(seconds)) => Err(Missing::SlowBuild(seconds)),
            Err(missing) => Err(missing),
        }
    }

    /// Asks a child of its own for the verdict on a case of bad input.
    pub fn verdict(contender: usize, case: usize, limit: u64) -> Result<String, Missing> {
        let arguments = ["child", &contender.to_string(), "bad", &case.to_string()];
        Process::start(&arguments.map(str::to_owned)).line(limit)
    }

    fn start(arguments: &[String]) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this program can be started again");
        let questions = child.stdin.take().expect("a pipe");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            lines
                .map_while(|line| sender.send(line).ok())
                .for_each(drop);
        });
        Process {
            child,
            questions,
            answers,
        }
    }

    /// Asks a question. The answer must come within so many seconds.
    pub fn ask(&mut self, question: &str, limit: u64) -> Result<Vec<f64>, Missing> {
        writeln!(self.questions, "{question}").map_err(|_| Missing::Died)?;
        let line = self.line(limit)?;
        let figures: Vec<f64> = line
            .split_whitespace()
            .filter_map(|figure| figure.parse().ok())
            .collect();
        if figures.is_empty() {
            return Err(Missing::NotOffered);
        }
        Ok(figures)
    }

    fn line(&mut self, limit: u64) -> Result<String, Missing> {
        let answer = self.answers.recv_timeout(Duration::from_secs(limit));
        answer.map_err(|error| match error {
            RecvTimeoutError::Timeout => Missing::TooSlow(limit),
            RecvTimeoutError::Disconnected => Missing::Died,
        })
    }
}

/// A child never outlives its parent's interest. One whose parent was killed ends at the end of its
/// input, or when it prints.
impl Drop for Process {
    fn drop(&mut self) {
        // It fails only if the child has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
