//! Every operation of the API is called by the client at least once, and answers as it says.

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

use car_api::{
    Code, PageQuery, RepoId, RunId, TemplateSourceId,
    agent::ApprovalPolicy,
    backup::BackupCreate,
    budget::BudgetLimits,
    context::{ContextName, ContextUpdate},
    dispatch::{DispatchCreate, DispatchMode, ReplyCreate},
    filebox::FileBox,
    inbox::{InboxAct, InboxAction, InboxCounts, InboxKind, InboxSeen},
    item::Decision,
    job::JobStatus,
    notification::{
        ChannelCreate, ChannelUpdate, NotificationKind, NotificationStatus, QuietHours,
    },
    pairing::{PairFinish, PairOutcome, PairRequest, PairingCreate, PairingDecide, PairingState},
    pma::{PmaDocName, PmaDocUpdate},
    push::{PushAct, PushSubscribe},
    repo::{RepoClone, RepoCreate, RepoPatch, RepoRemove, SetupUpdate},
    run::{ApprovalDecide, Run, RunResume, RunStart, RunStatus},
    template::{
        TemplateApply, TemplateSourceSync, TemplateSourceTrust, TemplateTrust, TemplateTrusted,
        TemplateUntrusted,
    },
    terminal::TerminalCreate,
    thread::{MessageStatus, ThreadFork, ThreadKind, ThreadStatus, ThreadUpdate},
    ticket::{
        TicketCreate, TicketDone, TicketLint, TicketMove, TicketPatch, TicketText, TicketUpdate,
    },
    token::{TokenCreate, TokenExchange, WsTicketCreate},
    voice::AudioKind,
    webhook::{DeliveryStatus, WebhookCreate, WebhookFilter, WebhookUpdate},
    worktree::{WorktreeCleanup, WorktreeCreate},
};
use car_client::{
    AuditFilter, Client, ClientError, EventFilter, InboxFilter, MessagePage, TemplateFilter,
    ThreadFilter, UsageCount,
};

use crate::{
    contract::operations,
    harness::{DEADLINE, TestHub},
    talk::Talk,
    templates::Source,
    work::ended,
};

/// Where the client notes the operations it calls.
const VARIABLE: &str = "CAR_CLIENT_COVERAGE";

#[test]
fn every_operation_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("called");
    // A process of its own: the client reads the variable once.
    let tour = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "coverage::tour", "--nocapture"])
        .env(VARIABLE, &record)
        .output()
        .unwrap();
    assert!(
        tour.status.success(),
        "the tour failed:\n{}\n{}",
        String::from_utf8_lossy(&tour.stdout),
        String::from_utf8_lossy(&tour.stderr)
    );
    let called = fs::read_to_string(&record).unwrap();
    let called: BTreeSet<&str> = called.lines().collect();
    let all = operations();
    let missing: Vec<_> = all
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap())
        .filter(|id| !called.contains(id))
        .collect();
    assert!(missing.is_empty(), "the tour in coverage.rs does not call {missing:?}");
}

#[tokio::test]
#[ignore = "run by every_operation_is_called"]
async fn tour() {
    let hub = TestHub::with_terminals();
    let client = hub.client();
    the_hub(&client).await;
    let repo = repos(&hub, &client).await;
    tickets(&client, &repo).await;
    templates(&client, &repo).await;
    context(&client, &repo).await;
    files(&client, &repo).await;
    voice(&client).await;
    pma(&client).await;
    agents(&client).await;
    runs(&client, &repo).await;
    approvals(&client, &repo).await;
    worktrees(&client, &repo).await;
    tokens(&client).await;
    audit(&client).await;
    threads(&client).await;
    terminals(&client).await;
    webhooks(&client).await;
    notifications(&client).await;
    pairing(&hub, &client).await;
    removal(&client, &repo).await;
}

async fn the_hub(client: &Client) {
    client.health_live().await.unwrap();
    assert!(client.health_ready().await.unwrap().ready);
    assert!(client.metrics_get().await.unwrap().contains("car_hub_uptime_seconds"));
    assert!(client.docs_get().await.unwrap().contains("id=\"run_start\""));
    assert!(client.docs_style().await.unwrap().contains("color-scheme"));
    assert_eq!(client.hub_get().await.unwrap().version, env!("CARGO_PKG_VERSION"));
    assert_eq!(client.hub_snapshot().await.unwrap().counts.repos, 0);
    assert_eq!(client.hub_scan().await.unwrap().total, 0);
    assert!(client.openapi_get().await.unwrap()["paths"].is_object());
    let report = client.hub_doctor().await.unwrap();
    assert!(report.ok, "{report:#?}");
    let none = client.usage_get(&UsageCount::default()).await.unwrap();
    assert_eq!((none.rows.len(), none.total.turns), (0, 0));
    let budgets = client.budgets_get().await.unwrap();
    let limits = BudgetLimits { day_tokens: Some(1_000_000_000), ..budgets.limits };
    let set = client.budgets_update(&limits, Some(&budgets.etag)).await.unwrap();
    assert_eq!(set.limits, limits);
    let made = client.backup_create(&BackupCreate { leave_out: Vec::new() }).await.unwrap();
    assert_eq!(ended(client, made.clone()).await.status, JobStatus::Completed);
    assert_eq!(client.backup_list().await.unwrap().items.len(), 1);
    assert_eq!(code(client.restore_confirm().await), Code::IllegalTransition);
    let events = client.event_list(0, None, &EventFilter::default()).await.unwrap();
    assert_eq!(events.items[0].seq, 1);
}

async fn repos(hub: &TestHub, client: &Client) -> RepoId {
    let body = RepoCreate { id: "base".to_owned(), path: None, force: false };
    let repo = client.repo_create(&body).await.unwrap();
    assert_eq!(code(client.repo_create(&body).await), Code::AlreadyExists);
    let dir = hub.root().join(&repo.path);
    fs::write(dir.join("README.md"), "base\n").unwrap();
    git(&dir, &["add", "README.md"]);
    git(&dir, &["commit", "--quiet", "-m", "first"]);
    client.repo_init(&repo.id).await.unwrap();
    assert_eq!(client.repo_get(&repo.id).await.unwrap().path, repo.path);
    let git = client.repo_git(&repo.id).await.unwrap();
    assert_eq!((git.branch.as_deref(), git.changed, git.conflicts), (Some("main"), 0, 0));
    assert_eq!(client.repo_list(None, &PageQuery::default()).await.unwrap().items.len(), 1);
    let setup = SetupUpdate { commands: vec!["touch prepared".to_owned()] };
    let read = client.repo_setup_get(&repo.id).await.unwrap();
    let set = client.repo_setup_update(&repo.id, &setup, Some(&read.etag)).await.unwrap();
    assert_eq!(set.commands, setup.commands);
    assert_eq!(client.repo_setup_get(&repo.id).await.unwrap(), set);
    let stale = client.repo_setup_update(&repo.id, &setup, Some(&read.etag)).await;
    assert_eq!(code(stale), Code::Stale);
    let patch = RepoPatch { name: Some(Some("The base".to_owned())) };
    assert_eq!(client.repo_update(&repo.id, &patch).await.unwrap().name, "The base");

    let url = dir.to_str().unwrap().to_owned();
    let job = client.repo_clone(&RepoClone { url, id: Some("copy".to_owned()) }).await.unwrap();
    assert_eq!(ended(client, job.clone()).await.status, JobStatus::Completed);
    let copy = "copy".parse().unwrap();
    let synced = client.repo_sync(&copy).await.unwrap();
    assert_eq!(ended(client, synced.clone()).await.phase, "up to date");
    assert!(!client.job_list(&PageQuery::default()).await.unwrap().items.is_empty());
    let log = client.job_log(&job.id, &PageQuery::default()).await.unwrap().items;
    assert!(log[0].line.starts_with("cloning "), "{log:?}");
    // It has ended: cancelling is refused or changes nothing.
    match client.job_cancel(&job.id).await {
        Ok(same) => assert_eq!(same.status, JobStatus::Completed),
        Err(error) => assert_eq!(error.code(), Some(Code::IllegalTransition), "{error}"),
    }
    repo.id
}

async fn tickets(client: &Client, repo: &RepoId) {
    let one = create(client, repo, "One", "").await;
    let two = create(client, repo, "Two", "").await;
    let number = |text: &TicketText| text.ticket.number.unwrap().to_string();
    let read = client.ticket_get(repo, &number(&one)).await.unwrap();
    assert_eq!(read.content, one.content);
    let body = TicketUpdate { content: format!("{}\nMore.\n", read.content), allow_invalid: false };
    let stale = client.ticket_update(repo, &number(&one), &body, Some(&two.ticket.etag)).await;
    assert_eq!(code(stale), Code::Stale);
    let etag = read.ticket.etag.as_str();
    let changed = client.ticket_update(repo, &number(&one), &body, Some(etag)).await.unwrap();
    assert!(changed.content.ends_with("More.\n") && changed.ticket.etag != etag);
    let patch = TicketPatch { model: Some(Some("m".to_owned())), ..TicketPatch::default() };
    let patched = client.ticket_patch(repo, &number(&one), &patch, None).await.unwrap();
    assert_eq!(patched.ticket.model.as_deref(), Some("m"));
    let tried = client.ticket_verify(repo, &number(&one)).await.unwrap();
    assert_eq!(ended(client, tried.clone()).await.status, JobStatus::Completed);
    let done = client.ticket_done(repo, &number(&one), &TicketDone { done: true }, None).await;
    assert!(done.unwrap().content.contains("done: true"));
    // A number every reader of JSON takes for itself.
    for to in [0, 1 << 53, u64::MAX] {
        let refused =
            client.ticket_move(repo, &number(&two), &TicketMove { to }).await.unwrap_err();
        assert_eq!(refused.code(), Some(Code::BadRequest), "{to}");
    }
    let moved = client.ticket_move(repo, &number(&two), &TicketMove { to: 1 }).await.unwrap();
    assert_eq!(moved.items[0].title, "Two");
    let renumbered = client.ticket_renumber(repo).await.unwrap();
    let numbers: Vec<_> = renumbered.items.iter().map(|ticket| ticket.number).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    assert!(client.ticket_lint(repo, &TicketLint::default()).await.unwrap().ok);
    let draft = "---\nagent: nobody\ndone: false\n---\n".to_owned();
    let text = TicketLint { fix: false, content: Some(draft) };
    let found = client.ticket_lint(repo, &text).await.unwrap();
    assert!(!found.ok && found.findings.iter().any(|f| f.issue.line == 2), "{found:?}");
    for ticket in client.ticket_list(repo, None, &PageQuery::default()).await.unwrap().items {
        let number = ticket.number.unwrap().to_string();
        client.ticket_done(repo, &number, &TicketDone { done: true }, None).await.unwrap();
    }
    assert_eq!(client.ticket_list_all(None, &PageQuery::default()).await.unwrap().items.len(), 2);
}

async fn templates(client: &Client, repo: &RepoId) {
    let source = Source::new(&[("fix/bug.md", "# Mend it\n")]);
    let team: TemplateSourceId = "team".parse().unwrap();
    let body = source.body("team");
    assert_eq!(client.template_source_create(&body).await.unwrap().commit, None);
    assert_eq!(code(client.template_source_create(&body).await), Code::AlreadyExists);
    let job = client.template_source_sync(&team, &TemplateSourceSync::default()).await.unwrap();
    assert_eq!(ended(client, job).await.status, JobStatus::Completed);
    let page = PageQuery::default();
    let sources = client.template_source_list(&page).await.unwrap().items;
    let commit = sources[0].commit.clone().unwrap();
    let templates = client.template_list(&TemplateFilter::default(), &page).await.unwrap().items;
    let template = templates[0].template.clone();
    let sha256 = client.template_get(&template).await.unwrap().template.sha256;
    let apply = TemplateApply {
        template: template.clone(),
        accept_sha256: None,
        title: None,
        agent: Some("user".to_owned()),
        verify: Vec::new(),
        at: None,
    };
    assert_eq!(code(client.template_apply(repo, &apply).await), Code::PreconditionRequired);
    let trusted = TemplateTrusted { template: template.clone(), sha256 };
    assert_eq!(client.template_trust(&trusted).await.unwrap().trust, TemplateTrust::Trusted);
    let made = client.template_apply(repo, &apply).await.unwrap();
    assert_eq!(made.ticket.title, "Mend it");
    let number = made.ticket.number.unwrap().to_string();
    client.ticket_done(repo, &number, &TicketDone { done: true }, None).await.unwrap();
    let body = TemplateUntrusted { template };
    assert_eq!(client.template_untrust(&body).await.unwrap().trust, TemplateTrust::Untrusted);
    let body = TemplateSourceTrust { commit };
    assert_eq!(client.template_source_trust(&team, &body).await.unwrap().untrusted, 0);
    assert_eq!(client.template_source_untrust(&team).await.unwrap().untrusted, 1);
    client.template_source_delete(&team).await.unwrap();
    assert_eq!(code(client.template_source_delete(&team).await), Code::NotFound);
}

async fn context(client: &Client, repo: &RepoId) {
    assert_eq!(client.context_list(repo).await.unwrap().items.len(), 3);
    let spec = client.context_get(repo, ContextName::Spec).await.unwrap();
    let body = ContextUpdate { content: "What is to be built.\n".to_owned() };
    let changed = client.context_update(repo, ContextName::Spec, &body, Some(&spec.etag)).await;
    assert_eq!(changed.unwrap().content, body.content);
}

async fn files(client: &Client, repo: &RepoId) {
    let name = "a plan.md".parse().unwrap();
    let made = client.file_put(FileBox::Inbox, &name, "the plan").await.unwrap();
    assert_eq!((made.size, made.media_type.as_str()), (8, "text/markdown"));
    assert_eq!(client.file_list(None).await.unwrap().items, [made]);
    let whole = client.file_get(FileBox::Inbox, &name).await.unwrap().whole().await.unwrap();
    assert_eq!(whole, b"the plan");
    let link = client.file_link(FileBox::Inbox, &name).await.unwrap();
    let linked = client.download_get(&link).await.unwrap().whole().await.unwrap();
    assert_eq!(linked, b"the plan");
    client.file_delete(FileBox::Inbox, &name).await.unwrap();
    assert_eq!(code(client.file_delete(FileBox::Inbox, &name).await), Code::NotFound);
    client.repo_file_put(repo, FileBox::Outbox, &name, "of agents").await.unwrap();
    let listed = client.repo_file_list(repo, Some(FileBox::Outbox)).await.unwrap().items;
    assert_eq!(listed[0].name, name);
    let file = client.repo_file_get(repo, FileBox::Outbox, &name).await.unwrap();
    assert_eq!(file.whole().await.unwrap(), b"of agents");
    client.repo_file_link(repo, FileBox::Outbox, &name).await.unwrap();
    client.repo_file_delete(repo, FileBox::Outbox, &name).await.unwrap();
}

async fn voice(client: &Client) {
    let standing = client.voice_get().await.unwrap();
    assert_eq!((standing.configured, standing.max_bytes), (false, 25_000_000));
    let refused = client.voice_transcribe(AudioKind::Webm, "some sound", None).await;
    assert_eq!(code(refused), Code::TurnedOff);
}

async fn pma(client: &Client) {
    let docs = client.pma_doc_list().await.unwrap().items;
    assert!(docs.len() == 5 && docs.iter().all(|doc| doc.is_default), "{docs:#?}");
    let old = client.pma_doc_get(PmaDocName::ActiveContext).await.unwrap();
    let body = PmaDocUpdate { content: "Something is going on.\n".to_owned() };
    let changed = client.pma_doc_update(old.name, &body, Some(&old.etag)).await.unwrap();
    assert!(!changed.is_default && changed.content == body.content);
    assert_eq!(code(client.pma_doc_update(old.name, &body, Some(&old.etag)).await), Code::Stale);
    client.pma_doc_prune().await.unwrap();
    let log = client.pma_doc_get(PmaDocName::ContextLog).await.unwrap().content;
    assert!(log.contains("Something is going on."), "{log}");
    let info = client.pma_get().await.unwrap();
    assert!(info.enabled && !info.safety.breaker_open && info.safety.turns_per_minute > 0);
    assert_eq!(client.pma_breaker_reset().await.unwrap().thread, info.thread);
    assert!(client.pma_packet().await.unwrap().contains("repos and worktrees"));
}

async fn agents(client: &Client) {
    let agents = client.agent_list().await.unwrap().items;
    let ids: Vec<_> = agents.iter().map(|agent| agent.id.as_str()).collect();
    assert!(ids.contains(&"codex") && ids.contains(&"demo"), "{ids:?}");
    let models = client.agent_models(&"demo".parse().unwrap()).await.unwrap();
    assert!(!models.items.is_empty());
}

async fn runs(client: &Client, repo: &RepoId) {
    let script = r#"
        {"say": "A question first.", "dispatch": {"mode": "pause", "title": "Which?", "body": "This or that?"}, "on": 1},
        {"from": 2, "write": ["answer.txt", "that\n"]},
        {"from": 2, "done": true}, {"from": 2, "commit": "That"}"#;
    create(client, repo, "Ask", script).await;
    let run = client.run_start(repo, &RunStart::default()).await.unwrap();
    assert_eq!(code(client.run_start(repo, &RunStart::default()).await), Code::RunActive);
    until(client, &run.id, RunStatus::Paused).await;
    assert!(!client.run_explain(&run.id).await.unwrap().line.is_empty());
    assert_eq!(
        client.run_dispatches(&run.id).await.unwrap().items[0].title.as_deref(),
        Some("Which?")
    );
    let ask = DispatchCreate { mode: DispatchMode::Notify, title: None, body: "So.".to_owned() };
    client.dispatch_create(&run.id, &ask).await.unwrap();
    assert_eq!(code(client.dispatch_create(&run.id, &ask).await), Code::AlreadyExists);
    inbox(client, &run).await;
    let reply = ReplyCreate { title: None, body: "That.".to_owned() };
    client.run_reply(&run.id, &reply).await.unwrap();
    until(client, &run.id, RunStatus::Completed).await;
    assert_eq!(client.run_replies(&run.id).await.unwrap().items[0].body.trim(), "That.");
    let turns = client.run_turns(&run.id, &PageQuery::default()).await.unwrap().items;
    assert_eq!(turns.len(), 2);
    let detail = client.turn_get(&turns[0].id).await.unwrap();
    assert!(detail.prompt.unwrap().contains("Ask"));
    assert!(!client.run_evidence(&run.id).await.unwrap().items.is_empty());
    let first = PageQuery::default();
    let diff = client.run_diff(&run.id, None, &first).await.unwrap();
    assert_eq!(diff.files[0].path, "answer.txt");
    let lines = client.run_diff_file(&run.id, None, "answer.txt", &first).await.unwrap();
    assert_eq!(lines.lines[1].text, "that");
    assert_eq!(
        code(client.run_resume(&run.id, &RunResume::default()).await),
        Code::IllegalTransition
    );
    let all = client.run_list(Some(repo), None, &PageQuery::default()).await.unwrap();
    assert_eq!(all.items[0].id, run.id);
}

/// A run that waits for an answer is one item, which is answered as the run is.
async fn inbox(client: &Client, run: &Run) {
    let page = PageQuery::default();
    let items = client.inbox_list(&InboxFilter::default(), &page).await.unwrap().items;
    let [item] = items.as_slice() else { panic!("{items:#?}") };
    assert_eq!((item.kind, item.run.as_ref()), (InboxKind::Question, Some(&run.id)));
    assert_eq!((item.title.as_str(), item.body.as_deref()), ("Which?", Some("This or that?")));
    assert_eq!(client.inbox_counts().await.unwrap().unseen, 1);
    let seen = InboxSeen { items: vec![item.id.clone()] };
    assert_eq!(client.inbox_seen(&seen).await.unwrap(), InboxCounts { open: 1, unseen: 0 });
    assert!(client.inbox_get(&item.id).await.unwrap().seen_at.is_some());
    let dismiss = InboxAct { action: InboxAction::Dismiss, body: None };
    assert_eq!(code(client.inbox_act(&item.id, &dismiss).await), Code::Unprocessable);
    let reply = InboxAct { action: InboxAction::Reply, body: None };
    assert_eq!(code(client.inbox_act(&item.id, &reply).await), Code::Unprocessable);
    let unknown = "inb_1".parse().unwrap();
    assert_eq!(code(client.inbox_act(&unknown, &reply).await), Code::NotFound);
}

async fn approvals(client: &Client, repo: &RepoId) {
    let script = r#"{"escalate": true, "sh": "echo allowed > allowed.txt"}, {"hang": true}"#;
    create(client, repo, "May I", script).await;
    let start = RunStart { approvals: Some(ApprovalPolicy::Untrusted), ..RunStart::default() };
    let run = client.run_start(repo, &start).await.unwrap();
    let waiting = wait_for(client, &run.id, |run| !run.approvals.is_empty()).await;
    let approval = &waiting.approvals[0];
    let body = ApprovalDecide { decision: Decision::Accept };
    let answered = client.approval_decide(&run.id, &approval.id, &body).await.unwrap();
    assert_eq!(answered.decision, Some(Decision::Accept));
    client.run_pause(&run.id).await.unwrap();
    client.run_stop(&run.id).await.unwrap();
    until(client, &run.id, RunStatus::Stopped).await;
}

async fn threads(client: &Client) {
    let list = ThreadFilter::default();
    let all = client.thread_list(&list, &PageQuery::default()).await.unwrap().items;
    assert_eq!(all.iter().map(|t| t.kind).collect::<Vec<_>>(), [ThreadKind::Pma]);
    let talk = Talk::new(client).await;
    assert_eq!(talk.thread().await.status, ThreadStatus::Idle);
    let named = ThreadUpdate { name: Some("Tour".to_owned()), ..ThreadUpdate::default() };
    assert_eq!(client.thread_update(&talk.key, &named).await.unwrap().name, "Tour");
    let first = talk.post("Hello. @@FAKE[{\"say\": \"A greeting.\"}]@@").await;
    talk.until(&first.id, MessageStatus::Completed).await;
    let page = client.message_list(&talk.key, MessagePage::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    let found = client.message_search("greeting", None, &PageQuery::default()).await.unwrap();
    assert_eq!(found.items[0].message, first.id);
    client.thread_compact(&talk.key).await.unwrap();
    talk.until_idle().await;
    let fork = client.thread_fork(&talk.key, &ThreadFork::default()).await.unwrap();
    assert_eq!(fork.forked_from.as_ref().map(|id| id.as_str()), Some(talk.key.as_str()));

    let asks = ThreadUpdate { approvals: Some(ApprovalPolicy::Untrusted), ..named };
    client.thread_update(&talk.key, &asks).await.unwrap();
    let second = talk.post("@@FAKE[{\"sh\": \"true\"}, {\"hang\": true}]@@").await;
    let approval = talk.asked().await;
    let yes = ApprovalDecide { decision: Decision::Accept };
    client.thread_approval_decide(&talk.key, &approval.id, &yes).await.unwrap();
    let third = talk.post("Never mind.").await;
    client.message_cancel(&talk.key, &third.id).await.unwrap();
    client.thread_interrupt(&talk.key).await.unwrap();
    talk.until(&second.id, MessageStatus::Interrupted).await;
    let next = client.message_continue(&talk.key, &second.id).await.unwrap();
    assert_eq!(next.continues, Some(second.id));
    talk.until(&next.id, MessageStatus::Completed).await;
    client.thread_reset(&talk.key).await.unwrap();
    client.thread_resume(&talk.key).await.unwrap();
    assert_eq!(client.thread_stop(&talk.key).await.unwrap().conversation, 2);
}

async fn worktrees(client: &Client, repo: &RepoId) {
    let body = WorktreeCreate {
        base: repo.clone(),
        branch: "feature/one".to_owned(),
        start_point: Some("HEAD".to_owned()),
        skip_setup: false,
    };
    let job = ended(client, client.worktree_create(&body).await.unwrap()).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:?}");
    let made = client.worktree_list(Some(repo), &PageQuery::default()).await.unwrap().items;
    assert_eq!(made[0].branch.as_deref(), Some("feature/one"));
    let id = &made[0].id;
    // The set-up command left a file that is nowhere else.
    let mut cleanup = WorktreeCleanup { delete_branch: false, drop: Vec::new(), dry_run: false };
    let Err(ClientError::Problem(refused)) = client.worktree_cleanup(id, &cleanup).await else {
        panic!("work would have been lost")
    };
    assert_eq!(refused.code, Code::WouldLoseWork);
    cleanup.drop = refused.unsaved.iter().map(|unsaved| unsaved.kind.clone()).collect();
    let report = client.worktree_cleanup(id, &cleanup).await.unwrap();
    assert!(report.removed);
    let salvage = client.salvage_list(&PageQuery::default()).await.unwrap().items.remove(0);
    assert_eq!(Some(&salvage.id), report.salvage.as_ref().map(|kept| &kept.id));
    let restored = client.salvage_restore(&salvage.id).await.unwrap();
    assert_eq!(&restored.id, id);
    client.worktree_cleanup(id, &cleanup).await.unwrap();
}

async fn tokens(client: &Client) {
    let body = TokenCreate { name: "tour".to_owned(), days: Some(1), ..TokenCreate::default() };
    let made = client.token_create(&body).await.unwrap();
    let listed = client.token_list().await.unwrap().items;
    assert!(listed.iter().any(|token| token.id == made.token.id));
    client.token_delete(&made.token.id).await.unwrap();
    assert_eq!(client.credential_get().await.unwrap().scopes.len(), car_api::Scope::ALL.len());
    let access = client.token_exchange(&TokenExchange::default()).await.unwrap();
    let short = Client::new(client.url(), Some(&access.secret)).unwrap();
    short.hub_get().await.unwrap();
    assert_eq!(code(short.credential_delete().await), Code::Forbidden, "it runs out by itself");
    assert!(client.ws_ticket_create(&WsTicketCreate::default()).await.is_ok());
    assert_eq!(client.key_list().await.unwrap().items.len(), 1);
    assert_eq!(client.key_rotate().await.unwrap().items.len(), 2);
    short.hub_get().await.unwrap();
    let other = client.token_create(&body).await.unwrap();
    let other = Client::new(client.url(), Some(&other.secret)).unwrap();
    assert_eq!(client.token_delete_others().await.unwrap().tokens, 1);
    for shut_out in [&short, &other] {
        assert_eq!(code(shut_out.hub_get().await), Code::Unauthenticated);
    }
}

async fn pairing(hub: &TestHub, client: &Client) {
    let stranger = Client::new(hub.url(), None).unwrap();
    let opened = client.pairing_create(&PairingCreate::default()).await.unwrap();
    let claim = PairRequest::Device { code: opened.code, name: "tour".to_owned() };
    let asked = stranger.pair_request(&claim).await.unwrap();
    let waiting = client.pairing_get(&asked.pairing, Some(PairingState::Open), Some(20)).await;
    assert_eq!(waiting.unwrap().state, PairingState::Waiting);
    let yes = PairingDecide { approve: true, scopes: None, repos: None, days: None };
    client.pairing_decide(&asked.pairing, &yes).await.unwrap();
    assert_eq!(client.pairing_list().await.unwrap().items[0].state, PairingState::Approved);
    let finish = PairFinish { secret: asked.secret, wait: Some(20) };
    let outcome = stranger.pair_finish(&finish).await.unwrap();
    let PairOutcome::Device { device, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(client.device_list().await.unwrap().items, std::slice::from_ref(&device));
    client.device_delete(&device.id).await.unwrap();
    assert!(client.device_list().await.unwrap().items.is_empty());
}

async fn audit(client: &Client) {
    let filter = AuditFilter { verb: Some("token_create".to_owned()), ..AuditFilter::default() };
    let lines = client.audit_list(&filter, &PageQuery::default()).await.unwrap().items;
    assert_eq!(lines[0].actor.name, "this machine");
    let head = client.audit_head(None).await.unwrap();
    let report = client.audit_verify(Some(&head)).await.unwrap();
    assert!(report.ok && report.lines >= head.seq, "{report:?}");
}

async fn removal(client: &Client, repo: &RepoId) {
    let body = RepoRemove { delete_dir: false, drop: Vec::new(), dry_run: true };
    assert!(!client.repo_remove(repo, &body).await.unwrap().removed);
    client.repo_get(repo).await.unwrap();
}

/// A ticket for the demo agent.
async fn create(client: &Client, repo: &RepoId, title: &str, script: &str) -> TicketText {
    let body = TicketCreate {
        title: title.to_owned(),
        agent: Some("demo".to_owned()),
        goal: None,
        body: Some(format!("## Goal\n\n{title}\n\n@@FAKE[{script}]@@\n")),
        verify: vec!["true".to_owned()],
        at: None,
    };
    client.ticket_create(repo, &body).await.unwrap()
}

async fn until(client: &Client, run: &RunId, status: RunStatus) -> Run {
    wait_for(client, run, |run| run.state.status() == status).await
}

async fn wait_for(client: &Client, run: &RunId, wanted: impl Fn(&Run) -> bool) -> Run {
    let mut last = None;
    let found = tokio::time::timeout(DEADLINE, async {
        loop {
            let now = client.run_get(run).await.unwrap();
            if wanted(&now) {
                return now;
            }
            last = Some(now);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    match found.await {
        Ok(run) => run,
        Err(_) => panic!("the run stays as it is: {last:#?}"),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Code {
    result.unwrap_err().code().unwrap()
}

fn git(dir: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@localhost"])
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn notifications(client: &Client) {
    // Nobody listens there.
    assert!(!client.push_key_get().await.unwrap().public_key.is_empty());
    // The rest is for browsers; `push` has one.
    let wanted = PushSubscribe {
        endpoint: "https://fcm.googleapis.com/x".to_owned(),
        p256dh: String::new(),
        auth: String::new(),
        kinds: Vec::new(),
        quiet: None,
    };
    assert_eq!(code(client.push_subscribe(&wanted).await), Code::Forbidden);
    assert_eq!(code(client.push_get().await), Code::Forbidden);
    assert_eq!(code(client.push_test().await), Code::Forbidden);
    assert_eq!(code(client.push_unsubscribe().await), Code::Forbidden);
    let act = PushAct { token: String::new(), action: InboxAction::Dismiss, body: None };
    assert_eq!(code(client.push_act(&act).await), Code::Unauthenticated);
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let quiet = QuietHours { from_minute: 0, to_minute: 60, utc_offset_minutes: 60 };
    let body = ChannelCreate {
        name: "nobody".to_owned(),
        url: format!("http://{address}/hook?key=of-mine"),
        kinds: vec![NotificationKind::Attention],
        quiet: Some(quiet),
    };
    let made = client.channel_create(&body).await.unwrap();
    let id = made.channel.id;
    assert!(made.secret.starts_with("whsec_"));
    assert_eq!(made.channel.target, format!("http://{address}/hook"));
    assert_eq!(client.channel_list(&PageQuery::default()).await.unwrap().items.len(), 1);
    let bad = ChannelUpdate { name: Some(String::new()), ..ChannelUpdate::default() };
    assert_eq!(code(client.channel_update(&id, &bad).await), Code::Unprocessable);
    let sent = client.channel_test(&id).await.unwrap();
    assert_eq!(sent.deliveries[0].status, NotificationStatus::Failed);
    let failed = Some(NotificationStatus::Failed);
    let ledger = client.notification_list(failed, &PageQuery::default()).await.unwrap();
    assert_eq!(ledger.items, std::slice::from_ref(&sent));
    assert!(client.notification_seen(&sent.id).await.unwrap().seen_at.is_some());
    let change = ChannelUpdate { enabled: Some(false), quiet: Some(None), ..Default::default() };
    assert_eq!(client.channel_update(&id, &change).await.unwrap().quiet, None);
    let again = client.notification_retry(&sent.id).await.unwrap();
    assert_eq!(again.deliveries[0].status, NotificationStatus::Pending);
    assert_eq!(code(client.notification_retry(&sent.id).await), Code::IllegalTransition);
    assert!(!client.channel_get(&id).await.unwrap().enabled);
    client.channel_delete(&id).await.unwrap();
    assert_eq!(code(client.channel_get(&id).await), Code::NotFound);
    let over = client.notification_get(&sent.id).await.unwrap();
    assert_eq!(over.deliveries[0].status, NotificationStatus::Obsolete);
}

async fn terminals(client: &Client) {
    let body = TerminalCreate { repo: None, cols: 80, rows: 24 };
    let made = client.terminal_create(&body).await.unwrap();
    assert_eq!(client.terminal_list(&PageQuery::default()).await.unwrap().items.len(), 1);
    client.terminal_attach(&made.id, Some(0)).await.unwrap().next().await.unwrap();
    let ended = client.terminal_end(&made.id).await.unwrap();
    assert_eq!(client.terminal_get(&made.id).await.unwrap(), ended);
}

async fn webhooks(client: &Client) {
    // Nobody listens there: what is sent is tried again.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let body = WebhookCreate {
        url: format!("http://{address}/hook"),
        description: "nobody".to_owned(),
        filter: WebhookFilter::default(),
    };
    let made = client.webhook_create(&body).await.unwrap();
    let id = made.webhook.id;
    assert!(made.secret.starts_with("whsec_"));
    assert_eq!(client.webhook_list(&PageQuery::default()).await.unwrap().items.len(), 1);
    let bad = WebhookUpdate { url: Some("ftp://nowhere".to_owned()), ..WebhookUpdate::default() };
    assert_eq!(code(client.webhook_update(&id, &bad).await), Code::Unprocessable);
    assert_ne!(client.webhook_rotate(&id).await.unwrap().secret, made.secret);
    let sent = client.webhook_test(&id).await.unwrap();
    assert_eq!((sent.status, sent.attempts), (DeliveryStatus::Failed, 1));
    let failed = Some(DeliveryStatus::Failed);
    let ledger = client.webhook_deliveries(&id, failed, &PageQuery::default()).await.unwrap();
    assert_eq!(ledger.items, std::slice::from_ref(&sent));
    let again = client.webhook_redeliver(&id, &sent.id).await.unwrap();
    assert_eq!((again.id, again.status), (sent.id.clone(), DeliveryStatus::Pending));
    let off = WebhookUpdate { enabled: Some(false), ..WebhookUpdate::default() };
    assert!(!client.webhook_update(&id, &off).await.unwrap().enabled);
    assert_eq!(code(client.webhook_redeliver(&id, &sent.id).await), Code::IllegalTransition);
    assert_eq!(client.webhook_get(&id).await.unwrap().description, "nobody");
    client.webhook_delete(&id).await.unwrap();
    assert_eq!(code(client.webhook_get(&id).await), Code::NotFound);
}
