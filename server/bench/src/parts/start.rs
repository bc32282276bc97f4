//! P1: from the start of the process until the hub says it is ready.

use crate::{Bench, Outcome, report::Row};

const REPOS: usize = 100;
const ROUNDS: usize = 5;
/// The original takes up to a quarter of a minute.
const ROUNDS_OF_ORIGINAL: usize = 2;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let mut row = Row::new("P1", format!("start to ready, {REPOS} repos"), "ms").bar(100.0);
    let mut roots = Vec::new();
    for subject in &bench.subjects {
        let root = bench.root(subject, "list-100", (REPOS, 20))?;
        // The first start makes what later ones find.
        subject.serve(&root)?;
        roots.push((subject.clone(), root));
    }
    for round in 0..ROUNDS {
        for (subject, root) in &roots {
            if !subject.is_hub() && round >= ROUNDS_OF_ORIGINAL {
                continue;
            }
            let served = subject.serve(root)?;
            row.add(subject.column(), served.took.as_secs_f64() * 1e3);
        }
    }
    bench.report.push(row);
    Ok(())
}
