//! A live agent under a driver, as the hub would have it: every line through `observe`, every line
//! sent from `next`, and the driver made anew from its snapshot at every step.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use car_api::{TurnId, agent::ApprovalPolicy, item::Decision};
use car_engine::agent::{Adapter, AgentEvent, Direction, Driver, TurnOrder, TurnOutcome, Wish};
use serde_json::{Value, json};

/// However slow the machine is, an agent that says nothing for so long is stuck.
const DEADLINE: Duration = Duration::from_secs(120);

/// What the hub wants.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub(crate) struct Wants {
    pub(crate) turn: Option<TurnOrder>,
    pub(crate) interrupt: bool,
    pub(crate) decisions: Vec<(String, Decision)>,
    pub(crate) models: bool,
}

/// A running agent.
pub(crate) struct Session<'a> {
    adapter: &'a dyn Adapter,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    driver: Box<dyn Driver>,
    /// What was said and wanted, in the form of the recorded sessions.
    pub(crate) journal: Vec<Value>,
    /// Everything it meant.
    pub(crate) events: Vec<AgentEvent>,
    wanted: Option<Wants>,
}

impl<'a> Session<'a> {
    pub(crate) fn start(adapter: &'a dyn Adapter, cwd: &std::path::Path) -> Self {
        let command = adapter.command();
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .envs(adapter.environment())
            .current_dir(cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            adapter,
            child,
            stdin,
            lines,
            driver: adapter.driver(None).unwrap(),
            journal: Vec::new(),
            events: Vec::new(),
            wanted: None,
        }
    }

    /// Sends what is due and reads until an event answers; what happened up to and with it.
    pub(crate) fn until(
        &mut self,
        wants: &Wants,
        mut found: impl FnMut(&AgentEvent) -> bool,
    ) -> Vec<AgentEvent> {
        let begin = Instant::now();
        let from = self.events.len();
        self.want(wants);
        loop {
            self.send_due(wants);
            let Ok(line) = self.lines.recv_timeout(DEADLINE.saturating_sub(begin.elapsed())) else {
                panic!("waiting for {wants:?}; so far: {:#?}", &self.events[from..]);
            };
            let new = self.observe(Direction::Out, &line);
            if new.iter().any(&mut found) {
                self.send_due(wants);
                return self.events[from..].to_vec();
            }
        }
    }

    /// Does a turn to its end.
    pub(crate) fn turn(&mut self, order: &TurnOrder) -> (Vec<AgentEvent>, TurnOutcome) {
        let wants = Wants { turn: Some(order.clone()), ..Wants::default() };
        let events = self.until(&wants, ended);
        let outcome = outcome(&events);
        (events, outcome)
    }

    /// The thread that was opened last.
    pub(crate) fn thread(&self) -> Option<String> {
        self.events.iter().rev().find_map(|event| {
            if let AgentEvent::ThreadOpened { thread, .. } = event {
                Some(thread.clone())
            } else {
                None
            }
        })
    }

    pub(crate) fn prompt_sent(&self, turn: &TurnId) -> bool {
        self.driver.prompt_sent(turn)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends of its own accord.
    pub(crate) fn exited(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Closes its input and waits for its end.
    pub(crate) fn close(mut self) -> (Vec<Value>, Option<i32>) {
        self.stdin = None;
        let code = self.exited();
        (std::mem::take(&mut self.journal), code)
    }

    fn want(&mut self, wants: &Wants) {
        if self.wanted.as_ref() != Some(wants) {
            self.wanted = Some(wants.clone());
            self.journal.push(json!({ "wish": wants }));
        }
    }

    fn send_due(&mut self, wants: &Wants) {
        let wish = Wish {
            turn: wants.turn.as_ref(),
            interrupt: wants.interrupt,
            decisions: &wants.decisions,
            models: wants.models,
        };
        while let Some(line) = self.driver.next(&wish) {
            assert!(!line.contains('\n'), "one message, one line: {line}");
            writeln!(self.stdin.as_ref().unwrap(), "{line}").unwrap();
            self.observe(Direction::In, &line);
        }
    }

    fn observe(&mut self, direction: Direction, line: &str) -> Vec<AgentEvent> {
        let dir = match direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        self.journal.push(json!({ "dir": dir, "msg": message }));
        let new = self.driver.observe(direction, line);
        self.driver = self.adapter.driver(Some(&self.driver.snapshot())).unwrap();
        self.events.extend(new.clone());
        new
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An order for a turn with nothing special about it.
pub(crate) fn order(turn: &str, prompt: &str, cwd: &std::path::Path) -> TurnOrder {
    TurnOrder {
        turn: turn.parse().unwrap(),
        prompt: prompt.to_owned(),
        cwd: cwd.display().to_string(),
        thread: None,
        fork_of: None,
        task: car_engine::agent::Task::Answer,
        model: None,
        effort: None,
        approvals: ApprovalPolicy::Never,
        writable: Vec::new(),
    }
}

pub(crate) fn ended(event: &AgentEvent) -> bool {
    matches!(event, AgentEvent::TurnEnded { .. })
}

/// How the turn ended that these events tell of.
pub(crate) fn outcome(events: &[AgentEvent]) -> TurnOutcome {
    let found = events.iter().find_map(|event| {
        if let AgentEvent::TurnEnded { outcome, .. } = event { Some(outcome.clone()) } else { None }
    });
    found.unwrap()
}
