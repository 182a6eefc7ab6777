//! What a probe's program may not do, tried in every way known. Each attempt is made in Perl, which every Debian has, and
//! first without the walls, so that a test cannot pass because the attempt itself was wrong.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use orderly::driver::process::Process;
use orderly::driver::{Driver, Failure};
use serde_json::{Value, json};

use super::{LAUNCHER, limits, target};

/// Perl that ends with 0 when the attempt succeeded, else with 1 and the reason.
fn attempt(code: &str) -> Vec<String> {
    let script = format!(
        "use POSIX; use Socket; use Fcntl; $f = shift; ({code}) or do {{ print STDERR qq($!); exit 1 }}; exit 0"
    );
    ["perl", "-e", &script].map(str::to_owned).to_vec()
}

/// The folder as every attempt finds it.
fn prepare(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder.join("d"));
    std::fs::create_dir_all(folder.join("d/empty")).expect("made");
    for name in ["d/file", "d/other"] {
        std::fs::write(folder.join(name), "as it was").expect("written");
    }
}

/// Everything below the folder: names, contents, modes and times.
fn state(folder: &Path) -> String {
    let listed = Command::new("find")
        .args([".", "-printf", "%p %y %m %T@ %s %l\n"])
        .current_dir(folder.join("d"))
        .output()
        .expect("find runs");
    let sums = Command::new("sh")
        .args(["-c", "cat file other"])
        .current_dir(folder.join("d"))
        .output()
        .expect("cat runs");
    String::from_utf8_lossy(&[listed.stdout, sums.stdout].concat()).into_owned()
}

/// Ways to change a file system. `$f` is a folder with `file`, `other` and `empty/`.
const WRITES: &[(&str, &str)] = &[
    ("create", "open(F, '>', qq($f/new))"),
    ("append", "open(F, '>>', qq($f/file))"),
    ("open for writing", "sysopen(F, qq($f/file), O_RDWR)"),
    (
        "truncate by opening",
        "sysopen(F, qq($f/file), O_RDONLY | O_TRUNC)",
    ),
    ("truncate", "truncate(qq($f/file), 0)"),
    ("unlink", "unlink(qq($f/file))"),
    ("rename", "rename(qq($f/file), qq($f/moved))"),
    (
        "rename into another folder",
        "rename(qq($f/file), qq($f/empty/moved))",
    ),
    ("hard link", "link(qq($f/file), qq($f/linked))"),
    ("symlink", "symlink(qq($f/file), qq($f/sym))"),
    ("mkdir", "mkdir(qq($f/made))"),
    ("rmdir", "rmdir(qq($f/empty))"),
    ("mkfifo", "POSIX::mkfifo(qq($f/fifo), 0600)"),
    ("chmod", "chmod(0777, qq($f/file))"),
    (
        "chmod by descriptor",
        "open(F, '<', qq($f/file)) && chmod(0777, *F)",
    ),
    ("times", "utime(1, 1, qq($f/file))"),
    (
        "bind a unix socket",
        "socket(S, AF_UNIX, SOCK_STREAM, 0) && bind(S, pack_sockaddr_un(qq($f/sock)))",
    ),
    (
        "by another process",
        "system('sh', '-c', qq(echo x > $f/new)) == 0",
    ),
    ("by way of /proc", "open(F, '>', qq(/proc/self/root$f/new))"),
    (
        "by way of a descriptor",
        "open(D, '<', qq($f/file)) && open(F, '>', '/proc/self/fd/' . fileno(D))",
    ),
];

async fn behind_the_walls(argv: &[String], network: bool) -> Result<Value, Failure> {
    let call = json!({ "argv": argv, "network": network });
    Process::new(LAUNCHER)
        .read(&target("host", "/"), &call, limits())
        .await
        .map(|reading| reading.answer)
}

fn without_walls(argv: &[String]) -> bool {
    let status = Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("perl runs").success()
}

#[tokio::test]
async fn nothing_on_a_file_system_can_be_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("d").display().to_string();
    for (name, code) in WRITES {
        let mut argv = attempt(code);
        argv.push(inside.clone());
        prepare(folder.path());
        assert!(without_walls(&argv), "{name}: the attempt itself is wrong");
        prepare(folder.path());
        let before = state(folder.path());
        let refused = behind_the_walls(&argv, false).await.expect_err(name);
        assert!(
            refused.to_string().starts_with("`perl` ended with 1"),
            "{name}: {refused}"
        );
        assert_eq!(state(folder.path()), before, "{name}");
        behind_the_walls(&argv, true).await.expect_err(name);
        assert_eq!(state(folder.path()), before, "{name}, with the network allowed");
    }
}

#[tokio::test]
async fn shared_places_are_no_way_out() {
    for place in ["/tmp", "/dev/shm", "/var/tmp", "/run", "/proc/sys/kernel"] {
        let path = format!("{place}/orderly-{}", std::process::id());
        let mut argv = attempt("open(F, '>', $f)");
        argv.push(path.clone());
        behind_the_walls(&argv, false).await.expect_err(place);
        assert!(!Path::new(&path).exists(), "{path}");
    }
}

/// The numbers of system calls are those of x86-64.
#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn what_root_could_do_is_refused_as_well() {
    // Each is built so that, were it let through, the kernel would still refuse it for another reason, or nothing be lost.
    let tries = [
        ("mknod", "syscall(133, qq($f/node), 0020600, 0x103) == 0"),
        (
            "mount",
            "syscall(165, qq(none$e), $f, qq(no-such-fs$e), 0, 0) == 0",
        ),
        ("chown", "chown(0, 0, qq($f/file))"),
        (
            "set an attribute",
            "syscall(188, qq($f/file), qq(user.x$e), qq(y$e), 1, 0) == 0",
        ),
        ("host name", "syscall(170, qq(x$e), -1) == 0"),
        (
            "clock",
            "syscall(227, 0, pack('qq', 1, 2000000000 + 0 * $$)) == 0",
        ),
        ("new user namespace", "syscall(272, 0x10000000) == 0"),
        ("io_uring", "($r = syscall(425, 1, pack('x120', $e))) >= 0"),
        ("trace another process", "syscall(101, 16, getppid(), 0, 0) == 0"),
        ("leave the group", "POSIX::setsid() > 0"),
        ("shared memory", "syscall(29, 0, 4096, 01600) >= 0"),
        ("message queue", "syscall(68, 0, 01600) >= 0"),
        (
            "read the bot's own environment",
            "open(F, '<', '/proc/' . getppid() . '/environ') && sysread(F, $x, 1)",
        ),
        ("kernel log", "syscall(103, 9, 0, 0) >= 0"),
        ("chroot", "chroot($f)"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path());
    let before = state(folder.path());
    for (name, code) in tries {
        let mut argv = attempt(code);
        argv.push(folder.path().join("d").display().to_string());
        let refused = behind_the_walls(&argv, false).await.expect_err(name);
        let said = refused.to_string();
        // Landlock says the one, the filter of system calls the other.
        let by_the_walls = ["Permission denied", "Operation not permitted"]
            .iter()
            .any(|words| said.ends_with(words));
        assert!(by_the_walls, "{name}: {said}");
    }
    assert_eq!(state(folder.path()), before);
}

#[tokio::test]
async fn other_processes_cannot_be_signalled() {
    let mut other = Command::new("sleep").arg("600").spawn().expect("sleep runs");
    for code in [
        "kill('TERM', $f) == 1",
        "kill('KILL', -getpgrp())",
        "syscall(200, $f + 0, 15) == 0",
    ] {
        let mut argv = attempt(code);
        argv.push(other.id().to_string());
        behind_the_walls(&argv, false).await.expect_err(code);
    }
    assert!(other.try_wait().expect("still ours").is_none(), "it was ended");
    other.kill().expect("ends");
    other.wait().expect("ended");
}

#[tokio::test]
async fn no_socket_leads_anywhere_without_the_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let unix = folder.path().join("socket").display().to_string();
    let _unix = UnixListener::bind(&unix).expect("a socket");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (tcp, udp) = (
        tcp.local_addr().expect("bound").port(),
        udp.local_addr().expect("bound").port(),
    );
    let inet = |port: u16, kind: &str| {
        format!(
            "socket(S, AF_INET, {kind}, 0) && connect(S, pack_sockaddr_in({port}, inet_aton('127.0.0.1'))) && send(S, 'x', 0)"
        )
    };
    let unix_socket = "socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, pack_sockaddr_un($f))";
    for (code, with_network) in [
        (inet(tcp, "SOCK_STREAM").as_str(), true),
        (&inet(udp, "SOCK_DGRAM"), true),
        (unix_socket, false),
    ] {
        let mut argv = attempt(code);
        argv.push(unix.clone());
        assert!(without_walls(&argv), "{code}: the attempt itself is wrong");
        behind_the_walls(&argv, false).await.expect_err(code);
        assert_eq!(
            behind_the_walls(&argv, true).await.is_ok(),
            with_network,
            "{code}"
        );
    }
}

#[tokio::test]
async fn a_program_with_network_says_so_on_its_result() {
    let call = json!({ "argv": ["true"], "network": true });
    let reading = Process::new(LAUNCHER)
        .read(&target("host", "/"), &call, limits())
        .await
        .expect("ran");
    assert_eq!(reading.caveats, ["This program was allowed to use the network."]);
}

#[tokio::test]
async fn reading_works_and_the_environment_is_clean() {
    let call =
        json!({ "argv": ["sh", "-c", "cat /etc/hostname > /dev/null && env | sort && id -u > /dev/null"] });
    let reading = Process::new(LAUNCHER)
        .read(&target("host", "/"), &call, limits())
        .await
        .expect("ran");
    assert_eq!(
        reading.answer["lines"],
        json!([
            "LC_ALL=C.UTF-8",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PWD=/",
            "TZ=UTC"
        ])
    );
}

#[tokio::test]
async fn endless_output_is_cut_and_the_program_ended() {
    let call = json!({ "argv": ["yes"] });
    let reading = Process::new(LAUNCHER)
        .read(&target("host", "/"), &call, limits())
        .await
        .expect("ran");
    assert_eq!(reading.raw.len(), 64 * 1024);
    assert_eq!(reading.caveats, ["The output was cut at 65536 bytes."]);
}

#[tokio::test]
async fn a_program_that_hangs_is_unreachable_after_its_time() {
    let call = json!({ "argv": ["sh", "-c", "sleep 600 & sleep 600"] });
    let limits = orderly::driver::Limits {
        timeout: std::time::Duration::from_millis(300),
        output: 10,
    };
    let late = Process::new(LAUNCHER)
        .read(&target("host", "/"), &call, limits)
        .await
        .expect_err("hangs");
    assert_eq!(late.to_string(), "`sh` had not ended after 0.3 s");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let missing = behind_the_walls(&["no-such-program".to_owned()], false)
        .await
        .expect_err("missing");
    assert_eq!(
        missing.to_string(),
        "`no-such-program` cannot be started: No such file or directory (os error 2). Is it installed?"
    );
}
