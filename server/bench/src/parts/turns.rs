//! P5: what the hub adds to a turn: time between turns, and processes.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Bench, Outcome,
    fixture::{self, git},
    report::Row,
    subject::{agent_log, quiet},
};

use super::spawned;

const TICKETS: usize = 20;
const ROUNDS: usize = 3;
/// The original takes a second a turn and more.
const ROUNDS_OF_ORIGINAL: usize = 1;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let mut between = Row::new("P5", "between turns, a flow alone", "ms");
    let mut first = Row::new("P5", "start request to first turn", "ms");
    let mut served = Vec::new();
    for subject in bench.subjects.clone() {
        let root = bench.root(&subject, "turns", (ROUNDS, TICKETS))?;
        served.push((subject.clone(), subject.serve(&root)?, root));
    }
    let floor_root = bench.root(&bench.hub(), "floor", (ROUNDS, TICKETS))?;
    for round in 0..ROUNDS {
        let repo = fixture::repo(round);
        between.add("floor", floor(&floor_root.join(&repo))?);
        for (subject, served, root) in &served {
            if !subject.is_hub() && round >= ROUNDS_OF_ORIGINAL {
                continue;
            }
            let _ = fs::remove_file(agent_log(root));
            let begun = now_millis();
            let worked = subject
                .start_flow(&served.target, &repo)
                .and_then(|()| wait_for_ends(root, TICKETS));
            if let Err(error) = worked {
                bench.report.note(format!("P5: {} stopped: {error}", subject.column()));
                continue;
            }
            let turns = Turns::read(root);
            between.add(subject.column(), turns.between());
            first.add(subject.column(), turns.first_start() - begun);
        }
    }
    drop(served);
    let between = match between.median("floor") {
        Some(floor) => between.bar(floor * 2.0),
        None => between,
    };
    bench.report.push(between);
    bench.report.push(first);
    spawned::measure(bench)
}

/// Milliseconds of the same questions to git and one durable commit, by the barest loop.
fn floor(tree: &Path) -> Outcome<f64> {
    const TURNS: u32 = 20;
    let mut log =
        OpenOptions::new().create(true).append(true).open(tree.with_extension("floor"))?;
    let begun = Instant::now();
    for _ in 0..TURNS {
        quiet(Command::new("git").current_dir(tree).args([
            "--no-optional-locks",
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
        ]))?;
        git(tree, &["diff", "--raw", "--numstat", "-z", "--no-abbrev", "HEAD", "--"])?;
        log.write_all(&[0_u8; 4096])?;
        log.sync_data()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e3 / f64::from(TURNS))
}

/// How long no turn may end before a flow counts as stopped.
const STANDSTILL: Duration = Duration::from_secs(40);

/// Waits until the agent has ended so many turns.
pub(super) fn wait_for_ends(root: &Path, turns: usize) -> Outcome<()> {
    let (mut moved, mut before) = (Instant::now(), 0);
    loop {
        let ended = Turns::read(root).ends.len();
        if ended >= turns {
            return Ok(());
        }
        if ended > before {
            (moved, before) = (Instant::now(), ended);
        }
        if moved.elapsed() > STANDSTILL {
            return Err(format!("only {ended} of {turns} turns ended").into());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// When turns began and ended by the agent's own log, in milliseconds since 1970.
#[derive(Default)]
pub(super) struct Turns {
    starts: Vec<f64>,
    pub(super) ends: Vec<f64>,
}

impl Turns {
    pub(super) fn read(root: &Path) -> Self {
        let mut turns = Self::default();
        for line in fs::read_to_string(agent_log(root)).unwrap_or_default().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let at = |back: usize| -> Option<f64> {
                words.len().checked_sub(back).and_then(|place| words.get(place)?.parse().ok())
            };
            match words.first() {
                Some(&"START") => turns.starts.extend(at(1)),
                Some(&"END") => turns.ends.extend(at(2)),
                Some(_) | None => {}
            }
        }
        turns
    }

    fn first_start(&self) -> f64 {
        self.starts.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(super) fn last_end(&self) -> f64 {
        self.ends.iter().copied().fold(0.0, f64::max)
    }

    /// The mean time from the end of a turn to the start of the next, of turns one after another.
    fn between(&self) -> f64 {
        let gaps: Vec<f64> =
            self.starts.iter().skip(1).zip(&self.ends).map(|(start, end)| start - end).collect();
        crate::stats::median(&gaps)
    }
}

pub(super) fn now_millis() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64
}

/// How many tickets of a repo are done.
pub(super) fn done(tree: &Path) -> usize {
    let queue = tree.join(".codex-autorunner/tickets");
    let files = fs::read_dir(queue).into_iter().flatten().flatten();
    files
        .filter(|file| file.file_name().to_string_lossy().starts_with("TICKET-"))
        .filter(|file| fs::read_to_string(file.path()).is_ok_and(|t| t.contains("\ndone: true")))
        .count()
}
