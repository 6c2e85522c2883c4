//! Where things are written: nothing that is there is written over, unless somebody says so, and nobody else may read it.

use super::InitArgs;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Where secrets are.
pub(super) struct Secrets {
    /// The file of that which the forge sends; none where it stands in the configuration.
    pub(super) file: Option<PathBuf>,
    /// A new one, where there is none yet.
    pub(super) new: String,
    /// The file of that which the tool expects.
    pub(super) token_file: Option<PathBuf>,
}

impl Secrets {
    pub(super) fn of(args: &InitArgs) -> Self {
        let beside = || (!args.stdout).then(|| args.file.with_extension("secret"));
        let file = args.secret_file.clone().or_else(beside);
        // Whoever starts hookglot may do so from another folder.
        let whole = |file: PathBuf| std::path::absolute(&file).unwrap_or(file);
        Self { file: file.map(whole), new: secret(), token_file: args.token_file.clone().map(whole) }
    }
}

/// Forty characters that nobody guesses.
fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).chars().take(40).collect()
}

/// Looks, before anything is asked, whether the file may be written.
pub(super) fn check_free(args: &InitArgs) -> Result<(), String> {
    let is_there = !args.stdout && !args.force && args.file.symlink_metadata().is_ok();
    if is_there { Err(taken(&args.file)) } else { Ok(()) }
}

fn taken(file: &Path) -> String {
    format!("{}: there is such a file: --force writes over it", file.display())
}

/// Writes everything; says what was made, a line each.
pub(super) fn write(args: &InitArgs, secrets: &Secrets, text: &str) -> Result<Vec<String>, String> {
    check_free(args)?;
    let mut made = Vec::new();
    if let Some(file) = &secrets.file {
        made.push(keep(file, &secrets.new, "the secret that the forge sends")?);
    }
    if let Some(file) = &secrets.token_file {
        made.push(keep(file, &secret(), "the secret that the tool expects")?);
    }
    if args.force {
        replace(&args.file, text)?;
    } else {
        create(&args.file, text).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => taken(&args.file),
            _ => wrong(&args.file, &error),
        })?;
    }
    made.push(format!("{}: the configuration", args.file.display()));
    Ok(made)
}

/// Puts a new secret into a file; one that is there stays.
fn keep(file: &Path, secret: &str, what: &str) -> Result<String, String> {
    match create(file, &format!("{secret}\n")) {
        Ok(()) => Ok(format!("{}: {what}, a new one", file.display())),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok(format!("{}: {what}, as it was there", file.display()))
        }
        Err(error) => Err(wrong(file, &error)),
    }
}

fn create(file: &Path, text: &str) -> std::io::Result<()> {
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    open_to_service(file, &new)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()
}

/// What root writes into a folder that is open to one group and closed to others, as /etc/hookglot of the Debian package is, that
/// group may read: the user that hookglot runs as is in it.
fn open_to_service(file: &Path, new: &File) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folder, own) = (std::fs::metadata(folder)?, new.metadata()?);
    if own.uid() == 0 && folder.gid() != 0 && folder.mode() & 0o057 == 0o050 {
        fchown(new, None, Some(folder.gid()))?;
        new.set_permissions(Permissions::from_mode(0o640))?;
    }
    Ok(())
}

/// Puts a file in the place of another, whole or not at all, and with a mode of its own.
fn replace(file: &Path, text: &str) -> Result<(), String> {
    let mut new = file.as_os_str().to_owned();
    new.push(format!(".{}", Uuid::new_v4().simple()));
    let new = PathBuf::from(new);
    create(&new, text).and_then(|()| std::fs::rename(&new, file)).map_err(|error| {
        // What is not in force yet is in nobody's way but ours.
        let _ = std::fs::remove_file(&new);
        wrong(file, &error)
    })
}

fn wrong(file: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", file.display())
}
