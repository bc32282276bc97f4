//! What the machine has to offer, and what is at work on it.

use std::{fs, path::Path};

use car_api::{
    agent::{Agent, Availability},
    doctor::Finding,
};
use car_files::{CAR_DIR, space as disk};
use car_shim::Status;

use super::is_idle;

/// Less free space than this is worth a word, in bytes.
const LITTLE: u64 = 2 << 30;
/// With less than this nothing works for long.
const NONE: u64 = 100 << 20;

pub(super) async fn git() -> Finding {
    match car_git::version().await {
        Ok(version) => Finding::ok("git", version),
        Err(error) => Finding::error("git", error.to_string(), "Nothing works without git.")
            .fix("install git"),
    }
}

pub(super) fn space(root: &Path) -> Finding {
    let free = match disk::free(root) {
        Ok(free) => free,
        Err(error) => return Finding::error("disk", error.to_string(), "Nothing can be written."),
    };
    let detail = format!("{} MiB free at {}", free >> 20, root.display());
    let fix = format!(
        "free some space; `du -sh '{}'/{CAR_DIR}/*` shows what the hub keeps",
        root.display()
    );
    match free {
        free if free < NONE => {
            Finding::error("disk", detail, "Runs pause when the disk is full.").fix(fix)
        }
        free if free < LITTLE => {
            Finding::warning("disk", detail, "Runs pause when the disk is full.").fix(fix)
        }
        _ => Finding::ok("disk", detail),
    }
}

/// A clock that went back makes what is newest look as if it were to come.
pub(super) async fn clock(root: &Path) -> Finding {
    let now = crate::clock::now();
    let file = root.join(CAR_DIR).join("hub.sqlite3");
    let newest = car_store::last_event_at(&file).await.ok().flatten();
    match newest {
        Some(newest) if newest.millis_since(now) > 5 * 60 * 1000 => Finding::warning(
            "clock",
            format!("it is {now}, and the newest event is of {newest}"),
            "Pauses, quotas and tokens end at the wrong time.",
        )
        .fix("set the clock (timedatectl set-ntp true)"),
        Some(_) | None => Finding::ok("clock", now.to_string()),
    }
}

/// Each tree takes some watches of the kernel's; where they end, changes are not seen.
pub(super) fn watches(trees: usize) -> Option<Finding> {
    let limit = |name: &str| {
        let path = Path::new("/proc/sys/fs/inotify").join(name);
        fs::read_to_string(path).ok()?.trim().parse::<usize>().ok()
    };
    let (watches, needed) = (limit("max_user_watches")?, trees * 16 + 256);
    let instances = limit("max_user_instances")?;
    let detail = format!("{watches} watches, {instances} instances; about {needed} watches wanted");
    if watches >= needed && instances >= 16 {
        return Some(Finding::ok("inotify", detail));
    }
    let why = "Edits of tickets are not noticed at once.";
    Some(Finding::warning("inotify", detail, why).fix(format!(
        "sysctl fs.inotify.max_user_watches={} fs.inotify.max_user_instances=512",
        needed.next_power_of_two().max(65536)
    )))
}

/// A directory of a shim that lives, and whether a run owns it.
pub(super) struct Lives {
    pub(super) dir: std::path::PathBuf,
    pub(super) owned: bool,
}

/// Shims that are alive, of runs in the hub's trees and of threads. Where the database cannot be
/// asked, nobody knows that one is lost.
pub(super) async fn alive(root: &Path) -> Vec<Lives> {
    let own = root.join(CAR_DIR);
    let open = car_store::open_session_dirs(&own.join("hub.sqlite3")).await.ok();
    let trees = super::trees::paths(root);
    let runs = trees.iter().flat_map(|tree| children(&tree.join(CAR_DIR).join("runs")));
    let all = runs.chain(children(&own.join("threads")));
    all.flat_map(|one| children(&one.join("sessions")))
        .filter(|dir| matches!(car_shim::status(dir), Ok(Status::Alive(_))))
        .map(|dir| {
            let known = |open: &Vec<String>| open.iter().any(|known| Path::new(known) == dir);
            let owned = open.as_ref().is_none_or(known);
            Lives { dir, owned }
        })
        .collect()
}

fn children(dir: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

pub(super) async fn sessions(root: &Path) -> Vec<Finding> {
    let lives = alive(root).await;
    let (owned, lost): (Vec<_>, Vec<_>) = lives.into_iter().partition(|one| one.owned);
    let mut findings = Vec::new();
    if owned.is_empty() || !is_idle(root) {
        findings.push(Finding::ok("agents at work", owned.len().to_string()));
    } else {
        let detail = format!("{} under their shims, and no hub is served", owned.len());
        let why = "They go on, and nobody reads what they say.";
        findings.push(Finding::warning("agents at work", detail, why).fix("start the hub"));
    }
    findings.extend(lost.iter().map(|one| {
        let detail = format!("an agent of no run and no thread is alive: {}", one.dir.display());
        Finding::warning("orphans", detail, "It works, and nobody knows of it.")
            .fix("stop the hub, then car-hub doctor --fix")
    }));
    findings
}

/// An agent that is missing is no failure: another one may do.
pub(super) fn agent(agent: &Agent) -> Finding {
    let check = format!("agent {}", agent.id);
    if agent.availability == Availability::Ready {
        let version = agent.version.as_deref().unwrap_or("a version it does not say");
        return Finding::ok(check, format!("ready, {version}"));
    }
    let found = Finding::warning(check, agent.availability.as_str(), "No ticket can name it.");
    match &agent.hint {
        Some(hint) => found.fix(hint.clone()),
        None => found,
    }
}
