//! Who did what is in the chain as soon as the answer is there.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
};

use car_api::{
    Code, PageQuery, RepoId,
    agent::ApprovalPolicy,
    audit::{ActorKind, AuditLine, Outcome},
    backup::BackupCreate,
    context::{ContextName, ContextUpdate},
    dispatch::{DispatchCreate, DispatchMode},
    filebox::FileBox,
    inbox::{InboxAct, InboxAction, InboxSeen},
    item::Decision,
    job::Job,
    notification::{ChannelCreate, ChannelUpdate},
    pairing::{PairFinish, PairOutcome, PairRequest, PairingCreate, PairingDecide},
    pma::{PmaDocName, PmaDocUpdate},
    repo::{RepoCreate, RepoPatch, RepoRemove, SetupUpdate},
    run::{ApprovalDecide, RunResume, RunStart, RunStatus},
    template::{
        TemplateApply, TemplateSourceSync, TemplateSourceTrust, TemplateTrusted, TemplateUntrusted,
    },
    terminal::TerminalCreate,
    thread::{MessageStatus, ThreadFork, ThreadUpdate},
    ticket::{TicketCreate, TicketDone, TicketLint, TicketMove, TicketPatch, TicketUpdate},
    token::TokenCreate,
    webhook::{WebhookCreate, WebhookFilter, WebhookUpdate},
    worktree::{WorktreeCleanup, WorktreeCreate},
};
use car_client::{AuditFilter, Client};

use crate::{
    harness::{TestHub, wait_until},
    stage::Stage,
    talk::Talk,
    templates::{Source, synced},
    work::{car_command, ended},
};

/// Reads the chain after every write, and remembers what was seen of it.
struct Chain {
    client: Client,
    seen: i64,
    verbs: BTreeSet<String>,
}

impl Chain {
    async fn new(client: Client) -> Self {
        let seen = client.audit_head(None).await.unwrap().seq;
        Self { client, seen, verbs: BTreeSet::new() }
    }

    /// What was added since the last look, oldest first.
    async fn added(&mut self) -> Vec<AuditLine> {
        let page = PageQuery { after: None, limit: Some(500) };
        let lines = self.client.audit_list(&AuditFilter::default(), &page).await.unwrap().items;
        let mut new: Vec<_> = lines.into_iter().filter(|line| line.seq > self.seen).collect();
        new.reverse();
        self.seen = new.last().map_or(self.seen, |line| line.seq);
        new
    }

    /// The caller's own line of the write that was just answered.
    async fn line(&mut self, verb: &str, object: &str) -> AuditLine {
        let added = self.added().await;
        let own: Vec<_> = added.iter().filter(|l| l.actor.kind == ActorKind::Token).collect();
        let found = own.iter().find(|line| line.verb == verb && line.object == object);
        let line = found.unwrap_or_else(|| panic!("no {verb} {object} in {added:#?}"));
        self.verbs.insert(verb.to_owned());
        (**line).clone()
    }

    /// A job has a line for its begin and one for its end.
    async fn job(&mut self, job: &Job, verb: &str, object: &str, end: Outcome) {
        ended(&self.client, job.clone()).await;
        let added = self.added().await;
        let own = added.iter().filter(|line| line.verb == verb && line.object == object);
        let outcomes: Vec<Outcome> = own.map(|line| line.outcome).collect();
        assert_eq!(outcomes, [Outcome::Begun, end], "{verb} {object} in {added:#?}");
        self.verbs.insert(verb.to_owned());
    }
}

async fn files(client: &Client, chain: &mut Chain, repo: &RepoId) {
    let name = "a.txt".parse().unwrap();
    client.file_put(FileBox::Inbox, &name, "a").await.unwrap();
    let line = chain.line("file_put", "inbox/a.txt").await;
    assert_eq!(line.detail.as_deref(), Some("1 bytes"));
    client.file_delete(FileBox::Inbox, &name).await.unwrap();
    chain.line("file_delete", "inbox/a.txt").await;
    client.repo_file_put(repo, FileBox::Outbox, &name, "a").await.unwrap();
    chain.line("repo_file_put", "demo/outbox/a.txt").await;
    client.repo_file_delete(repo, FileBox::Outbox, &name).await.unwrap();
    chain.line("repo_file_delete", "demo/outbox/a.txt").await;
    let body = PmaDocUpdate { content: "Be brief.\n".to_owned() };
    client.pma_doc_update(PmaDocName::Agents, &body, Some("*")).await.unwrap();
    chain.line("pma_doc_update", "agents").await;
    client.pma_doc_prune().await.unwrap();
    chain.line("pma_doc_prune", "active_context").await;
    client.pma_breaker_reset().await.unwrap();
    chain.line("pma_breaker_reset", "").await;
}

#[tokio::test]
async fn every_acknowledged_write_has_its_line() {
    let stage = Stage::start("terminal:\n  enabled: true\n  shell: /bin/sh\n");
    let client = stage.client();
    let mut chain = Chain::new(stage.client()).await;

    let body = RepoCreate { id: "base".to_owned(), path: None, force: false };
    client.repo_create(&body).await.unwrap();
    chain.line("repo_create", "base").await;
    let repo = stage.repo("demo").await;
    let id = &repo.id;
    chain.line("repo_init", "demo").await;
    let setup = SetupUpdate { commands: vec!["echo ready > ready.txt".to_owned()] };
    client.repo_setup_update(id, &setup, Some("*")).await.unwrap();
    let line = chain.line("repo_setup_update", "demo").await;
    assert_eq!(line.detail.as_deref(), Some("echo ready > ready.txt"));
    let patch = RepoPatch { name: Some(Some("A demo".to_owned())) };
    client.repo_update(id, &patch).await.unwrap();
    chain.line("repo_update", "demo").await;
    client.hub_scan().await.unwrap();
    chain.line("hub_scan", "").await;

    let ask = r#"{"escalate": true, "sh": "true"}, {"hang": true}"#;
    for (title, script) in [("One", ask), ("Two", r#"{"done": true}"#)] {
        let body = TicketCreate {
            title: title.to_owned(),
            agent: Some("demo".to_owned()),
            goal: None,
            body: Some(format!("## Goal\n\n{title}\n\n@@FAKE[{script}]@@\n")),
            verify: vec!["true".to_owned()],
            at: None,
        };
        let made = client.ticket_create(id, &body).await.unwrap();
        chain.line("ticket_create", &format!("demo/{}", made.ticket.file)).await;
    }
    let two = client.ticket_get(id, "2").await.unwrap();
    let object = format!("demo/{}", two.ticket.file);
    let body = TicketUpdate { content: two.content + "\nMore.\n", allow_invalid: false };
    let etag = two.ticket.etag;
    let updated = client.ticket_update(id, "2", &body, Some(&etag)).await.unwrap();
    chain.line("ticket_update", &object).await;
    let refused = client.ticket_update(id, "2", &body, Some(&etag)).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Stale));
    assert_eq!(chain.added().await, [], "what was not done has no line");
    assert_ne!(updated.ticket.etag, etag);
    let job = client.ticket_verify(id, "2").await.unwrap();
    chain.job(&job, "ticket_verify", &object, Outcome::Done).await;
    let job = client.repo_sync(id).await.unwrap();
    chain.job(&job, "repo_sync", "demo", Outcome::Failed).await;
    client.ticket_done(id, "2", &TicketDone { done: true }, None).await.unwrap();
    chain.line("ticket_done", &object).await;
    let patch = TicketPatch { title: Some(Some("Second".to_owned())), ..TicketPatch::default() };
    client.ticket_patch(id, "2", &patch, None).await.unwrap();
    chain.line("ticket_patch", &object).await;
    client.ticket_move(id, "2", &TicketMove { to: 1 }).await.unwrap();
    let moved = chain.line("ticket_move", &object).await;
    assert_eq!(moved.detail.as_deref(), Some("2 to 1"));
    client.ticket_renumber(id).await.unwrap();
    chain.line("ticket_renumber", "demo").await;
    client.ticket_lint(id, &TicketLint { fix: true, content: None }).await.unwrap();
    chain.line("ticket_lint", "demo").await;
    let spec = client.context_get(id, ContextName::Spec).await.unwrap();
    let body = ContextUpdate { content: "A spec.\n".to_owned() };
    client.context_update(id, ContextName::Spec, &body, Some(&spec.etag)).await.unwrap();
    chain.line("context_update", "demo/spec").await;
    let budgets = client.budgets_get().await.unwrap();
    client.budgets_update(&budgets.limits, Some(&budgets.etag)).await.unwrap();
    chain.line("budgets_update", "").await;
    files(&client, &mut chain, id).await;

    runs(&stage, &mut chain, id).await;
    worktrees(&client, &mut chain, id).await;
    credentials(&stage.hub, &mut chain).await;
    templates(&client, &mut chain).await;
    webhooks(&client, &mut chain).await;
    notifications(&client, &mut chain).await;
    threads(&client, &mut chain).await;
    let body = TerminalCreate { repo: None, cols: 80, rows: 24 };
    let made = client.terminal_create(&body).await.unwrap();
    let line = chain.line("terminal_create", made.id.as_str()).await;
    assert_eq!(line.detail, Some(format!("/bin/sh in {}", made.dir)));
    drop(client.terminal_attach(&made.id, None).await.unwrap());
    chain.line("terminal_attach", made.id.as_str()).await;
    client.terminal_end(&made.id).await.unwrap();
    chain.line("terminal_end", made.id.as_str()).await;

    let body = TokenCreate { name: "short".to_owned(), days: Some(1), ..TokenCreate::default() };
    let token = client.token_create(&body).await.unwrap().token.id;
    let line = chain.line("token_create", token.as_str()).await;
    assert_eq!((line.actor.name.as_str(), line.outcome), ("this machine", Outcome::Done));
    client.token_delete(&token).await.unwrap();
    chain.line("token_delete", token.as_str()).await;
    let body = RepoRemove { delete_dir: false, drop: Vec::new(), dry_run: false };
    client.repo_remove(&"base".parse().unwrap(), &body).await.unwrap();
    chain.line("repo_remove", "base").await;

    let report = client.audit_verify(None).await.unwrap();
    assert!(report.ok && report.lines == report.head.seq, "{report:?}");
    // A list with holes is checked for holes: what changes something is looked at above, but for
    // what needs more of a hub than this one, and what gives something out that ends by itself.
    let elsewhere = [
        "repo_clone",
        "job_cancel",
        "restore_confirm",
        "credential_delete",
        "pair_request",
        "token_exchange",
        "ws_ticket_create",
        "file_link",
        "repo_file_link",
        // What hears it is there in `voice`.
        "voice_transcribe",
        // A browser's, see `push`.
        "push_subscribe",
        "push_unsubscribe",
        "push_test",
        "push_act",
    ];
    let missing: Vec<String> = crate::contract::operations()
        .iter()
        .filter(|(_, method, _)| !["get", "head"].contains(&method.as_str()))
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .filter(|id| !chain.verbs.contains(id) && !elsewhere.contains(&id.as_str()))
        .collect();
    assert_eq!(missing, [""; 0], "no line of these was looked for");
}

async fn credentials(hub: &TestHub, chain: &mut Chain) {
    let client = hub.client();
    let stranger = Client::new(hub.url(), None).unwrap();
    let opened = client.pairing_create(&PairingCreate::default()).await.unwrap();
    chain.line("pairing_create", opened.pairing.id.as_str()).await;
    let claim = PairRequest::Device { code: opened.code, name: "phone".to_owned() };
    let asked = stranger.pair_request(&claim).await.unwrap();
    let yes = PairingDecide { approve: true, scopes: None, repos: None, days: None };
    client.pairing_decide(&asked.pairing, &yes).await.unwrap();
    let line = chain.line("pairing_decide", asked.pairing.as_str()).await;
    assert_eq!(line.detail.as_deref(), Some("approved: phone"));
    let finish = PairFinish { secret: asked.secret, wait: Some(20) };
    let outcome = stranger.pair_finish(&finish).await.unwrap();
    let PairOutcome::Device { device, .. } = outcome else { panic!("{outcome:?}") };
    let added = chain.added().await;
    let hubs = |line: &&AuditLine| line.verb == "pair_finish" && line.actor.kind == ActorKind::Hub;
    assert_eq!(added.iter().find(hubs).unwrap().object, device.id.as_str());
    chain.verbs.insert("pair_finish".to_owned());
    client.device_delete(&device.id).await.unwrap();
    chain.line("device_delete", device.id.as_str()).await;
    client.key_rotate().await.unwrap();
    chain.line("key_rotate", "").await;
    let me = client.credential_get().await.unwrap().actor.id;
    client.token_delete_others().await.unwrap();
    chain.line("token_delete_others", &me).await;
    client.backup_create(&BackupCreate { leave_out: Vec::new() }).await.unwrap();
    chain.line("backup_create", "").await;
}

async fn threads(client: &Client, chain: &mut Chain) {
    let talk = Talk::new(client).await;
    let (key, id) = (talk.key.clone(), talk.key.to_string());
    chain.line("thread_create", &id).await;
    let asks =
        ThreadUpdate { approvals: Some(ApprovalPolicy::Untrusted), ..ThreadUpdate::default() };
    client.thread_update(&key, &asks).await.unwrap();
    chain.line("thread_update", &id).await;
    let message = talk.post("@@FAKE[{\"sh\": \"true\"}, {\"hang\": true}]@@").await;
    let line = chain.line("message_post", message.id.as_str()).await;
    assert_eq!(line.detail, Some(format!("thread {id}")));
    let approval = talk.asked().await.id;
    let yes = ApprovalDecide { decision: Decision::Accept };
    client.thread_approval_decide(&key, &approval, &yes).await.unwrap();
    chain.line("thread_approval_decide", approval.as_str()).await;
    let waits = talk.post("Later.").await;
    client.message_cancel(&key, &waits.id).await.unwrap();
    chain.line("message_cancel", waits.id.as_str()).await;
    client.thread_interrupt(&key).await.unwrap();
    chain.line("thread_interrupt", &id).await;
    talk.until(&message.id, MessageStatus::Interrupted).await;
    let next = client.message_continue(&key, &message.id).await.unwrap();
    chain.line("message_continue", next.id.as_str()).await;
    talk.until(&next.id, MessageStatus::Completed).await;
    client.thread_compact(&key).await.unwrap();
    chain.line("thread_compact", &id).await;
    talk.until_idle().await;
    let fork = client.thread_fork(&key, &ThreadFork::default()).await.unwrap();
    chain.line("thread_fork", fork.id.as_str()).await;
    // An agent at work would outlive the hub.
    Talk { client: client.clone(), key: fork.id.as_str().parse().unwrap() }.until_idle().await;
    client.thread_reset(&key).await.unwrap();
    chain.line("thread_reset", &id).await;
    client.thread_resume(&key).await.unwrap();
    chain.line("thread_resume", &id).await;
    client.thread_stop(&key).await.unwrap();
    chain.line("thread_stop", &id).await;
}

async fn templates(client: &Client, chain: &mut Chain) {
    let source = Source::new(&[("a.md", "# A\n")]);
    let team = "team".parse().unwrap();
    client.template_source_create(&source.body("team")).await.unwrap();
    chain.line("template_source_create", "team").await;
    let job = client.template_source_sync(&team, &TemplateSourceSync::default()).await.unwrap();
    chain.line("template_source_sync", "team").await;
    let commit = synced(client, job).await.commit.unwrap();
    let template = "team:a.md".to_owned();
    let sha256 = source.sha256("a.md");
    let body = TemplateTrusted { template: template.clone(), sha256: sha256.clone() };
    client.template_trust(&body).await.unwrap();
    let line = chain.line("template_trust", &template).await;
    assert_eq!(line.detail, Some(format!("sha256 {sha256}")));
    let repo = "demo".parse().unwrap();
    let body = TemplateApply {
        template: template.clone(),
        accept_sha256: None,
        title: None,
        agent: Some("user".to_owned()),
        verify: Vec::new(),
        at: None,
    };
    let made = client.template_apply(&repo, &body).await.unwrap();
    chain.line("template_apply", &format!("demo/{}", made.ticket.file)).await;
    client.template_untrust(&TemplateUntrusted { template: template.clone() }).await.unwrap();
    chain.line("template_untrust", &template).await;
    client.template_source_trust(&team, &TemplateSourceTrust { commit }).await.unwrap();
    chain.line("template_source_trust", "team").await;
    client.template_source_untrust(&team).await.unwrap();
    chain.line("template_source_untrust", "team").await;
    client.template_source_delete(&team).await.unwrap();
    chain.line("template_source_delete", "team").await;
}

async fn webhooks(client: &Client, chain: &mut Chain) {
    // Nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let body = WebhookCreate {
        url: format!("http://{address}/hook"),
        description: "nobody".to_owned(),
        filter: WebhookFilter::default(),
    };
    let id = client.webhook_create(&body).await.unwrap().webhook.id;
    chain.line("webhook_create", id.as_str()).await;
    let named =
        WebhookUpdate { description: Some("still nobody".to_owned()), ..WebhookUpdate::default() };
    client.webhook_update(&id, &named).await.unwrap();
    chain.line("webhook_update", id.as_str()).await;
    client.webhook_rotate(&id).await.unwrap();
    chain.line("webhook_rotate", id.as_str()).await;
    let sent = client.webhook_test(&id).await.unwrap();
    chain.line("webhook_test", id.as_str()).await;
    client.webhook_redeliver(&id, &sent.id).await.unwrap();
    chain.line("webhook_redeliver", sent.id.as_str()).await;
    client.webhook_delete(&id).await.unwrap();
    chain.line("webhook_delete", id.as_str()).await;
}

async fn notifications(client: &Client, chain: &mut Chain) {
    // Nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let body = ChannelCreate {
        name: "nobody".to_owned(),
        url: format!("http://{address}/hook"),
        kinds: Vec::new(),
        quiet: None,
    };
    let id = client.channel_create(&body).await.unwrap().channel.id;
    chain.line("channel_create", id.as_str()).await;
    let sent = client.channel_test(&id).await.unwrap().id;
    chain.line("channel_test", id.as_str()).await;
    client.notification_seen(&sent).await.unwrap();
    chain.line("notification_seen", sent.as_str()).await;
    let off = ChannelUpdate { enabled: Some(false), ..ChannelUpdate::default() };
    client.channel_update(&id, &off).await.unwrap();
    chain.line("channel_update", id.as_str()).await;
    client.notification_retry(&sent).await.unwrap();
    chain.line("notification_retry", sent.as_str()).await;
    client.channel_delete(&id).await.unwrap();
    chain.line("channel_delete", id.as_str()).await;
}

async fn runs(stage: &Stage, chain: &mut Chain, repo: &RepoId) {
    let client = stage.client();
    use car_api::agent::ApprovalPolicy;
    let start = RunStart { approvals: Some(ApprovalPolicy::Untrusted), ..RunStart::default() };
    let run = client.run_start(repo, &start).await.unwrap().id;
    let line = chain.line("run_start", run.as_str()).await;
    assert_eq!(line.detail.as_deref(), Some("repo demo"));
    let asked = stage.until(&run, "asks", |run| !run.approvals.is_empty()).await;
    let approval = &asked.approvals[0].id;
    let body = ApprovalDecide { decision: Decision::Accept };
    client.approval_decide(&run, approval, &body).await.unwrap();
    let line = chain.line("approval_decide", approval.as_str()).await;
    assert!(line.detail.unwrap().contains("accept"));
    let body = car_api::dispatch::ReplyCreate { title: None, body: "Go on.".to_owned() };
    client.run_reply(&run, &body).await.unwrap();
    chain.line("run_reply", run.as_str()).await;
    let ask = DispatchCreate {
        mode: DispatchMode::Notify,
        title: None,
        body: "Look at this.".to_owned(),
    };
    client.dispatch_create(&run, &ask).await.unwrap();
    chain.line("dispatch_create", run.as_str()).await;
    client.run_pause(&run).await.unwrap();
    chain.line("run_pause", run.as_str()).await;
    client.run_stop(&run).await.unwrap();
    chain.line("run_stop", run.as_str()).await;
    stage.until(&run, "is stopped", |run| run.state.status() == RunStatus::Stopped).await;
    let hubs = AuditFilter { actor: Some("hub".to_owned()), ..AuditFilter::default() };
    let lines = client.audit_list(&hubs, &PageQuery::default()).await.unwrap().items;
    assert!(lines.iter().any(|l| l.verb == "run_stopped" && l.object == run.as_str()), "{lines:?}");

    // A run that asks, so that it can be resumed.
    let ticket = client.ticket_get(repo, "2").await.unwrap().ticket.number.unwrap();
    let script = r#"{"dispatch": {"mode": "pause", "title": "Which?", "body": "?"}, "on": 1}"#;
    let text = format!("---\nagent: demo\ndone: false\ntitle: Ask\n---\n\n@@FAKE[{script}]@@\n");
    let body = TicketUpdate { content: text, allow_invalid: false };
    client.ticket_update(repo, &ticket.to_string(), &body, Some("*")).await.unwrap();
    let run = client.run_start(repo, &RunStart::default()).await.unwrap().id;
    stage.until(&run, "is paused", |run| run.state.status() == RunStatus::Paused).await;
    let waits = car_client::InboxFilter { run: Some(run.clone()), ..Default::default() };
    let waits = client.inbox_list(&waits, &PageQuery::default()).await.unwrap().items;
    let item = &waits[0].id;
    client.inbox_seen(&InboxSeen { items: vec![item.clone()] }).await.unwrap();
    chain.line("inbox_seen", "").await;
    client.run_resume(&run, &RunResume::default()).await.unwrap();
    chain.line("run_resume", run.as_str()).await;
    client.run_stop(&run).await.unwrap();
    chain.line("run_stop", run.as_str()).await;
    stage.until(&run, "is stopped", |run| run.state.status() == RunStatus::Stopped).await;
    // The same from the inbox has a line for each of the two.
    let run = client.run_start(repo, &RunStart::default()).await.unwrap().id;
    stage.until(&run, "is paused", |run| run.state.status() == RunStatus::Paused).await;
    let waits = car_client::InboxFilter { run: Some(run.clone()), ..Default::default() };
    let waits = client.inbox_list(&waits, &PageQuery::default()).await.unwrap().items;
    let stop = InboxAct { action: InboxAction::Stop, body: None };
    client.inbox_act(&waits[0].id, &stop).await.unwrap();
    let added = chain.added().await;
    for verb in ["run_stop", "inbox_act"] {
        assert!(added.iter().any(|line| line.verb == verb), "no {verb} in {added:#?}");
    }
    chain.verbs.insert("inbox_act".to_owned());
    stage.until(&run, "is stopped", |run| run.state.status() == RunStatus::Stopped).await;
}

async fn worktrees(client: &Client, chain: &mut Chain, base: &RepoId) {
    let body = WorktreeCreate {
        base: base.clone(),
        branch: "one".to_owned(),
        start_point: None,
        skip_setup: false,
    };
    let job = client.worktree_create(&body).await.unwrap();
    let tree = job.repo.clone().unwrap();
    chain.job(&job, "worktree_create", tree.as_str(), Outcome::Done).await;
    let drop = ["untracked", "ignored", "changes", "commits"].map(str::to_owned).to_vec();
    let mut cleanup = WorktreeCleanup { delete_branch: false, drop: Vec::new(), dry_run: false };
    let refused = client.worktree_cleanup(&tree, &cleanup).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::WouldLoseWork));
    if let car_client::ClientError::Problem(problem) = refused {
        cleanup.drop = problem.unsaved.iter().map(|unsaved| unsaved.kind.clone()).collect();
    } else {
        cleanup.drop = drop;
    }
    let report = client.worktree_cleanup(&tree, &cleanup).await.unwrap();
    let added = chain.added().await;
    let outcomes: Vec<_> = added.iter().map(|l| (l.verb.as_str(), l.outcome)).collect();
    let both = [("worktree_cleanup", Outcome::Begun), ("worktree_cleanup", Outcome::Done)];
    assert_eq!(outcomes, both, "a removal is noted before it begins");
    chain.verbs.insert("worktree_cleanup".to_owned());
    let salvage = report.salvage.unwrap().id;
    client.salvage_restore(&salvage).await.unwrap();
    chain.line("salvage_restore", salvage.as_str()).await;
}

/// A chain that was cut off is found by whoever kept its end: `car` does, and so can anybody with
/// `car-hub` while nobody serves the hub.
#[tokio::test]
async fn a_client_that_kept_the_head_finds_a_chain_cut_off() {
    let mut hub = TestHub::start();
    let client = hub.client();
    for _ in 0..5 {
        client.hub_scan().await.unwrap();
    }
    let head = client.audit_head(None).await.unwrap();
    assert_eq!(client.hub_get().await.unwrap().audit, head);
    assert_eq!(client.hub_snapshot().await.unwrap().audit, head);
    hub.stop();
    let kept = format!("{}:{}", head.seq, head.hash);
    let verify = |hub: &TestHub, kept: &str| hub.run(&["audit", "verify", "--since-head", kept]);
    let whole = verify(&hub, &kept);
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stdout));
    let other = format!("{}:{}", head.seq + 1, head.hash);
    let cut = verify(&hub, &other);
    assert!(!cut.status.success());
    assert!(String::from_utf8_lossy(&cut.stdout).contains("cut off"), "{cut:?}");
    hub.serve(&[]);
    let later = car_api::audit::AuditHead { seq: head.seq + 100, hash: head.hash.clone() };
    let report = hub.client().audit_verify(Some(&later)).await.unwrap();
    assert!(!report.ok && report.broken.unwrap().detail.contains("cut off"));
    assert!(hub.client().audit_verify(Some(&head)).await.unwrap().ok);
}

/// A machine that used `car` before says so when the hub's history is no longer the one it saw:
/// whatever is asked, and while it watches, as soon as the hub is back.
#[tokio::test]
async fn car_says_that_the_history_changed() {
    let mut hub = TestHub::start();
    let heads = hub.config_dir().join("audit-heads.toml");
    let file = || fs::read_to_string(&heads).unwrap();
    let heard = |hub: &TestHub, words: &[&str]| {
        let output = car_command(hub, words).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let quiet = (Some(0), String::new());
    assert_eq!(heard(&hub, &["status"]), quiet);
    let first = file();
    hub.client().hub_scan().await.unwrap();
    for words in [&["watch", "--once"][..], &["hub", "snapshot"], &["status"]] {
        assert_eq!(heard(&hub, words), quiet, "{words:?}");
    }
    assert_ne!(file(), first, "the newest head is kept");

    // What it saw is the end of another chain that was as long, or longer.
    let seen = file();
    let head = hub.client().audit_head(None).await.unwrap();
    let other = seen.replace(&head.hash, &"0".repeat(64));
    let longer = seen.replace(&format!("seq = {}", head.seq), "seq = 1000");
    hub.client().hub_scan().await.unwrap();
    for (kept, what) in [(&other, "is another one than before"), (&longer, "line 1000 was seen")] {
        assert_ne!(*kept, seen);
        fs::write(&heads, kept).unwrap();
        for words in [&["watch", "--once"][..], &["status"], &["events", "-q", "-n", "1"]] {
            let (code, said) = heard(&hub, words);
            assert_eq!(code, Some(0));
            assert!(said.contains("WARNING: the hub's history changed"), "{words:?}: {said}");
            assert!(said.contains(what) && said.contains("car audit verify"), "{said}");
        }
        assert_eq!(heard(&hub, &["doctor"]).0, Some(7));
        assert_eq!(&file(), kept, "what was seen stays");
    }

    fs::write(&heads, &seen).unwrap();
    let mut watch = car_command(&hub, &["watch", "--all"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(watch.stderr.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
        line
    };
    let port = hub.authority().rsplit(':').next().unwrap().to_owned();
    wait_until("it knows where it begins", || (file() != seen).then_some(()));
    let body = RepoCreate { id: "one".to_owned(), path: None, force: false };
    hub.client().repo_create(&body).await.unwrap();
    let mut shown = BufReader::new(watch.stdout.take().unwrap());
    assert!(shown.read_line(&mut String::new()).unwrap() > 0, "it watches");
    hub.kill();
    assert!(line().contains("connection lost"));
    fs::write(&heads, &longer).unwrap();
    hub.serve(&["--port", &port]);
    while !line().contains("WARNING: the hub's history changed") {}
    watch.kill().unwrap();
    watch.wait().unwrap();
}
