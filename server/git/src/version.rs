//! Which git is used.

use std::path::Path;

use crate::{Git, GitError};

/// What git says of its version.
///
/// # Errors
/// [`GitError::NoGit`] when there is none.
pub async fn version() -> Result<String, GitError> {
    let output = Git::at(Path::new("/")).read(["--version"]).outside().run().await?;
    Ok(output.text().trim().to_owned())
}
