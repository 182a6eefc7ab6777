//! Bots on those libraries, each in a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use orderly_testbed::chat_libraries;

/// Ended with the test.
pub struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended by itself; the story says so in its own way.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start(program: &str, script: &str, settings: &[(&str, String)]) -> Bot {
    let libraries = chat_libraries();
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
