//! `orderly init`: something to begin with.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::CONFIG;
use crate::catalog::Catalog;
use crate::config;
use crate::runbook::Shelf;

/// Entries for `orderly demo` alone; they fit nobody's systems.
const DEMO: &str = "catalog/demo.toml";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly init
  orderly init /etc/orderly

Nothing that is there is ever overwritten.")]
pub struct Arguments {
    /// The folder to write into; made where it is missing.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let dir = arguments.dir;
    let in_the_way: Vec<String> = [CONFIG, "runbooks", "catalog"]
        .iter()
        .filter(|name| fs::symlink_metadata(dir.join(name)).is_ok())
        .map(|name| (*name).to_owned())
        .collect();
    if !in_the_way.is_empty() {
        bail!(
            "nothing was written, because {} has this already: {}. Name another folder, or move it away",
            shown(&dir),
            in_the_way.join(", ")
        );
    }
    let runbooks = Shelf::shipped_files();
    let catalogs = || Catalog::shipped_files().filter(|(path, _)| *path != DEMO);
    let mut files = vec![(dir.join(CONFIG), config::TEMPLATE)];
    files.extend(
        runbooks
            .iter()
            .map(|(name, text)| (dir.join("runbooks").join(name), *text)),
    );
    files.extend(catalogs().map(|(path, text)| (dir.join(path), text)));
    write_all(&files)?;
    println!(
        "Written to {}: {CONFIG}, {} runbooks, {catalogs} catalog files. All of it is yours to change.",
        shown(&dir),
        runbooks.len(),
        catalogs = catalogs().count(),
    );
    let cd = match dir == Path::new(".") {
        true => String::new(),
        false => format!("  cd {}\n", dir.display()),
    };
    println!(
        "\nNext:\n{cd}  orderly doctor                                  says what is missing\n  \
         orderly person add ana --name \"Ana Bell\" --role commander\n                                                  \
         prints her sign-in link\n  orderly serve                                   runs the bot\n\n\
         Your systems go into {CONFIG}, as [[target]]."
    );
    Ok(ExitCode::SUCCESS)
}

fn shown(dir: &Path) -> String {
    match dir == Path::new(".") {
        true => "this folder".to_owned(),
        false => dir.display().to_string(),
    }
}

/// Writes all of them, or leaves nothing behind: half a folder would be in the way of the next try.
fn write_all(files: &[(PathBuf, &str)]) -> Result<()> {
    let mut made = Vec::new();
    let written = files
        .iter()
        .try_for_each(|(path, text)| write(path, text, &mut made));
    if written.is_err() {
        for path in made.iter().rev() {
            // What cannot be removed is the lesser trouble; the error says what the greater one is.
            let _ = match path.is_dir() {
                true => fs::remove_dir(path),
                false => fs::remove_file(path),
            };
        }
    }
    written
}

/// Notes each folder and file that it makes.
fn write(path: &Path, text: &str, made: &mut Vec<PathBuf>) -> Result<()> {
    let what = || {
        format!(
            "{} cannot be written: may you write there, and is there space?",
            path.display()
        )
    };
    if let Some(folder) = path.parent() {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<&Path> = folder.ancestors().take_while(missing).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).with_context(what)?;
            made.push(folder.to_owned());
        }
    }
    // Never over something that appeared meanwhile.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(what)?;
    made.push(path.to_owned());
    file.write_all(text.as_bytes()).with_context(what)
}
