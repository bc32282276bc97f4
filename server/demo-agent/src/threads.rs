//! Threads on disk, so that one can be taken up again after its process was killed: one file a
//! thread, one line a fact, locked by the process that has it open.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Tokens used in a thread so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) out: u64,
    pub(crate) reasoning: u64,
}

/// One line of a thread's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fact {
    Thread { cwd: String },
    Started { turn: String, at: u64 },
    Ended { turn: String, status: String, message: Option<String>, total: Tokens },
}

/// A turn as the thread's history has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastTurn {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) message: Option<String>,
}

/// A thread this process has open.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) id: String,
    pub(crate) cwd: PathBuf,
    pub(crate) past: Vec<PastTurn>,
    pub(crate) total: Tokens,
    /// None until the first turn: a thread without a turn leaves nothing behind.
    file: Option<File>,
}

/// The directory threads and attempts are kept in: outside every working tree, because a tree with
/// stray files counts as dirty.
pub(crate) fn home() -> PathBuf {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    var("DEMO_AGENT_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(var("XDG_STATE_HOME")?).join("car-demo-agent")))
        .or_else(|| Some(PathBuf::from(var("HOME")?).join(".local/state/car-demo-agent")))
        .unwrap_or_else(|| std::env::temp_dir().join("car-demo-agent"))
}

/// How often the ticket was begun, this time included.
pub(crate) fn attempt(home: &Path, ticket: &Path) -> std::io::Result<u32> {
    let dir = home.join("attempts");
    std::fs::create_dir_all(&dir)?;
    let mut file =
        OpenOptions::new().create(true).append(true).open(dir.join(file_name(ticket)))?;
    file.write_all(b".")?;
    Ok(u32::try_from(file.metadata()?.len()).unwrap_or(u32::MAX))
}

/// Ids of the threads that are kept.
pub(crate) fn kept(home: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(home.join("threads")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned)).collect()
}

impl Thread {
    /// A new thread.
    pub(crate) fn start(cwd: PathBuf) -> Self {
        let id = crate::wire::new_id();
        Self { id, cwd, past: Vec::new(), total: Tokens::default(), file: None }
    }

    /// An earlier thread. A turn that has no end was interrupted.
    ///
    /// # Errors
    /// There is no such thread, or another process has it open; in Codex's words.
    pub(crate) fn resume(home: &Path, id: &str) -> Result<Self, String> {
        let lost = || format!("no rollout found for thread id {id}");
        let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let path = plain.then(|| path(home, id)).ok_or_else(lost)?;
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(|_| lost())?;
        file.try_lock().map_err(|_| format!("thread {id} already has an active writer"))?;
        let mut thread = Self { file: None, id: id.to_owned(), ..Self::start(PathBuf::new()) };
        for line in BufReader::new(&file).lines().map_while(Result::ok) {
            // The last line may be cut short by the end of the process that wrote it.
            if let Ok(fact) = serde_json::from_str(&line) {
                thread.learn(fact);
            }
        }
        for turn in &mut thread.past {
            if turn.status == "inProgress" {
                "interrupted".clone_into(&mut turn.status);
            }
        }
        thread.file = Some(file);
        Ok(thread)
    }

    /// A new thread that begins with what was said in another one.
    ///
    /// # Errors
    /// There is no such thread; in Codex's words.
    pub(crate) fn fork(home: &Path, id: &str) -> Result<Self, String> {
        let lost = || format!("no rollout found for thread id {id}");
        let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let from = plain.then(|| path(home, id)).ok_or_else(lost)?;
        let text = std::fs::read_to_string(from).map_err(|_| lost())?;
        let mut thread = Self::start(PathBuf::new());
        let told = |error: std::io::Error| error.to_string();
        let file = OpenOptions::new().create(true).append(true).open(path(home, &thread.id));
        let file = file.map_err(told)?;
        file.try_lock().map_err(|error| error.to_string())?;
        thread.file = Some(file);
        for line in text.lines() {
            if let Ok(fact) = serde_json::from_str(line) {
                thread.note(fact).map_err(told)?;
            }
        }
        Ok(thread)
    }

    /// Notes that a turn began.
    pub(crate) fn begin(&mut self, home: &Path, turn: &str) -> std::io::Result<()> {
        if self.file.is_none() {
            std::fs::create_dir_all(home.join("threads"))?;
            let file = OpenOptions::new().create(true).append(true).open(path(home, &self.id))?;
            file.try_lock()?;
            self.file = Some(file);
            self.note(Fact::Thread { cwd: self.cwd.display().to_string() })?;
        }
        self.note(Fact::Started { turn: turn.to_owned(), at: crate::wire::now_millis() })
    }

    /// Notes that a turn ended.
    pub(crate) fn end(&mut self, turn: PastTurn, total: Tokens) -> std::io::Result<()> {
        let PastTurn { id, status, message } = turn;
        self.note(Fact::Ended { turn: id, status, message, total })
    }

    fn note(&mut self, fact: Fact) -> std::io::Result<()> {
        if let Some(file) = &mut self.file {
            // After a line that was cut short, a new one begins.
            let line = serde_json::to_string(&fact)?;
            file.write_all(format!("\n{line}\n").as_bytes())?;
        }
        self.learn(fact);
        Ok(())
    }

    fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Thread { cwd } => self.cwd = PathBuf::from(cwd),
            Fact::Started { turn, .. } => self.past.push(PastTurn {
                id: turn,
                status: "inProgress".to_owned(),
                message: None,
            }),
            Fact::Ended { turn, status, message, total } => {
                self.total = total;
                if let Some(past) = self.past.iter_mut().rev().find(|past| past.id == turn) {
                    past.status = status;
                    past.message = message;
                }
            }
        }
    }
}

fn path(home: &Path, id: &str) -> PathBuf {
    home.join("threads").join(format!("{id}.jsonl"))
}

/// A file name that stands for a path (FNV-1a), with a readable end.
fn file_name(path: &Path) -> String {
    let text = path.to_string_lossy();
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let readable: String =
        crate::ticket::stem(&text).chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    format!("{hash:016x}-{readable}")
}
