//! Starting a server so that it never outlives the test.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often a starting server is asked whether it is ready.
pub const ASK_EVERY: Duration = Duration::from_millis(10);

/// A server that is not ready by then will not be: a loaded two-core machine needs a few seconds at worst.
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// A free port may be taken by somebody else before the server binds it; then another one is tried.
pub const PORTS_TRIED: usize = 8;

pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port on 127.0.0.1")
        .port()
}

pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// `program` below `setpriv`, so that the kernel ends it with `signal` when the thread that started it ends: no signal
/// handler of ours has to run. With `user` and as root it runs as that user.
pub fn tied(program: &Path, user: Option<&str>, signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg(format!("--pdeathsig={signal}"));
    if let Some(user) = user.filter(|_| is_root()) {
        command.args([
            &format!("--reuid={user}"),
            &format!("--regid={user}"),
            "--clear-groups",
        ]);
    }
    command.arg("--").arg(program);
    command.stdin(Stdio::null());
    command
}

/// Starts it with all output in `log`.
pub fn start(mut command: Command, log: &Path) -> Child {
    let out = File::create(log).expect("a log file for the server");
    let err = out.try_clone().expect("the log file a second time");
    command
        .stdout(out)
        .stderr(err)
        .spawn()
        .unwrap_or_else(|why| panic!("cannot start {command:?}: {why} (setpriv is in Debian's util-linux)"))
}

/// Runs a tool to its end and panics with its output when it fails.
pub fn run(mut command: Command) {
    let output = command
        .output()
        .unwrap_or_else(|why| panic!("cannot run {command:?}: {why}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
