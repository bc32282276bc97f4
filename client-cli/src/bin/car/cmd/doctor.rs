//! `car doctor`: what could be wrong, from here to the agents.

use std::path::Path;

use car_api::{
    Code,
    agent::Availability,
    doctor::{DoctorReport, Finding, Level},
};

use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    history,
    out::Out,
    session::{self, Session, wanted},
    table::{Cell, Table, Tone},
    wrap::wrap,
};

pub(crate) async fn run(repo: RepoArg, global: &Global, out: &Out) -> Result<(), Failure> {
    let mut findings = Vec::new();
    if let Err(error) = look(&repo, global, out, &mut findings).await {
        let finding = Finding::error("hub", error.to_string(), "Nothing more can be looked at.");
        findings.push(match error.hint() {
            Some(hint) => finding.fix(hint),
            None => finding,
        });
    }
    let report = DoctorReport::of(findings);
    let bad = |report: &DoctorReport| {
        let bad = report.findings.iter().filter(|found| found.level != Level::Ok);
        bad.map(|found| found.check.clone()).collect::<Vec<_>>().join("\n")
    };
    out.show(&report, bad, |report| text(report, out))?;
    if report.ok { Ok(()) } else { Err(Failure::Outcome) }
}

/// One check after the other; an error ends it, since the rest would say the same.
async fn look(
    repo: &RepoArg,
    global: &Global,
    out: &Out,
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    let wanted = wanted(global)?;
    findings.push(Finding::ok(
        "settings",
        match wanted.config_dir.as_deref().map(Path::display) {
            Some(dir) => dir.to_string(),
            None => "no HOME, no CAR_CONFIG_DIR: nothing is kept".to_owned(),
        },
    ));
    let session = Session::open_for(global, out, repo)?;
    let found = &session.found;
    let how = session::how(&found.source);
    findings.push(Finding::ok("hub found", format!("{} {how}", found.url)));
    session.client.health_live().await?;
    findings.push(Finding::ok("answers", "yes"));
    let info = session.client.hub_get().await?;
    findings.push(Finding::ok("token", "accepted"));
    findings.push(match history::changed(&session, &info).await {
        Ok(None) => Finding::ok("history", format!("{} audit lines", info.audit.seq)),
        Ok(Some(what)) => {
            Finding::error("history", what, "Somebody may have changed what is kept.")
                .fix("look with `car audit verify`")
        }
        Err(error) => {
            let effect = "Nobody would notice here if the hub's history were changed.";
            Finding::warning("history", error.to_string(), effect)
        }
    });
    session.client.health_ready().await?;
    let own = env!("CARGO_PKG_VERSION");
    findings.push(if info.version == own {
        Finding::ok("version", own)
    } else {
        let detail = format!("hub {}, car {own}", info.version);
        Finding::warning("version", detail, "One may not know what the other can do.")
            .fix("install the same version of both")
    });
    let before = findings.len();
    match session.client.hub_doctor().await {
        Ok(report) => findings.extend(report.findings),
        // What the hub finds about its machine is for its owner.
        Err(error) if error.code() == Some(Code::Forbidden) => {}
        Err(error) => return Err(error.into()),
    }
    let agents = session.client.agent_list().await?.items;
    if findings.len() == before {
        findings.extend(
            agents.iter().map(|agent| {
                Finding::ok(format!("agent {}", agent.id), agent.availability.as_str())
            }),
        );
    }
    if !agents.iter().any(|agent| agent.availability == Availability::Ready) {
        findings.push(Finding::error("agents", "none is ready", "No run can work."));
    }
    if let Ok(repo) = session.repo(repo).await {
        findings.push(Finding::ok("repo", repo.to_string()));
    }
    Ok(())
}

fn text(report: &DoctorReport, out: &Out) -> String {
    let mut table = Table::new(&["CHECK", "RESULT", "DETAIL"]);
    for found in &report.findings {
        let tone = match found.level {
            Level::Ok => Tone::Good,
            Level::Warning => Tone::Waits,
            Level::Error => Tone::Bad,
        };
        let level = Cell::toned(found.level.as_str(), tone);
        table.row([found.check.as_str().into(), level, found.detail.as_str().into()]);
    }
    let mut text = table.render(out.width, out.colour);
    let bad: Vec<_> = report.findings.iter().filter(|found| found.level != Level::Ok).collect();
    // What several findings have in common is said once, below them.
    for alike in bad.chunk_by(|a, b| (&a.why, &a.fix) == (&b.why, &b.fix)) {
        let mut lines = vec![String::new()];
        lines.extend(alike.iter().map(|found| format!("{}: {}", found.check, found.detail)));
        if let Some(found) = alike.first() {
            lines.extend(found.why.as_ref().map(|why| format!("  {why}")));
            lines.extend(found.fix.as_ref().map(|fix| format!("  → {fix}")));
        }
        text += &format!("\n{}", wrap(&lines.join("\n"), out.width));
    }
    text
}
