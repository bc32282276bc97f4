//! The ticket flow as a pure state machine.
//!
//! [`step`] takes a run's [`Flow`], what happened, and what the shell prepared (the time and a
//! fresh turn id), and gives the new flow and the effects to carry out once it is committed.
//! Effects carry the number of the transition they belong to, and what comes back of them is
//! accepted only while that transition is the latest: a late answer changes nothing.

mod explain;
mod pause;
#[cfg(test)]
mod tests;
mod turn_end;

use car_api::{
    RunId, Timestamp, TurnId,
    item::Usage,
    run::{FailureCode, Finished, PauseReason, Phase, ResumeRule, RunOptions, RunState, RunTicket},
    turn::{TurnError, TurnPurpose},
    verify::VerifyCommand,
};
use serde::{Deserialize, Serialize};

pub use explain::explain;
use pause::pause;

/// How long a stopped turn may take to end by itself before its processes are ended, in ms.
pub const STOP_GRACE_MS: i64 = 8_000;

/// Turns on the same ticket that may change nothing before the run pauses.
pub const MAX_UNCHANGED_TURNS: u32 = 2;

/// A run as it is kept: its state and what it has to remember across states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Number of transitions so far; effects and their answers carry it.
    pub step: u64,
    /// How the run stands.
    pub state: RunState,
    /// What it was started with.
    pub options: RunOptions,
    /// The ticket it is at.
    pub work: Option<Work>,
    /// What it has spent.
    pub spent: Spent,
    /// What it has finished.
    pub finished: Finished,
    /// A wish that takes effect when the present phase is over.
    pub wish: Option<Wish>,
    /// Whether changes to protected files were accepted by a person.
    pub accept_protected: bool,
    /// Number of the last reply an agent has had in a prompt of a turn that was completed.
    pub replies_seen: u32,
    /// Number of the last dispatch, turn summary or notice that was archived.
    pub dispatch_seq: u32,
}

/// What takes effect when the present phase is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Wish {
    /// A person wants the run to pause.
    Pause,
    /// A budget was used up in the middle of a turn.
    Budget {
        /// Which, for people.
        what: String,
    },
}

/// What a run has spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Turns since the run began.
    pub turns: u32,
    /// Turns since it was last resumed; this is what `max_total_turns` bounds.
    pub turns_since_resume: u32,
    /// Tokens since the run began.
    pub usage: Usage,
    /// Milliseconds agents were at work.
    pub active_ms: i64,
}

/// The ticket a run is at and how far it got with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The ticket.
    pub ticket: RunTicket,
    /// Who works it and how, as the ticket said when it was selected.
    pub brief: Brief,
    /// The agent's own id of the conversation about this ticket.
    pub thread: Option<String>,
    /// Why the next turn is wanted.
    pub next: TurnPurpose,
    /// What the next prompt has to say about that.
    pub note: Option<String>,
    /// Turns spent on this ticket.
    pub turns: u32,
    /// Turns spent to mend frontmatter.
    pub lint_retries: u32,
    /// Turns spent to get a commit.
    pub commit_retries: u32,
    /// Times verification failed.
    pub verify_retries: u32,
    /// Passing errors in a row.
    pub network_retries: u32,
    /// Quota limits in a row.
    pub quota_hits: u32,
    /// Turns in a row that changed nothing.
    pub unchanged: u32,
    /// What the tree looked like after the last turn.
    pub fingerprint: Option<String>,
    /// Whether the agent was lost and taken up again without a finished turn since.
    pub continued: bool,
    /// Whether a fresh conversation was tried because the old one was too long.
    pub refreshed: bool,
}

/// What a ticket asks for, as it was when the hub selected it. An agent that edits these does not
/// change what the hub does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// Model.
    pub model: Option<String>,
    /// Reasoning effort.
    pub reasoning: Option<String>,
    /// Whether a finished ticket leaves the tree clean.
    pub require_commit: bool,
    /// Commands that check the claim of being done.
    pub verify: Vec<VerifyCommand>,
    /// Globs of files whose change needs a person.
    pub protect: Vec<String>,
}

/// What the shell prepares for a step, because the core neither reads clocks nor draws ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// The id of the next turn, should one begin.
    pub turn: TurnId,
}

/// What can happen to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A slot is free for it.
    Granted,
    /// The queue was looked at.
    Surveyed(Finding),
    /// The agent opened a conversation.
    ThreadOpened {
        /// The agent's own id of it.
        thread: String,
    },
    /// The agent cannot take up the conversation again.
    ThreadLost {
        /// The agent's words.
        detail: String,
        /// Whether the tree differs from when the turn began.
        tree_changed: bool,
    },
    /// The turn is over.
    TurnEnded(TurnResult),
    /// The agent's process is gone and the turn has not ended.
    AgentLost {
        /// What is known about it.
        detail: String,
        /// Whether the tree differs from when the turn began.
        tree_changed: bool,
        /// Tokens the turn is known to have used.
        usage: Usage,
        /// How long it took, in milliseconds.
        active_ms: i64,
    },
    /// What a turn left behind was looked at.
    Examined(Examination),
    /// The hub has its verdict.
    Verified(VerifyOutcome),
    /// The time a phase waited for has come.
    Elapsed,
    /// A budget is used up while a turn is under way.
    BudgetReached {
        /// Which, for people.
        what: String,
    },
    /// A person's answer came.
    Replied,
    /// A ticket of the queue was marked done.
    TicketDone,
    /// A person wants it to go on.
    Resume {
        /// Turns to allow from here; the option's value when absent.
        max_total_turns: Option<u32>,
        /// Accept changes to protected files.
        accept_protected: bool,
    },
    /// A person wants it to pause after the present turn.
    Pause,
    /// A person wants it to stop.
    Stop,
    /// A newer run takes its place.
    Supersede {
        /// The newer run.
        by: RunId,
    },
    /// The hub could not carry out what comes next; a person has to see why.
    Blocked {
        /// Why, in full.
        details: String,
    },
    /// It cannot go on.
    Fail {
        /// Why.
        code: FailureCode,
        /// Why, in full.
        message: String,
    },
    /// The hub started again and found it so.
    Recovered,
}

/// What a look at the queue found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// There is no ticket.
    NoTickets,
    /// Something is wrong with the queue or the next ticket.
    NeedsFix {
        /// What, naming the files.
        details: String,
    },
    /// Every ticket is finished.
    AllDone,
    /// The next ticket is for a person.
    ForUser {
        /// The ticket.
        ticket: RunTicket,
    },
    /// A file the next ticket requires is missing.
    MissingContext {
        /// Which.
        details: String,
    },
    /// The account of the next ticket's agent has no quota left.
    Held {
        /// The account.
        account: String,
        /// Until when.
        until: Timestamp,
    },
    /// The next ticket.
    Next(Box<Candidate>),
}

/// The next ticket, as a look at the queue found it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The ticket.
    pub ticket: RunTicket,
    /// What it asks for.
    pub brief: Brief,
    /// Whether it says done already.
    pub done: bool,
    /// What `git status` says when the tree is not clean.
    pub dirty: Option<String>,
    /// Protected files that differ from the run's base.
    pub protected: Vec<String>,
}

/// How a turn ended, and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnResult {
    /// The turn.
    pub turn: TurnId,
    /// How it ended.
    pub outcome: TurnOutcome,
    /// Tokens used in it.
    pub usage: Usage,
    /// How long it took, in milliseconds.
    pub active_ms: i64,
    /// The account the agent used.
    pub account: String,
    /// Number of the last reply that was in its prompt.
    pub replies_seen: u32,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnOutcome {
    /// The agent finished its answer.
    Completed,
    /// It was interrupted.
    Interrupted,
    /// It failed.
    Failed(TurnError),
}

/// What a turn left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// What the agent has to say to a person.
    pub dispatch: DispatchFinding,
    /// How the ticket reads now.
    pub ticket: Reading,
    /// What `git status` says when the tree is not clean.
    pub dirty: Option<String>,
    /// Hash of HEAD, status and contents.
    pub fingerprint: String,
    /// Protected files that differ from the run's base, and the ticket's own `verify`/`protect`
    /// when the agent changed them.
    pub protected: Vec<String>,
    /// Number of the last dispatch or turn summary there is now.
    pub dispatch_seq: u32,
}

/// What the agent has to say to a person.
#[derive(Debug, Clone, PartialEq)]
pub enum DispatchFinding {
    /// Nothing, or something for information.
    None,
    /// It waits for an answer.
    Pause {
        /// The title, or the first line.
        title: String,
    },
    /// The dispatch cannot be read; its file was left.
    Broken {
        /// What is wrong.
        details: String,
    },
}

/// How a ticket reads after a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Its frontmatter is broken.
    Broken {
        /// What the linter says.
        details: String,
    },
    /// Its file is gone.
    Gone,
    /// Not done.
    Open,
    /// Says done.
    Done,
}

/// What came of a verification.
#[derive(Debug, Clone, PartialEq)]
pub enum VerifyOutcome {
    /// Passed, or failed only as the base commit does where policy allows that.
    Passed,
    /// Failed.
    Failed {
        /// The failing command and the end of its output.
        report: String,
    },
    /// It could not be run.
    Broken {
        /// Why.
        details: String,
    },
}

/// What the hub must do next. Carried out only after the new flow is committed; every effect can
/// be carried out again after a crash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Look at the queue.
    Survey,
    /// Have the agent do the turn, or take it up where it is.
    RunTurn {
        /// The turn.
        turn: TurnId,
        /// Why.
        purpose: TurnPurpose,
    },
    /// Interrupt the turn.
    InterruptTurn {
        /// The turn.
        turn: TurnId,
    },
    /// Look at what the turn left behind.
    Examine {
        /// The turn.
        turn: TurnId,
    },
    /// Set the ticket back to not done, with what verification found.
    Reopen {
        /// What it found.
        report: String,
    },
    /// Run the verification commands.
    Verify {
        /// Which try it is for this ticket, from 1.
        attempt: u32,
    },
    /// Record that the ticket is finished.
    FinishTicket {
        /// The ticket.
        ticket: RunTicket,
        /// Whether the hub verified it.
        verified: bool,
    },
    /// Leave a dispatch of the hub's own.
    Notice {
        /// Its number.
        seq: u32,
        /// Title.
        title: String,
        /// Markdown body.
        body: String,
    },
    /// Feed [`Input::Elapsed`] at that time.
    WakeAt {
        /// When.
        at: Timestamp,
    },
    /// No run of that account shall begin a turn before then.
    HoldAccount {
        /// The account.
        account: String,
        /// Until when.
        until: Timestamp,
    },
    /// End the agent's process and everything it started.
    EndSession,
    /// End a verification that is under way.
    CancelVerify,
    /// Write the run's summary for good.
    Seal,
}

/// A new flow and what to do once it is committed.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a transition that is not committed never happened"]
pub struct Transition {
    /// The run from now on.
    pub flow: Flow,
    /// What to do.
    pub effects: Vec<Effect>,
}

/// The run cannot do that in its present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run cannot do that in its present state")]
pub struct Illegal;

impl Flow {
    /// A new run that waits for a slot.
    #[must_use]
    pub fn new(options: RunOptions) -> Self {
        Self {
            step: 0,
            state: RunState::Pending,
            options,
            work: None,
            spent: Spent::default(),
            finished: Finished::default(),
            wish: None,
            accept_protected: false,
            replies_seen: 0,
            dispatch_seq: 0,
        }
    }

    /// The turn that is under way, if one is.
    #[must_use]
    pub fn turn(&self) -> Option<&TurnId> {
        match &self.state {
            RunState::Running { phase: Phase::InTurn { turn, .. } } => Some(turn),
            RunState::Running {
                phase:
                    Phase::Selecting
                    | Phase::PostTurn { .. }
                    | Phase::Verifying { .. }
                    | Phase::BackingOff { .. },
            }
            | RunState::Pending
            | RunState::Paused { .. }
            | RunState::Parked { .. }
            | RunState::Stopping
            | RunState::Completed
            | RunState::Failed { .. }
            | RunState::Stopped
            | RunState::Superseded { .. } => None,
        }
    }

    fn running(mut self, phase: Phase, effects: Vec<Effect>) -> Transition {
        self.state = RunState::Running { phase };
        Transition { flow: self, effects }
    }

    fn select(self) -> Transition {
        self.running(Phase::Selecting, vec![Effect::Survey])
    }

    fn end(mut self, state: RunState) -> Transition {
        self.state = state;
        self.wish = None;
        Transition { flow: self, effects: vec![Effect::EndSession, Effect::Seal] }
    }

    fn keep(self) -> Transition {
        Transition { flow: self, effects: Vec::new() }
    }
}

/// Decides what becomes of a run when something happens to it.
///
/// # Errors
/// [`Illegal`] when the input has no place in the present state.
pub fn step(flow: &Flow, input: Input, moment: &Moment) -> Result<Transition, Illegal> {
    let mut flow = flow.clone();
    flow.step += 1;
    match input {
        Input::Granted => granted(flow),
        Input::Surveyed(finding) => surveyed(flow, finding, moment),
        Input::ThreadOpened { thread } => in_turn(flow, |mut flow| {
            if let Some(work) = &mut flow.work {
                work.thread = Some(thread);
            }
            flow.keep()
        }),
        Input::ThreadLost { detail, tree_changed } => {
            in_turn(flow, |flow| turn_end::thread_lost(flow, &detail, tree_changed, moment))
        }
        Input::TurnEnded(result) => turn_end::turn_ended(flow, result, moment),
        Input::AgentLost { detail, tree_changed, usage, active_ms } => {
            flow.spent.usage = flow.spent.usage.plus(usage);
            flow.spent.active_ms += active_ms;
            turn_end::agent_lost(flow, &detail, tree_changed, moment)
        }
        Input::Examined(examination) => examined(flow, examination, moment),
        Input::Verified(outcome) => verified(flow, outcome, moment),
        Input::Elapsed => elapsed(flow),
        Input::BudgetReached { what } => budget_reached(flow, what),
        Input::Replied => replied(flow),
        Input::TicketDone => ticket_done(flow),
        Input::Resume { max_total_turns, accept_protected } => {
            resume(flow, max_total_turns, accept_protected)
        }
        Input::Pause => pause_wanted(flow, moment),
        Input::Stop => stop(flow, moment),
        Input::Supersede { by } => supersede(flow, by),
        Input::Blocked { details } => blocked(flow, details, moment),
        Input::Fail { code, message } => fail(flow, code, message),
        Input::Recovered => Ok(recovered(flow)),
    }
}

fn granted(flow: Flow) -> Result<Transition, Illegal> {
    match flow.state {
        RunState::Pending => Ok(flow.select()),
        RunState::Running { .. }
        | RunState::Paused { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

/// Applies `f` only while a turn is under way.
fn in_turn(flow: Flow, f: impl FnOnce(Flow) -> Transition) -> Result<Transition, Illegal> {
    if flow.turn().is_some() { Ok(f(flow)) } else { Err(Illegal) }
}

fn surveyed(flow: Flow, finding: Finding, moment: &Moment) -> Result<Transition, Illegal> {
    if flow.state != (RunState::Running { phase: Phase::Selecting }) {
        return Err(Illegal);
    }
    if let Some(wish) = flow.wish.clone() {
        return Ok(grant(flow, wish, moment));
    }
    Ok(match finding {
        Finding::NoTickets => {
            let details = "The queue has no tickets. Add one with `car ticket new`.";
            pause(flow, PauseReason::NoTickets, details, moment)
        }
        Finding::NeedsFix { details } => pause(flow, PauseReason::NeedsUserFix, details, moment),
        Finding::MissingContext { details } => {
            pause(flow, PauseReason::MissingRequiredContext, details, moment)
        }
        Finding::AllDone => flow.end(RunState::Completed),
        Finding::ForUser { ticket } => {
            let details = format!(
                "Ticket {} ({}) is for you. Mark it done when it is: `car ticket done {}`.",
                ticket.file, ticket.title, ticket.number
            );
            let mut transition = pause(flow, PauseReason::UserPause, details, moment);
            if let RunState::Paused { resume, .. } = &mut transition.flow.state {
                *resume = ResumeRule::UserTicket;
            }
            transition
        }
        Finding::Held { account, until } => park(flow, account, until),
        Finding::Next(candidate) => selected(flow, *candidate, moment),
    })
}

/// The next ticket is known: begin a turn, or check a claim that stands already.
fn selected(mut flow: Flow, candidate: Candidate, moment: &Moment) -> Transition {
    let Candidate { ticket, brief, done, dirty, protected } = candidate;
    match &mut flow.work {
        Some(work) if work.ticket.id == ticket.id => {
            // Another agent or model means another conversation.
            if work.ticket.agent != ticket.agent || work.brief.model != brief.model {
                work.thread = None;
            }
            work.ticket = ticket;
            work.brief.model = brief.model;
            work.brief.reasoning = brief.reasoning;
        }
        Some(_) | None => flow.work = Some(Work::new(ticket, brief)),
    }
    if done { claimed(flow, dirty, &protected, moment) } else { begin_turn(flow, moment) }
}

/// Begins the turn that is next for the ticket, unless a limit is reached.
fn begin_turn(flow: Flow, moment: &Moment) -> Transition {
    if let Some((reason, details)) = over_limit(&flow) {
        return pause(flow, reason, details, moment);
    }
    let purpose = flow.work.as_ref().map_or(TurnPurpose::Work, |work| work.next);
    let turn = moment.turn.clone();
    flow.running(
        Phase::InTurn { turn: turn.clone(), purpose },
        vec![Effect::RunTurn { turn, purpose }],
    )
}

fn over_limit(flow: &Flow) -> Option<(PauseReason, String)> {
    let (spent, options) = (&flow.spent, &flow.options);
    if spent.turns_since_resume >= options.max_total_turns {
        let max = options.max_total_turns;
        return Some((PauseReason::MaxTurns, format!("The limit of {max} turns is reached.")));
    }
    budget_spent(spent, options).map(|what| (PauseReason::Budget, what))
}

/// Which budget is used up, if one is, in words for people.
#[must_use]
pub fn budget_spent(spent: &Spent, options: &RunOptions) -> Option<String> {
    if let Some(max) = options.max_tokens
        && spent.usage.total() >= max
    {
        return Some(format!("The budget of {max} tokens is used up."));
    }
    if let Some(max) = options.max_seconds
        && spent.active_ms >= max.saturating_mul(1000)
    {
        return Some(format!("The budget of {max} seconds of work is used up."));
    }
    None
}

fn grant(mut flow: Flow, wish: Wish, moment: &Moment) -> Transition {
    flow.wish = None;
    match wish {
        Wish::Pause => pause(flow, PauseReason::Requested, "Paused on request.", moment),
        Wish::Budget { what } => pause(flow, PauseReason::Budget, what, moment),
    }
}

fn examined(mut flow: Flow, seen: Examination, moment: &Moment) -> Result<Transition, Illegal> {
    let RunState::Running { phase: Phase::PostTurn { .. } } = &flow.state else {
        return Err(Illegal);
    };
    let max_lint = flow.options.max_lint_retries;
    flow.dispatch_seq = flow.dispatch_seq.max(seen.dispatch_seq);
    let Some(work) = &mut flow.work else { return Ok(flow.select()) };
    let was_lint_repair = work.next == TurnPurpose::LintRepair;
    work.next = TurnPurpose::Work;
    work.note = None;
    let unchanged = work.fingerprint.as_ref() == Some(&seen.fingerprint);
    work.fingerprint = Some(seen.fingerprint);

    if let DispatchFinding::Broken { details } = seen.dispatch {
        return Ok(pause(flow, PauseReason::NeedsUserFix, details, moment));
    }
    if let Reading::Broken { details } = seen.ticket {
        if work.lint_retries >= max_lint {
            let details = format!("The agent could not mend the ticket's frontmatter:\n{details}");
            return Ok(pause(flow, PauseReason::NeedsUserFix, details, moment));
        }
        work.lint_retries += 1;
        work.next = TurnPurpose::LintRepair;
        work.note = Some(details);
        return Ok(unless_wish(flow, moment, begin_turn));
    }
    work.lint_retries = 0;
    if let DispatchFinding::Pause { title } = seen.dispatch {
        return Ok(pause(flow, PauseReason::UserPause, title, moment));
    }
    match seen.ticket {
        Reading::Broken { .. } | Reading::Gone => {
            flow.work = None;
            Ok(unless_wish(flow, moment, |flow, _| flow.select()))
        }
        Reading::Done => Ok(unless_wish(flow, moment, |flow, moment| {
            claimed(flow, seen.dirty, &seen.protected, moment)
        })),
        Reading::Open => {
            // A turn that only mended frontmatter is not expected to change the tree.
            work.unchanged = if unchanged && !was_lint_repair { work.unchanged + 1 } else { 0 };
            if work.unchanged >= MAX_UNCHANGED_TURNS {
                return Ok(looping(flow, moment));
            }
            Ok(unless_wish(flow, moment, |flow, _| flow.select()))
        }
    }
}

fn looping(mut flow: Flow, moment: &Moment) -> Transition {
    flow.dispatch_seq += 1;
    let seq = flow.dispatch_seq;
    let turns = MAX_UNCHANGED_TURNS;
    let file = flow.work.as_ref().map_or_else(String::new, |work| work.ticket.file.clone());
    let details = format!(
        "{turns} turns in a row on {file} changed nothing in the tree. \
         Reply with guidance, or edit the ticket and resume."
    );
    let notice =
        Effect::Notice { seq, title: "Turns change nothing".to_owned(), body: details.clone() };
    let mut transition = pause(flow, PauseReason::LoopNoDiff, details, moment);
    transition.effects.insert(0, notice);
    transition
}

/// Goes on with `next` unless a wish waits to take effect.
fn unless_wish(
    flow: Flow,
    moment: &Moment,
    next: impl FnOnce(Flow, &Moment) -> Transition,
) -> Transition {
    match flow.wish.clone() {
        Some(wish) => grant(flow, wish, moment),
        None => next(flow, moment),
    }
}

/// The ticket says done: is it committed, is nothing protected touched, and does it hold?
fn claimed(
    mut flow: Flow,
    dirty: Option<String>,
    protected: &[String],
    moment: &Moment,
) -> Transition {
    let max_commit = flow.options.max_commit_retries;
    let Some(work) = &mut flow.work else { return flow.select() };
    if let Some(status) = dirty.filter(|_| work.brief.require_commit) {
        if work.commit_retries >= max_commit {
            let tries = work.commit_retries;
            let details = format!(
                "{} says done but the tree is not clean after {tries} tries. Commit or discard \
                 these and resume:\n{status}",
                work.ticket.file
            );
            return pause(flow, PauseReason::NeedsUserFix, details, moment);
        }
        work.commit_retries += 1;
        work.next = TurnPurpose::Commit;
        work.note = Some(status);
        return begin_turn(flow, moment);
    }
    if !protected.is_empty() && !flow.accept_protected {
        let details = format!(
            "Protected files were changed: {}. Look at them, then go on with \
             `car run resume --accept-protected`, or revert them and resume.",
            protected.join(", ")
        );
        return pause(flow, PauseReason::ProtectedPaths, details, moment);
    }
    if work.brief.verify.is_empty() {
        return finish_ticket(flow, false);
    }
    let attempt = work.verify_retries + 1;
    flow.running(Phase::Verifying { attempt }, vec![Effect::Verify { attempt }])
}

fn finish_ticket(mut flow: Flow, verified: bool) -> Transition {
    flow.finished.tickets += 1;
    flow.finished.verified += u32::from(verified);
    let finished =
        flow.work.take().map(|work| Effect::FinishTicket { ticket: work.ticket, verified });
    let mut transition = flow.select();
    if let Some(effect) = finished {
        transition.effects.insert(0, effect);
    }
    transition
}

fn verified(
    mut flow: Flow,
    outcome: VerifyOutcome,
    moment: &Moment,
) -> Result<Transition, Illegal> {
    let RunState::Running { phase: Phase::Verifying { .. } } = &flow.state else {
        return Err(Illegal);
    };
    let max = flow.options.max_verify_retries;
    let Some(work) = &mut flow.work else { return Ok(flow.select()) };
    Ok(match outcome {
        VerifyOutcome::Passed => finish_ticket(flow, true),
        VerifyOutcome::Broken { details } => pause(flow, PauseReason::InfraError, details, moment),
        VerifyOutcome::Failed { report } => {
            let reopen = Effect::Reopen { report: report.clone() };
            work.verify_retries += 1;
            work.next = TurnPurpose::VerifyFix;
            work.note = Some(report.clone());
            let mut transition = if work.verify_retries > max {
                let tries = work.verify_retries;
                let details = format!(
                    "Verification of {} failed {tries} times. Last:\n{report}",
                    work.ticket.file
                );
                pause(flow, PauseReason::VerifyFailed, details, moment)
            } else {
                unless_wish(flow, moment, begin_turn)
            };
            transition.effects.insert(0, reopen);
            transition
        }
    })
}

fn park(mut flow: Flow, account: String, until: Timestamp) -> Transition {
    flow.state = RunState::Parked { account: account.clone(), until };
    Transition {
        flow,
        effects: vec![
            Effect::HoldAccount { account, until },
            Effect::EndSession,
            Effect::WakeAt { at: until },
        ],
    }
}

fn elapsed(mut flow: Flow) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Running { phase: Phase::BackingOff { .. } } => Ok(flow.select()),
        RunState::Parked { .. } => {
            flow.state = RunState::Pending;
            Ok(flow.keep())
        }
        RunState::Stopping => Ok(flow.end(RunState::Stopped)),
        RunState::Pending
        | RunState::Running {
            phase:
                Phase::Selecting
                | Phase::InTurn { .. }
                | Phase::PostTurn { .. }
                | Phase::Verifying { .. },
        }
        | RunState::Paused { .. }
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

fn budget_reached(mut flow: Flow, what: String) -> Result<Transition, Illegal> {
    let Some(turn) = flow.turn().cloned() else { return Err(Illegal) };
    flow.wish = Some(Wish::Budget { what });
    Ok(Transition { flow, effects: vec![Effect::InterruptTurn { turn }] })
}

fn replied(flow: Flow) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Paused { resume: ResumeRule::Reply | ResumeRule::UserTicket, .. } => {
            resume(flow, None, false)
        }
        // The reply waits in its directory and is in the next prompt.
        RunState::Paused { resume: ResumeRule::Fix, .. }
        | RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. } => Ok(flow.keep()),
        RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

/// A run that waits for a person to do a ticket goes on when that is done.
fn ticket_done(flow: Flow) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Paused { resume: ResumeRule::UserTicket, .. } => resume(flow, None, false),
        RunState::Paused { resume: ResumeRule::Reply | ResumeRule::Fix, .. }
        | RunState::Pending
        | RunState::Running { .. }
        | RunState::Parked { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

fn resume(
    mut flow: Flow,
    max_total_turns: Option<u32>,
    accept_protected: bool,
) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Paused { .. } | RunState::Parked { .. } => {
            flow.state = RunState::Pending;
            flow.wish = None;
            flow.spent.turns_since_resume = 0;
            flow.accept_protected |= accept_protected;
            if let Some(max) = max_total_turns {
                flow.options.max_total_turns = max;
            }
            if let Some(work) = &mut flow.work {
                work.reset_retries();
            }
            Ok(flow.keep())
        }
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

fn pause_wanted(mut flow: Flow, moment: &Moment) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Running { phase: Phase::BackingOff { .. } } | RunState::Pending => {
            Ok(grant(flow, Wish::Pause, moment))
        }
        RunState::Running {
            phase:
                Phase::Selecting
                | Phase::InTurn { .. }
                | Phase::PostTurn { .. }
                | Phase::Verifying { .. },
        } => {
            flow.wish = Some(Wish::Pause);
            Ok(flow.keep())
        }
        RunState::Parked { .. } => Ok(grant(flow, Wish::Pause, moment)),
        RunState::Paused { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

fn stop(mut flow: Flow, moment: &Moment) -> Result<Transition, Illegal> {
    match flow.state.clone() {
        RunState::Running { phase: Phase::InTurn { turn, .. } } => {
            flow.state = RunState::Stopping;
            let at = moment.now.plus_millis(STOP_GRACE_MS);
            let effects = vec![Effect::InterruptTurn { turn }, Effect::WakeAt { at }];
            Ok(Transition { flow, effects })
        }
        RunState::Running { phase: Phase::Verifying { .. } } => {
            let mut transition = flow.end(RunState::Stopped);
            transition.effects.insert(0, Effect::CancelVerify);
            Ok(transition)
        }
        RunState::Running {
            phase: Phase::Selecting | Phase::PostTurn { .. } | Phase::BackingOff { .. },
        }
        | RunState::Pending
        | RunState::Paused { .. }
        | RunState::Parked { .. } => Ok(flow.end(RunState::Stopped)),
        RunState::Stopping => Ok(flow.keep()),
        RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

fn supersede(flow: Flow, by: RunId) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Paused { .. } | RunState::Parked { .. } => {
            Ok(flow.end(RunState::Superseded { by }))
        }
        RunState::Pending
        | RunState::Running { .. }
        | RunState::Stopping
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

fn blocked(mut flow: Flow, details: String, moment: &Moment) -> Result<Transition, Illegal> {
    match &flow.state {
        RunState::Running { phase } => {
            if let (Phase::InTurn { .. }, Some(work)) = (phase, &mut flow.work) {
                work.next = TurnPurpose::Continue;
            }
            Ok(pause(flow, PauseReason::InfraError, details, moment))
        }
        RunState::Stopping => Ok(flow.end(RunState::Stopped)),
        RunState::Pending
        | RunState::Paused { .. }
        | RunState::Parked { .. }
        | RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => Err(Illegal),
    }
}

fn fail(flow: Flow, code: FailureCode, message: String) -> Result<Transition, Illegal> {
    if flow.state.status().is_end() {
        return Err(Illegal);
    }
    let mut transition = flow.end(RunState::Failed { code, message });
    transition.effects.insert(0, Effect::CancelVerify);
    Ok(transition)
}

/// The hub may have died at any instruction: say again what the present state needs.
fn recovered(flow: Flow) -> Transition {
    let effects = match flow.state.clone() {
        RunState::Running { phase } => match phase {
            Phase::Selecting => vec![Effect::Survey],
            Phase::InTurn { turn, purpose } => vec![Effect::RunTurn { turn, purpose }],
            Phase::PostTurn { turn } => vec![Effect::Examine { turn }],
            Phase::Verifying { attempt } => vec![Effect::Verify { attempt }],
            Phase::BackingOff { until, .. } => vec![Effect::WakeAt { at: until }],
        },
        RunState::Parked { account, until } => {
            vec![
                Effect::HoldAccount { account, until },
                Effect::EndSession,
                Effect::WakeAt { at: until },
            ]
        }
        RunState::Stopping => return flow.end(RunState::Stopped),
        RunState::Paused { .. } => vec![Effect::EndSession],
        RunState::Completed
        | RunState::Failed { .. }
        | RunState::Stopped
        | RunState::Superseded { .. } => vec![Effect::EndSession, Effect::Seal],
        RunState::Pending => Vec::new(),
    };
    Transition { flow, effects }
}

impl Work {
    fn new(ticket: RunTicket, brief: Brief) -> Self {
        Self {
            ticket,
            brief,
            thread: None,
            next: TurnPurpose::Work,
            note: None,
            turns: 0,
            lint_retries: 0,
            commit_retries: 0,
            verify_retries: 0,
            network_retries: 0,
            quota_hits: 0,
            unchanged: 0,
            fingerprint: None,
            continued: false,
            refreshed: false,
        }
    }

    /// A person looked at it: every bounded retry begins anew.
    fn reset_retries(&mut self) {
        self.lint_retries = 0;
        self.commit_retries = 0;
        self.verify_retries = 0;
        self.network_retries = 0;
        self.quota_hits = 0;
        self.unchanged = 0;
        self.continued = false;
        self.refreshed = false;
    }
}
