//! What a shim is told when it is started.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::tree::is_id;

/// How to run one agent process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The shim's own directory: journal, socket, state. Made if missing; one shim in its life.
    pub dir: PathBuf,
    /// The id that marks every process of the run; unique on the machine. Letters, digits and
    /// `-_.`, at most 128.
    pub id: String,
    /// The program and its arguments. Arguments are visible to every user: no secrets here.
    pub command: Vec<OsString>,
    /// The agent's working directory; the caller's if none.
    pub cwd: Option<PathBuf>,
    /// Variables of the environment that the agent inherits through the shim.
    pub env: Vec<(OsString, OsString)>,
    /// Whether the caller's own environment is left out, so that `env` is all there is. False
    /// unless told; not an option of the command line, where the caller has decided already.
    pub clear_env: bool,
    /// How long a process has between SIGTERM and SIGKILL. 2 s unless told.
    pub grace: Duration,
    /// The journal's limit in bytes; acknowledged lines above it are deleted. At twice the limit
    /// without an acknowledgement the agent's output waits. 256 MiB unless told.
    pub journal_max: u64,
    /// How much of one line of output is kept, in bytes. 16 MiB unless told.
    pub line_max: usize,
    /// How long the shim stays after the exit record if nobody acknowledges it. The journal stays
    /// in any case, so this only costs the wish to read it by socket. 10 min unless told.
    pub ack_timeout: Duration,
    /// Whether to use a control group of its own where that is possible. True unless told.
    pub cgroup: bool,
}

/// The arguments do not make sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// An option the shim does not have.
    #[error(
        "unknown option {0}: the options are --dir --id --cwd --env --grace --journal-max --line-max --ack-timeout --no-cgroup, then -- and the command"
    )]
    Unknown(String),
    /// An option without its value, or with one that cannot be read.
    #[error("{option} needs {needs}")]
    Value {
        /// The option.
        option: &'static str,
        /// What it expects.
        needs: &'static str,
    },
}

impl Options {
    /// The usual options for this command.
    pub fn new(dir: impl Into<PathBuf>, id: impl Into<String>, command: Vec<OsString>) -> Self {
        Self {
            dir: dir.into(),
            id: id.into(),
            command,
            cwd: None,
            env: Vec::new(),
            clear_env: false,
            grace: Duration::from_secs(2),
            journal_max: 256 << 20,
            line_max: 16 << 20,
            ack_timeout: Duration::from_secs(600),
            cgroup: true,
        }
    }

    /// Reads `--dir D --id ID [--cwd C] [--env K=V…] [--grace MS] [--journal-max BYTES]
    /// [--line-max BYTES] [--ack-timeout S] [--no-cgroup] -- CMD ARGS…`.
    ///
    /// # Errors
    /// Something is missing, unknown or unreadable.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut args = args.into_iter();
        let mut options = Self::new("", "", Vec::new());
        while let Some(arg) = args.next() {
            match arg.to_str().unwrap_or_default() {
                "--dir" => options.dir = value(args.next(), "--dir", "a directory")?.into(),
                "--id" => options.id = text(args.next(), "--id", ID)?,
                "--cwd" => options.cwd = Some(value(args.next(), "--cwd", "a directory")?.into()),
                "--env" => options.env.push(pair(args.next())?),
                "--grace" => options.grace = Duration::from_millis(number(args.next(), "--grace")?),
                "--journal-max" => options.journal_max = number(args.next(), "--journal-max")?,
                "--line-max" => {
                    let bytes = number(args.next(), "--line-max")?;
                    options.line_max = usize::try_from(bytes).unwrap_or(usize::MAX);
                }
                "--ack-timeout" => {
                    options.ack_timeout =
                        Duration::from_secs(number(args.next(), "--ack-timeout")?);
                }
                "--no-cgroup" => options.cgroup = false,
                "--" => options.command = args.by_ref().collect(),
                _ => return Err(UsageError::Unknown(arg.to_string_lossy().into_owned())),
            }
        }
        if options.dir.as_os_str().is_empty() {
            return Err(UsageError::Value { option: "--dir", needs: "a directory" });
        }
        if !is_id(OsStr::new(&options.id)) {
            return Err(UsageError::Value { option: "--id", needs: ID });
        }
        if options.command.is_empty() {
            return Err(UsageError::Value { option: "--", needs: "a command" });
        }
        Ok(options)
    }

    /// The arguments that [`Options::parse`] reads; without `env`, because arguments are visible
    /// to every user of the machine.
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let mut add = |name: &str, value: OsString| args.extend([name.into(), value]);
        add("--dir", self.dir.clone().into());
        add("--id", self.id.clone().into());
        if let Some(cwd) = &self.cwd {
            add("--cwd", cwd.clone().into());
        }
        add("--grace", self.grace.as_millis().to_string().into());
        add("--journal-max", self.journal_max.to_string().into());
        add("--line-max", self.line_max.to_string().into());
        add("--ack-timeout", self.ack_timeout.as_secs().to_string().into());
        if !self.cgroup {
            args.push("--no-cgroup".into());
        }
        args.push("--".into());
        args.extend(self.command.iter().cloned());
        args
    }
}

const ID: &str = "an id of letters, digits and -_.";

fn value(
    arg: Option<OsString>,
    option: &'static str,
    needs: &'static str,
) -> Result<OsString, UsageError> {
    arg.filter(|arg| !arg.is_empty()).ok_or(UsageError::Value { option, needs })
}

fn text(
    arg: Option<OsString>,
    option: &'static str,
    needs: &'static str,
) -> Result<String, UsageError> {
    value(arg, option, needs)?.into_string().map_err(|_| UsageError::Value { option, needs })
}

fn number(arg: Option<OsString>, option: &'static str) -> Result<u64, UsageError> {
    let needs = "a whole number";
    text(arg, option, needs)?.parse().map_err(|_| UsageError::Value { option, needs })
}

fn pair(arg: Option<OsString>) -> Result<(OsString, OsString), UsageError> {
    let needs = "NAME=VALUE";
    let text = text(arg, "--env", needs)?;
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        Some(_) | None => Err(UsageError::Value { option: "--env", needs }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut options = Options::new("/d", "run_1", vec!["sh".into(), "--".into(), "-c".into()]);
        assert_eq!(Options::parse(options.to_args()), Ok(options.clone()));
        options.cwd = Some("/c".into());
        options.grace = Duration::from_millis(7);
        options.cgroup = false;
        options.line_max = 9;
        assert_eq!(Options::parse(options.to_args()), Ok(options));
    }

    #[test]
    fn mistakes_are_named() {
        let parse = |args: &str| Options::parse(args.split(' ').map(OsString::from)).unwrap_err();
        assert_eq!(parse("--dirr x"), UsageError::Unknown("--dirr".into()));
        assert!(parse("--dir d --id a/b -- sh").to_string().starts_with("--id needs"));
        assert!(
            parse("--dir d --id a --grace soon -- sh").to_string().starts_with("--grace needs")
        );
        assert!(parse("--dir d --id a --env X -- sh").to_string().starts_with("--env needs"));
        assert!(parse("--dir d --id a --").to_string().starts_with("-- needs"));
    }
}
