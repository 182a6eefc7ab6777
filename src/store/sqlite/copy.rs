//! Copies of the whole file: before a migration, as a backup while the program runs, and back again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{Connection, SqliteConnection};

use super::own::{Owner, beside};
use super::read::Reader;
use super::{Sqlite, failed, look, migrations};
use crate::store::verify::{Report, check_streams};
use crate::store::{Error, Mark};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    Yes,
    No,
}

fn io(doing: &str, path: &Path, error: &io::Error) -> Error {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::StorageFull => Error::DiskFull { path },
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Error::ReadOnly { path },
        _ => Error::Io {
            doing: format!("{doing} {}", path.display()),
            cause: error.to_string(),
        },
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io("removing", path, &error)),
        _ => Ok(()),
    }
}

/// Makes a rename durable.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| io("syncing", folder, &error))
}

/// Writes a compact copy of the connection's database. It appears under its name only when it is whole and on disk.
pub(super) async fn into(
    connection: &mut SqliteConnection,
    copy: &Path,
    replace: Replace,
) -> Result<(), Error> {
    if replace == Replace::No && copy.exists() {
        return Err(Error::Exists {
            what: copy.display().to_string(),
        });
    }
    let partial = beside(copy, ".partial");
    remove(&partial)?;
    let name = partial
        .to_str()
        .ok_or_else(|| Error::invalid("the name of the copy is not UTF-8"))?;
    let written = sqlx::query("VACUUM INTO ?").bind(name).execute(connection).await;
    if let Err(error) = written {
        let _ = fs::remove_file(&partial);
        return Err(failed("copying the database", &partial, error));
    }
    fs::File::open(&partial)
        .and_then(|file| file.sync_all())
        .map_err(|error| io("syncing", &partial, &error))?;
    fs::rename(&partial, copy).map_err(|error| io("naming", copy, &error))?;
    sync_folder(copy)
}

/// Verifies the journal of a file, also while another process writes it.
pub async fn verify_file(path: &Path, mark: Option<&Mark>) -> Result<Report, Error> {
    let mut connection = look::open(path).await?;
    let version = migrations::version(&mut connection, path, migrations::known()).await;
    connection
        .close()
        .await
        .map_err(|error| failed("closing the database", path, error))?;
    if version? < 1 {
        return Err(Error::Foreign {
            path: path.to_owned(),
        });
    }
    let reader = Reader::to_look(path).await?;
    let report = match reader.streams().await {
        Ok(streams) => {
            check_streams(
                streams,
                &|stream, after, rows| Box::pin(reader.events(stream, after, rows)),
                mark,
            )
            .await
        }
        Err(error) => Err(error),
    };
    reader.pool.close().await;
    report
}

/// Opens a store to be looked at, also while another process writes it. Every write is answered with [`Error::Stopped`].
pub async fn open_to_look(path: &Path) -> Result<Sqlite, Error> {
    let reader = Reader::to_look(path).await?;
    let (writer, _) = tokio::sync::mpsc::channel(1);
    let pending = Arc::new(reader.count_waiting().await?.into());
    Ok(Sqlite {
        reader,
        writer,
        pending,
    })
}

/// Writes a copy of a whole SQLite file under another name, also while it is in use. `Error::Exists` when `dest` is
/// there already.
pub async fn copy_file(source: &Path, dest: &Path) -> Result<(), Error> {
    let mut connection = look::open(source).await?;
    let copied = into(&mut connection, dest, Replace::No).await;
    close(connection, source).await?;
    copied
}

async fn close(connection: SqliteConnection, path: &Path) -> Result<(), Error> {
    connection
        .close()
        .await
        .map_err(|error| failed("closing the database", path, error))
}

/// A sound copy beside the place it is meant for. Dropped, it is gone.
#[derive(Debug)]
pub struct Fresh {
    copy: PathBuf,
    dest: PathBuf,
}

impl Fresh {
    /// Copies any SQLite file whose every page and index is sound.
    pub async fn of(source: &Path, dest: &Path) -> Result<Self, Error> {
        let mut connection = look::open(source).await?;
        let fresh = Self::from(&mut connection, source, dest).await;
        close(connection, source).await?;
        fresh
    }

    async fn from(connection: &mut SqliteConnection, source: &Path, dest: &Path) -> Result<Self, Error> {
        sound(connection, source).await?;
        let fresh = Self {
            copy: beside(dest, ".restoring"),
            dest: dest.to_owned(),
        };
        into(connection, &fresh.copy, Replace::Yes).await?;
        Ok(fresh)
    }

    /// Where the copy lies.
    pub fn path(&self) -> &Path {
        &self.copy
    }

    /// Puts it in its place. What was there before is kept as `<dest>.before-restore`.
    pub fn put_in_place(self) -> Result<(), Error> {
        put_in_place(&self.copy, &self.dest)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            // Put in its place, it is not here any more.
            let _ = fs::remove_file(beside(&self.copy, suffix));
        }
    }
}

/// A backup that was proved whole and waits to be put in the place of a database. No other process can use that one
/// meanwhile.
#[derive(Debug)]
pub struct Restoring {
    fresh: Fresh,
    pub report: Report,
    _owner: Owner,
}

impl Restoring {
    /// Copies and verifies a backup. Refused while a process uses `dest`.
    pub async fn prepare(source: &Path, dest: &Path) -> Result<Self, Error> {
        let owner = Owner::take(dest)?;
        let mut connection = look::open(source).await?;
        let copied = match migrations::version(&mut connection, source, migrations::known()).await {
            Ok(0) => Err(Error::Foreign {
                path: source.to_owned(),
            }),
            Ok(_) => Fresh::from(&mut connection, source, dest).await,
            Err(error) => Err(error),
        };
        close(connection, source).await?;
        let fresh = copied?;
        let report = verify_file(fresh.path(), None).await?;
        if let Some(fault) = report.faults.first() {
            return Err(Error::Corrupt {
                place: source.display().to_string(),
                what: fault.to_string(),
            });
        }
        Ok(Self {
            fresh,
            report,
            _owner: owner,
        })
    }

    /// Where the copy lies until then.
    pub fn path(&self) -> &Path {
        self.fresh.path()
    }

    /// Puts the backup in its place. What was there before is kept as `<dest>.before-restore`.
    pub fn finish(self) -> Result<Report, Error> {
        self.fresh.put_in_place()?;
        Ok(self.report)
    }
}

/// SQLite's own check of every page and index.
async fn sound(connection: &mut SqliteConnection, path: &Path) -> Result<(), Error> {
    let (answer,): (String,) = sqlx::query_as("PRAGMA integrity_check(1)")
        .fetch_one(connection)
        .await
        .map_err(|error| failed("checking the database", path, error))?;
    if answer == "ok" {
        return Ok(());
    }
    Err(Error::Corrupt {
        place: path.display().to_string(),
        what: answer,
    })
}

fn put_in_place(fresh: &Path, dest: &Path) -> Result<(), Error> {
    let old: Vec<(PathBuf, PathBuf)> = ["", "-wal", "-shm"]
        .iter()
        .map(|suffix| {
            (
                beside(dest, suffix),
                beside(&beside(dest, ".before-restore"), suffix),
            )
        })
        .collect();
    for (from, to) in old {
        remove(&to)?;
        // The log goes with its database: it may hold commits that the main file does not have yet.
        if from.exists() {
            fs::rename(&from, &to).map_err(|error| io("moving away", &from, &error))?;
        }
    }
    for suffix in ["-wal", "-shm"] {
        remove(&beside(fresh, suffix))?;
    }
    fs::rename(fresh, dest).map_err(|error| io("naming", dest, &error))?;
    sync_folder(dest)
}
