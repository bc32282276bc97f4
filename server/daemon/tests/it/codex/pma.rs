//! The real Codex as the project manager: it splits a spec into tickets in two repos and starts.

use car_api::{
    PageQuery, ThreadKey,
    audit::ActorKind,
    filebox::FileBox,
    run::RunStatus,
    thread::{MessagePost, MessageStatus},
};
use car_client::AuditFilter;

use super::World;
use crate::{
    talk::Talk,
    work::{self, until},
};

#[tokio::test]
async fn a_spec_becomes_tickets_in_two_repos_and_runs() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let mut commands = Vec::new();
    let mut attachments = Vec::new();
    for repo in ["api", "web"] {
        work::repo(&world.hub, &client, repo).await;
        // What is to be done there, handed over as a file.
        let text = format!(
            "## Goal\n\nGreet.\n\n@@FAKE[{{\"write\": [\"greeting.txt\", \"hello from {repo}\\n\"]}}, \
             {{\"done\": true}}, {{\"commit\": \"Greet\"}}]@@\n"
        );
        let name = format!("{repo}.md");
        client.file_put(FileBox::Inbox, &name.parse().unwrap(), text).await.unwrap();
        attachments.push(name);
        let car = ".codex-autorunner/bin/car";
        commands.push(format!(
            "set -e; {car} hub worktree create {repo} feature/greet --start-point HEAD; \
             {car} ticket new Greet --repo {repo}--feature-greet --agent codex \
             --verify 'grep -q hello greeting.txt' \
             --body .codex-autorunner/filebox/inbox/{repo}.md; \
             {car} ticket lint --repo {repo}--feature-greet; \
             {car} run start --repo {repo}--feature-greet"
        ));
    }
    let steps: Vec<_> = commands.iter().map(|command| super::patient(command)).collect();
    let body = MessagePost {
        body: format!(
            "Split this spec into tickets in two repos and start. @@FAKE[{}, {{\"say\": \"Both are under \
             way.\"}}]@@",
            steps.join(", ")
        ),
        attachments,
        ..MessagePost::default()
    };
    let talk = Talk { client: client.clone(), key: ThreadKey::pma() };
    let message = client.message_post(&talk.key, &body).await.unwrap();
    let message = talk.until(&message.id, MessageStatus::Completed).await;
    assert_eq!(message.answer.as_deref(), Some("Both are under way."));

    let runs = client.run_list(None, None, &PageQuery::default()).await.unwrap().items;
    let detail = client.message_get(&talk.key, &message.id).await.unwrap();
    assert_eq!(runs.len(), 2, "{detail:#?}");
    for run in &runs {
        let run = until(&client, &run.id, RunStatus::Completed).await;
        let tickets = client.ticket_list(&run.repo, None, &PageQuery::default()).await.unwrap();
        assert_eq!(tickets.items.len(), 1);
        let evidence = client.run_evidence(&run.id).await.unwrap().items;
        assert_eq!(evidence.len(), 1, "the hub looked for itself");
    }

    // Everything it did is in the chain under its name, and nobody else did any of it.
    let filter = AuditFilter { actor: Some("pma".to_owned()), ..AuditFilter::default() };
    let lines = client.audit_list(&filter, &PageQuery::default()).await.unwrap().items;
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
        let filter = AuditFilter { verb: Some(verb.to_owned()), ..AuditFilter::default() };
        let all = client.audit_list(&filter, &PageQuery::default()).await.unwrap().items;
        assert!(all.iter().all(|line| line.actor.kind != ActorKind::Token), "{all:#?}");
    }
    assert!(client.audit_verify(None).await.unwrap().ok);
    println!("the project manager did {verbs:?}, {} lines", lines.len());
}
