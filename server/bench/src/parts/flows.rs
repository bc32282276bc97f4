//! P6: many flows at once.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::{Bench, Outcome, fixture, process, report::Row, subject::Subject};

use super::turns::{Turns, done, now_millis, wait_for_ends};

const FLOWS: usize = 32;
const TICKETS: usize = 20;
/// The original takes minutes for more.
const TICKETS_OF_ORIGINAL: usize = 2;
/// How much memory the hub and the shims may hold: so much, and so much for each running agent.
const MEMORY: f64 = 25.0 + 5.0 * FLOWS as f64;
/// How often the agents' own time on the processors the whole may take.
const TIMES_AGENTS: f64 = 1.5;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let row = |what: &str, unit| Row::new("P6", format!("{FLOWS} flows at once: {what}"), unit);
    let mut wall = row(&format!("wall, {TICKETS} tickets each"), "s");
    let mut turn = row("wall a ticket", "ms");
    let mut memory = row("peak of hub and shims, shared pages divided", "MiB").bar(MEMORY);
    let mut resident = row("peak of hub and shims, resident", "MiB");
    let mut failures = row("tickets not done or worked twice", "").bar(0.0);
    for subject in bench.subjects.clone() {
        let column = subject.column();
        let tickets = if subject.is_hub() { TICKETS } else { TICKETS_OF_ORIGINAL };
        let seen = match flows(bench, &subject, tickets) {
            Ok(seen) => seen,
            Err(error) => {
                bench.report.note(format!("P6: {column} stopped: {error}"));
                continue;
            }
        };
        if subject.is_hub() {
            let cores = thread::available_parallelism().map_or(1, usize::from) as f64;
            wall = wall.with("floor", seen.agents / cores).bar(seen.agents / cores * TIMES_AGENTS);
            wall.add(column, seen.wall);
        }
        turn.add(column, seen.wall * 1e3 / (FLOWS * tickets) as f64);
        memory.add(column, seen.pss);
        resident.add(column, seen.rss);
        failures.add(column, seen.failures as f64);
    }
    for row in [wall, turn, memory, resident, failures] {
        bench.report.push(row);
    }
    bench.report.note(format!(
        "P6: the floor of the wall is the agents' own processor time, git included, divided by the \
         cores; the original was given {TICKETS_OF_ORIGINAL} tickets a flow."
    ));
    Ok(())
}

struct Seen {
    /// Seconds from the first request to the end of the last turn.
    wall: f64,
    rss: f64,
    pss: f64,
    /// Seconds of the agents and of what they started on the processors.
    agents: f64,
    failures: usize,
}

fn flows(bench: &Bench, subject: &Subject, tickets: usize) -> Outcome<Seen> {
    let root = bench.root(subject, "flows", (FLOWS, tickets))?;
    if subject.is_hub() {
        let config = root.join("codex-autorunner.override.yml");
        fs::write(config, format!("hub:\n  max_parallel_runs: {FLOWS}\n"))?;
    }
    let served = subject.serve(&root)?;
    let ended = AtomicBool::new(false);
    let (wall, watched) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(served.pid(), &root, &ended));
        let begun = now_millis();
        let worked = (0..FLOWS)
            .try_for_each(|number| subject.start_flow(&served.target, &fixture::repo(number)))
            .and_then(|()| wait_for_ends(&root, FLOWS * tickets));
        ended.store(true, Ordering::Relaxed);
        let watched = watcher.join().map_err(|_| "the watch of processes failed".into());
        worked.map(|()| ((Turns::read(&root).last_end() - begun) / 1e3, watched))
    })?;
    let watched: Watched =
        watched.map_err(|error: Box<dyn std::error::Error + Send + Sync>| error)?;
    let done: usize = (0..FLOWS).map(|number| done(&root.join(fixture::repo(number)))).sum();
    let turns = Turns::read(&root).ends.len();
    println!("{}: {done} tickets done in {turns} turns", subject.column());
    let failures = (FLOWS * tickets).abs_diff(done).max((FLOWS * tickets).abs_diff(turns));
    let Watched { rss, pss, agents } = watched;
    Ok(Seen { wall, rss, pss, agents: agents.values().sum(), failures })
}

#[derive(Default)]
struct Watched {
    rss: f64,
    pss: f64,
    agents: HashMap<i32, f64>,
}

/// Looks again and again at the processes of a root until it is told to stop.
fn watch(hub: i32, root: &Path, done: &AtomicBool) -> Watched {
    let mut watched = Watched::default();
    while !done.load(Ordering::Relaxed) {
        let processes = process::of_dir(root);
        let agents = processes.iter().filter(|(_, line)| is_agent(line));
        for (pid, _) in agents {
            let used = process::cpu_with_children(*pid);
            let known = watched.agents.entry(*pid).or_default();
            *known = known.max(used);
        }
        // Of what the agents start (git, shells) only the agents know.
        let counts = |line: &str| line.contains("car-hub") || line.contains("python");
        let own: Vec<i32> = processes
            .iter()
            .filter(|(pid, line)| *pid == hub || (counts(line) && !is_agent(line)))
            .map(|(pid, _)| *pid)
            .collect();
        let used = process::used(&own);
        watched.rss = watched.rss.max(used.rss);
        watched.pss = watched.pss.max(used.pss);
        thread::sleep(Duration::from_millis(200));
    }
    watched
}

/// A shim names the agent too, behind its own word.
fn is_agent(line: &str) -> bool {
    line.contains(" demo-agent") && !line.contains(" shim ")
}
