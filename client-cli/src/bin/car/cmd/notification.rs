//! `car notification …`: what left the hub to reach a person.

use car_api::{
    NotificationId, PageQuery,
    notification::{Notification as Entry, NotificationStatus},
};
use clap::Subcommand;

use crate::{
    event_text::safe,
    failure::Failure,
    pick,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Notification {
    /// The newest of them, and what became of each
    List {
        /// Only those that are pending, delivered, failed or obsolete on some channel
        #[arg(long)]
        status: Option<NotificationStatus>,
        /// How many at most, the newest first
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One of them
    Show {
        /// Its id or a piece of it
        notification: String,
    },
    /// Note that you have seen one
    Seen {
        /// Its id or a piece of it
        notification: String,
    },
    /// Send one again where it was given up
    Retry {
        /// Its id or a piece of it
        notification: String,
    },
}

pub(crate) async fn run(args: Notification, s: &Session) -> Result<(), Failure> {
    match args {
        Notification::List { status, limit } => {
            let page = PageQuery { after: None, limit: Some(limit) };
            let list = s.client.notification_list(status, &page).await?;
            s.out.list(&list, |n| n.id.to_string(), "No notifications.", table)
        }
        Notification::Show { notification } => {
            let found = s.client.notification_get(&one(s, &notification).await?).await?;
            s.out.show(&found, |n| n.id.to_string(), text)
        }
        Notification::Seen { notification } => {
            let seen = s.client.notification_seen(&one(s, &notification).await?).await?;
            s.out.show(&seen, |n| n.id.to_string(), text)
        }
        Notification::Retry { notification } => {
            let again = s.client.notification_retry(&one(s, &notification).await?).await?;
            s.out.show(&again, |n| n.id.to_string(), ways)
        }
    }
}

async fn one(s: &Session, text: &str) -> Result<NotificationId, Failure> {
    if pick::is_whole(text, "ntf_")
        && let Ok(id) = text.parse()
    {
        return Ok(id);
    }
    let every = all(async |page| s.client.notification_list(None, &page).await).await?.items;
    pick::one(text, "notification", every, |one| one.id.as_str()).map(|found| found.id)
}

fn text(one: &Entry) -> String {
    let mut lines = vec![safe(&one.title), safe(&one.line), String::new()];
    let mut word = |what: &str, text: String| lines.push(format!("{what:<8}{text}"));
    word("id", one.id.to_string());
    word("made", time_text::full(one.created_at));
    if let Some(item) = &one.item {
        word("item", item.to_string());
    }
    for (what, at) in [("seen", one.seen_at), ("done", one.acted_at)] {
        if let Some(at) = at {
            word(what, time_text::short(at));
        }
    }
    word("ways", ways(one));
    lines.join("\n")
}

/// What became of it on each way out.
pub(crate) fn ways(one: &Entry) -> String {
    let ways = one.deliveries.iter().map(|way| {
        let why = way.last_error.as_ref().map(|error| format!(": {}", safe(error)));
        let next = way.next_attempt_at.map(|at| format!(", next {}", time_text::short(at)));
        format!(
            "{} {} ({} tries{}){}",
            pick::short(way.channel.as_str()),
            way.status,
            way.attempts,
            next.unwrap_or_default(),
            why.unwrap_or_default(),
        )
    });
    let ways = ways.collect::<Vec<_>>();
    if ways.is_empty() { "none: no channel wants it".to_owned() } else { ways.join("\n        ") }
}

fn table(all: &[Entry]) -> Table {
    let mut table = Table::new(&["NOTIFICATION", "KIND", "REPO", "AGE", "WAYS", "WHAT"]);
    for one in all {
        let words: Vec<_> = one.deliveries.iter().map(|way| way.status.as_str()).collect();
        let failed = one.deliveries.iter().any(|way| way.status == NotificationStatus::Failed);
        table.row([
            pick::short(one.id.as_str()).into(),
            one.kind.as_str().into(),
            one.repo.as_ref().map_or("-", |repo| repo.as_str()).into(),
            time_text::ago(one.created_at).into(),
            Cell::toned(words.join(","), if failed { Tone::Bad } else { Tone::Plain }),
            one.title.as_str().into(),
        ]);
    }
    table
}
