//! The real Codex as the project manager: it splits a spec into tickets in two repos and starts.

use car_api::{
    PageQuery, ThreadKey,
    audit::{ActorKind, AuditLine},
    filebox::FileBox,
    inbox::{InboxKind, InboxStatus, InboxView},
    notification::{ChannelCreate, NotificationKind, NotificationPayload, NotificationStatus},
    pma::{PmaDocName, PmaDocUpdate},
    run::{Run, RunStatus},
    thread::{Message, MessageOrigin, MessagePost, MessageStatus},
};
use car_client::{AuditFilter, Client, InboxFilter};
use serde_json::json;

use super::World;
use crate::{
    talk::Talk,
    webhooks::Receiver,
    work::{self, until},
};

/// The agent's own `car`, from the hub's root, where it works.
const CAR: &str = ".codex-autorunner/bin/car";

/// Gives the project manager a spec for two repos, as files with these scripts for whoever works
/// the tickets; waits until it has made the tickets and started. The two runs.
async fn split_and_start(
    world: &World,
    talk: &Talk,
    scripts: [(&str, String); 2],
) -> (Message, Vec<Run>) {
    let client = &talk.client;
    let (mut steps, mut attachments) = (Vec::new(), Vec::new());
    for (repo, script) in scripts {
        work::repo(&world.hub, client, repo).await;
        // What is to be done there, handed over as a file.
        let name = format!("{repo}.md");
        let text = format!("## Goal\n\nGreet.\n\n@@FAKE[{script}]@@\n");
        client.file_put(FileBox::Inbox, &name.parse().unwrap(), text).await.unwrap();
        attachments.push(name);
        steps.push(super::patient(&format!(
            "set -e; {CAR} hub worktree create {repo} feature/greet --start-point HEAD; \
             {CAR} ticket new Greet --repo {repo}--feature-greet --agent codex \
             --verify 'grep -q hello greeting.txt' \
             --body .codex-autorunner/filebox/inbox/{repo}.md; \
             {CAR} ticket lint --repo {repo}--feature-greet; \
             {CAR} run start --repo {repo}--feature-greet"
        )));
    }
    let body = MessagePost {
        body: format!(
            "Split this spec into tickets in two repos and start. @@FAKE[{}, {{\"say\": \"Both are \
             under way.\"}}]@@",
            steps.join(", ")
        ),
        attachments,
        ..MessagePost::default()
    };
    let message = client.message_post(&talk.key, &body).await.unwrap();
    let message = talk.until(&message.id, MessageStatus::Completed).await;
    assert_eq!(message.answer.as_deref(), Some("Both are under way."));
    let runs = client.run_list(None, None, &PageQuery::default()).await.unwrap().items;
    let detail = client.message_get(&talk.key, &message.id).await.unwrap();
    assert_eq!(runs.len(), 2, "{detail:#?}");
    (message, runs)
}

/// What the audit chain says of somebody, or of an operation.
async fn audit(client: &Client, actor: Option<&str>, verb: Option<&str>) -> Vec<AuditLine> {
    let filter = AuditFilter {
        actor: actor.map(str::to_owned),
        verb: verb.map(str::to_owned),
        ..AuditFilter::default()
    };
    let page = PageQuery { after: None, limit: Some(500) };
    client.audit_list(&filter, &page).await.unwrap().items
}

fn greet(repo: &str) -> String {
    format!(
        "{{\"write\": [\"greeting.txt\", \"hello from {repo}\\n\"]}}, {{\"done\": true}}, \
         {{\"commit\": \"Greet\"}}"
    )
}

/// Asks this first, and greets when there is an answer.
fn ask_and_greet(repo: &str, question: &str) -> String {
    let greet = greet(repo).replace('{', "{\"from\": 2, ");
    format!(
        "{{\"on\": 1, \"dispatch\": {{\"mode\": \"pause\", \"title\": \"Asks\", \"body\": \
         \"{question}\"}}}}, {greet}"
    )
}

#[tokio::test]
async fn a_spec_becomes_tickets_in_two_repos_and_runs() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let talk = Talk { client: client.clone(), key: ThreadKey::pma() };
    let scripts = [("api", greet("api")), ("web", greet("web"))];
    let (_, runs) = split_and_start(&world, &talk, scripts).await;
    for run in &runs {
        let run = until(&client, &run.id, RunStatus::Completed).await;
        let tickets = client.ticket_list(&run.repo, None, &PageQuery::default()).await.unwrap();
        assert_eq!(tickets.items.len(), 1);
        let evidence = client.run_evidence(&run.id).await.unwrap().items;
        assert_eq!(evidence.len(), 1, "the hub looked for itself");
    }

    // Everything it did is in the chain under its name, and nobody else did any of it.
    let lines = audit(&client, Some("pma"), None).await;
    assert!(lines.iter().all(|line| line.actor.kind == ActorKind::Pma));
    let mut verbs: Vec<_> = lines.iter().map(|line| line.verb.as_str()).collect();
    verbs.sort_unstable();
    verbs.dedup();
    for verb in ["run_start", "ticket_create", "worktree_create"] {
        let count = lines
            .iter()
            .filter(|line| line.verb == verb && line.detail != Some(String::new()))
            .count();
        assert!(count >= 2, "{verb} {count} times: {lines:#?}");
        let all = audit(&client, None, Some(verb)).await;
        assert!(all.iter().all(|line| line.actor.kind != ActorKind::Token), "{all:#?}");
    }
    assert!(client.audit_verify(None).await.unwrap().ok);
    println!("the project manager did {verbs:?}, {} lines", lines.len());
}

/// The day it must serve: two runs ask; a rule has one answer, the project manager is woken for the
/// other and passes it on, and a person is told of that, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_question_is_answered_by_rule_and_the_other_reaches_a_person_once() {
    let config = json!({
        "notifications": { "retry_first_ms": 20 },
        "pma": {
            "dispatch_interception_enabled": true,
            "wake": { "enabled": true, "debounce_seconds": 0 },
        },
    });
    let Some(world) = World::configured(config) else { return };
    let client = world.client();
    let receiver = Receiver::start(Vec::new());
    let body = ChannelCreate {
        name: "phone".to_owned(),
        url: receiver.url.clone(),
        kinds: vec![NotificationKind::Attention],
        quiet: None,
    };
    client.channel_create(&body).await.unwrap();
    // What the user has told it once and for all.
    let order = format!("{CAR} inbox act $({CAR} inbox --kind question -q) escalate");
    let guidance = format!(
        "Which database we use is mine to say: have me told of such a question. \
         @@WHEN[\"let a person be told now\", {}, {{\"say\": \"It is with the user.\"}}]@@\n",
        super::patient(&order)
    );
    let body = PmaDocUpdate { content: guidance };
    client.pma_doc_update(PmaDocName::Agents, &body, Some("*")).await.unwrap();

    let talk = Talk { client: client.clone(), key: ThreadKey::pma() };
    let question = "Postgres or SQLite?";
    let scripts =
        [("api", ask_and_greet("api", "Go ahead!")), ("web", ask_and_greet("web", question))];
    let (_, runs) = split_and_start(&world, &talk, scripts).await;
    let run_in = |repo: &str| runs.iter().find(|run| run.repo.as_str().starts_with(repo)).unwrap();
    let (api, web) = (run_in("api"), run_in("web"));

    // The easy one goes on by rule, and nobody hears of it.
    until(&client, &api.id, RunStatus::Completed).await;
    assert_eq!(client.run_replies(&api.id).await.unwrap().items.len(), 1);
    // The other is the project manager's, until it says otherwise.
    let told = until_told(&client).await;
    assert_eq!(told, std::slice::from_ref(&web.id), "only of the question no rule answers");
    until(&client, &web.id, RunStatus::Paused).await;
    let asked = until_woken(&talk, "let a person be told now").await;
    let answered = talk.until(&asked.id, MessageStatus::Completed).await;
    assert_eq!(answered.answer.as_deref(), Some("It is with the user."));

    // The user answers, and the run goes on to its end.
    let filter = InboxFilter {
        status: InboxView::Open,
        kind: Some(InboxKind::Question),
        ..InboxFilter::default()
    };
    let open = client.inbox_list(&filter, &PageQuery::default()).await.unwrap().items;
    assert_eq!(open.len(), 1, "{open:#?}");
    work::car(&world.hub, &["inbox", "act", open[0].id.as_str(), "reply", "SQLite."]);
    until(&client, &web.id, RunStatus::Completed).await;
    let item = client.inbox_get(&open[0].id).await.unwrap();
    assert_eq!(item.status, InboxStatus::Resolved);
    // What it is told of the ends is answered too, and changes nothing.
    for run in [api, web] {
        let told = until_woken(&talk, &format!("({}) completed", run.id)).await;
        talk.until(&told.id, MessageStatus::Completed).await;
    }
    talk.until_idle().await;

    // One message left the hub, and it is of that question.
    let got = receiver.got();
    assert_eq!(got.len(), 1, "{got:#?}");
    let payload: NotificationPayload = serde_json::from_str(&got[0].body).unwrap();
    assert_eq!(payload.data.item.as_ref(), Some(&item.id));
    assert_eq!(payload.data.run.as_ref(), Some(&web.id));
    // Who did what: the rule answered once, the agent passed on once, by its own token.
    let replies = audit(&client, None, Some("run_reply")).await;
    let by_rule = replies.iter().filter(|line| line.actor.name == "rule of the PMA").count();
    assert_eq!(by_rule, 1, "{replies:#?}");
    let acts = audit(&client, Some("pma"), None).await;
    let passed_on: Vec<_> = acts.iter().filter(|line| line.verb == "inbox_act").collect();
    assert_eq!(passed_on.len(), 1, "{acts:#?}");
    assert_eq!(
        (passed_on[0].actor.kind, &*passed_on[0].object),
        (ActorKind::Pma, item.id.as_str())
    );
    assert_eq!(acts.iter().filter(|line| line.verb == "run_start").count(), 2);
    assert!(client.audit_verify(None).await.unwrap().ok);
}

/// Waits until something was delivered; the runs of everything that was.
async fn until_told(client: &Client) -> Vec<car_api::RunId> {
    let begun = std::time::Instant::now();
    loop {
        let page = PageQuery { after: None, limit: Some(500) };
        let all = client.notification_list(None, &page).await.unwrap().items;
        let delivered = |one: &car_api::notification::Notification| {
            one.deliveries.iter().any(|way| way.status == NotificationStatus::Delivered)
        };
        let told: Vec<_> =
            all.iter().filter(|one| delivered(one)).filter_map(|one| one.run.clone()).collect();
        if !told.is_empty() {
            return told;
        }
        assert!(begun.elapsed() < crate::harness::DEADLINE, "nobody is told: {all:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Waits until the hub itself has told the project manager this; it does so once.
async fn until_woken(talk: &Talk, words: &str) -> Message {
    let begun = std::time::Instant::now();
    loop {
        let told = |message: &Message| {
            message.origin == MessageOrigin::Wake && message.body.contains(words)
        };
        let mut found: Vec<_> = talk.messages().await.into_iter().filter(told).collect();
        assert!(found.len() <= 1, "{found:#?}");
        if let Some(message) = found.pop() {
            return message;
        }
        assert!(begun.elapsed() < crate::harness::DEADLINE, "it is not told: {words}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
