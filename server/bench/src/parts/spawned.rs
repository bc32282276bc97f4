//! P5, second half: the processes a turn costs besides the agent's own, counted by `strace`.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
    process::Command,
};

use crate::{Bench, Outcome, fixture, report::Row};

use super::turns::wait_for_ends;

const TICKETS: usize = 10;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    if Command::new("strace").arg("-V").output().is_err() {
        bench.report.note("Processes per turn were not counted: there is no strace.");
        return Ok(());
    }
    let mut row = Row::new("P5", "processes a turn, besides the agent's", "").bar(5.0);
    for subject in bench.subjects.clone() {
        let root = bench.root(&subject, "spawned", (1, TICKETS))?;
        let trace = bench.dir.join("trace");
        let name = trace.to_string_lossy().into_owned();
        let calls = "--trace=execve,clone,clone3,fork,vfork";
        let served = subject
            .serve_under(&root, &["strace", "-f", "-qq", calls, "-s", "300", "-o", &name])?;
        let before = fs::read_to_string(&trace).unwrap_or_default().len();
        subject.start_flow(&served.target, &fixture::repo(0))?;
        let worked = wait_for_ends(&root, TICKETS);
        drop(served);
        if let Err(error) = worked {
            bench.report.note(format!("P5: {} stopped: {error}", subject.column()));
            continue;
        }
        let counted = count(&trace, before)?;
        let sum: usize = counted.values().sum();
        let names: Vec<String> = counted.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let column = subject.column();
        println!("{column}, {TICKETS} turns: {}", names.join(", "));
        row = row.with(column, sum as f64 / TICKETS as f64);
    }
    bench.report.push(row);
    Ok(())
}

/// Programs that were started after the trace's first bytes and that no agent started.
fn count(trace: &Path, skip: usize) -> Outcome<BTreeMap<String, usize>> {
    let text = fs::read_to_string(trace)?;
    let mut parents: HashMap<&str, &str> = HashMap::new();
    let mut agents: HashSet<&str> = HashSet::new();
    let mut started = Vec::new();
    let mut offset = 0;
    for line in text.lines() {
        offset += line.len() + 1;
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let result = call.rsplit_once("= ").map_or("", |(_, result)| result.trim());
        if call.contains("clone") || call.contains("fork") {
            if result.parse::<u32>().is_ok_and(|child| child > 0) {
                parents.insert(result, pid);
            }
        } else if call.starts_with("execve(")
            && !call.ends_with(" = -1 ENOENT (No such file or directory)")
        {
            if call.contains("\"demo-agent\"") && !call.contains("\"shim\"") {
                agents.insert(pid);
            } else if offset > skip {
                started.push((pid, call));
            }
        }
    }
    let mut counted = BTreeMap::new();
    for (pid, call) in started {
        let mut at = Some(pid);
        let mut is_agents = false;
        while let Some(pid) = at {
            is_agents |= agents.contains(pid);
            at = parents.get(pid).copied();
        }
        if !is_agents {
            *counted.entry(name(call)).or_default() += 1;
        }
    }
    Ok(counted)
}

/// The program, and what git was asked.
fn name(call: &str) -> String {
    let quoted: Vec<&str> = call.split('"').skip(1).step_by(2).collect();
    let program = quoted.first().map_or("?", |path| path.rsplit('/').next().unwrap_or(path));
    let mut words =
        quoted.iter().skip(2).filter(|word| !word.starts_with('-') && !word.contains('='));
    match (program, words.next()) {
        ("git" | "car-hub", Some(word)) => format!("{program} {word}"),
        (program, _) => program.to_owned(),
    }
}
