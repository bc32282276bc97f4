//! `car-hub init`

use std::{fs, path::Path, process::ExitCode};

use crate::{program::Error, root};

/// Makes a directory a hub's root and says what is next.
pub(crate) fn run(dir: &Path) -> Result<ExitCode, Error> {
    let made = make(dir)?;
    let root = root::absolute(dir)?;
    if made {
        println!("A hub's root is at {}.", root.display());
    } else {
        println!("{} is a hub's root already; nothing was changed.", root.display());
    }
    println!("Start it with: car-hub serve --root '{}'", root.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes the root if there is none; says whether anything was made.
pub(crate) fn make(dir: &Path) -> Result<bool, Error> {
    let failed = |error| Error::file(format!("{} cannot be made", dir.display()), error);
    fs::create_dir_all(dir).map_err(failed)?;
    let made = car_files::hub_root::init(dir)
        .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    Ok(!made.is_empty())
}
