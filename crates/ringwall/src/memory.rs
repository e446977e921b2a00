//! Nobody else reads the memory of this process: it holds tokens and keys (control 6.3). It writes
//! nothing and starts nothing; it only tells the system, once, before any secret is read.

/// No core dump of this process or of what it starts, and no debugger but the administrator's. A
/// system that refuses is no reason not to run: it is said, and a dump is then the operator's to
/// prevent.
pub(crate) fn keep_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        anstream::eprintln!("ringwall: a crash could write secrets to disk: {error}");
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Beside dumps, this closes `/proc/PID/mem` and `ptrace` to other processes of the same user.
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            anstream::eprintln!("ringwall: others may read this process's memory: {error}");
        }
    }
}
