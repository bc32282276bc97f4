//! `car channel …`: ways out for notifications.

use car_api::{
    ChannelId, Timestamp,
    notification::{
        ChannelCreate, ChannelSecret, ChannelUpdate, NotificationChannel, NotificationKind,
        NotificationStatus, QuietHours,
    },
};
use clap::{Args, Subcommand};

use super::notification;
use crate::{
    event_text::safe,
    failure::Failure,
    pick,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Channel {
    /// All of them, without their secrets
    List,
    /// One of them
    Show {
        /// Its id or a piece of it
        channel: String,
    },
    /// Have notifications posted to an address; the secret that signs them is shown only now
    Create(Create),
    /// Change one
    Update(Update),
    /// Remove one
    Delete {
        /// Its id or a piece of it
        channel: String,
    },
    /// Send a trial now, and say what became of it
    Test {
        /// Its id or a piece of it
        channel: String,
    },
}

#[derive(Args)]
pub(crate) struct Create {
    /// Where to: http:// or https://
    url: String,
    /// What you call it
    #[arg(long = "as", value_name = "NAME")]
    called: String,
    /// Only these: attention, completed, failed; may be repeated
    #[arg(long)]
    kind: Vec<NotificationKind>,
    /// Hours in which nothing is sent, by this machine's clock, such as 22:00-07:00
    #[arg(long, value_name = "FROM-TO")]
    quiet_hours: Option<Hours>,
}

#[derive(Args)]
pub(crate) struct Update {
    /// Its id or a piece of it
    channel: String,
    /// What you call it
    #[arg(long = "as", value_name = "NAME")]
    called: Option<String>,
    /// Only these: attention, completed, failed; may be repeated
    #[arg(long)]
    kind: Vec<NotificationKind>,
    /// Send every notification
    #[arg(long, conflicts_with = "kind")]
    all: bool,
    /// Hours in which nothing is sent, by this machine's clock, such as 22:00-07:00
    #[arg(long, value_name = "FROM-TO")]
    quiet_hours: Option<Hours>,
    /// No quiet hours
    #[arg(long, conflicts_with = "quiet_hours")]
    never_quiet: bool,
    /// Turn it on
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Turn it off
    #[arg(long)]
    disable: bool,
}

/// Two times of a day, such as `22:00-07:00`.
#[derive(Debug, Clone, Copy)]
struct Hours {
    from: u16,
    to: u16,
}

impl std::str::FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let minute = |part: &str| {
            let (hour, minute) = part.trim().split_once(':')?;
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let (from, to) = text.split_once('-').ok_or("say it as 22:00-07:00")?;
        match (minute(from), minute(to)) {
            (Some(from), Some(to)) if from != to => Ok(Self { from, to }),
            _ => Err("say it as 22:00-07:00".to_owned()),
        }
    }
}

impl Hours {
    fn quiet(self) -> QuietHours {
        let utc_offset_minutes = time_text::utc_offset_minutes();
        QuietHours { from_minute: self.from, to_minute: self.to, utc_offset_minutes }
    }
}

pub(crate) async fn run(args: Channel, s: &Session) -> Result<(), Failure> {
    match args {
        Channel::List => {
            let list = all(async |page| s.client.channel_list(&page).await).await?;
            s.out.list(&list, |c| c.id.to_string(), "No channels.", table)
        }
        Channel::Show { channel } => {
            let channel = s.client.channel_get(&one(s, &channel).await?).await?;
            s.out.show(&channel, |c| c.id.to_string(), text)
        }
        Channel::Create(Create { url, called, kind, quiet_hours }) => {
            let quiet = quiet_hours.map(Hours::quiet);
            let body = ChannelCreate { name: called, url, kinds: kind, quiet };
            let made = s.client.channel_create(&body).await?;
            if !s.out.json {
                let id = &made.channel.id;
                s.out.note(&format!("{id} signs with this secret, shown only now:"));
            }
            s.out.show(&made, |m: &ChannelSecret| m.secret.clone(), |m| m.secret.clone())
        }
        Channel::Update(args) => update(args, s).await,
        Channel::Delete { channel } => {
            s.client.channel_delete(&one(s, &channel).await?).await?;
            s.out.note(&format!("{channel} is gone"));
            Ok(())
        }
        Channel::Test { channel } => {
            let sent = s.client.channel_test(&one(s, &channel).await?).await?;
            s.out.show(&sent, |n| n.id.to_string(), notification::ways)?;
            let arrived = |way: &car_api::notification::NotificationDelivery| {
                way.status == NotificationStatus::Delivered
            };
            if sent.deliveries.iter().all(arrived) { Ok(()) } else { Err(Failure::Outcome) }
        }
    }
}

async fn update(args: Update, s: &Session) -> Result<(), Failure> {
    let quiet = args.quiet_hours.map(|hours| Some(hours.quiet()));
    let body = ChannelUpdate {
        name: args.called,
        kinds: (args.all || !args.kind.is_empty()).then_some(args.kind),
        enabled: (args.enable || args.disable).then_some(args.enable),
        quiet: if args.never_quiet { Some(None) } else { quiet },
    };
    if body == ChannelUpdate::default() {
        return Err(Failure::Usage("say what to change (car channel update --help)".to_owned()));
    }
    let channel = s.client.channel_update(&one(s, &args.channel).await?, &body).await?;
    s.out.show(&channel, |c| c.id.to_string(), text)
}

async fn one(s: &Session, text: &str) -> Result<ChannelId, Failure> {
    if pick::is_whole(text, "chn_")
        && let Ok(id) = text.parse()
    {
        return Ok(id);
    }
    let channels = all(async |page| s.client.channel_list(&page).await).await?.items;
    pick::one(text, "channel", channels, |channel| channel.id.as_str()).map(|found| found.id)
}

fn text(channel: &NotificationChannel) -> String {
    let mut lines = vec![
        format!("{} {}", channel.id, state(channel.enabled, channel.failing_since).0),
        format!("name  {}", safe(&channel.name)),
        format!("to    {} {}", channel.kind, safe(&channel.target)),
        format!("sent  {}", wanted(channel)),
    ];
    if let Some(QuietHours { from_minute, to_minute, utc_offset_minutes }) = &channel.quiet {
        let time = |minute: &u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let (from, to) = (time(from_minute), time(to_minute));
        lines.push(format!("quiet {from} to {to}, {utc_offset_minutes:+} minutes from UTC"));
    }
    if let Some(at) = channel.failing_since {
        lines.push(format!("failing since {}", time_text::short(at)));
    }
    lines.join("\n")
}

/// How a way out stands, of notifications or of events.
pub(super) fn state(enabled: bool, failing_since: Option<Timestamp>) -> (&'static str, Tone) {
    match (enabled, failing_since) {
        (false, _) => ("off", Tone::Dim),
        (true, Some(_)) => ("failing", Tone::Bad),
        (true, None) => ("on", Tone::Good),
    }
}

fn wanted(channel: &NotificationChannel) -> String {
    let kinds: Vec<_> = channel.kinds.iter().map(|kind| kind.as_str()).collect();
    if kinds.is_empty() { "all".to_owned() } else { kinds.join(", ") }
}

fn table(channels: &[NotificationChannel]) -> Table {
    let mut table = Table::new(&["CHANNEL", "KIND", "STATE", "SENT", "NAME", "TO"]);
    for channel in channels {
        let (word, tone) = state(channel.enabled, channel.failing_since);
        table.row([
            pick::short(channel.id.as_str()).into(),
            channel.kind.as_str().into(),
            Cell::toned(word, tone),
            wanted(channel).into(),
            channel.name.as_str().into(),
            channel.target.as_str().into(),
        ]);
    }
    table
}
