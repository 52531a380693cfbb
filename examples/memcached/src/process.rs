//! The servers as processes that end with this program, however it ends.

use crate::protocol::Connection;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process that the kernel kills when the thread that started it ends. Start them on the main
/// thread.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program. `setpriv` asks the kernel to kill it with its parent, which holds even if
    /// the parent is killed by SIGKILL. The shell then looks whether the parent has ended before
    /// that request was made, and becomes the program.
    fn start(program: &str, arguments: &[&str]) -> Result<Self, Box<dyn Error>> {
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "sh", "-c"])
            .arg("test \"$PPID\" = \"$0\" || exit 1; exec \"$@\"")
            .arg(std::process::id().to_string())
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start `setpriv`: {error}"))?;
        Ok(Process { child })
    }

    /// Starts memcached, on a free port or on the one given.
    pub(crate) fn memcached(port: Option<u16>) -> Result<(Self, SocketAddr), Box<dyn Error>> {
        let address = port.map_or_else(free_address, |port| Ok(loopback(port)))?;
        let port = address.port().to_string();
        // Without `-u root` it would change its user, and the kernel would forget the request.
        let arguments = [
            "-l",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "0",
            "-m",
            "64",
            "-t",
            "1",
            "-u",
            "root",
        ];
        let mut process = Process::start("memcached", &arguments)?;
        // The port may have been taken meanwhile, so the server must be the one started here.
        let pid = process.child.id();
        process.wait("memcached", || {
            Connection::open(address)
                .and_then(|mut it| it.pid())
                .is_ok_and(|found| found == pid)
        })?;
        Ok((process, address))
    }

    /// Starts twemproxy in front of servers, each an address and a weight.
    pub(crate) fn nutcracker(
        servers: &[(SocketAddr, u32)],
        folder: &Path,
    ) -> Result<(Self, SocketAddr), Box<dyn Error>> {
        let address = free_address()?;
        let line = |(server, weight): &(SocketAddr, u32)| format!("    - {server}:{weight}");
        let list: Vec<_> = servers.iter().map(line).collect();
        let list = list.join("\n");
        // The recommended settings, with a retry that suits seconds instead of half minutes.
        let config = format!(
            "pool:\n  listen: {address}\n  hash: fnv1a_64\n  distribution: ketama\n  \
             timeout: 400\n  \
             preconnect: true\n  auto_eject_hosts: true\n  server_failure_limit: 1\n  \
             server_retry_timeout: 1000\n  servers:\n{list}\n"
        );
        let file = folder.join(format!("nutcracker-{}.yml", address.port()));
        std::fs::write(&file, config)?;
        let file = file
            .to_str()
            .ok_or("the path of the build folder is not UTF-8")?;
        let stats = free_address()?.port().to_string();
        let mut process =
            Process::start("nutcracker", &["-c", file, "-a", "127.0.0.1", "-s", &stats])?;
        process.wait("nutcracker", || TcpStream::connect(address).is_ok())?;
        Ok((process, address))
    }

    fn wait(&mut self, name: &str, ready: impl Fn() -> bool) -> Result<(), Box<dyn Error>> {
        let start = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("{name} ended early: {status}").into());
            }
            if start.elapsed() > Duration::from_secs(10) {
                return Err(format!("{name} does not answer").into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// Kills the process as a crash does, and waits until it is gone.
impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind(loopback(0))?.local_addr()
}
