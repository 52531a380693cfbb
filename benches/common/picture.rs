//! Where a picture of the README is drawn.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// A file that has been found to be writable, before anything is measured.
pub struct Picture {
    path: PathBuf,
}

impl Picture {
    /// Opens `docs/NAME`, or the file that `--picture FILE` names. A relative path begins at the
    /// root of the repository, wherever cargo keeps its target directory.
    pub fn open(name: &str) -> Result<Self, Box<dyn Error>> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().unwrap_or(&package);
        let mut args = std::env::args_os().skip_while(|arg| arg != "--picture");
        let path = match (args.next(), args.next()) {
            (None, _) => root.join("docs").join(name),
            (Some(_), Some(file)) => root.join(file),
            (Some(_), None) => return Err("`--picture` needs the name of a file".into()),
        };
        let open = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        open.map_err(|error| refusal(&path, &error))?;
        Ok(Picture { path })
    }

    /// Writes the picture and prints where it is.
    pub fn write(&self, svg: &str) -> Result<(), Box<dyn Error>> {
        fs::write(&self.path, svg).map_err(|error| refusal(&self.path, &error))?;
        println!("\nThe picture is in {}.", self.path.display());
        Ok(())
    }
}

fn refusal(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    format!("cannot write {path}: {error} (name another file with `-- --picture FILE`)")
}

/// Prints an error as text, and not as `main` would print it. Returns the exit code.
pub fn report(result: Result<(), Box<dyn Error>>) -> std::process::ExitCode {
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
