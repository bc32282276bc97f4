//! P4: the lists of repos and of tickets over HTTP, beside a server that sends the same bytes.

use std::time::Duration;

use crate::{
    Bench, Outcome,
    bare::Bare,
    fixture,
    http::{Load, Target},
    report::Row,
    subject::Subject,
};

const TICKETS: usize = 20;
const TIME: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
/// The original is not asked for more: it takes minutes to take up 500 repos.
const MOST_FOR_ORIGINAL: usize = 100;
/// How often the bare server's median the hub's may be.
const TIMES_BARE: f64 = 3.0;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    for repos in [10, 100, 500] {
        for subject in bench.subjects.clone() {
            if subject.is_hub() || repos <= MOST_FOR_ORIGINAL {
                of_subject(bench, &subject, repos)?;
            }
        }
    }
    Ok(())
}

fn of_subject(bench: &mut Bench, subject: &Subject, repos: usize) -> Outcome<()> {
    let root = bench.root(subject, &format!("list-{repos}"), (repos, TICKETS))?;
    let served = subject.serve(&root)?;
    let lists = [
        ("repos", subject.repos_path().to_owned()),
        ("tickets of a repo", subject.tickets_path(&fixture::repo(0))),
    ];
    for (name, path) in lists {
        let body = served.target.get(&path)?;
        let bare = Bare::start(&body, &bench.dir)?;
        for connections in [1, 16] {
            let what = format!("{name}, {repos} repos, {connections} conn.");
            let rounds = if subject.is_hub() { ROUNDS } else { 1 };
            let mut measured = Measured::new(&what, body.len());
            for _ in 0..rounds {
                measured.add(subject.column(), load(&served.target, &path, connections)?);
                if subject.is_hub() {
                    measured.add("floor", load(&bare.target, &path, connections)?);
                }
            }
            measured.report(bench);
        }
    }
    Ok(())
}

fn load(target: &Target, path: &str, connections: usize) -> Outcome<Load> {
    let load = target.load(path, connections, TIME)?;
    if load.failures > 0 {
        return Err(format!("{path}: {} answers were not 200", load.failures).into());
    }
    Ok(load)
}

struct Measured {
    p50: Row,
    p99: Row,
    rate: Row,
}

impl Measured {
    fn new(what: &str, bytes: usize) -> Self {
        let row = |value, unit| Row::new("P4", format!("{what}, {bytes} B: {value}"), unit);
        Self { p50: row("p50", "ms"), p99: row("p99", "ms"), rate: row("requests", "1/s") }
    }

    fn add(&mut self, column: &'static str, load: Load) {
        self.p50.add(column, load.p50);
        self.p99.add(column, load.p99);
        self.rate.add(column, load.per_second);
    }

    fn report(self, bench: &mut Bench) {
        let p50 = match self.p50.median("floor") {
            Some(floor) => self.p50.bar(floor * TIMES_BARE),
            None => self.p50,
        };
        for row in [p50, self.p99, self.rate] {
            bench.report.push(row);
        }
    }
}
