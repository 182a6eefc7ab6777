//! Folders: one for each server, and the one where the PostgreSQL template is kept between runs.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Prefix of every folder made here, so that what a killed test left behind can be told and swept.
const PREFIX: &str = "orderly-testbed-";

/// A folder in use. Its lock file is held as long as the process lives.
pub struct Place {
    dir: TempDir,
    _in_use: File,
}

impl Place {
    /// Makes a folder, after sweeping those whose process died without cleaning up.
    pub fn new() -> Self {
        let _one_at_a_time = locked(&cache().join("places.lock"));
        sweep();
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .expect("a temporary folder for a test server");
        let in_use = File::create(dir.path().join("in-use")).expect("a lock file in the folder just made");
        in_use.lock().expect("the lock of a file just made");
        Self { dir, _in_use: in_use }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Folder below the build's target folder that survives the test run.
pub fn cache() -> PathBuf {
    let exe = std::env::current_exe().expect("the path of the running test");
    let target = exe
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists())
        .map_or_else(std::env::temp_dir, Path::to_path_buf);
    let cache = target.join("testbed");
    std::fs::create_dir_all(&cache).expect("a folder for the testbed below the target folder");
    cache
}

/// Holds the file locked until dropped; waits for whoever holds it now.
pub fn locked(path: &Path) -> File {
    let file = File::create(path).unwrap_or_else(|why| panic!("cannot make {}: {why}", path.display()));
    file.lock()
        .unwrap_or_else(|why| panic!("cannot lock {}: {why}", path.display()));
    file
}

fn sweep() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let Ok(left) = File::open(entry.path().join("in-use")) else {
            continue;
        };
        if left.try_lock().is_ok() {
            // Best effort: another user's folder stays.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Where scripts/setup puts the chat platforms' own libraries.
pub fn chat_libraries() -> PathBuf {
    let folder = std::env::var_os("ORDERLY_CHAT_SDKS")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache");
            cache.unwrap_or_else(home).join("orderly/chat-sdks")
        });
    assert!(
        folder.join("ready").exists(),
        "the chat platforms' libraries are not in {}: run scripts/setup",
        folder.display()
    );
    folder
}
