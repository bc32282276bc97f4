//! `car audit …`

use std::{collections::BTreeSet, env, fs, io, path::PathBuf};

use car_api::{
    PageQuery, Timestamp,
    audit::{AuditHead, AuditLine},
};
use car_client::{AuditFilter, heads};
use clap::{Args, Subcommand};

use crate::{
    failure::Failure,
    pick,
    session::{Session, all},
    table::Table,
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// What was done, newest first
    List(List),
    /// Walk the chain: was a line edited, moved or removed?
    Verify(Verify),
    /// The end of the chain, to be kept somewhere safe
    Head {
        /// Where it ended with this line [default: the last one]
        line: Option<i64>,
    },
}

#[derive(Args)]
pub(crate) struct List {
    /// Only of this actor: the id of a credential or run, or a kind (hub, token, device, agent)
    #[arg(long)]
    actor: Option<String>,
    /// Only of this verb, such as run_start
    #[arg(long)]
    verb: Option<String>,
    /// Only to this object
    #[arg(long)]
    object: Option<String>,
    /// Only from this time on (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// At most so many lines
    #[arg(long, short = 'n', default_value_t = 50, conflicts_with = "all")]
    limit: u32,
    /// Every line
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// A head that was kept (`car audit head --json`), as a file or as SEQ:HASH [default: the one
    /// this machine saw last]
    #[arg(long, value_name = "FILE|SEQ:HASH")]
    since_head: Option<String>,
    /// Keep the present head even though it contradicts the one that was kept, as after a restore
    #[arg(long)]
    accept: bool,
}

pub(crate) async fn run(args: Audit, s: &Session) -> Result<(), Failure> {
    match args {
        Audit::List(args) => list(args, s).await,
        Audit::Verify(args) => verify(args, s).await,
        Audit::Head { line } => {
            let head = s.client.audit_head(line).await?;
            let text = |head: &AuditHead| format!("{}:{}", head.seq, head.hash);
            s.out.show(&head, text, text)
        }
    }
}

async fn list(args: List, s: &Session) -> Result<(), Failure> {
    let List { actor, verb, object, since, limit, all: every } = args;
    let object = match object {
        Some(text) => Some(whole(text, s).await?),
        None => None,
    };
    let filter = AuditFilter { actor, verb, object, since };
    let page = if every {
        all(async |page| s.client.audit_list(&filter, &page).await).await?
    } else {
        let page = PageQuery { after: None, limit: Some(limit.clamp(1, 500)) };
        s.client.audit_list(&filter, &page).await?
    };
    s.out.list(&page, |line| line.seq.to_string(), "Nothing was done yet.", table)
}

async fn verify(args: Verify, s: &Session) -> Result<(), Failure> {
    let hub = s.client.hub_get().await?;
    let dir = heads::state_dir(|name| env::var_os(name));
    let kept = match (&args.since_head, &dir) {
        (Some(text), _) => Some(given(text)?),
        (None, Some(dir)) => heads::kept(dir, &hub.instance)?,
        (None, None) => None,
    };
    let report = s.client.audit_verify(kept.as_ref()).await?;
    if let Some(dir) = dir.filter(|_| report.ok || args.accept) {
        heads::keep(&dir, &hub.instance, &report.head)?;
    }
    let id = |r: &car_api::audit::AuditReport| r.ok.to_string();
    s.out.show(&report, id, |r| match (&r.broken, &kept) {
        (Some(broken), _) => format!("BROKEN at line {}: {}", broken.seq, broken.detail),
        (None, Some(kept)) => {
            format!("{} lines, whole; line {} is as it was seen before", r.lines, kept.seq)
        }
        (None, None) => format!("{} lines, whole", r.lines),
    })?;
    match report.broken {
        Some(_) if !args.accept => Err(Failure::Outcome),
        Some(_) | None => Ok(()),
    }
}

/// A head as it was kept: `SEQ:HASH`, or a file with that or the API's JSON.
fn given(text: &str) -> Result<AuditHead, Failure> {
    let parse = |text: &str| {
        let (seq, hash) = text.trim().split_once(':')?;
        Some(AuditHead { seq: seq.parse().ok()?, hash: hash.to_owned() })
    };
    if let Some(head) = parse(text) {
        return Ok(head);
    }
    let content = fs::read_to_string(PathBuf::from(text))
        .map_err(|error| io::Error::new(error.kind(), format!("{text}: {error}")))?;
    parse(&content)
        .or_else(|| serde_json::from_str(&content).ok())
        .ok_or_else(|| Failure::Usage(format!("{text} is no head of an audit chain")))
}

/// The object that is meant by the last letters of its id, as the list shows them.
async fn whole(text: String, s: &Session) -> Result<String, Failure> {
    if object(&text) != text || text.len() != 8 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text);
    }
    let every = AuditFilter::default();
    let lines = all(async |page| s.client.audit_list(&every, &page).await).await?.items;
    let objects: BTreeSet<String> = lines.into_iter().map(|line| line.object).collect();
    pick::one(&text, "object", objects, String::as_str)
}

/// A generated id by its last letters, anything else as it is.
fn object(text: &str) -> &str {
    let generated = text.get(..4).is_some_and(|prefix| pick::is_whole(text, prefix));
    if generated { pick::short(text) } else { text }
}

fn table(lines: &[AuditLine]) -> Table {
    let mut table = Table::new(&["LINE", "WHEN", "WHO", "DID", "TO", "HOW", "MORE"]);
    for line in lines {
        table.row([
            line.seq.to_string().into(),
            time_text::short(line.at).into(),
            line.actor.name.as_str().into(),
            line.verb.as_str().into(),
            object(&line.object).into(),
            line.outcome.as_str().into(),
            line.detail.clone().unwrap_or_default().into(),
        ]);
    }
    table
}
