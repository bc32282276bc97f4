//! The database anew, from the files it is an index of. Tokens, the log and what was kept of removed
//! trees are not in those files and do not come back.

mod threads;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use car_api::{
    AgentId, RepoId, RunId, SessionId, TicketId, Timestamp, TurnId,
    item::Usage,
    run::{FailureCode, Finished, RunOptions, RunState},
    turn::{Turn, TurnPurpose, TurnStatus},
    verify::Evidence,
};
use car_engine::{flow::Flow, ticket::effective_id};
use car_files::{
    CAR_DIR,
    hub_root::{self, HubLock},
    run_dir::{self, PROMPTS, RunDir, SESSIONS},
};
use car_store::{Errand, RunRow, SessionRow, Store, VerdictRow, Write};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, car_history, clock, hub::blocking, orphan};

/// Largest `run.json` that is read.
const RUN_MAX: u64 = 64 << 20;

/// What `run.json` says: enough to list the run and its turns without a database.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sealed {
    pub(crate) version: u32,
    pub(crate) id: RunId,
    pub(crate) repo: RepoId,
    pub(crate) state: RunState,
    pub(crate) finished: Finished,
    pub(crate) turns: u32,
    pub(crate) usage: Usage,
    pub(crate) base_commit: Option<String>,
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) sealed_at: Timestamp,
    /// Every turn; files of version 1 have none.
    #[serde(default)]
    pub(crate) turn_list: Vec<Turn>,
}

/// What was found in the files.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Reindexed {
    /// Runs that are listed again.
    pub runs: u64,
    /// Those among them that were at work; they have ended.
    pub unfinished: u64,
    /// Turns.
    pub turns: u64,
    /// Verdicts on tickets.
    pub verdicts: u64,
    /// Threads that are listed again.
    pub threads: u64,
    /// Their messages.
    pub messages: u64,
    /// Threads whose answer was under way; it is interrupted and can be gone on with.
    pub cut_off: u64,
    /// What could not be read, and why.
    pub problems: Vec<String>,
    /// Where the old database is, if there was one.
    pub aside: Option<PathBuf>,
}

/// Makes the database of a hub that is not served anew. An old one is put aside, not removed.
///
/// # Errors
/// The hub is served, the manifest cannot be read, or the disk does not take it.
pub async fn reindex(root: &Path) -> Result<Reindexed> {
    let dir = root.to_owned();
    let _lock = blocking(move || Ok(HubLock::acquire(&dir, clock::now())?)).await?;
    let (manifest, _) = hub_root::load_manifest(root)?;
    let hub = root.join(CAR_DIR);
    // Under another name until it is whole: a crash leaves the old one, or none, in its place.
    let fresh = hub.join("tmp").join(format!("reindex-{}", clock::now().micros()));
    fs::create_dir_all(&fresh).map_err(|error| failed(&fresh, error))?;
    let database = fresh.join("hub.sqlite3");
    let mut found = Reindexed::default();
    let store = Store::open(&database).await?;
    for repo in manifest.repos() {
        let Ok(id) = repo.id.parse::<RepoId>() else { continue };
        let tree = root.join(&repo.path);
        if let Err(error) = tree_runs(&store, &id, &tree, &mut found).await {
            found.problems.push(format!("{id}: {error}"));
        }
        match car_history::take_up(&store, &id, &tree, &fresh).await {
            Ok(rows) => found.runs += rows.len() as u64,
            Err(error) => found.problems.push(format!("{id}: runs of CAR: {error}")),
        }
    }
    threads::all(&store, root, &mut found).await?;
    store.commit(vec![Write::Fact { name: "epoch", value: crate::text::random(4)? }]).await?;
    store.close().await;
    found.aside = put_aside(&hub)?;
    let dest = hub.join("hub.sqlite3");
    fs::rename(&database, &dest).map_err(|error| failed(&dest, error))?;
    let _ = fs::remove_dir_all(&fresh);
    Ok(found)
}

/// The old database and what belongs to it, out of the way.
fn put_aside(hub: &Path) -> Result<Option<PathBuf>> {
    let aside = hub.join(format!("hub.sqlite3.before-{}", clock::now().micros()));
    for end in ["-wal", "-shm", ""] {
        let (from, to) = (with_end(&hub.join("hub.sqlite3"), end), with_end(&aside, end));
        match fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&from, error)),
        }
    }
    Ok(aside.exists().then_some(aside))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

async fn tree_runs(store: &Store, repo: &RepoId, tree: &Path, found: &mut Reindexed) -> Result<()> {
    let names = match run_dir::list(tree) {
        Ok(names) => names,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut verdicts: BTreeMap<TicketId, VerdictRow> = BTreeMap::new();
    for name in names {
        // Directories of CAR's own runs have other names.
        let Some(id) = name.to_str().and_then(|name| name.parse::<RunId>().ok()) else { continue };
        let read = RunDir::open(tree, id.as_str());
        let read = read.map_err(Error::from).and_then(|dir| read_run(&dir, repo, &id, tree));
        let (row, turns, evidence) = match read {
            Ok(read) => read,
            Err(error) => {
                found.problems.push(format!("{repo} {id}: {error}"));
                continue;
            }
        };
        let sessions = sessions_below(&tree.join(CAR_DIR).join("runs").join(id.as_str()));
        if matches!(row.flow.state, RunState::Failed { code: FailureCode::DatabaseLost, .. }) {
            found.unfinished += 1;
            for session in &sessions {
                // No run owns them any more.
                orphan::end(&session.dir).await;
            }
        }
        found.runs += 1;
        found.turns += turns.len() as u64;
        for one in evidence {
            let at = one.ended_at;
            let ticket = one.ticket.clone();
            let verdict = VerdictRow {
                repo: repo.clone(),
                ticket: one.ticket,
                verdict: one.verdict,
                run: id.clone(),
                tree: one.tree,
                at,
            };
            if verdicts.get(&ticket).is_none_or(|known| known.at < at) {
                verdicts.insert(ticket, verdict);
            }
        }
        let mut writes = vec![Write::RunCreate(Box::new(row))];
        if let Some(last) = turns.last() {
            let session = |session| ended(session, Errand::Run(id.clone()), &last.agent);
            writes.extend(sessions.into_iter().map(session));
        }
        writes.extend(turns.into_iter().map(|turn| Write::Turn(Box::new(turn), None)));
        store.commit(writes).await?;
    }
    found.verdicts += verdicts.len() as u64;
    store.commit(verdicts.into_values().map(Write::Verdict).collect()).await?;
    Ok(())
}

fn read_run(
    dir: &RunDir,
    repo: &RepoId,
    id: &RunId,
    tree: &Path,
) -> Result<(RunRow, Vec<Turn>, Vec<Evidence>)> {
    let sealed = match dir.dir().read(run_dir::RUN_FILE.as_ref(), RUN_MAX) {
        Ok(content) => Some(
            serde_json::from_slice::<Sealed>(&content.bytes)
                .map_err(|error| Error::bad_request(format!("{}: {error}", run_dir::RUN_FILE)))?,
        ),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error.into()),
    };
    let mut evidence = Vec::new();
    for number in dir.evidence()? {
        // One that is broken says nothing; the others do.
        if let Ok(one) = serde_json::from_slice(&dir.read_evidence(number)?) {
            evidence.push(one);
        }
    }
    let created_at = sealed.as_ref().map_or_else(|| made_at(id.as_str()), |run| run.created_at);
    let turns = match &sealed {
        Some(run) if !run.turn_list.is_empty() => run.turn_list.clone(),
        Some(_) | None => turns_of_prompts(dir, id, tree)?,
    };
    let mut flow = Flow::new(RunOptions::default(), Vec::new());
    flow.spent.turns = u32::try_from(turns.len()).unwrap_or(u32::MAX);
    let ended_at = match &sealed {
        Some(run) => {
            flow.state = run.state.clone();
            flow.finished = run.finished;
            flow.spent.usage = run.usage;
            let priced = turns.iter().filter_map(|turn| Some((turn.usage.total(), turn.cost?)));
            for (tokens, cost) in priced {
                flow.spent.cost = flow.spent.cost.plus(cost);
                flow.spent.priced_tokens = flow.spent.priced_tokens.saturating_add(tokens);
            }
            flow.spent.turns = run.turns;
            run.ended_at.or(Some(run.sealed_at))
        }
        None => {
            let message =
                "The hub's database was lost while it was at work. Its queue's files say \
                           what is left: start a new run."
                    .to_owned();
            flow.state = RunState::Failed { code: FailureCode::DatabaseLost, message };
            turns.last().and_then(|turn| turn.ended_at).or(Some(created_at))
        }
    };
    if !flow.state.status().is_end() {
        return Err(Error::bad_request("`run.json` says it has not ended."));
    }
    let row = RunRow {
        id: id.clone(),
        repo: repo.clone(),
        flow,
        base_commit: sealed.as_ref().and_then(|run| run.base_commit.clone()),
        created_at,
        queued_at: created_at,
        started_at: sealed.as_ref().and_then(|run| run.started_at).or(Some(created_at)),
        ended_at,
    };
    Ok((row, turns, evidence))
}

/// The turns of a run nobody has sealed: each left the prompt it was asked with, which names the
/// ticket.
fn turns_of_prompts(dir: &RunDir, run: &RunId, tree: &Path) -> Result<Vec<Turn>> {
    let prompts = match dir.dir().open_beneath(Path::new(PROMPTS)) {
        Ok(prompts) => prompts.names()?,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut turns = Vec::new();
    // Ids are in the order of time.
    for name in prompts {
        let Some(name) = name.to_str() else { continue };
        let Some(id) = name.strip_suffix(".md").and_then(|id| id.parse::<TurnId>().ok()) else {
            continue;
        };
        let Some(ticket) = ticket_in(&dir.kept_prompt(name)?, tree) else { continue };
        let started_at = made_at(id.as_str());
        turns.push(Turn {
            id,
            run: run.clone(),
            number: u32::try_from(turns.len() + 1).unwrap_or(u32::MAX),
            ticket: ticket.id,
            ticket_file: ticket.file,
            agent: ticket.agent,
            model: None,
            purpose: TurnPurpose::Work,
            status: TurnStatus::Interrupted,
            session: None,
            thread: None,
            prompt_hash: None,
            started_at,
            ended_at: Some(started_at),
            usage: Usage::default(),
            cost: None,
            message: None,
            error: None,
            diff: None,
        });
    }
    Ok(turns)
}

struct Named {
    id: TicketId,
    file: String,
    agent: AgentId,
}

/// The ticket a prompt is about: the first file of a queue it names.
fn ticket_in(prompt: &str, tree: &Path) -> Option<Named> {
    let start = prompt.find("TICKET-")?;
    let name =
        prompt.get(start..)?.split(|c: char| c.is_whitespace() || "`'\"<>()".contains(c)).next()?;
    let file = name.get(..name.find(".md")? + 3)?.to_owned();
    let agents = car_engine::ticket::KnownAgents::new(std::iter::empty::<String>());
    let read = car_files::tickets::read(tree, file.as_ref(), &agents).ok();
    let loaded = read.as_ref().and_then(|read| read.content.as_ref().ok());
    let outline = loaded.map(|loaded| &loaded.parsed.outline);
    let own = outline.and_then(|outline| outline.ticket_id.as_deref());
    let path = format!("{CAR_DIR}/tickets/{file}");
    let assignee = outline.and_then(|outline| outline.assignee.as_ref());
    let agent = assignee.and_then(|assignee| assignee.as_str().parse().ok());
    Some(Named {
        id: effective_id(own, &path).parse().ok()?,
        file,
        agent: agent.or_else(|| "unknown".parse().ok())?,
    })
}

/// When an id was made: its first 48 bits are milliseconds since 1970 (RFC 9562, version 7).
fn made_at(id: &str) -> Timestamp {
    let hex = id.split_once('_').map_or("", |(_, rest)| rest).get(..12).unwrap_or_default();
    Timestamp::from_micros(i64::from_str_radix(hex, 16).unwrap_or(0).saturating_mul(1000))
}

/// A directory an agent's process has worked in.
struct SessionDir {
    dir: PathBuf,
    started_at: Timestamp,
    /// When its journal was last written.
    ended_at: Timestamp,
}

/// Those of a run or thread, whose directory this is.
fn sessions_below(owner: &Path) -> Vec<SessionDir> {
    let entries = fs::read_dir(owner.join(SESSIONS)).into_iter().flatten().flatten();
    let session = |entry: fs::DirEntry| {
        let started_at = Timestamp::from_micros(entry.file_name().to_str()?.parse().ok()?);
        let written = fs::metadata(entry.path().join("journal.jsonl")).and_then(|m| m.modified());
        let since = written.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let micros = since.and_then(|since| i64::try_from(since.as_micros()).ok());
        let written = micros.map_or(started_at, Timestamp::from_micros);
        Some(SessionDir { dir: entry.path(), started_at, ended_at: written.max(started_at) })
    };
    entries.filter_map(session).collect()
}

/// What the database knows of a session nobody has open, so that its journal goes in its time.
fn ended(session: SessionDir, errand: Errand, agent: &AgentId) -> Write {
    Write::Session(SessionRow {
        id: SessionId::generate(),
        errand,
        agent: agent.clone(),
        dir: session.dir.to_string_lossy().into_owned(),
        line: 0,
        driver: None,
        started_at: session.started_at,
        ended_at: Some(session.ended_at),
    })
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::new(car_api::Code::Storage, format!("{}: {error}", path.display())).with_source(error)
}
