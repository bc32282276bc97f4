//! P2: what a hub costs that has nothing to do.

use std::{thread, time::Duration};

use crate::{Bench, Outcome, process, report::Row};

const REPOS: usize = 100;
const SETTLE: Duration = Duration::from_secs(30);
const WATCHED: Duration = Duration::from_secs(60);

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let row = |what: &str, unit| Row::new("P2", format!("idle, {REPOS} repos: {what}"), unit);
    let mut resident = row("resident", "MiB").bar(25.0);
    let mut shared = row("resident, shared pages divided", "MiB");
    let mut cpu = row("processor", "% of a core").bar(0.1);
    let mut wakes = row("wake-ups", "1/s").bar(5.0);
    let mut served = Vec::new();
    for subject in bench.subjects.clone() {
        let root = bench.root(&subject, "list-100", (REPOS, 20))?;
        served.push((subject.column(), subject.serve(&root)?));
    }
    // All of them at once: what one does to the machine it does to all.
    thread::sleep(SETTLE);
    let look = || {
        let look = |(_, served): &(&str, crate::subject::Served)| {
            process::used(&process::family(served.pid()))
        };
        served.iter().map(look).collect::<Vec<_>>()
    };
    let before = look();
    thread::sleep(WATCHED);
    let after = look();
    let seconds = WATCHED.as_secs_f64();
    for (((column, _), before), after) in served.iter().zip(before).zip(after) {
        resident.add(column, after.rss);
        shared.add(column, after.pss);
        cpu.add(column, (after.cpu - before.cpu) / seconds * 100.0);
        wakes.add(column, (after.switches - before.switches) / seconds);
    }
    drop(served);
    for row in [resident, shared, cpu, wakes] {
        bench.report.push(row);
    }
    Ok(())
}
