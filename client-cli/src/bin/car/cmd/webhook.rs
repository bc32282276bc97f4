//! `car webhook …`

use car_api::{
    DeliveryId, PageQuery, WebhookId,
    webhook::{
        DeliveryStatus, Webhook as Entry, WebhookCreate, WebhookDelivery, WebhookFilter,
        WebhookSecret, WebhookUpdate,
    },
};
use clap::{Args, Subcommand};

use super::channel::state;
use crate::{
    event_text,
    failure::Failure,
    pick,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Webhook {
    /// All of them, without their secrets
    List,
    /// One of them
    Show {
        /// Its id or a piece of it
        webhook: String,
    },
    /// Have events posted to an address; the secret that signs them is shown only now
    Create(Create),
    /// Change one
    Update(Update),
    /// Give one a new secret; the one before stays valid for a day
    Rotate {
        /// Its id or a piece of it
        webhook: String,
    },
    /// Remove one and its ledger
    Delete {
        /// Its id or a piece of it
        webhook: String,
    },
    /// Send a test now, and say what became of it
    Test {
        /// Its id or a piece of it
        webhook: String,
    },
    /// What was sent, what waits, and what was given up
    Deliveries {
        /// Its id or a piece of it
        webhook: String,
        /// Only those that are pending, delivered or failed
        #[arg(long)]
        status: Option<DeliveryStatus>,
        /// How many at most, the newest first
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Send deliveries again, with their ids
    Redeliver {
        /// The webhook's id or a piece of it
        webhook: String,
        /// The deliveries [default: all that failed]
        deliveries: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct Create {
    /// Where to: http:// or https://
    url: String,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
    #[command(flatten)]
    filter: Filter,
}

#[derive(Args)]
pub(crate) struct Update {
    /// Its id or a piece of it
    webhook: String,
    /// Where to
    #[arg(long)]
    url: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// Send every event
    #[arg(long, conflicts_with_all = ["kind", "of_repo", "of_run"])]
    all: bool,
    /// Turn it on: it goes on where it was
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Turn it off
    #[arg(long)]
    disable: bool,
}

#[derive(Args)]
struct Filter {
    /// Only events of this kind, such as `run_state_changed`; may be repeated
    #[arg(long)]
    kind: Vec<String>,
    /// Only events of this repo or worktree
    #[arg(long = "repo", value_name = "ID")]
    of_repo: Option<car_api::RepoId>,
    /// Only events of this run
    #[arg(long = "run", value_name = "ID")]
    of_run: Option<car_api::RunId>,
}

impl Filter {
    fn filter(self) -> WebhookFilter {
        WebhookFilter { repo: self.of_repo, run: self.of_run, kinds: self.kind }
    }
}

pub(crate) async fn run(args: Webhook, s: &Session) -> Result<(), Failure> {
    match args {
        Webhook::List => {
            let list = all(async |page| s.client.webhook_list(&page).await).await?;
            s.out.list(&list, |w| w.id.to_string(), "No webhooks.", table)
        }
        Webhook::Show { webhook } => {
            let webhook = s.client.webhook_get(&s.webhook(&webhook).await?).await?;
            s.out.show(&webhook, |w| w.id.to_string(), text)
        }
        Webhook::Create(args) => {
            let Create { url, description, filter } = args;
            let body = WebhookCreate { url, description, filter: filter.filter() };
            secret(s, &s.client.webhook_create(&body).await?)
        }
        Webhook::Update(args) => update(args, s).await,
        Webhook::Rotate { webhook } => {
            secret(s, &s.client.webhook_rotate(&s.webhook(&webhook).await?).await?)
        }
        Webhook::Delete { webhook } => {
            s.client.webhook_delete(&s.webhook(&webhook).await?).await?;
            s.out.note(&format!("{webhook} is gone"));
            Ok(())
        }
        Webhook::Test { webhook } => {
            let sent = s.client.webhook_test(&s.webhook(&webhook).await?).await?;
            s.out.show(&sent, |d| d.id.to_string(), |d| format!("{} {}", d.status, outcome(d)))?;
            if sent.status == DeliveryStatus::Delivered { Ok(()) } else { Err(Failure::Outcome) }
        }
        Webhook::Deliveries { webhook, status, limit } => {
            let page = PageQuery { after: None, limit: Some(limit) };
            let list =
                s.client.webhook_deliveries(&s.webhook(&webhook).await?, status, &page).await?;
            s.out.list(&list, |d| d.id.to_string(), "No deliveries.", ledger)
        }
        Webhook::Redeliver { webhook, deliveries } => {
            redeliver(&s.webhook(&webhook).await?, &deliveries, s).await
        }
    }
}

async fn update(args: Update, s: &Session) -> Result<(), Failure> {
    let filter = args.filter.filter();
    let body = WebhookUpdate {
        url: args.url,
        description: args.description,
        filter: (args.all || filter != WebhookFilter::default()).then_some(filter),
        enabled: (args.enable || args.disable).then_some(args.enable),
    };
    if body == WebhookUpdate::default() {
        return Err(Failure::Usage("say what to change (car webhook update --help)".to_owned()));
    }
    let webhook = s.client.webhook_update(&s.webhook(&args.webhook).await?, &body).await?;
    s.out.show(&webhook, |w| w.id.to_string(), text)
}

async fn redeliver(webhook: &WebhookId, wanted: &[String], s: &Session) -> Result<(), Failure> {
    let only = wanted.is_empty().then_some(DeliveryStatus::Failed);
    let list = all(async |page| s.client.webhook_deliveries(webhook, only, &page).await);
    // Oldest first, as they were written.
    let ledger: Vec<DeliveryId> = list.await?.items.into_iter().rev().map(|d| d.id).collect();
    let named = |text: &String| pick::one(text, "delivery", &ledger, |id| id.as_str()).cloned();
    let deliveries = match wanted {
        [] => ledger.clone(),
        wanted => wanted.iter().map(named).collect::<Result<_, _>>()?,
    };
    for delivery in &deliveries {
        s.client.webhook_redeliver(webhook, delivery).await?;
    }
    let count = deliveries.len();
    let id = pick::short(webhook.as_str());
    s.out.note(&format!("{count} to be sent again; `car webhook deliveries {id}` shows them"));
    Ok(())
}

/// The secret alone on standard output, so that `$(car webhook create …)` is just it.
fn secret(s: &Session, made: &WebhookSecret) -> Result<(), Failure> {
    if !s.out.json {
        s.out.note(&format!("{} signs with this secret, shown only now:", made.webhook.id));
    }
    s.out.show(made, |m| m.secret.clone(), |m| m.secret.clone())
}

fn text(webhook: &Entry) -> String {
    let mut lines = vec![
        format!("{} {}", webhook.id, state(webhook.enabled, webhook.failing_since).0),
        format!("to       {}", webhook.url),
        format!("events   {}", wanted(webhook)),
    ];
    if !webhook.description.is_empty() {
        lines.push(format!("for      {}", event_text::safe(&webhook.description)));
    }
    lines.push(format!("waiting  {}", webhook.pending));
    for (what, at) in
        [("failing since", webhook.failing_since), ("old secret until", webhook.old_secret_until)]
    {
        if let Some(at) = at {
            lines.push(format!("{what}  {}", time_text::short(at)));
        }
    }
    lines.extend(webhook.disabled_reason.clone());
    lines.join("\n")
}

fn wanted(webhook: &Entry) -> String {
    let WebhookFilter { repo, run, kinds } = &webhook.filter;
    let mut parts = Vec::new();
    parts.extend(repo.as_ref().map(|repo| format!("of {repo}")));
    parts.extend(run.as_ref().map(|run| format!("of {run}")));
    parts.push(if kinds.is_empty() { "all".to_owned() } else { kinds.join(", ") });
    parts.join(" ")
}

fn table(webhooks: &[Entry]) -> Table {
    let mut table = Table::new(&["WEBHOOK", "STATE", "TO", "EVENTS", "WAITING", "FOR"]);
    for webhook in webhooks {
        let (word, tone) = state(webhook.enabled, webhook.failing_since);
        table.row([
            pick::short(webhook.id.as_str()).into(),
            Cell::toned(word, tone),
            webhook.url.as_str().into(),
            wanted(webhook).into(),
            webhook.pending.to_string().into(),
            webhook.description.as_str().into(),
        ]);
    }
    table
}

/// What is known of the last attempt.
fn outcome(delivery: &WebhookDelivery) -> String {
    match (&delivery.last_error, delivery.last_status) {
        (Some(error), _) => error.clone(),
        (None, Some(status)) => status.to_string(),
        (None, None) => String::new(),
    }
}

fn ledger(deliveries: &[WebhookDelivery]) -> Table {
    let mut table = Table::new(&["DELIVERY", "EVENT", "STATUS", "TRIES", "NEXT", "LAST"]);
    for delivery in deliveries {
        let tone = match delivery.status {
            DeliveryStatus::Pending => Tone::Waits,
            DeliveryStatus::Delivered => Tone::Good,
            DeliveryStatus::Failed => Tone::Bad,
        };
        let seq = delivery.seq.map(|seq| format!("{seq} ")).unwrap_or_default();
        table.row([
            pick::short(delivery.id.as_str()).into(),
            format!("{seq}{}", delivery.kind).into(),
            Cell::toned(delivery.status.as_str(), tone),
            delivery.attempts.to_string().into(),
            time_text::or_dash(delivery.next_attempt_at).into(),
            outcome(delivery).into(),
        ]);
    }
    table
}
