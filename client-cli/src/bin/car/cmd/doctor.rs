//! `car doctor`: what could be wrong, from here to the agents.

use std::path::Path;

use car_api::agent::Availability;
use car_client::find::{self, Source};
use serde::Serialize;

use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    session::{Session, wanted},
    table::{Cell, Table, Tone},
};

#[derive(Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    result: Outcome,
    detail: String,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Warning,
    Error,
}

pub(crate) async fn run(global: &Global, out: &Out) -> Result<(), Failure> {
    let mut checks = Vec::new();
    if let Err(error) = look(global, out, &mut checks).await {
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        let detail = format!("{error}{hint}");
        checks.push(Check { name: "hub", result: Outcome::Error, detail });
    }
    let report = Report { ok: checks.iter().all(|c| c.result != Outcome::Error), checks };
    let bad = |r: &Report| {
        let bad = r.checks.iter().filter(|c| c.result != Outcome::Ok).map(|c| c.name);
        bad.collect::<Vec<_>>().join("\n")
    };
    out.show(&report, bad, |r| table(r).render(out.width, out.colour))?;
    if report.ok { Ok(()) } else { Err(Failure::Outcome) }
}

/// One check after the other; an error ends it, since the rest would say the same.
async fn look(global: &Global, out: &Out, checks: &mut Vec<Check>) -> Result<(), Failure> {
    let mut add = |name, result, detail: String| checks.push(Check { name, result, detail });
    let wanted = wanted(global)?;
    add(
        "settings",
        Outcome::Ok,
        match wanted.config_dir.as_deref().map(Path::display) {
            Some(dir) => dir.to_string(),
            None => "no HOME, no CAR_CONFIG_DIR: nothing is kept".to_owned(),
        },
    );
    let found = find::find(&wanted)?;
    let how = match &found.source {
        Source::Address => "by its address".to_owned(),
        Source::Context(name) => format!("by the context {name}"),
        Source::Directory => "by the directory".to_owned(),
        Source::LastStarted => "as the one started last on this machine".to_owned(),
    };
    add("hub found", Outcome::Ok, format!("{} {how}", found.url));
    let session = Session::open(global, out)?;
    session.client.health_live().await?;
    add("answers", Outcome::Ok, "yes".to_owned());
    let info = session.client.hub_get().await?;
    add("token", Outcome::Ok, "accepted".to_owned());
    match super::audit::remember(&info.instance, &info.audit) {
        Ok(()) => add("history", Outcome::Ok, format!("{} audit lines", info.audit.seq)),
        Err(what) => add("history", Outcome::Error, what),
    }
    session.client.health_ready().await?;
    let own = env!("CARGO_PKG_VERSION");
    let same = info.version == own;
    add(
        "version",
        if same { Outcome::Ok } else { Outcome::Warning },
        if same { own.to_owned() } else { format!("hub {}, car {own}", info.version) },
    );
    let agents = session.client.agent_list().await?.items;
    for agent in &agents {
        let ready = agent.availability == Availability::Ready;
        let hint = agent.hint.as_deref().unwrap_or(agent.availability.as_str());
        add(
            "agent",
            if ready { Outcome::Ok } else { Outcome::Warning },
            if ready { format!("{} is ready", agent.id) } else { format!("{}: {hint}", agent.id) },
        );
    }
    if !agents.iter().any(|agent| agent.availability == Availability::Ready) {
        add("agents", Outcome::Error, "none is ready; no run can work".to_owned());
    }
    if let Ok(repo) = session.repo(&RepoArg::default()).await {
        add("repo", Outcome::Ok, repo.to_string());
    }
    Ok(())
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&["CHECK", "RESULT", "DETAIL"]);
    for check in &report.checks {
        let (word, tone) = match check.result {
            Outcome::Ok => ("ok", Tone::Good),
            Outcome::Warning => ("warning", Tone::Waits),
            Outcome::Error => ("error", Tone::Bad),
        };
        table.row([check.name.into(), Cell::toned(word, tone), check.detail.as_str().into()]);
    }
    table
}
