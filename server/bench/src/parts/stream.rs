//! P7: from the agent's write to every client: live text, and entries of the log under load.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{task::JoinSet, time::timeout};

use crate::{
    Bench, Outcome, fixture, process,
    report::Row,
    socket::{Socket, field},
    stats::percentile,
    subject::{PATIENCE, Served},
};

/// Lines a command prints, and how long it sleeps between two.
const LINES: usize = 200;
const EVERY_S: f64 = 0.02;

/// Agents that talk, and how many messages a second they make together.
const TALKERS: usize = 8;
const RATE: usize = 1_000;
/// How long they are listened to.
const LISTEN: Duration = Duration::from_secs(15);

/// With very many clients one message in so many is looked at.
const LOOKED_AT: usize = 20;

pub(super) fn measure(bench: &mut Bench) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for clients in [1, 50, 1_000] {
        runtime.block_on(live(bench, clients))?;
    }
    runtime.block_on(log(bench, 1_000))
}

/// Nanoseconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as f64
}

async fn connected(served: &Served, clients: usize, query: &str) -> Outcome<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(clients);
    for _ in 0..clients {
        let mut socket = Socket::open(&served.target, query).await?;
        socket.catch_up().await?;
        sockets.push(socket);
    }
    Ok(sockets)
}

fn ticket(root: &Path, repo: usize, script: &str) -> Outcome<()> {
    let path = root.join(fixture::repo(repo)).join(".codex-autorunner/tickets/TICKET-001.md");
    let text = format!(
        "---\nagent: demo\ndone: false\ntitle: \"Talk\"\n---\n\n## Goal\n\n@@FAKE[ {script} ]@@\n"
    );
    fs::write(path, text)?;
    Ok(())
}

/// A command prints the time again and again; how old is it when it comes as live text?
async fn live(bench: &mut Bench, clients: usize) -> Outcome<()> {
    let subject = bench.hub();
    let root = bench.root(&subject, &format!("live-{clients}"), (1, 1))?;
    let print = format!("for i in $(seq {LINES}); do date +%s%N; sleep {EVERY_S}; done");
    ticket(&root, 0, &format!(r#"{{"sh": "{print}"}}, {{"done": true}}, {{"commit": "Talk"}}"#))?;
    let served = subject.serve(&root)?;
    let mut tasks = JoinSet::new();
    for mut socket in connected(&served, clients, "after=newest").await? {
        tasks.spawn(async move {
            let mut ages = Vec::with_capacity(LINES);
            loop {
                let text = socket.next().await?;
                let at = now();
                if text.contains(r#""kind":"turn_ended""#) {
                    return Outcome::Ok(ages);
                }
                let line = field(&text, r#""text":""#).filter(|_| text.contains(r#""output""#));
                // Two lines that came together are as old as the first.
                let written = line.and_then(|line| line.split('\\').next()?.parse::<f64>().ok());
                ages.extend(written.map(|written| (at - written) / 1e6));
            }
        });
    }
    subject.start_flow(&served.target, &fixture::repo(0))?;
    let ages = joined(tasks).await?;
    if ages.len() < clients * LINES / 2 {
        return Err(format!("only {} lines were heard", ages.len()).into());
    }
    let row = |what, percent| {
        let what = format!("live text, {clients} clients: {what}");
        Row::new("P7", what, "ms").with("CAR Hub", percentile(&ages, percent))
    };
    let (p50, p99) = (row("p50", 50.0), row("p99", 99.0));
    let (p50, p99) = if clients == 50 { (p50.bar(2.0), p99.bar(20.0)) } else { (p50, p99) };
    bench.report.push(p50);
    bench.report.push(p99);
    Ok(())
}

/// Agents talk; how old is each entry of the log when it comes?
async fn log(bench: &mut Bench, clients: usize) -> Outcome<()> {
    let subject = bench.hub();
    let root = bench.root(&subject, "talk", (TALKERS, 1))?;
    fs::write(
        root.join("codex-autorunner.override.yml"),
        format!("hub:\n  max_parallel_runs: {TALKERS}\n"),
    )?;
    let latency = TALKERS as f64 / RATE as f64;
    for repo in 0..TALKERS {
        let step = r#""say": "one more line", "chunks": 1, "times": 10000000"#;
        ticket(&root, repo, &format!(r#"{{{step}, "latency": {latency}}}"#))?;
    }
    let served = subject.serve(&root)?;
    let before = process::used(&[served.pid()]).rss;
    let sockets = connected(&served, clients, "after=newest&kind=item_updated").await?;
    for repo in 0..TALKERS {
        subject.start_flow(&served.target, &fixture::repo(repo))?;
    }
    let mut tasks = JoinSet::new();
    for mut socket in sockets {
        tasks.spawn(async move {
            let (mut ages, mut count) = (Vec::new(), 0);
            let listen = async {
                loop {
                    let text = socket.next().await?;
                    if !text.starts_with(r#"{"type":"event""#) {
                        continue;
                    }
                    count += 1;
                    if count % LOOKED_AT == 0 {
                        let written = field(&text, r#""at":""#).and_then(|at| at.parse().ok());
                        let written: Option<jiff::Timestamp> = written;
                        ages.extend(
                            written.map(|at| now() / 1e6 - at.as_nanosecond() as f64 / 1e6),
                        );
                    }
                }
            };
            match timeout(LISTEN, listen).await {
                Err(_) => Outcome::Ok(vec![(count, ages)]),
                Ok(ended) => ended,
            }
        });
    }
    let heard = joined(tasks).await?;
    let grown = process::used(&[served.pid()]).rss - before;
    let counts: Vec<f64> = heard.iter().map(|(count, _)| *count as f64).collect();
    let ages: Vec<f64> = heard.into_iter().flat_map(|(_, ages)| ages).collect();
    let a_second = percentile(&counts, 50.0) / LISTEN.as_secs_f64();
    let row = |what: &str, unit, value| {
        let what = format!("{clients} clients, {RATE} events/s wanted: {what}");
        Row::new("P7", what, unit).with("CAR Hub", value)
    };
    bench.report.push(row("each heard", "1/s", a_second));
    bench.report.push(row("p50", "ms", percentile(&ages, 50.0)));
    bench.report.push(row("p99", "ms", percentile(&ages, 99.0)).bar(250.0));
    bench.report.push(row("memory grew by", "MiB", grown).bar(64.0));
    Ok(())
}

async fn joined<T: Send + 'static>(mut tasks: JoinSet<Outcome<Vec<T>>>) -> Outcome<Vec<T>> {
    let all = async {
        let mut all = Vec::new();
        while let Some(one) = tasks.join_next().await {
            all.extend(one??);
        }
        Outcome::Ok(all)
    };
    timeout(PATIENCE, all).await.map_err(|_| "a client heard nothing for long")?
}
