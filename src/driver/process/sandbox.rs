//! The walls around a probe's program. Built by the program itself, in its own process, right before it becomes the
//! program asked for: `orderly sandbox-exec [--network] -- argv…`.
//!
//! Landlock takes every writable path away; seccomp takes what Landlock does not know: file modes, owners, times and
//! attributes, signals, other processes, sockets, the clock, the kernel's own settings. `/dev/null` stays writable: it
//! keeps nothing, and programs open it as a matter of course.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// The hidden verb of `orderly`.
pub const VERB: &str = "sandbox-exec";

/// Leaves the internet to the program, and nothing else.
pub const NETWORK: &str = "--network";

/// Exit code of a launcher that could not build the walls or find the program.
pub const REFUSED: i32 = 125;

/// Starts the one line a launcher says then.
pub const MARK: &str = "orderly sandbox: ";

/// The first Landlock that also holds truncation; older kernels would let a probe empty a file.
const OLDEST: ABI = ABI::V3;

/// The newest this was written against; what the kernel lacks of it is held by seccomp.
const NEWEST: ABI = ABI::V9;

/// What follows `sandbox-exec`. Returns only by ending the process.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ! {
    let why = match run(arguments.into_iter().collect()) {
        Ok(never) => match never {},
        Err(why) => why,
    };
    eprintln!("{MARK}{why}");
    std::process::exit(REFUSED)
}

/// A value that cannot be.
enum Never {}

fn run(arguments: Vec<OsString>) -> Result<Never, String> {
    let split = arguments
        .iter()
        .position(|word| word == "--")
        .ok_or("usage: sandbox-exec [--network] -- program …")?;
    let network = arguments[..split].iter().any(|word| word == NETWORK);
    let [program, rest @ ..] = &arguments[split + 1..] else {
        return Err("no program was given".to_owned());
    };
    limits()?;
    powers()
        .map_err(|why| format!("The powers of root could not be laid down ({why}); the probe is not run."))?;
    landlock(network).map_err(|why| {
        format!(
            "This kernel cannot keep a program from writing ({why}). Landlock version 3 is needed (Linux 6.2 or newer, \
             with `landlock` among the active security modules); until then this probe is not run."
        )
    })?;
    seccomp(network)
        .map_err(|why| format!("This kernel cannot filter system calls ({why}); the probe is not run."))?;
    let error = Command::new(program).args(rest).exec();
    Err(format!(
        "`{}` cannot be started: {error}. Is it installed?",
        program.to_string_lossy()
    ))
}

/// Ends with the bot, leaves no core file and no file of any size.
fn limits() -> Result<(), String> {
    let none = || Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| error.to_string())?;
    setrlimit(Resource::Core, none()).map_err(|error| error.to_string())?;
    setrlimit(Resource::Fsize, none()).map_err(|error| error.to_string())
}

/// Root lays down all its powers but that of reading any file. Without this it could read the memory and the environment
/// of any process, the bot's own included, past Landlock. Others have none to lay down.
fn powers() -> Result<(), String> {
    let text = |error: rustix::io::Errno| error.to_string();
    let kept = capabilities(None).map_err(text)?.permitted & CapabilitySet::DAC_READ_SEARCH;
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(text)
}

fn landlock(network: bool) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_write(OLDEST))
        .map_err(|error| text(&error))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(NEWEST))
        .map_err(|error| text(&error))?
        .scope(Scope::from_all(NEWEST))
        .map_err(|error| text(&error))?;
    if !network {
        rules = rules
            .handle_access(AccessNet::from_all(NEWEST))
            .map_err(|error| text(&error))?;
    }
    let mut created = rules.create().map_err(|error| text(&error))?;
    if let Ok(null) = PathFd::new("/dev/null") {
        let rule = PathBeneath::new(null, AccessFs::WriteFile);
        created = created.add_rule(rule).map_err(|error| text(&error))?;
    }
    let status = created.restrict_self().map_err(|error| text(&error))?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("Landlock is switched off".to_owned()),
        _ => Ok(()),
    }
}

/// Refused whatever the arguments. By what they would change:
const REFUSED_CALLS: &[i64] = &[
    // modes, owners, times and attributes of files, which Landlock does not hold
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    // other processes; leaving the group that a time-out kills
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pidfd_getfd,
    libc::SYS_ptrace,
    libc::SYS_process_vm_writev,
    libc::SYS_process_vm_readv,
    libc::SYS_process_madvise,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // memory and messages shared with other processes
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // ways around a filter of system calls
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_open_by_handle_at,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    // the machine
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_fanotify_init,
    libc::SYS_vhangup,
    // newer than the names in libc: fchmodat2, setxattrat, removexattrat, open_tree_attr, file_setattr
    452,
    463,
    466,
    467,
    469,
];

/// The same for calls that only this architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[i64] = &[];

/// System calls that did not exist when this was written: unknown means no.
const FUTURE: std::ops::Range<i64> = 470..512;

/// Requests of `ioctl` that change a file or type into a terminal although the file was only opened for reading:
/// FS_IOC_SETFLAGS, its 32-bit twin, FS_IOC_FSSETXATTR, TIOCSTI, TIOCLINUX.
const REFUSED_IOCTLS: &[u64] = &[0x4008_6602, 0x4004_6602, 0x401c_5820, 0x5412, 0x541c];

fn seccomp(network: bool) -> Result<(), String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let always = REFUSED_CALLS.iter().chain(REFUSED_HERE).copied().chain(FUTURE);
    rules.extend(always.map(|call| (call, Vec::new())));
    let ioctls = REFUSED_IOCTLS
        .iter()
        .map(|request| rule(&[(1, SeccompCmpOp::Eq, *request)]));
    rules.insert(libc::SYS_ioctl, ioctls.collect::<Result<_, _>>()?);
    // Bounds and scheduling of itself are its own business; those of others are not.
    for call in [
        libc::SYS_prlimit64,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setattr,
    ] {
        rules.insert(call, vec![rule(&[(0, SeccompCmpOp::Ne, 0)])?]);
    }
    let sockets = match network {
        // Unix sockets lead to other programs of this machine, and those can write.
        true => {
            let (four, six) = (
                libc::AF_INET.unsigned_abs().into(),
                libc::AF_INET6.unsigned_abs().into(),
            );
            vec![rule(&[(0, SeccompCmpOp::Ne, four), (0, SeccompCmpOp::Ne, six)])?]
        }
        false => Vec::new(),
    };
    rules.insert(libc::SYS_socket, sockets);
    add_x32(&mut rules);
    let architecture = std::env::consts::ARCH
        .try_into()
        .map_err(|error| format!("{error}"))?;
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture)
        .map_err(|error| error.to_string())?;
    let program: BpfProgram = filter.try_into().map_err(|error| format!("{error}"))?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}

/// On x86-64 the kernel may know every call a second time, under another number.
fn add_x32(rules: &mut BTreeMap<i64, Vec<SeccompRule>>) {
    if cfg!(target_arch = "x86_64") {
        const X32: i64 = 0x4000_0000;
        let known: Vec<i64> = rules.keys().copied().collect();
        let twins = known
            .into_iter()
            .chain(512..548)
            .map(|call| (call | X32, Vec::new()));
        rules.extend(twins.collect::<Vec<_>>());
    }
}

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, String> {
    let one = |(argument, operator, value): &(u8, SeccompCmpOp, u64)| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
    };
    let conditions: Vec<SeccompCondition> = conditions
        .iter()
        .map(one)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    SeccompRule::new(conditions).map_err(|error| error.to_string())
}
