//! Tickets nobody should have written, in one repo of several: the hub shows every one of them,
//! and nothing else suffers.

use std::{fs, path::PathBuf};

use car_api::{
    Code, PageQuery,
    run::RunStart,
    ticket::{Severity, Ticket, TicketLint, TicketState},
};
use car_client::Client;

use crate::{harness::DEADLINE, hostile, stage::Stage};

async fn listed(client: &Client, repo: Option<&car_api::RepoId>) -> Vec<Ticket> {
    let mut tickets = Vec::new();
    let mut page = PageQuery { after: None, limit: Some(50) };
    loop {
        let found = match repo {
            Some(repo) => client.ticket_list(repo, None, &page).await.unwrap(),
            None => client.ticket_list_all(None, &page).await.unwrap(),
        };
        tickets.extend(found.items);
        match found.next {
            Some(next) => page.after = Some(next),
            None => return tickets,
        }
    }
}

#[tokio::test]
async fn bad_tickets_are_shown_and_harm_nobody() {
    let stage = Stage::start("");
    let client = stage.client();
    let (good, bad) = (stage.repo("good").await, stage.repo("bad").await);
    good.easy_ticket(1);
    good.easy_ticket(2);
    let queue = bad.dir.join(".codex-autorunner/tickets");
    let written = hostile::write_all(&queue, &bad.dir.join(".git/outside.md"));
    assert!(written.len() >= 60, "{}", written.len());
    let mut names: Vec<String> =
        written.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();

    // The hub hears of the files from the system, a moment later.
    let begun = std::time::Instant::now();
    let tickets = loop {
        let tickets = listed(&client, Some(&bad.id)).await;
        if tickets.len() >= names.len() {
            break tickets;
        }
        assert!(begun.elapsed() < DEADLINE, "{} of {} are listed", tickets.len(), names.len());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let mut shown: Vec<String> = tickets.iter().map(|ticket| ticket.file.clone()).collect();
    shown.sort();
    assert_eq!(shown, names, "nothing is hidden and nothing is invented");
    for ticket in &tickets {
        let errors = ticket.issues.iter().filter(|issue| issue.severity == Severity::Error);
        let invalid = ticket.state == TicketState::Invalid;
        assert_eq!(errors.count() > 0, invalid, "{ticket:?}");
        assert!(ticket.issues.iter().all(|issue| !issue.message.is_empty()), "{ticket:?}");
    }
    let invalid = tickets.iter().filter(|ticket| ticket.state == TicketState::Invalid).count();
    assert!(invalid >= 30, "{invalid}");
    for text in ["latin1", "deep-flow", "done-twice", "alias-bomb", "body-10mb"] {
        let found = tickets.iter().find(|ticket| ticket.file.contains(text)).unwrap();
        assert_eq!(found.state, TicketState::Invalid, "{text}");
    }

    // Each one can be asked for, whatever its name.
    for ticket in &tickets {
        match client.ticket_get(&bad.id, ticket.id.as_str()).await {
            Ok(text) => assert_eq!(text.ticket.file, ticket.file),
            Err(error) => assert_ne!(error.code(), Some(Code::Internal), "{ticket:?}: {error}"),
        }
    }
    let report = client.ticket_lint(&bad.id, &TicketLint::default()).await.unwrap();
    assert!(!report.ok);
    let refused = client.run_start(&bad.id, &RunStart::default()).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::TicketsInvalid));

    // The other repo and the hub as a whole are as ever.
    let everywhere = listed(&client, None).await;
    assert_eq!(everywhere.len(), names.len() + 2);
    let repo = client.repo_get(&bad.id).await.unwrap();
    assert_eq!(usize::try_from(repo.tickets.invalid).unwrap(), invalid);
    let run = stage.run(&good).await;
    assert_eq!(stage.until_completed(&run).await.finished.tickets, 2);

    // Mended means gone: nothing is remembered.
    let sound: PathBuf = queue.join("TICKET-001.md");
    fs::remove_dir_all(&queue).unwrap();
    fs::create_dir(&queue).unwrap();
    bad.easy_ticket(1);
    assert!(sound.exists());
    let begun = std::time::Instant::now();
    while listed(&client, Some(&bad.id)).await.len() != 1 {
        assert!(begun.elapsed() < DEADLINE, "files that are gone are still listed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let run = stage.run(&bad).await;
    stage.until_completed(&run).await;
}
