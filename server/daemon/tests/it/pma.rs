//! The project manager with the demo agent: what it is told, what it may do, and what stops it.

use std::{fs, process::Stdio};

use car_api::{
    Code, MessageId, ThreadKey,
    audit::ActorKind,
    filebox::FileBox,
    pma::{PmaDocName, PmaDocUpdate},
    template::{TemplateSourceSync, TemplateTrusted},
    thread::{MessagePost, MessageStatus, ThreadStatus},
};
use car_client::{AuditFilter, Client};

use crate::{
    harness::TestHub,
    talk::Talk,
    templates::{Source, synced},
    work::{car_command, repo},
};

/// A hub whose project manager is the demo agent, with these further lines of configuration.
fn hub(config: &str) -> TestHub {
    let mut hub = TestHub::unserved();
    // The limits of the project manager are what is tried here.
    hub.limited = true;
    let text = format!(
        "threads:\n  agent: demo\nserver:\n  limits:\n    requests_per_second: 0\n{config}"
    );
    fs::write(hub.root().join("codex-autorunner.yml"), text).unwrap();
    hub.serve(&[]);
    hub
}

fn talk(client: &Client) -> Talk {
    Talk { client: client.clone(), key: ThreadKey::pma() }
}

fn say(text: &str) -> String {
    format!("Please. @@FAKE[{{\"say\": \"{text}\"}}]@@")
}

/// The prompt a message was asked with.
async fn prompt(hub: &TestHub, talk: &Talk, message: &MessageId) -> String {
    let turn = talk.message(message).await.turn.unwrap();
    let thread = talk.thread().await.id;
    let dir = hub.root().join(".codex-autorunner/threads").join(thread.as_str());
    fs::read_to_string(dir.join(format!("prompts/{turn}.md"))).unwrap()
}

#[tokio::test]
async fn it_is_told_everything_once_and_then_what_changed() {
    let hub = hub("");
    let client = hub.client();
    let talk = talk(&client);
    let first = talk.post(&say("one")).await;
    talk.until(&first.id, MessageStatus::Completed).await;
    let whole = prompt(&hub, &talk, &first.id).await;
    for part in ["project manager of this CAR Hub", "<agents_md", "<hub_state>", "Please."] {
        assert!(whole.contains(part), "{part}:\n{whole}");
    }
    let second = talk.post(&say("two")).await;
    talk.until(&second.id, MessageStatus::Completed).await;
    let short = prompt(&hub, &talk, &second.id).await;
    assert!(short.contains("<context_unchanged/>") && short.len() < 400, "{short}");

    let doc = client.pma_doc_get(PmaDocName::Agents).await.unwrap();
    let body = PmaDocUpdate { content: "Never on a Friday.\n".to_owned() };
    client.pma_doc_update(doc.name, &body, Some(&doc.etag)).await.unwrap();
    repo(&hub, &client, "demo").await;
    let third = talk.post(&say("three")).await;
    talk.until(&third.id, MessageStatus::Completed).await;
    let changed = prompt(&hub, &talk, &third.id).await;
    assert!(changed.contains("Never on a Friday.") && changed.contains("- demo 0/0"), "{changed}");
    assert!(!changed.contains("project manager of this CAR Hub"), "{changed}");

    // A new conversation knows nothing; a working set that is too long is moved into the log first.
    client.thread_reset(&talk.key).await.unwrap();
    let long: String = (0..500).map(|n| format!("- thing {n}\n")).collect();
    let body = PmaDocUpdate { content: long };
    client.pma_doc_update(PmaDocName::ActiveContext, &body, Some("*")).await.unwrap();
    let fourth = talk.post(&say("four")).await;
    talk.until(&fourth.id, MessageStatus::Completed).await;
    let again = prompt(&hub, &talk, &fourth.id).await;
    assert!(again.contains("project manager of this CAR Hub"), "{again}");
    let active = client.pma_doc_get(PmaDocName::ActiveContext).await.unwrap();
    assert!(active.lines <= 200, "{}", active.lines);
    let log = client.pma_doc_get(PmaDocName::ContextLog).await.unwrap().content;
    assert!(log.contains("- thing 499"), "nothing is lost");
    println!("{} bytes at first, {} when nothing changed", whole.len(), short.len());
}

#[tokio::test]
async fn it_acts_under_its_own_name_and_no_further() {
    let hub = hub("");
    let client = hub.client();
    repo(&hub, &client, "demo").await;
    let name = "plan.md".parse().unwrap();
    client.file_put(FileBox::Inbox, &name, "the plan").await.unwrap();
    let out = hub.root().join("said.txt");
    let sh = format!(
        "car ticket new 'From the plan' --repo demo --agent user --body \
         .codex-autorunner/filebox/inbox/plan.md -q > {out}; car token show >> {out}; \
         car token create thief >> {out} 2>&1; echo $? >> {out}",
        out = out.display()
    );
    let script = serde_json::json!([{ "sh": sh }]);
    let talk = talk(&client);
    let body = MessagePost {
        body: format!("@@FAKE{script}@@"),
        attachments: vec!["plan.md".to_owned()],
        ..MessagePost::default()
    };
    let message = client.message_post(&talk.key, &body).await.unwrap();
    talk.until(&message.id, MessageStatus::Completed).await;
    let said = fs::read_to_string(&out).unwrap();
    let told = prompt(&hub, &talk, &message.id).await;
    assert!(told.contains("filebox/inbox/`:\n\n- \"plan.md\""), "{told}");
    assert!(said.trim_end().ends_with('4'), "it got itself a token:\n{said}");
    let filter = AuditFilter { actor: Some("pma".to_owned()), ..AuditFilter::default() };
    let lines = client.audit_list(&filter, &car_api::PageQuery::default()).await.unwrap().items;
    let made: Vec<_> = lines.iter().map(|line| (line.actor.kind, line.verb.as_str())).collect();
    assert_eq!(made, [(ActorKind::Pma, "ticket_create")], "{lines:#?}\n{said}");
}

#[tokio::test]
async fn it_uses_templates_that_people_trust_and_trusts_none_itself() {
    let hub = hub("");
    let client = hub.client();
    repo(&hub, &client, "demo").await;
    let source = Source::new(&[("known.md", "# Known\n"), ("other.md", "# Other\n")]);
    client.template_source_create(&source.body("team")).await.unwrap();
    let team = "team".parse().unwrap();
    let job = client.template_source_sync(&team, &TemplateSourceSync::default()).await.unwrap();
    synced(&client, job).await;
    let sha256 = source.sha256("known.md");
    let known = TemplateTrusted { template: "team:known.md".to_owned(), sha256 };
    client.template_trust(&known).await.unwrap();
    let out = hub.root().join("said.txt");
    let sh = format!(
        "exec > {out} 2>&1; car templates list -q; \
         car templates apply team:known.md -r demo --set-agent user && echo applied; \
         car templates apply team:other.md -r demo --accept-sha256 {sha} || echo refused $?; \
         car templates trust team:other.md --sha256 {sha} || echo distrusted $?",
        out = out.display(),
        sha = source.sha256("other.md"),
    );
    let talk = talk(&client);
    let message = talk.post(&format!("@@FAKE{}@@", serde_json::json!([{ "sh": sh }]))).await;
    talk.until(&message.id, MessageStatus::Completed).await;
    let said = fs::read_to_string(&out).unwrap();
    for wanted in ["team:known.md\nteam:other.md", "applied", "refused 4", "distrusted 4"] {
        assert!(said.contains(wanted), "{wanted}:\n{said}");
    }
    let page = car_api::PageQuery::default();
    let tickets = client.ticket_list(&"demo".parse().unwrap(), None, &page).await.unwrap().items;
    assert_eq!(tickets.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["Known"]);
}

#[tokio::test]
async fn what_comes_over_and_over_is_stopped() {
    let mut hub = hub("pma:\n  duplicates_max: 2\n");
    let client = hub.client();
    let first = talk(&client);
    for _ in 0..2 {
        let message = first.post(&say("same")).await;
        first.until(&message.id, MessageStatus::Completed).await;
    }
    // It is remembered over a restart.
    hub.kill();
    hub.serve(&[]);
    let client = hub.client();
    let talk = talk(&client);
    let third = talk.post(&say("same")).await;
    let third = talk.until(&third.id, MessageStatus::Blocked).await;
    assert!(third.detail.unwrap().contains("same message"));
    let other = talk.post(&say("another")).await;
    talk.until(&other.id, MessageStatus::Completed).await;
    let info = client.pma_get().await.unwrap();
    let stopped = info.safety.blocked.iter().find(|one| one.rule == "duplicate").unwrap();
    assert_eq!(stopped.count, 1);
    // Which of them are within the minute is the machine's.
    assert!((1..=3).contains(&info.safety.turns_last_minute), "{:?}", info.safety);
    let filter = AuditFilter { verb: Some("message_stopped".to_owned()), ..AuditFilter::default() };
    let lines = client.audit_list(&filter, &car_api::PageQuery::default()).await.unwrap().items;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].object, third.id.to_string());
}

#[tokio::test]
async fn what_fails_time_after_time_is_held_until_somebody_says_so() {
    let hub = hub("pma:\n  breaker_failures: 2\n");
    let client = hub.client();
    let talk = talk(&client);
    for n in 0..2 {
        let message = talk
            .post(&format!(
                "{n} @@FAKE[{{\"fail\": {{\"class\": \"other\", \"message\": \"no\"}}}}]@@"
            ))
            .await;
        talk.until(&message.id, MessageStatus::Failed).await;
    }
    let held = talk.post(&say("after all")).await;
    loop {
        if talk.thread().await.status == ThreadStatus::Held {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(talk.message(&held.id).await.status, MessageStatus::Queued, "it is not lost");
    let info = client.pma_get().await.unwrap();
    assert!(info.safety.breaker_open && info.safety.failures == 2, "{info:#?}");
    assert!(info.lanes[0].held.as_ref().unwrap().contains("circuit breaker"), "{info:#?}");
    let info = client.pma_breaker_reset().await.unwrap();
    assert!(!info.safety.breaker_open);
    talk.until(&held.id, MessageStatus::Completed).await;
}

#[tokio::test]
async fn the_command_line_talks_to_it() {
    let hub = hub("");
    let file = hub.root().join("spec.md");
    fs::write(&file, "the spec").unwrap();
    let text = say("I have read it.");
    let words = ["pma", "chat", &text, "--file", file.to_str().unwrap()];
    let output = car_command(&hub, &words).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "I have read it.\n", "{stderr}");
    let boxed = hub.root().join(".codex-autorunner/filebox/inbox/spec.md");
    assert_eq!(fs::read_to_string(boxed).unwrap(), "the spec");
    // Message by message, until the end of the input.
    let mut child = car_command(&hub, &["pma", "chat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = format!("{}\n\n{}\n", say("first"), say("second"));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "first\nsecond\n");
    let status = car_command(&hub, &["pma", "status"]).output().unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).contains("breaker  closed"));
    let refused = hub.client().message_post(&ThreadKey::pma(), &MessagePost::default()).await;
    assert!(matches!(refused.unwrap_err().code(), Some(Code::Unprocessable | Code::BadRequest)));
}

#[tokio::test]
async fn it_is_the_agent_the_configuration_names_from_its_next_conversation_on() {
    let mut hub = TestHub::unserved();
    let config = |hub: &TestHub, pma: &str| {
        let text = format!("threads:\n  agent: codex\npma:\n  default_agent: {pma}\n");
        fs::write(hub.root().join("codex-autorunner.yml"), text).unwrap();
    };
    config(&hub, "codex");
    hub.serve(&[]);
    assert_eq!(talk(&hub.client()).thread().await.agent.as_str(), "codex");
    hub.stop();
    config(&hub, "demo");
    hub.serve(&[]);
    // Nothing was said yet, so the next conversation is the first.
    let output = car_command(&hub, &["pma", "chat", &say("It is me.")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "It is me.\n");
    talk(&hub.client()).until_idle().await;
    hub.stop();
    config(&hub, "codex");
    hub.serve(&[]);
    // A conversation goes on with whom it was begun.
    let client = hub.client();
    assert_eq!(talk(&client).thread().await.agent.as_str(), "demo");
    client.thread_reset(&ThreadKey::pma()).await.unwrap();
    assert_eq!(talk(&client).thread().await.agent.as_str(), "codex");
}
