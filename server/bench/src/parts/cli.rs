//! P3: the command line, from the start of the process to its end.

use std::{path::Path, time::Instant};

use crate::{
    Bench, Outcome,
    report::Row,
    subject::{Served, Subject, quiet},
};

const ROUNDS: usize = 15;
/// The original takes seconds.
const ROUNDS_OF_ORIGINAL: usize = 3;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let hub = bench.hub();
    let mut roots = Vec::new();
    for (name, repos) in [("list-100", 100), ("list-500", 500)] {
        let root = bench.root(&hub, name, (repos, 20))?;
        roots.push((repos, hub.serve(&root)?, root));
    }
    let mut others: Vec<(Subject, std::path::PathBuf, Served)> = Vec::new();
    for subject in bench.subjects.iter().filter(|subject| !subject.is_hub()) {
        let root = bench.root(subject, "list-10", (10, 20))?;
        let served = subject.serve(&root)?;
        others.push((subject.clone(), root, served));
    }
    let mut help = Row::new("P3", "`car --help`", "ms").bar(10.0);
    let mut lists: Vec<Row> = roots
        .iter()
        .map(|(repos, _, _)| Row::new("P3", format!("`car hub repos`, {repos} repos"), "ms"))
        .map(|row| row.bar(30.0))
        .collect();
    let mut runs = Row::new("P3", "`car run list`", "ms").bar(30.0);
    let mut snapshot = Row::new("P3", "`car hub snapshot` (the original's: 10 repos)", "ms");
    for round in 0..ROUNDS {
        for ((_, _, root), list) in roots.iter().zip(&mut lists) {
            list.add(hub.column(), time(&hub, root, &["hub", "repos"])?);
        }
        if let Some((_, _, root)) = roots.first() {
            help.add(hub.column(), time(&hub, root, &["--help"])?);
            runs.add(hub.column(), time(&hub, root, &["run", "list"])?);
            snapshot.add(hub.column(), time(&hub, root, &["hub", "snapshot"])?);
        }
        for (subject, root, _) in others.iter().filter(|_| round < ROUNDS_OF_ORIGINAL) {
            help.add(subject.column(), time(subject, root, &["--help"])?);
            if let Ok(took) = time(subject, root, &["hub", "snapshot"]) {
                snapshot.add(subject.column(), took);
            }
        }
    }
    drop((roots, others));
    bench.report.push(help);
    for row in lists {
        bench.report.push(row);
    }
    bench.report.push(runs);
    bench.report.push(snapshot);
    Ok(())
}

fn time(subject: &Subject, root: &Path, args: &[&str]) -> Outcome<f64> {
    let begun = Instant::now();
    quiet(&mut subject.car(root, args))?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
