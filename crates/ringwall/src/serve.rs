//! `ringwall serve`: the gateway, until it is told to stop.

use crate::Config;
use config::settled::{Format, Log};
use gateway::clock::SystemClock;
use gateway::house::{House, Reloader};
use gateway::load::{self, Loaded};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Run the gateway.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    config: Config,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let path = self.config.config;
        let loaded = load::load(&path)?;
        start_log(&loaded.settled.log);
        warn(&path, &loaded.warnings);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(serve(&path, loaded))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(path: &Path, loaded: Loaded) -> anyhow::Result<()> {
    let mut house = House::build(loaded, Arc::new(SystemClock::default())).await?;
    // Before anybody is told that we listen: whoever hears that may signal at once, and a signal that nobody
    // catches ends us.
    let (stop, hup) = (told_to_stop()?, signal(SignalKind::hangup())?);
    for (address, encrypted) in house.addresses() {
        let scheme = if encrypted { "https" } else { "http" };
        anstream::println!("listening on {scheme}://{address}");
    }
    // On the terminal and nowhere else: no log of ours ever has it.
    if let Some((address, code)) = house.first_code() {
        anstream::println!(
            "register the passkey for emergencies at {address} within an hour, with the code {}",
            *code
        );
    }
    let reloading = tokio::spawn(reload(path.to_owned(), house.reloader(), hup));
    house.serve(stop).await?;
    reloading.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Resolves on SIGTERM or SIGINT.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping: no new connections, calls under way finish");
    })
}

/// How long a change is let settle, and how often that may begin again.
const STEP: std::time::Duration = std::time::Duration::from_millis(200);
const SETTLING: u32 = 10;

/// Takes over a changed configuration, on SIGHUP and whenever a file of it changes. A bad one
/// changes nothing and says why.
async fn reload(path: PathBuf, reloader: Reloader, mut hup: Signal) {
    let (changed, mut changes) = mpsc::channel::<()>(1);
    // What changed between the first reading and the first watching would be missed otherwise;
    // taking over what is in force already changes nothing.
    let _ = changed.try_send(());
    let mut watch = Watch::of(&path, changed);
    loop {
        tokio::select! {
            _ = hup.recv() => {}
            change = changes.recv() => if change.is_none() { return },
        }
        // An editor writes a file in several steps; the last one counts, if it comes soon.
        for _ in 0..SETTLING {
            if tokio::time::timeout(STEP, changes.recv()).await.is_err() {
                break;
            }
        }
        // Before anything is read: what changes from here on is seen.
        watch.follow();
        match load::load(&path) {
            Err(error) => tracing::error!("the changed configuration is not taken over:\n{error}"),
            Ok(loaded) => {
                let warnings = loaded.warnings.clone();
                match reloader.reload(loaded).await {
                    Ok(true) => {
                        warn(&path, &warnings);
                        tracing::info!("the changed configuration is in force");
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!("the changed configuration is not taken over: {error}")
                    }
                }
            }
        }
    }
}

/// The files of a configuration, watched: those that it names now, and not those that it named once.
struct Watch {
    path: PathBuf,
    changed: mpsc::Sender<()>,
    files: Vec<String>,
    /// None while nothing is watched.
    watcher: Option<notify::RecommendedWatcher>,
}

impl Watch {
    fn of(path: &Path, changed: mpsc::Sender<()>) -> Self {
        Watch {
            path: path.to_owned(),
            changed,
            files: Vec::new(),
            watcher: None,
        }
    }

    /// Watches what the configuration names now. One that cannot be read names nothing else than before.
    fn follow(&mut self) {
        // What is written between the reading and the watching is read once more: from then on it is seen.
        for _ in 0..SETTLING {
            let named = load::files(&self.path);
            let files = named.unwrap_or_else(|_| self.files.clone());
            if self.watcher.is_some() && files == self.files {
                return;
            }
            // The one before watches until this one does.
            match watcher(&self.path, &files, self.changed.clone()) {
                Ok(watcher) => {
                    self.watcher = Some(watcher);
                    self.files = files;
                }
                Err(error) => {
                    tracing::warn!(
                        "the configuration is not watched ({error:#}); send SIGHUP after a change"
                    );
                    return;
                }
            }
        }
    }
}

fn watcher(
    path: &Path,
    files: &[String],
    changed: mpsc::Sender<()>,
) -> anyhow::Result<notify::RecommendedWatcher> {
    use notify::Watcher;
    let (configuration, named) = (path.to_owned(), files.to_vec());
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let matters = |path: &PathBuf| load::matters(&configuration, &named, path);
        if event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(matters)) {
            // One change waiting is enough: everything is read anew.
            let _ = changed.try_send(());
        }
    })?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    watcher.watch(folder, notify::RecursiveMode::NonRecursive)?;
    for folder in files.iter().filter_map(|file| Path::new(file).parent()) {
        // One that is not there does not keep the others from being watched.
        if let Err(error) = watcher.watch(folder, notify::RecursiveMode::NonRecursive) {
            let folder = folder.display();
            tracing::warn!("`{folder}` is not watched ({error}); send SIGHUP after a change");
        }
    }
    Ok(watcher)
}

fn warn(path: &Path, warnings: &[config::Problem]) {
    let name = path.display().to_string();
    for warning in warnings {
        tracing::warn!("{}", warning.in_file(&name));
    }
}

pub(crate) fn start_log(log: &Log) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("RINGWALL_LOG")
        .unwrap_or_else(|_| EnvFilter::new(log.level.as_str()));
    let log_to_stderr = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Setting it twice is the only way to fail, and it is set here alone.
    let _ = match log.format {
        Format::Json => log_to_stderr.json().try_init(),
        Format::Text => log_to_stderr
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
    };
}
