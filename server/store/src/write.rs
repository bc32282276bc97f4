//! Every change the hub can make to its memory.

use car_api::{
    ChannelId, DeviceId, EventKind, InboxItemId, NotificationId, RepoId, RunId, SessionId,
    TemplateSourceId, TerminalId, ThreadId, Timestamp, TokenId, TurnId, WebhookId,
    job::Job,
    notification::NotificationDelivery,
    terminal::Terminal,
    turn::{Turn, Writing},
    worktree::Salvage,
};
use car_engine::pma::{prompt::Told, safety::Safety};
use sqlx::SqliteConnection;

use crate::{
    AccountRow, ApprovalRow, AuditEntry, ChannelRow, Clean, DeliveryRow, DeviceRow, EffectRow,
    InboxEnd, InboxSync, ItemRow, KeptAnswer, MessageRow, NotificationDraft, RequestKey, Result,
    RunGrantRow, RunRow, SessionRow, TemplateSourceRow, TemplateTrustRow, ThreadGrantRow,
    ThreadRow, TicketFileRow, TokenRow, UsageRow, VerdictRow, WakeRow, WebhookRow, accounts,
    approvals, audit, channels,
    columns::json,
    deliveries, devices, effects,
    events::{self, Log},
    facts, idempotency, inbox, items, jobs, messages, notifications, push, run_grants, runs,
    salvages, sessions, snapshot, templates, terminals, thread_grants, thread_safety, thread_told,
    threads, ticket_files, tokens, turns, usage, verdicts, void, wakes, webhooks, writings,
};

/// One change. A list of them is committed as a whole or not at all.
#[derive(Debug, Clone)]
pub enum Write {
    /// Append to the log.
    Event {
        /// When it became true.
        at: Timestamp,
        /// The repo or worktree it belongs to.
        repo: Option<RepoId>,
        /// The run it belongs to.
        run: Option<RunId>,
        /// The thread it belongs to.
        thread: Option<ThreadId>,
        /// What has become true.
        kind: Box<EventKind>,
    },
    /// Events up to a number are no longer kept.
    EventsGone {
        /// The number, inclusive.
        up_to: i64,
    },
    /// Add a line to the audit chain.
    Audit(Box<AuditEntry>),
    /// A new run; fails with `Conflict` when its tree has an active one.
    RunCreate(Box<RunRow>),
    /// A run's new state.
    Run(Box<RunRow>),
    /// An effect to carry out.
    EffectAdd(EffectRow),
    /// Effects of a run up to a step were carried out, or have no place any more.
    EffectsDone {
        /// The run.
        run: RunId,
        /// Up to which step, inclusive.
        step: u64,
    },
    /// One effect was carried out.
    EffectDone {
        /// The run.
        run: RunId,
        /// Its step.
        step: u64,
        /// Its place within the step.
        place: u32,
    },
    /// A turn, new or changed, with the tree's fingerprint when it began.
    Turn(Box<Turn>, Option<String>),
    /// What a turn of a thread used; with a turn of a run it is noted of itself.
    Usage(Box<UsageRow>),
    /// A piece of a turn, new or changed.
    Item(ItemRow),
    /// What is being written in a turn.
    Writings(TurnId, Vec<Writing>),
    /// A session, new or changed.
    Session(SessionRow),
    /// What a session left is gone.
    SessionGone(SessionId),
    /// A question of an agent, new or changed.
    Approval(Box<ApprovalRow>),
    /// A thread, new or changed; fails with `Conflict` when it is a second one of the project
    /// manager.
    Thread(Box<ThreadRow>),
    /// A message, new or changed; fails with `Conflict` when its thread has another one of that
    /// number or of that id of the caller.
    Message(Box<MessageRow>),
    /// The latest verdict on a ticket.
    Verdict(VerdictRow),
    /// What was read of a ticket file.
    TicketFile(TicketFileRow),
    /// A ticket file is gone.
    TicketFileGone {
        /// Its repo.
        repo: RepoId,
        /// Its name.
        file: String,
    },
    /// A repo left the hub: forget its index.
    RepoGone(RepoId),
    /// A job, new or changed.
    Job(Box<Job>),
    /// A terminal, new or changed.
    Terminal(Box<Terminal>),
    /// What was kept of a terminal is gone.
    TerminalGone(TerminalId),
    /// A new token.
    TokenCreate(TokenRow),
    /// A token was used.
    TokenUsed(TokenId, Timestamp),
    /// A token no longer works.
    TokenRevoke(TokenId, Timestamp),
    /// A browser was paired.
    DeviceCreate(Box<DeviceRow>),
    /// A browser's secret, or when it was used, has changed.
    DeviceUpdate(Box<DeviceRow>),
    /// A browser has to pair again.
    DeviceRevoke(DeviceId, Timestamp),
    /// The token of a run's agent, new or renewed.
    RunGrant(RunGrantRow),
    /// The agent of a run needs no token any more.
    RunGrantGone(RunId),
    /// The token of a thread's agent, new or renewed.
    ThreadGrant(ThreadGrantRow),
    /// What keeps a thread from harm has changed.
    ThreadSafety(ThreadId, Box<Safety>),
    /// What the agent of a thread will have been told when the turn at work ends well.
    ThreadTold {
        /// The thread.
        thread: ThreadId,
        /// The conversation of its agent.
        conversation: u32,
        /// Everything it was told by then.
        pending: Box<Told>,
    },
    /// That turn ended well.
    ThreadToldSettled(ThreadId),
    /// The agent of a thread has to be told everything again.
    ThreadToldGone(ThreadId),
    /// Something was kept of a removed worktree or repo.
    Salvage(Box<Salvage>),
    /// What was kept is gone: restored or expired.
    SalvageGone(car_api::SalvageId),
    /// What is known of an account.
    Account(AccountRow),
    /// A webhook, new or changed; its cursor is left alone when it exists.
    Webhook(Box<WebhookRow>),
    /// Events up to a number are in a webhook's ledger, as far as they match.
    WebhookCursor {
        /// The webhook.
        webhook: WebhookId,
        /// The number.
        cursor: i64,
    },
    /// A webhook and its ledger go.
    WebhookGone(WebhookId),
    /// A line of the ledger, new or changed.
    Delivery(Box<DeliveryRow>),
    /// Ended deliveries from before a time go.
    DeliveriesGone {
        /// The time.
        before: Timestamp,
    },
    /// What waits for a person of one subject, from now on.
    Inbox(Box<InboxSync>),
    /// What was done about something that waits.
    InboxEnd(Box<InboxEnd>),
    /// A person is told of something that was held back.
    InboxRelease(InboxItemId, Timestamp),
    /// A person has seen these.
    InboxSeen(Vec<InboxItemId>, Timestamp),
    /// Items that ended before a time go.
    InboxEndedGone {
        /// The time.
        before: Timestamp,
    },
    /// A word to the outside, unless there is one with its key.
    Notify(Box<NotificationDraft>),
    /// What came of an attempt to deliver a notification.
    NotificationAttempt(NotificationId, Box<NotificationDelivery>),
    /// A notification that was given up is tried again, on one channel or on all.
    NotificationRetry(NotificationId, Option<ChannelId>, Timestamp),
    /// A person has seen a notification.
    NotificationSeen(NotificationId, Timestamp),
    /// Notifications from before a time go, unless they still have to leave.
    NotificationsGone {
        /// The time.
        before: Timestamp,
    },
    /// A way out for notifications, new or changed.
    Channel(Box<ChannelRow>),
    /// Since when nothing arrives on a channel.
    ChannelFailing(ChannelId, Option<Timestamp>),
    /// A channel goes.
    ChannelGone(ChannelId),
    /// What is known of a source of templates.
    TemplateSource(Box<TemplateSourceRow>),
    /// A source of templates goes, with what was trusted of it.
    TemplateSourceGone(TemplateSourceId),
    /// Somebody trusts a template as it is.
    TemplateTrust(Box<TemplateTrustRow>),
    /// A template is trusted no longer, or all of a source.
    TemplateUntrust {
        /// The source.
        source: TemplateSourceId,
        /// The file; all when absent.
        path: Option<String>,
    },
    /// Something to tell the project manager, or the message it goes in.
    Wake(Box<WakeRow>),
    /// What went in this message was told.
    WakesTold(String),
    /// The token of a pushed action is used up; fails with `Conflict` when it was before.
    PushActionUsed {
        /// The token's own id.
        token: String,
        /// When.
        at: Timestamp,
        /// Until when it would have been good.
        expires_at: Timestamp,
    },
    /// Nothing is under way any more: processes, turns, questions, effects. The index of tickets is
    /// read anew from the files.
    AllVoid(Timestamp),
    /// No token holds any more.
    SecretsGone,
    /// A request that may be sent again makes this: in one commit with what it makes, or just
    /// before, when that is a file.
    RequestMade(RequestKey, String),
    /// A request that may be sent again was answered.
    RequestAnswered(RequestKey, Box<KeptAnswer>),
    /// Requests that came before this time are forgotten.
    RequestsForgotten(Timestamp),
    /// A line of a job's log.
    JobLine(car_api::JobId, car_api::job::JobLine),
    /// A fact about the database itself.
    Fact {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

impl Write {
    /// Whether there may be a notification to send after it.
    pub(crate) fn may_notify(&self) -> bool {
        matches!(
            self,
            Self::Inbox(_) | Self::InboxRelease(..) | Self::Notify(_) | Self::NotificationRetry(..)
        )
    }
}

/// Carries one change out. Gives the event's number for an event; `newest` is that of the newest.
pub(crate) async fn apply(
    conn: &mut SqliteConnection,
    write: &Write,
    clean: &Clean,
    newest: &mut i64,
) -> Result<Option<i64>> {
    let mut log = Log { newest, clean };
    match write {
        Write::Event { at, repo, run, thread, kind } => {
            let payload = clean.text(json(&**kind)?);
            let place =
                events::Place { repo: repo.as_ref(), run: run.as_ref(), thread: thread.as_ref() };
            let kind = kind.word();
            return events::append(conn, log.newest, *at, &place, kind, payload).await.map(Some);
        }
        Write::EventsGone { up_to } => events::delete_up_to(conn, *up_to).await?,
        Write::Audit(entry) => audit::append(conn, entry, clean).await?,
        Write::RunCreate(row) => runs::insert(conn, row).await?,
        Write::Run(row) => runs::update(conn, row).await?,
        Write::EffectAdd(row) => effects::insert(conn, row).await?,
        Write::EffectsDone { run, step } => effects::done_up_to(conn, run, *step).await?,
        Write::EffectDone { run, step, place } => {
            effects::done(conn, run, *step, *place).await?;
        }
        Write::Turn(turn, fingerprint) => {
            turns::upsert(conn, turn, fingerprint.as_deref(), clean).await?;
        }
        Write::Usage(row) => usage::of_thread(conn, row).await?,
        Write::Item(row) => items::upsert(conn, row, clean).await?,
        Write::Writings(turn, pieces) => writings::set(conn, turn, pieces).await?,
        Write::Session(row) => sessions::upsert(conn, row).await?,
        Write::SessionGone(id) => sessions::delete(conn, id).await?,
        Write::Approval(row) => approvals::upsert(conn, row).await?,
        Write::Thread(row) => threads::upsert(conn, row, clean).await?,
        Write::Message(row) => messages::upsert(conn, row, clean).await?,
        Write::Verdict(row) => verdicts::upsert(conn, row).await?,
        Write::TicketFile(row) => ticket_files::upsert(conn, row).await?,
        Write::TicketFileGone { repo, file } => ticket_files::delete(conn, repo, file).await?,
        Write::RepoGone(repo) => ticket_files::delete_repo(conn, repo).await?,
        Write::Job(job) => jobs::upsert(conn, job, clean).await?,
        Write::Terminal(terminal) => terminals::upsert(conn, terminal, clean).await?,
        Write::TerminalGone(id) => terminals::delete(conn, id).await?,
        Write::TokenCreate(row) => tokens::insert(conn, row).await?,
        Write::TokenUsed(id, at) => tokens::used(conn, id, *at).await?,
        Write::TokenRevoke(id, at) => tokens::revoke(conn, id, *at).await?,
        Write::DeviceCreate(row) => devices::insert(conn, row).await?,
        Write::DeviceUpdate(row) => devices::update(conn, row).await?,
        Write::DeviceRevoke(id, at) => devices::revoke(conn, id, *at).await?,
        Write::RunGrant(row) => run_grants::upsert(conn, row).await?,
        Write::RunGrantGone(run) => run_grants::delete(conn, run).await?,
        Write::ThreadGrant(row) => thread_grants::upsert(conn, row).await?,
        Write::ThreadSafety(thread, state) => thread_safety::upsert(conn, thread, state).await?,
        Write::ThreadTold { thread, conversation, pending } => {
            thread_told::pending(conn, thread, *conversation, pending).await?;
        }
        Write::ThreadToldSettled(thread) => thread_told::settle(conn, thread).await?,
        Write::ThreadToldGone(thread) => thread_told::forget(conn, thread).await?,
        Write::Salvage(salvage) => salvages::upsert(conn, salvage).await?,
        Write::SalvageGone(id) => salvages::delete(conn, id).await?,
        Write::Account(row) => accounts::upsert(conn, row).await?,
        Write::Webhook(row) => webhooks::upsert(conn, row).await?,
        Write::WebhookCursor { webhook, cursor } => {
            webhooks::move_cursor(conn, webhook, *cursor).await?;
        }
        Write::WebhookGone(webhook) => webhooks::delete(conn, webhook).await?,
        Write::Delivery(row) => deliveries::upsert(conn, row).await?,
        Write::DeliveriesGone { before } => deliveries::delete_ended(conn, *before).await?,
        Write::Inbox(change) => return inbox::sync(conn, change, &mut log).await,
        Write::InboxEnd(end) => return inbox::end(conn, end, &mut log).await,
        Write::InboxRelease(item, at) => return inbox::release(conn, item, *at, &mut log).await,
        Write::InboxSeen(items, at) => return inbox::seen(conn, items, *at, &mut log).await,
        Write::InboxEndedGone { before } => inbox::delete_ended(conn, *before).await?,
        Write::Notify(draft) => return notifications::make(conn, draft, &mut log).await,
        Write::NotificationAttempt(id, line) => {
            return notifications::attempted(conn, id, line, &mut log).await;
        }
        Write::NotificationRetry(id, channel, at) => {
            return notifications::retry(conn, id, channel.as_ref(), *at, &mut log).await;
        }
        Write::NotificationSeen(id, at) => {
            return notifications::seen(conn, id, *at, &mut log).await;
        }
        Write::NotificationsGone { before } => notifications::delete_old(conn, *before).await?,
        Write::Channel(row) => channels::upsert(conn, row).await?,
        Write::ChannelFailing(id, since) => channels::failing(conn, id, *since).await?,
        Write::ChannelGone(id) => channels::delete(conn, id).await?,
        Write::TemplateSource(row) => templates::upsert(conn, row).await?,
        Write::TemplateSourceGone(source) => templates::delete(conn, source).await?,
        Write::TemplateTrust(row) => templates::trust(conn, row).await?,
        Write::TemplateUntrust { source, path } => {
            templates::untrust(conn, source, path.as_deref()).await?;
        }
        Write::Wake(row) => wakes::upsert(conn, row).await?,
        Write::WakesTold(message) => wakes::told(conn, message).await?,
        Write::PushActionUsed { token, at, expires_at } => {
            push::used(conn, token, *at, *expires_at).await?;
        }
        Write::AllVoid(at) => void::all(conn, *at).await?,
        Write::SecretsGone => snapshot::secrets_gone(conn).await?,
        Write::RequestMade(key, made) => idempotency::made(conn, key, made).await?,
        Write::RequestAnswered(key, answer) => idempotency::answered(conn, key, answer).await?,
        Write::RequestsForgotten(before) => idempotency::forget(conn, *before).await?,
        Write::JobLine(job, line) => jobs::add_line(conn, job, line).await?,
        Write::Fact { name, value } => facts::upsert(conn, name, value).await?,
    }
    Ok(None)
}
