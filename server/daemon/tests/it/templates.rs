//! Templates of tickets: real git repositories as sources, a real hub, and what may come of them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use car_api::{
    Code, EventKind, PageQuery, RepoId, RunId, TemplateSourceId,
    diff::LineKind,
    job::{Job, JobResult, JobStatus},
    run::RunStatus,
    template::{
        Template, TemplateApply, TemplateSource, TemplateSourceCreate, TemplateSourceSync,
        TemplateSourceTrust, TemplateTrust, TemplateTrusted, TemplateUntrusted,
        TemplateWarningKind as Kind,
    },
    ticket::TicketLint,
};
use car_client::{Client, ClientError, EventFilter, TemplateFilter};

use crate::{
    harness::{TestHub, wait_until},
    stage::Stage,
    work::{self, git},
};

/// A git repository with templates.
pub(crate) struct Source {
    dir: tempfile::TempDir,
}

impl Source {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let source = Self { dir: tempfile::tempdir().unwrap() };
        git(source.path(), &["init", "--quiet", "--initial-branch=main"]);
        source.change(files);
        source
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn url(&self) -> &str {
        self.path().to_str().unwrap()
    }

    pub(crate) fn body(&self, id: &str) -> TemplateSourceCreate {
        TemplateSourceCreate {
            id: id.parse().unwrap(),
            url: self.url().to_owned(),
            default_ref: None,
            trusted: false,
        }
    }

    /// Writes files and commits them.
    pub(crate) fn change(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.write(path, text.as_bytes());
        }
        self.commit(&["commit", "--quiet", "-m", "changed"]);
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn commit(&self, args: &[&str]) {
        git(self.path(), &["add", "-A"]);
        git(self.path(), args);
    }

    pub(crate) fn sha256(&self, path: &str) -> String {
        let bytes = fs::read(self.path().join(path)).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a source is when its job has ended well.
pub(crate) async fn synced(client: &Client, job: Job) -> TemplateSource {
    let job = work::ended(client, job).await;
    match job.result {
        Some(JobResult::Templates { source }) => *source,
        other => panic!("{other:?} {:?}", job.problem),
    }
}

fn code<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Code {
    answer.unwrap_err().code().unwrap()
}

/// A hub with a repo and a source `team`, which was fetched.
struct Desk {
    hub: TestHub,
    client: Client,
    repo: RepoId,
    tree: PathBuf,
    team: TemplateSourceId,
}

impl Desk {
    async fn new(source: &Source) -> Self {
        let hub = TestHub::start();
        let client = hub.client();
        let (repo, tree) = work::repo(&hub, &client, "demo").await;
        let team = "team".parse().unwrap();
        client.template_source_create(&source.body("team")).await.unwrap();
        let desk = Self { hub, client, repo, tree, team };
        desk.sync().await;
        desk
    }

    async fn sync(&self) -> TemplateSource {
        let body = TemplateSourceSync::default();
        let job = self.client.template_source_sync(&self.team, &body).await.unwrap();
        synced(&self.client, job).await
    }

    async fn source(&self) -> TemplateSource {
        self.client.template_source_list(&PageQuery::default()).await.unwrap().items.remove(0)
    }

    async fn list(&self) -> Vec<Template> {
        let all = TemplateFilter::default();
        self.client.template_list(&all, &PageQuery::default()).await.unwrap().items
    }

    async fn trust(&self, template: &str) -> Result<Template, ClientError> {
        let sha256 = self.client.template_get(template).await?.template.sha256;
        let body = TemplateTrusted { template: template.to_owned(), sha256 };
        self.client.template_trust(&body).await
    }
}

fn apply(template: &str) -> TemplateApply {
    TemplateApply {
        template: template.to_owned(),
        accept_sha256: None,
        title: None,
        agent: None,
        verify: Vec::new(),
        at: None,
    }
}

const BUG: &str = "---\ntitle: Mend a bug\nsummary: From a report to a test\ngoal: The report is answered\n\
    agent: opencode\nmodel: huge\nverify:\n  - rm -rf /\nenv:\n  A: b\ncontext:\n  - path: README.md\n    required: true\n---\n\n\
    ## What to do\n\nWrite the test first.\n";

#[tokio::test]
async fn a_template_becomes_a_ticket_that_says_where_it_is_from() {
    let source = Source::new(&[("fix/bug.md", BUG), ("README.md", "# Not a template\n")]);
    let desk = Desk::new(&source).await;
    let client = &desk.client;
    let listed = desk.list().await;
    assert_eq!(listed.len(), 1, "{listed:#?}");
    assert_eq!(listed[0].template, "team:fix/bug.md");
    assert_eq!(
        (listed[0].title.as_str(), listed[0].trust),
        ("Mend a bug", TemplateTrust::Untrusted)
    );
    assert_eq!(listed[0].summary.as_deref(), Some("From a report to a test"));
    assert_eq!(listed[0].sha256, source.sha256("fix/bug.md"));
    let shown = client.template_get("team:fix/bug.md").await.unwrap();
    assert_eq!(shown.content, BUG);
    assert_eq!(shown.body, "\n## What to do\n\nWrite the test first.\n");
    assert_eq!((shown.goal.as_deref(), shown.changes), (Some("The report is answered"), None));
    assert_eq!(shown.context, ["README.md"]);
    let dropped = shown.template.warnings.iter().find(|w| w.kind == Kind::Dropped).unwrap();
    for name in ["agent", "model", "verify", "env"] {
        assert!(dropped.message.contains(&format!("`{name}`")), "{dropped:?}");
    }
    desk.trust("team:fix/bug.md").await.unwrap();

    let made = client.template_apply(&desk.repo, &apply("team:fix/bug.md")).await.unwrap();
    assert_eq!(made.ticket.title, "Mend a bug");
    assert_eq!(made.ticket.agent.as_deref(), Some("codex"), "the hub's, not the template's");
    assert!(!made.ticket.has_verify && made.ticket.model.is_none());
    let plain = made.content.replace(['"', '\''], "");
    let lines: Vec<&str> = plain.lines().collect();
    for line in [
        "goal: The report is answered",
        "  - path: README.md",
        "    required: true",
        "template: team:fix/bug.md@main",
        &format!("template_commit: {}", shown.commit),
        &format!("template_sha256: {}", shown.template.sha256),
        "template_trusted: true",
        "Write the test first.",
    ] {
        assert!(lines.contains(&line), "{line}\n{}", made.content);
    }
    for word in ["rm -rf", "opencode", "huge", "env:"] {
        assert!(!made.content.contains(word), "{word}\n{}", made.content);
    }
    let lint = client.ticket_lint(&desk.repo, &TicketLint::default()).await.unwrap();
    assert!(lint.ok && lint.findings.is_empty(), "{lint:#?}");
    // As any ticket: a place in the queue, another title, somebody else to do it.
    let first = TemplateApply {
        at: Some(1),
        title: Some("Mend the parser".to_owned()),
        agent: Some("user".to_owned()),
        verify: vec!["make test".to_owned()],
        ..apply("team:fix/bug.md")
    };
    let first = client.template_apply(&desk.repo, &first).await.unwrap();
    assert_eq!((first.ticket.number, first.ticket.title.as_str()), (Some(1), "Mend the parser"));
    assert!(first.ticket.has_verify && first.content.contains("  - make test"), "{first:#?}");
    let nobody = TemplateApply { agent: Some("nobody".to_owned()), ..apply("team:fix/bug.md") };
    assert_eq!(code(client.template_apply(&desk.repo, &nobody).await), Code::AgentUnavailable);
    let found = TemplateFilter { q: Some("REPORT mend".to_owned()), source: None };
    let found = client.template_list(&found, &PageQuery::default()).await.unwrap();
    assert_eq!(found.items.len(), 1);
    let none = TemplateFilter { q: Some("report nothing".to_owned()), source: None };
    assert!(client.template_list(&none, &PageQuery::default()).await.unwrap().items.is_empty());
    let events = client.event_list(0, Some(500), &EventFilter::default()).await.unwrap().items;
    let changed = |kind: &EventKind| matches!(kind, EventKind::TemplatesChanged { source } if *source == desk.team);
    assert_eq!(events.iter().filter(|e| changed(&e.event)).count(), 3, "added, fetched, trusted");
    assert!(!desk.tree.join("fix").exists());
}

#[tokio::test]
async fn trust_is_in_the_file_and_a_change_is_shown() {
    let source = Source::new(&[("a.md", "# A\n\nFirst.\n"), ("b.md", "# B\n")]);
    let desk = Desk::new(&source).await;
    let client = &desk.client;
    let (repo, a) = (&desk.repo, "team:a.md");
    // Nobody trusts it: whoever has looked names what they saw.
    let refused = client.template_apply(repo, &apply(a)).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::PreconditionRequired));
    assert!(refused.to_string().contains(&source.sha256("a.md")), "{refused}");
    let seen = |sha256: String| TemplateApply { accept_sha256: Some(sha256), ..apply(a) };
    assert_eq!(code(client.template_apply(repo, &seen("0".repeat(64))).await), Code::Stale);
    let made = client.template_apply(repo, &seen(source.sha256("a.md"))).await.unwrap();
    assert!(made.content.contains("template_trusted: false"), "{}", made.content);
    let wrong = TemplateTrusted { template: a.to_owned(), sha256: source.sha256("b.md") };
    assert_eq!(code(client.template_trust(&wrong).await), Code::Stale);
    desk.trust(a).await.unwrap();
    let old = source.sha256("a.md");
    client.template_apply(repo, &apply(a)).await.unwrap();

    source.change(&[("a.md", "# A\n\nSecond.\n")]);
    // Nothing changes before it is fetched.
    assert_eq!(desk.list().await[0].trust, TemplateTrust::Trusted);
    let now = desk.sync().await;
    assert_eq!((now.templates, now.untrusted), (2, 2));
    assert_eq!(desk.list().await[0].trust, TemplateTrust::Changed);
    let shown = client.template_get(a).await.unwrap();
    let lines: Vec<_> = shown.changes.unwrap().into_iter().map(|l| (l.kind, l.text)).collect();
    assert!(lines.contains(&(LineKind::Removed, "First.".to_owned())), "{lines:?}");
    assert!(lines.contains(&(LineKind::Added, "Second.".to_owned())), "{lines:?}");
    assert_eq!(code(client.template_apply(repo, &apply(a)).await), Code::PreconditionRequired);
    assert_eq!(code(client.template_apply(repo, &seen(old)).await), Code::Stale);
    desk.trust(a).await.unwrap();
    let made = client.template_apply(repo, &apply(a)).await.unwrap();
    assert!(made.content.contains("Second."), "{}", made.content);
    // Another commit, the same file: the trust holds.
    source.change(&[("c.md", "# C\n")]);
    desk.sync().await;
    assert_eq!(desk.list().await[0].trust, TemplateTrust::Trusted);
    // All of it at once, as it was looked at; and none of it.
    let commit = desk.source().await.commit.unwrap();
    let stale = TemplateSourceTrust { commit: "0".repeat(40) };
    assert_eq!(code(client.template_source_trust(&desk.team, &stale).await), Code::Stale);
    let all = TemplateSourceTrust { commit };
    assert_eq!(client.template_source_trust(&desk.team, &all).await.unwrap().untrusted, 0);
    let body = TemplateUntrusted { template: a.to_owned() };
    assert_eq!(client.template_untrust(&body).await.unwrap().trust, TemplateTrust::Untrusted);
    assert_eq!(client.template_source_untrust(&desk.team).await.unwrap().untrusted, 3);
}

#[tokio::test]
async fn an_agent_uses_what_is_trusted_and_trusts_nothing() {
    let source = Source::new(&[("a.md", "# A\n"), ("b.md", "# B\n")]);
    let desk = Desk::new(&source).await;
    desk.trust("team:a.md").await.unwrap();
    let hang =
        work::Scripted { agent: "demo", title: "Hang", script: "{\"hang\": true}", verify: "true" };
    work::ticket(&desk.client, &desk.repo, hang).await;
    let run = work::start(&desk.client, &desk.repo).await.id;
    let token = desk.tree.join(format!(".codex-autorunner/runs/{run}/token"));
    let token = wait_until("the agent has its token", || fs::read_to_string(&token).ok());
    let agent = Client::new(desk.hub.url(), Some(token.trim())).unwrap();
    let all = agent.template_list(&TemplateFilter::default(), &PageQuery::default()).await.unwrap();
    assert_eq!(all.items.len(), 2);
    let made = agent.template_apply(&desk.repo, &apply("team:a.md")).await.unwrap();
    assert_eq!(made.ticket.title, "A");
    let b = agent.template_get("team:b.md").await.unwrap().template;
    let seen = TemplateApply { accept_sha256: Some(b.sha256.clone()), ..apply("team:b.md") };
    for body in [apply("team:b.md"), seen] {
        assert_eq!(code(agent.template_apply(&desk.repo, &body).await), Code::Forbidden);
    }
    let trust = TemplateTrusted { template: "team:b.md".to_owned(), sha256: b.sha256 };
    assert_eq!(code(agent.template_trust(&trust).await), Code::Forbidden);
    let sync = TemplateSourceSync::default();
    assert_eq!(code(agent.template_source_sync(&desk.team, &sync).await), Code::Forbidden);
    stop(&desk.client, &run).await;
}

async fn stop(client: &Client, run: &RunId) {
    client.run_stop(run).await.unwrap();
    while !matches!(client.run_get(run).await.unwrap().state.status(), RunStatus::Stopped) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_source_that_is_away_is_read_from_its_copy_and_a_rewritten_one_stays_where_it_was() {
    let source = Source::new(&[("a.md", "# A\n\nFirst.\n")]);
    let mut desk = Desk::new(&source).await;
    let before = desk.source().await.commit.unwrap();
    source.write("a.md", b"# A\n\nRewritten.\n");
    source.commit(&["commit", "--quiet", "--amend", "-m", "other"]);
    let stays = desk.sync().await;
    assert_eq!(stays.commit.as_ref(), Some(&before));
    let new = stays.rewritten.unwrap();
    assert!(desk.client.template_get("team:a.md").await.unwrap().content.contains("First."));
    // What it has by now can be looked at, and is taken when that is asked for.
    let there = desk.client.template_get("team:a.md@main").await.unwrap();
    assert!(there.content.contains("Rewritten.") && there.commit == new);
    let body = TemplateSourceSync { rewritten: true };
    let job = desk.client.template_source_sync(&desk.team, &body).await.unwrap();
    let taken = synced(&desk.client, job).await;
    assert_eq!((taken.commit, taken.rewritten), (Some(new), None));
    assert!(desk.client.template_get("team:a.md").await.unwrap().content.contains("Rewritten."));

    let away = source.path().with_extension("away");
    fs::rename(source.path(), &away).unwrap();
    let body = TemplateSourceSync::default();
    let job = desk.client.template_source_sync(&desk.team, &body).await.unwrap();
    let job = work::ended(&desk.client, job).await;
    assert_eq!(job.status, JobStatus::Failed);
    let said = job.problem.unwrap().detail;
    assert!(said.starts_with(&format!("{} could not be fetched: ", source.url())), "{said}");
    assert!(said.ends_with(" goes on being used.") && !said.contains("--"), "{said}");
    assert!(desk.source().await.trouble.is_some());
    // Also after a start, when nothing is in memory.
    desk.hub.kill();
    desk.hub.serve(&[]);
    desk.client = desk.hub.client();
    let shown = desk.client.template_get("team:a.md").await.unwrap();
    assert!(shown.content.contains("Rewritten.") && shown.trouble.is_some());
    fs::rename(&away, source.path()).unwrap();
    assert_eq!(desk.sync().await.trouble, None);
    // The copy is only a copy.
    fs::remove_dir_all(desk.hub.root().join(".codex-autorunner/templates/mirrors")).unwrap();
    desk.hub.kill();
    desk.hub.serve(&[]);
    desk.client = desk.hub.client();
    assert!(desk.source().await.trouble.unwrap().contains("cannot be read"));
    assert_eq!(code(desk.client.template_get("team:a.md").await), Code::Unavailable);
    assert_eq!(desk.sync().await.trouble, None);
    assert_eq!(desk.list().await.len(), 1);
}

#[tokio::test]
async fn hostile_sources_give_what_is_plain_and_run_nothing() {
    let source = Source::new(&[("good.md", "# Good\n"), ("sub/.hidden/x.md", "# No\n")]);
    let ran = source.path().join("ran");
    let evil = source.path().join("evil.sh");
    fs::write(&evil, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = evil.to_str().unwrap().to_owned();
    symlink("/etc/passwd", source.path().join("link.md")).unwrap();
    symlink("good.md", source.path().join("near.md")).unwrap();
    source.write("large.md", &b"x".repeat(300 * 1024));
    source.write("latin.md", b"# caf\xe9\n");
    source.write("bad\u{202e}name.md", b"# Bad\n");
    source.write("at@home.md", b"# At\n");
    source.write("nul.md", b"a\0b");
    source.write("open.md", b"---\ntitle: Open\n");
    source.write(".gitattributes", b"*.md filter=evil diff=evil\n");
    source.commit(&["commit", "--quiet", "-m", "hostile"]);
    for hook in ["post-checkout", "reference-transaction", "post-update", "pre-receive"] {
        fs::copy(&evil, source.path().join(".git/hooks").join(hook)).ok();
    }
    for key in
        ["uploadpack.packObjectsHook", "core.fsmonitor", "filter.evil.smudge", "core.sshCommand"]
    {
        git(source.path(), &["config", key, &evil]);
    }
    let _ = fs::remove_file(&ran);
    let desk = Desk::new(&source).await;
    let names: Vec<_> = desk.list().await.into_iter().map(|t| t.template).collect();
    assert_eq!(names, ["team:good.md", "team:open.md"]);
    let skipped = desk.source().await.skipped;
    let why = |path: &str| skipped.iter().find(|s| s.path == path).map(|s| s.why.as_str());
    assert_eq!(why("link.md"), Some("it is a symbolic link"));
    assert_eq!(why("near.md"), Some("it is a symbolic link"));
    assert_eq!(why("large.md"), Some("it is larger than 256 KiB"));
    assert_eq!(why("latin.md"), Some("it is not text"));
    assert_eq!(why("at@home.md"), Some("its name is not plain"));
    assert_eq!(skipped.len(), 7, "{skipped:?}");
    for name in ["team:link.md", "team:large.md@main", "team:latin.md@main", "team:none.md"] {
        assert_eq!(code(desk.client.template_get(name).await), Code::NotFound, "{name}");
    }
    for name in ["team:../a.md", "team:/etc/passwd", "team", "x:y", "team:a.md@"] {
        assert_eq!(code(desk.client.template_get(name).await), Code::Unprocessable, "{name}");
    }
    // It can be read and trusted, and no ticket comes of it.
    desk.trust("team:open.md").await.unwrap();
    let nothing = desk.client.template_apply(&desk.repo, &apply("team:open.md")).await;
    assert_eq!(code(nothing), Code::Unprocessable);
    assert!(!ran.exists(), "something of the source ran");
    for url in ["ext::sh -c true", "--upload-pack=x", "", "ftp://x/y", "https://me:secret@host/x"] {
        let body = TemplateSourceCreate { url: url.to_owned(), ..source.body("other") };
        let refused = desk.client.template_source_create(&body).await;
        assert_eq!(code(refused), Code::Unprocessable, "{url}");
    }
    let body = TemplateSourceCreate { default_ref: Some("-x".to_owned()), ..source.body("other") };
    assert_eq!(code(desk.client.template_source_create(&body).await), Code::Unprocessable);
}

#[tokio::test]
async fn a_source_without_the_branch_says_so_and_two_do_not_fetch_it_at_once() {
    let source = Source::new(&[("a.md", "# A\n")]);
    let hub = TestHub::start();
    let client = hub.client();
    let body = TemplateSourceCreate { default_ref: Some("next".to_owned()), ..source.body("team") };
    client.template_source_create(&body).await.unwrap();
    let team = "team".parse().unwrap();
    let sync = TemplateSourceSync::default();
    let job = client.template_source_sync(&team, &sync).await.unwrap();
    let job = work::ended(&client, job).await;
    let problem = job.problem.unwrap();
    assert_eq!(problem.code, Code::GitState);
    assert!(problem.detail.contains("no branch, tag or commit `next`"), "{}", problem.detail);
    git(source.path(), &["branch", "next"]);
    // Whoever comes second is told, or finds that the first has ended.
    let first = client.template_source_sync(&team, &sync).await.unwrap();
    match client.template_source_sync(&team, &sync).await {
        Ok(second) => assert_eq!(work::ended(&client, second).await.status, JobStatus::Completed),
        Err(error) => assert_eq!(error.code(), Some(Code::IllegalTransition), "{error}"),
    }
    assert_eq!(synced(&client, first).await.templates, 1);
    // A tag and a commit are as good as a branch.
    git(source.path(), &["tag", "-a", "v1", "-m", "one"]);
    let commit = git(source.path(), &["rev-parse", "HEAD"]).trim().to_owned();
    for (id, at) in [("tagged", "v1"), ("exact", commit.as_str())] {
        let body = TemplateSourceCreate { default_ref: Some(at.to_owned()), ..source.body(id) };
        client.template_source_create(&body).await.unwrap();
        let job = client.template_source_sync(&id.parse().unwrap(), &sync).await.unwrap();
        assert_eq!(synced(&client, job).await.commit, Some(commit.clone()), "{at}");
    }
}

#[tokio::test]
async fn a_hub_that_was_cars_keeps_its_sources() {
    let source = Source::new(&[("a.md", "# A\n")]);
    let mut stage = Stage::start(&format!(
        "templates:\n  enabled: true\n  repos:\n    - id: blessed\n      url: {}\n      trusted: true\n      default_ref: main\n",
        source.url()
    ));
    let client = stage.client();
    let page = PageQuery::default();
    let listed = client.template_source_list(&page).await.unwrap().items;
    assert_eq!((listed[0].id.as_str(), listed[0].trusted), ("blessed", true));
    assert!(
        client.template_list(&TemplateFilter::default(), &page).await.unwrap().items.is_empty()
    );
    assert_eq!(code(client.template_get("blessed:a.md").await), Code::NotFound);
    let blessed = "blessed".parse().unwrap();
    let job = client.template_source_sync(&blessed, &TemplateSourceSync::default()).await.unwrap();
    assert_eq!(synced(&client, job).await.untrusted, 0, "what it has at first is trusted");
    source.change(&[("a.md", "# Other\n")]);
    let job = client.template_source_sync(&blessed, &TemplateSourceSync::default()).await.unwrap();
    assert_eq!(synced(&client, job).await.untrusted, 1, "what changes is not");
    // What is added and removed is in the hub's own file, and CAR's is as it was.
    client.template_source_create(&source.body("team")).await.unwrap();
    client.template_source_delete(&blessed).await.unwrap();
    let own = fs::read_to_string(stage.hub.root().join(".codex-autorunner/config.yml")).unwrap();
    assert!(own.contains("\"team\"") && !own.contains("blessed"), "{own}");
    stage.kill_and_serve();
    let listed = stage.client().template_source_list(&page).await.unwrap().items;
    assert_eq!(listed.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["team"]);
    stage.configure("templates:\n  enabled: false\n");
    stage.kill_and_serve();
    let off = stage.client().template_list(&TemplateFilter::default(), &page).await;
    assert_eq!(code(off), Code::TurnedOff);
}
