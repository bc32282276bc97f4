//! Which files of `web/` are sent, and as what. Shared with the build script.

use std::{fs, io, path::Path};

/// The type of a file by the end of its name; what is not here is not sent.
pub(crate) fn kind(name: &str) -> Option<&'static str> {
    if name.ends_with(".d.ts") {
        return None;
    }
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

/// Directories that hold nothing for a browser.
const LEFT_OUT: [&str; 3] = ["test", "pictures", "node_modules"];

/// Tells of every file below `root` that is sent, by its path with `/`.
pub(crate) fn walk(root: &Path, found: &mut impl FnMut(String, &fs::Metadata)) -> io::Result<()> {
    below(root, "", found)
}

fn below(
    dir: &Path,
    prefix: &str,
    found: &mut impl FnMut(String, &fs::Metadata),
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let meta = entry.metadata()?;
        if meta.is_dir() && !name.starts_with('.') && !LEFT_OUT.contains(&name.as_str()) {
            below(&entry.path(), &format!("{prefix}{name}/"), found)?;
        } else if meta.is_file() && kind(&name).is_some() {
            found(format!("{prefix}{name}"), &meta);
        }
    }
    Ok(())
}
