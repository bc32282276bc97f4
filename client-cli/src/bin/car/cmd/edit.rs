//! Texts from an editor, a file or standard input, and what becomes of them when somebody else
//! was quicker.

use std::{
    env, fs,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process,
};

use car_api::{Code, Problem};
use car_client::ClientError;
use clap::Args;

use crate::failure::Failure;

/// Where a new text comes from.
#[derive(Args)]
pub(crate) struct Source {
    /// Take the text from this file, `-` for standard input, instead of $EDITOR
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only if the present version has this tag (`etag` in --json)
    #[arg(long, value_name = "ETAG", conflicts_with = "force")]
    if_match: Option<String>,
    /// Whatever is there now
    #[arg(long)]
    force: bool,
}

/// A text that shall replace the one in the hub.
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) if_match: String,
    /// The editor's file, kept until the hub has taken the text.
    kept: Option<PathBuf>,
}

impl Source {
    /// The new text; nothing when the editor left the old one as it was.
    pub(crate) fn draft(self, name: &str, old: &str, etag: &str) -> Result<Option<Draft>, Failure> {
        let if_match = match (self.if_match, self.force) {
            (Some(tag), _) => tag,
            (None, true) => "*".to_owned(),
            (None, false) => etag.to_owned(),
        };
        if let Some(file) = self.file {
            return Ok(Some(Draft { text: read(&file)?, if_match, kept: None }));
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "there is no terminal for an editor; give the text with --file FILE or --file -"
                    .to_owned(),
            ));
        }
        let (text, path) = in_editor(name, old)?;
        if text == old {
            // Nothing to keep: the hub has this text.
            let _ = fs::remove_file(path);
            return Ok(None);
        }
        Ok(Some(Draft { text, if_match, kept: Some(path) }))
    }
}

impl Draft {
    /// The hub's answer to the draft. A text that was not taken is kept, and the failure says where;
    /// when somebody else was quicker, their text is shown.
    pub(crate) fn settle<T>(self, answer: Result<T, ClientError>) -> Result<T, Failure> {
        match (answer, self.kept) {
            (Ok(value), kept) => {
                if let Some(path) = kept {
                    let _ = fs::remove_file(path);
                }
                Ok(value)
            }
            (Err(ClientError::Problem(problem)), kept) => {
                if let Some(text) = conflict(&problem, &self.text) {
                    eprint!("{text}");
                }
                keep(kept);
                Err(ClientError::Problem(problem).into())
            }
            (Err(error), kept) => {
                keep(kept);
                Err(error.into())
            }
        }
    }
}

fn keep(path: Option<PathBuf>) {
    if let Some(path) = path {
        let shown = path.display();
        eprintln!(
            "Your text is kept: {shown}\nTo put it in all the same: --force --file '{shown}'"
        );
    }
}

/// Both versions, when the text changed under the editor.
fn conflict(problem: &Problem, mine: &str) -> Option<String> {
    let current = problem.current.as_ref().filter(|_| problem.code == Code::Stale)?;
    let whole =
        |text: &str| if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    Some(format!(
        "----- in the hub now (etag {}) -----\n{}----- yours -----\n{}-----\n",
        current.etag,
        whole(&current.content),
        whole(mine)
    ))
}

/// A file's text, or standard input's for `-`.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    if path != Path::new("-") {
        return fs::read_to_string(path)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())).into());
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// The text as the editor left it, and the file it is in.
pub(crate) fn in_editor(name: &str, old: &str) -> Result<(String, PathBuf), Failure> {
    let mut file =
        tempfile::Builder::new().prefix("car-").suffix(&format!("-{name}")).tempfile()?;
    file.write_all(old.as_bytes())?;
    let (_, path) = file.keep().map_err(|e| e.error)?;
    let set = |name| env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    // The variable may hold words of its own, such as `code --wait`.
    let status = process::Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(&path)
        .status()?;
    if !status.success() {
        return Err(Failure::Usage(format!(
            "the editor `{editor}` ended with {status}; nothing was changed ({})",
            path.display()
        )));
    }
    Ok((fs::read_to_string(&path)?, path))
}

#[cfg(test)]
mod tests {
    use car_api::problem::Versioned;

    use super::*;

    #[test]
    fn a_conflict_shows_both_texts_and_keeps_mine() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.md");
        fs::write(&path, "mine").unwrap();
        let mut problem = Problem::new(Code::Stale, "It changed.");
        let current = Versioned { content: "theirs\n".to_owned(), etag: "\"2\"".to_owned() };
        problem.current = Some(current);
        assert_eq!(
            conflict(&problem, "mine").unwrap(),
            "----- in the hub now (etag \"2\") -----\ntheirs\n----- yours -----\nmine\n-----\n"
        );
        let draft = |kept| Draft { text: "mine".to_owned(), if_match: "1".to_owned(), kept };
        let failure = draft(Some(path.clone())).settle::<()>(Err(problem.into())).unwrap_err();
        assert_eq!(failure.status(), 5);
        assert!(path.is_file());
        draft(Some(path.clone())).settle(Ok(())).unwrap();
        assert!(!path.exists());
    }
}
