//! Killing the hub, shims and agents at random moments of many runs: every ticket is finished
//! once, no completed turn is done again, nothing is left behind, and no event is lost.
//!
//! `CAR_TEST_KILLS` is how often something is killed, `CAR_TEST_SEED` repeats a sequence (not the
//! machine's timing).

use std::{
    collections::{BTreeMap, HashMap},
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    process::Command,
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use car_api::{
    Code, Event, EventKind, PageQuery, RunId,
    run::{PauseReason, RunResume, RunStart, RunState},
    turn::{TurnPurpose, TurnStatus},
};
use car_client::{Client, ClientError, EventFilter};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    harness::{Random, wait_until},
    stage::{Repo, Stage, all_events, processes_below, write_file},
};

/// How often something is killed when nothing else is said.
const KILLS: u32 = 200;
/// Trees that are worked at once.
const TREES: usize = 4;
/// Tickets of a tree.
const TICKETS: u32 = 10;
/// The longest time until the next kill, in milliseconds.
const MAX_DELAY: u64 = 500;
/// Within which a run must be decided once nothing is killed any more.
const DECIDED: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Hub,
    Shim,
    Agent,
    All,
}

/// A tree and the run that works it.
struct Lane {
    repo: Repo,
    run: Option<RunId>,
    completed: bool,
    resumed: u32,
}

/// What a reader has seen of the log.
#[derive(Default)]
struct Reader {
    seen: Vec<(i64, u64)>,
}

impl Reader {
    fn cursor(&self) -> i64 {
        self.seen.last().map_or(0, |(seq, _)| *seq)
    }

    fn take(&mut self, events: &[Event]) {
        for event in events {
            assert_eq!(event.seq, self.cursor() + 1, "the log has a gap or an event twice");
            self.seen.push((event.seq, digest(event)));
        }
    }
}

fn digest(event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(event).unwrap().hash(&mut hasher);
    hasher.finish()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_every_ticket_is_finished_once() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed = number("CAR_TEST_SEED").unwrap_or_else(|| u64::try_from(now() >> 8).unwrap());
    let kills = number("CAR_TEST_KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    println!("CAR_TEST_SEED={seed} CAR_TEST_KILLS={kills}");
    let mut random = Random(seed);

    let parallel = format!("hub:\n  max_parallel_runs: {TREES}\n");
    let mut stage = Stage::start(&parallel);
    let mut lanes = Vec::new();
    for _ in 0..TREES {
        lanes.push(lane(&stage, lanes.len()).await);
    }
    let mut reader = Reader::default();
    let mut done: BTreeMap<Victim, u32> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    while done.values().sum::<u32>() < kills {
        let victim = match random.below(10) {
            0..4 => Victim::Hub,
            4..6 => Victim::Shim,
            6..9 => Victim::Agent,
            _ => Victim::All,
        };
        let delay = Duration::from_millis(random.below(MAX_DELAY));
        let killer = kill_after(&stage, victim, delay, random.below(u64::MAX));
        // The hub may die at any of these calls.
        while !killer.is_finished() {
            let _ = look_after(&stage.client(), &mut lanes, &mut reader).await;
        }
        *done.entry(victim).or_default() += u32::from(killer.join().unwrap());
        if matches!(victim, Victim::Hub | Victim::All) {
            let begun = Instant::now();
            stage.hub.kill();
            stage.hub.serve(&[]);
            slowest = slowest.max(begun.elapsed());
        }
        look_after(&stage.client(), &mut lanes, &mut reader).await.unwrap();
        if lanes.iter().rev().take(TREES).all(|lane| lane.completed) {
            for _ in 0..TREES {
                lanes.push(lane(&stage, lanes.len()).await);
            }
        }
    }

    stage.kill_and_serve();
    let quiet = Instant::now();
    while lanes.iter().any(|lane| !lane.completed) {
        look_after(&stage.client(), &mut lanes, &mut reader).await.unwrap();
        // Ten tickets may take longer than the decision about the one that was under way.
        assert!(quiet.elapsed() < DECIDED * 3, "runs are not decided: {:?}", undecided(&lanes));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let settled = quiet.elapsed();
    stage.until_no_process().await;

    let log = all_events(&stage.client(), 0, &EventFilter::default()).await;
    let mut whole = Reader::default();
    whole.take(&log);
    assert_eq!(whole.seen[..reader.seen.len()], reader.seen[..], "an event was lost or changed");
    let attempts = attempts(&stage);
    for lane in &lanes {
        judge(lane, &log, &attempts);
    }
    let ended = |how: &Option<String>| how.as_deref() == Some("completed");
    let untold = attempts.iter().filter(|(_, how)| ended(how)).count()
        - log.iter().filter(|event| completed(event)).count();
    let resumed: u32 = lanes.iter().map(|lane| lane.resumed).sum();
    println!(
        "{} tickets of {} runs finished through {done:?}; {} turns begun, {untold} ended by an \
         agent that was killed before it could say so; {} events; {resumed} pauses resumed; a killed hub served again within {slowest:?}; all runs were decided {settled:?} after the \
         last kill",
        lanes.len() * usize::try_from(TICKETS).unwrap(),
        lanes.len(),
        attempts.len(),
        log.len(),
    );
}

fn completed(event: &Event) -> bool {
    matches!(&event.event, EventKind::TurnEnded { status: TurnStatus::Completed, .. })
}

fn undecided(lanes: &[Lane]) -> Vec<String> {
    let open = lanes.iter().filter(|lane| !lane.completed);
    open.map(|lane| lane.repo.id.to_string()).collect()
}

/// A repo with tickets of every kind; its run is started when it is looked after.
async fn lane(stage: &Stage, place: usize) -> Lane {
    let repo = stage.repo(&format!("tree-{place}")).await;
    for number in 1..=TICKETS {
        let good = write_file(number, "good");
        let finish = format!(r#"{{"latency": 0.02, "done": true}}, {{"commit": "T{number}"}}"#);
        let (front, steps) = match number % 5 {
            0 => ("", format!(r#"{{"latency": 0.05, "say": "on it"}}, {good}"#)),
            1 => (
                "verify: [\"grep -q good file-1.txt file-6.txt\"]",
                format!(
                    r#"{{"on": 1, "write": ["file-{number}.txt", "bad\n"]}}, {{"from": 2, "write": ["file-{number}.txt", "good\n"]}}"#
                ),
            ),
            2 => ("", format!(r#"{{"detach": 600}}, {good}"#)),
            3 => (
                "",
                format!(
                    r#"{good}, {{"dispatch": {{"mode": "notify", "title": "Note", "body": "Told."}}}}"#
                ),
            ),
            _ => {
                ("verify: [\"sleep 0.05\"]", format!(r#"{{"sh": "sleep 0.1; echo slow"}}, {good}"#))
            }
        };
        let front = front.replace("file-1.txt file-6.txt", &format!("file-{number}.txt"));
        repo.ticket(number, &front, &format!("{steps}, {finish}"));
    }
    Lane { repo, run: None, completed: false, resumed: 0 }
}

/// Kills one victim after a while. Gives whether there was one.
fn kill_after(stage: &Stage, victim: Victim, delay: Duration, draw: u64) -> JoinHandle<bool> {
    let (root, hub) = (stage.hub.root(), i32::try_from(stage.hub.pid()).unwrap());
    thread::spawn(move || {
        thread::sleep(delay);
        let found = processes_below(&root);
        let of = |shims: bool| -> Vec<i32> {
            let kind = |line: &str| {
                if shims { line.contains("shim-serve") } else { line.contains("app-server") }
            };
            let kind = |line: &str| kind(line) && (shims || !line.contains("shim-"));
            found.iter().filter(|(_, line)| kind(line)).map(|(pid, _)| *pid).collect()
        };
        let one = |pids: Vec<i32>| -> Vec<i32> {
            let at = draw.checked_rem(u64::try_from(pids.len()).unwrap());
            at.map(|at| pids[usize::try_from(at).unwrap()]).into_iter().collect()
        };
        let victims = match victim {
            Victim::Hub => vec![hub],
            Victim::Shim => one(of(true)),
            Victim::Agent => one(of(false)),
            Victim::All => [vec![hub], of(true), of(false)].concat(),
        };
        for pid in &victims {
            // One that has just ended by itself cannot be killed.
            let _ = kill_process(Pid::from_raw(*pid).unwrap(), Signal::KILL);
        }
        !victims.is_empty()
    })
}

/// Starts what is not started, resumes what waits for a person, and reads the log.
async fn look_after(
    client: &Client,
    lanes: &mut [Lane],
    reader: &mut Reader,
) -> Result<(), ClientError> {
    for lane in lanes.iter_mut().filter(|lane| !lane.completed) {
        let run = match &lane.run {
            Some(run) => run.clone(),
            None => start(client, lane).await?,
        };
        lane.run = Some(run.clone());
        match client.run_get(&run).await?.state {
            RunState::Completed => lane.completed = true,
            RunState::Paused { reason, details, .. } => {
                match reason {
                    // Lost twice in a row, or before there was a conversation to go on with.
                    PauseReason::InfraError | PauseReason::Interrupted => {}
                    // A git that was killed leaves its locks, and so work that could not be
                    // committed; a person does what the pause says.
                    PauseReason::NeedsUserFix if details.contains("the tree is not clean") => {
                        commit_by_hand(&lane.repo.dir);
                    }
                    PauseReason::MaxTurns
                    | PauseReason::Budget
                    | PauseReason::NoTickets
                    | PauseReason::NeedsUserFix
                    | PauseReason::UserPause
                    | PauseReason::LoopNoDiff
                    | PauseReason::VerifyFailed
                    | PauseReason::ProtectedPaths
                    | PauseReason::AgentAuth
                    | PauseReason::Requested
                    | PauseReason::Restored
                    | PauseReason::MissingRequiredContext => {
                        panic!("{} is paused: {reason}: {details}", lane.repo.id)
                    }
                }
                println!("{} is resumed after {reason}: {details}", lane.repo.id);
                client.run_resume(&run, &RunResume::default()).await?;
                lane.resumed += 1;
            }
            state @ (RunState::Failed { .. }
            | RunState::Stopped
            | RunState::Stopping
            | RunState::Parked { .. }
            | RunState::Superseded { .. }) => panic!("{} is {state:?}", lane.repo.id),
            RunState::Pending | RunState::Running { .. } => {}
        }
    }
    let page = client.event_list(reader.cursor(), Some(500), &EventFilter::default()).await?;
    reader.take(&page.items);
    Ok(())
}

/// Removes the locks of git commands that were killed and commits what is left.
fn commit_by_hand(tree: &Path) {
    for lock in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
        let _ = fs::remove_file(tree.join(".git").join(lock));
    }
    let script = "git add -A && git -c user.name=p -c user.email=p@localhost commit -qm 'by hand'";
    let done = Command::new("sh").arg("-c").arg(script).current_dir(tree).output().unwrap();
    println!("by hand in {}: {}", tree.display(), String::from_utf8_lossy(&done.stderr).trim());
}

/// Starts a run; one whose start was asked for when the hub died is found.
async fn start(client: &Client, lane: &Lane) -> Result<RunId, ClientError> {
    match client.run_start(&lane.repo.id, &RunStart::default()).await {
        Ok(run) => Ok(run.id),
        Err(error) if error.code() == Some(Code::RunActive) => {
            let page = PageQuery { after: None, limit: Some(1) };
            let runs = client.run_list(Some(&lane.repo.id), None, &page).await?;
            Ok(runs.items[0].id.clone())
        }
        Err(error) => Err(error),
    }
}

/// By the hub's id of a turn: how it ended for the agent, where it did.
fn attempts(stage: &Stage) -> HashMap<String, Option<String>> {
    let mut attempts = HashMap::new();
    let mut at_work: HashMap<std::path::PathBuf, i32> = HashMap::new();
    for line in stage.noted() {
        let tree = line.ticket.parent().unwrap().to_owned();
        match &line.ended {
            None => {
                let before = attempts.insert(line.turn.clone(), None);
                assert_eq!(before, None, "{} was begun twice", line.turn);
                at_work.insert(tree, line.pid);
            }
            Some(how) => {
                let before = attempts.insert(line.turn.clone(), Some(how.clone()));
                assert_eq!(before, Some(None), "{} ended twice or before it began", line.turn);
                let last = at_work.remove(&tree);
                assert_eq!(last, Some(line.pid), "two agents were at work in {}", tree.display());
            }
        }
    }
    attempts
}

#[derive(Default)]
struct TicketSeen {
    finished: u32,
    completed: Vec<TurnPurpose>,
}

fn judge(lane: &Lane, log: &[Event], attempts: &HashMap<String, Option<String>>) {
    let id = &lane.repo.id;
    let mut tickets: BTreeMap<String, TicketSeen> = BTreeMap::new();
    let mut open: HashMap<String, (String, TurnPurpose)> = HashMap::new();
    for event in log.iter().filter(|event| event.run == lane.run) {
        let kind = &event.event;
        if let EventKind::TurnStarted { turn, ticket, purpose, .. } = kind {
            let seen = tickets.entry(ticket.to_string()).or_default();
            assert_eq!(seen.finished, 0, "{id}: {ticket} was finished and worked again");
            let before = open.insert(turn.to_string(), (ticket.to_string(), *purpose));
            assert!(before.is_none(), "{id}: {turn} was started twice");
            assert_eq!(open.len(), 1, "{id}: two turns at once");
        }
        if let EventKind::TurnEnded { turn, status, .. } = kind {
            let (ticket, purpose) = open.remove(turn.as_str()).unwrap();
            if *status == TurnStatus::Completed {
                tickets.get_mut(&ticket).unwrap().completed.push(purpose);
                let agent = attempts.get(turn.as_str()).cloned().flatten();
                assert_eq!(agent.as_deref(), Some("completed"), "{id}: {turn}");
            }
        }
        if let EventKind::TicketFinished { ticket, .. } = kind {
            tickets.entry(ticket.id.to_string()).or_default().finished += 1;
        }
    }
    assert!(open.is_empty(), "{id}: {open:?} never ended");
    assert_eq!(tickets.len(), usize::try_from(TICKETS).unwrap(), "{id}");
    let mut completed = Vec::new();
    for (ticket, seen) in &tickets {
        assert_eq!(seen.finished, 1, "{id}: {ticket}");
        // A commit that was killed half-way takes turns of its own; everything else is done once,
        // or twice where the check fails first. Where a person let the run go on, the work may
        // have been there already.
        if !seen.completed.contains(&TurnPurpose::Commit) {
            let turns = seen.completed.len();
            completed.push(turns);
            assert!(turns <= 2 && (turns > 0 || lane.resumed > 0), "{id}: {ticket}: {turns} turns");
        }
    }
    let twice = completed.iter().filter(|&&turns| turns == 2).count();
    assert!(
        twice <= 2,
        "{id}: only two tickets fail their check first: {tickets:?}",
        tickets = completed
    );
    let subjects = lane.repo.subjects();
    for number in 1..=TICKETS {
        let subject = format!("T{number}");
        let commits = subjects.iter().filter(|found| **found == subject).count();
        let most = if number % 5 == 1 { 2 } else { 1 };
        assert!(commits <= most, "{id}: {commits} commits {subject}");
        assert_eq!(lane.repo.read(&format!("file-{number}.txt")), "good\n", "{id}");
    }
    assert!(lane.repo.is_clean(), "{id}");
    wait_until("every ticket is done on disk", || {
        (1..=TICKETS)
            .all(|n| fs::read_to_string(lane.repo.ticket_file(n)).unwrap().contains("done: true"))
            .then_some(())
    });
}
