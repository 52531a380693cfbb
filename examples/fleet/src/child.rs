//! Child processes that cannot outlive their parent.

use crate::Failure;
use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::process::Child;

/// The role of this program that becomes another one.
pub const ROLE: &str = "child";

/// Asks the kernel to kill this process with its parent, and becomes `program`.
///
/// # Errors
/// If the parent is dead already, or the program cannot be started.
pub fn become_child(parent: &str, program: &str, args: &[String]) -> Result<(), Failure> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let parent = Pid::from_raw(parent.parse()?);
    if getppid() != parent {
        return Err("the parent has died".into());
    }
    // The request outlives this call.
    Err(Command::new(program).args(args).exec().into())
}

/// Starts `program` as a child that is killed with this process. Its output is appended to a log.
///
/// The kernel watches the thread that starts a child, so this must be the main thread.
pub fn start(logs: &Path, name: &str, program: &str, args: &[String]) -> Result<Child, Failure> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(logs.join(format!("{name}.log")))?;
    let own = std::env::current_exe()?;
    let child = tokio::process::Command::new(own)
        .args([ROLE, &getpid().as_raw_nonzero().to_string(), program])
        .args(args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}

/// Sends a signal to a child that has not been waited for.
pub fn signal(child: &Child, signal: Signal) -> Result<(), Failure> {
    let number = child.id().ok_or("the child has ended")?;
    let pid = Pid::from_raw(i32::try_from(number)?).ok_or("the child has no number")?;
    Ok(rustix::process::kill_process(pid, signal)?)
}

/// Returns free ports of the loopback interface.
pub fn free_ports(count: usize) -> Result<Vec<SocketAddr>, Failure> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)))
        .collect::<Result<_, _>>()?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    Ok(addresses.collect::<Result<_, _>>()?)
}
