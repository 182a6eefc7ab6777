//! Where the program runs, if it is to be killed: all it has under way ends with it, wherever it stands.

use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Longest wait until a killed program's threads have ended; a write to the disk is the longest thing they do.
const DEAD_MAX: Duration = Duration::from_secs(20);

/// The test itself, or a process that the test can end.
#[derive(Default)]
pub struct Process(Option<Runtime>);

impl Process {
    /// One that can die.
    pub fn mortal() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self(Some(runtime.expect("a runtime")))
    }

    /// The program's start, and all that it leaves running.
    pub async fn runs<T: Send + 'static>(&self, starting: impl Future<Output = T> + Send + 'static) -> T {
        match &self.0 {
            Some(process) => process.spawn(starting).await.expect("a program that starts"),
            None => starting.await,
        }
    }

    /// It dies where it stands.
    pub async fn dies(&mut self) {
        let dead = self.0.take().expect("a mortal process");
        // Waits until no thread of it runs any more; that may block.
        let ended = tokio::task::spawn_blocking(move || dead.shutdown_timeout(DEAD_MAX)).await;
        ended.expect("a death");
    }
}

/// Waits until a dead program has let go of its journal: the thread that writes it ends a moment after the rest.
pub async fn released(journal: &Path) {
    let lock = PathBuf::from(format!("{}.lock", journal.display()));
    let waits = tokio::task::spawn_blocking(move || File::open(lock)?.lock());
    waits.await.expect("no panic").expect("a lock to wait for");
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(process) = self.0.take() {
            process.shutdown_background();
        }
    }
}
