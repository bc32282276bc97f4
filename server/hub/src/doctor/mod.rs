//! What could keep a hub from working, found in its files: whether it is served or not.

mod machine;
mod mend;
mod trees;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use car_api::{
    PageQuery,
    doctor::{DoctorReport, Finding},
};
use car_engine::ticket::KnownAgents;
use car_files::{CAR_DIR, hub_root};

use crate::{
    Hub, Result,
    backup::{self, BackupConfig},
    clock,
};

pub use mend::mend;

/// A backup that is older than this is too old, in ms.
const STALE_MS: i64 = 48 * 3600 * 1000;

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Place {
    /// The hub's root.
    pub root: PathBuf,
    /// Where its backups are.
    pub backup: BackupConfig,
    /// The agents a ticket may name.
    pub agents: KnownAgents,
}

/// Looks at everything but agents and addresses, which the program that asks knows better. Changes
/// nothing.
pub async fn look(place: &Place) -> Vec<Finding> {
    let mut findings = vec![machine::git().await];
    findings.extend(root(&place.root));
    findings.push(machine::space(&place.root));
    findings.push(database(&place.root).await);
    findings.extend(restore(&place.root).await);
    findings.push(backups(&place.backup));
    findings.push(machine::clock(&place.root).await);
    findings.extend(trees::look(place).await);
    findings.extend(machine::watches(trees::count(&place.root)));
    findings.extend(machine::sessions(&place.root).await);
    findings
}

fn root(root: &Path) -> Vec<Finding> {
    let hub = root.join(CAR_DIR);
    let probe = hub.join(format!(".doctor-{}", std::process::id()));
    let tried = fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe));
    let written = match tried {
        Ok(()) => Finding::ok("root", format!("{} can be written", hub.display())),
        Err(error) => Finding::error(
            "root",
            format!("{} cannot be written: {error}", hub.display()),
            "Nothing can be kept.",
        )
        .fix(format!("ls -ld '{}'; give it to the user the hub runs as", hub.display())),
    };
    let mut findings = vec![written];
    for path in private(&hub) {
        let detail = format!("{} can be read by others", path.display());
        let why = "It holds what agents said and what lets clients in.";
        findings.push(Finding::warning("permissions", detail, why).fix("car-hub doctor --fix"));
    }
    findings
}

/// Files of the hub that only its owner should read, and others can.
fn private(hub: &Path) -> Vec<PathBuf> {
    let names =
        ["hub.sqlite3", "hub.sqlite3-wal", "hub.sqlite3-shm", "backups", "keys", "config.yml"];
    let open = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
    };
    names.iter().map(|name| hub.join(name)).filter(open).collect()
}

async fn database(root: &Path) -> Finding {
    let file = root.join(CAR_DIR).join("hub.sqlite3");
    if !file.exists() {
        return Finding::ok("database", "not made yet; the first start makes it");
    }
    let damaged = |detail: String| {
        Finding::error("database", detail, "What is damaged is not served as truth.").fix(
            "stop the hub, then `car-hub restore` the newest backup, or `car-hub reindex` to \
             rebuild it from the files",
        )
    };
    match car_store::look(&file).await {
        Ok(look) if !look.damage.is_empty() => damaged(look.damage.join("; ")),
        Ok(look) if look.min_reader > car_store::schema() => Finding::error(
            "database",
            format!(
                "it has schema {}, and this car-hub knows {}",
                look.schema,
                car_store::schema()
            ),
            "This car-hub is too old for it.",
        )
        .fix("install the car-hub that made it, or a newer one"),
        Ok(look) => Finding::ok(
            "database",
            format!("whole; schema {}, {} events", look.schema, look.last_seq),
        ),
        Err(error) => damaged(error.to_string()),
    }
}

async fn restore(root: &Path) -> Option<Finding> {
    let file = root.join(CAR_DIR).join("hub.sqlite3");
    let fact = car_store::fact_of(&file, "restore").await.ok().flatten()?;
    let report: car_api::backup::RestoreReport = serde_json::from_str(&fact).ok()?;
    report.confirmed_at.is_none().then(|| {
        let detail = format!("restored from a backup of {}, not confirmed", report.created_at);
        let why = "Until somebody has looked, nothing is started, gone on with or removed.";
        Finding::warning("restore", detail, why).fix("car backup report; car backup confirm")
    })
}

fn backups(config: &BackupConfig) -> Finding {
    let fix = "car-hub backup";
    let list = match backup::list(&config.dir) {
        Ok(list) => list,
        Err(error) => {
            return Finding::error("backups", error.detail, "No backup can be made.").fix(fix);
        }
    };
    let why = "A disk that dies takes queues, history and evidence with it.";
    let Some(last) = list.first() else {
        let detail = if config.enabled { "none yet" } else { "none, and the hub makes none" };
        return Finding::warning("backups", detail, why).fix(fix);
    };
    let age = clock::now().millis_since(last.created_at);
    let hours = age / 3_600_000;
    if age > STALE_MS {
        let detail = format!("the last one is {hours} hours old ({})", last.name);
        return Finding::warning("backups", detail, why).fix(fix);
    }
    Finding::ok("backups", format!("{}, the last one {hours} hours old", list.len()))
}

/// Whether nobody works on the hub.
#[must_use]
pub fn is_idle(root: &Path) -> bool {
    hub_root::is_held(root).is_ok_and(|held| !held)
}

/// The program that serves the hub, if one does.
#[must_use]
pub fn served(root: &Path) -> Finding {
    let endpoint = hub_root::read_endpoint(root).ok().flatten();
    match (is_idle(root), endpoint) {
        (false, Some(at)) if at.version != env!("CARGO_PKG_VERSION") => Finding::warning(
            "served",
            format!("at {} by car-hub {}, process {}", at.url, at.version, at.pid),
            "This car-hub is another version than the one that serves.",
        )
        .fix("restart the hub; agents at work go on"),
        (false, Some(at)) => Finding::ok("served", format!("at {} by process {}", at.url, at.pid)),
        (false, None) => Finding::ok("served", "another car-hub works on it"),
        (true, Some(at)) => Finding::warning(
            "served",
            format!("hub_endpoint.json names process {}, which does not serve", at.pid),
            "Clients on this machine look for the hub where it is not.",
        )
        .fix("car-hub doctor --fix, or start the hub"),
        (true, None) => Finding::ok("served", "not at the moment"),
    }
}

impl Hub {
    /// What could keep the hub from working.
    ///
    /// # Errors
    /// See the API.
    pub async fn hub_doctor(&self) -> Result<DoctorReport> {
        let inner = &self.inner;
        let place = Place {
            root: inner.config.root.clone(),
            backup: inner.config.backup.clone(),
            agents: inner.known_agents.clone(),
        };
        let mut findings = look(&place).await;
        if let Some(check) = inner.config.check.0.clone() {
            findings.extend(crate::hub::blocking(move || Ok(configuration(check()))).await?);
        }
        for agent in self.agent_list(PageQuery::default()).await?.items {
            findings.push(machine::agent(&agent));
        }
        Ok(DoctorReport::of(findings))
    }
}

/// What the files say that the next start reads.
fn configuration(found: std::result::Result<Vec<String>, String>) -> Vec<Finding> {
    match found {
        Ok(warnings) => {
            let means = "It may not be meant so.";
            let warning =
                |line: String| Finding::warning("configuration", line, means).fix("car-hub config");
            warnings.into_iter().map(warning).collect()
        }
        Err(error) => {
            let means = "The hub serves as it was started, and would not start again.";
            vec![Finding::error("configuration", error, means).fix("car-hub config")]
        }
    }
}
