//! Bots on those libraries, each in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ended with the test.
pub struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended by itself; the story says so in its own way.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where scripts/setup puts the libraries.
fn libraries() -> PathBuf {
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

pub fn start(program: &str, script: &str, settings: &[(&str, String)]) -> Bot {
    let libraries = libraries();
    let mut command = Command::new(program);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(script))
        .env("SDK_FOLDER", &libraries)
        .env("PYTHONPATH", libraries.join("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(settings.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null());
    Bot(command
        .spawn()
        .unwrap_or_else(|why| panic!("cannot start {program} ({why}): run scripts/setup")))
}
