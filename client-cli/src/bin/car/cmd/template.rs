//! `car templates …`

use std::path::PathBuf;

use car_api::{
    TemplateSourceId,
    diff::DiffLine,
    template::{
        Template as Entry, TemplateApply, TemplateSource, TemplateSourceCreate, TemplateSourceSync,
        TemplateSourceTrust, TemplateText, TemplateTrust, TemplateTrusted, TemplateUntrusted,
        TemplateWarning,
    },
};
use car_client::TemplateFilter;
use clap::{Args, Subcommand};

use super::{diff, jobs};
use crate::{
    args::{Global, RepoArg},
    event_text,
    failure::Failure,
    out::Out,
    session::{Session, all},
    table::{Cell, Table, Tone},
    time_text,
};

#[derive(Subcommand)]
pub(crate) enum Template {
    /// All templates
    List {
        /// Only of this source
        #[arg(long)]
        source: Option<TemplateSourceId>,
    },
    /// Templates with these words in their name, title or summary
    Search {
        /// The words
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Show a template, what in it deserves a look, and what changed since it was trusted
    Show {
        /// SOURCE:PATH or SOURCE:PATH@REF
        template: String,
    },
    /// Print a template's file as it is
    Fetch {
        /// SOURCE:PATH or SOURCE:PATH@REF
        template: String,
        /// Write it into this file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Trust a template as it is, once you have read it
    Trust {
        /// SOURCE:PATH or SOURCE:PATH@REF
        template: String,
        /// The SHA-256 of what you have read, instead of being shown it and asked
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
    },
    /// Trust a template no longer
    Untrust {
        /// SOURCE:PATH
        template: String,
    },
    /// Make a ticket of a template
    Apply(Apply),
    /// Git repositories that templates come from
    #[command(subcommand, visible_alias = "repos", alias = "source")]
    Sources(Sources),
}

#[derive(Args)]
#[command(after_help = "Examples:
  car templates apply team:fix/bug.md -r demo --title \"Mend the parser\"
  car templates apply team:fix/bug.md@v2 --at 1 --set-agent codex
A ticket takes over title, goal, text and context, nothing else; the commands
that prove it are yours (--verify). A template that nobody trusts is shown and
asked about, or accepted with --accept-sha256.")]
pub(crate) struct Apply {
    /// SOURCE:PATH or SOURCE:PATH@REF
    template: String,
    /// Title of the ticket [default: the template's]
    #[arg(long)]
    title: Option<String>,
    /// Who works it: an agent's id, or `user`
    #[arg(long, visible_alias = "agent", value_name = "AGENT")]
    set_agent: Option<String>,
    /// A command that must pass before it counts as done; may be repeated
    #[arg(long, value_name = "COMMAND")]
    verify: Vec<String>,
    /// The number it shall have; the rest makes room [default: the next one]
    #[arg(long)]
    at: Option<u64>,
    /// At the end of the queue, which is where it goes anyhow
    #[arg(long, hide = true, conflicts_with = "at")]
    next: bool,
    /// Note where it is from, which is done anyhow
    #[arg(long, hide = true)]
    provenance: bool,
    /// The SHA-256 of what you have read, for a template nobody trusts
    #[arg(long, value_name = "HEX")]
    accept_sha256: Option<String>,
    #[command(flatten)]
    repo: RepoArg,
}

#[derive(Subcommand)]
pub(crate) enum Sources {
    /// All of them
    List,
    /// Add one and fetch it
    Add {
        /// A short id, which its templates are named by
        id: TemplateSourceId,
        /// An address git can fetch from, or a path on the hub's machine
        url: String,
        /// Branch, tag or commit
        #[arg(long, value_name = "REF", default_value = "main")]
        default_ref: String,
        /// Trust what it has now, unseen; what changes later has to be trusted again
        #[arg(long)]
        trusted: bool,
        /// Trust nothing yet, which is so anyhow
        #[arg(long, hide = true, conflicts_with = "trusted")]
        untrusted: bool,
        /// Do not wait until it is fetched
        #[arg(long)]
        no_wait: bool,
    },
    /// Fetch what it has by now
    Sync {
        /// Its id
        id: TemplateSourceId,
        /// Also when its history was rewritten
        #[arg(long)]
        rewritten: bool,
        /// Do not wait for the end
        #[arg(long)]
        no_wait: bool,
    },
    /// Remove one, with what was trusted of it
    Remove {
        /// Its id
        id: TemplateSourceId,
    },
    /// Trust all its templates as they are
    Trust {
        /// Its id
        id: TemplateSourceId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Trust none of its templates
    Untrust {
        /// Its id
        id: TemplateSourceId,
    },
}

pub(crate) async fn run(args: Template, global: &Global, out: &Out) -> Result<(), Failure> {
    if let Template::Apply(args) = args {
        let s = &Session::open_for(global, out, &args.repo)?;
        return apply(args, s).await;
    }
    let s = &Session::open(global, out)?;
    match args {
        Template::List { source } => list(s, TemplateFilter { source, q: None }).await,
        Template::Search { words } => {
            list(s, TemplateFilter { source: None, q: Some(words.join(" ")) }).await
        }
        Template::Show { template } => {
            let text = s.client.template_get(&template).await?;
            s.out.show(&text, |text| text.template.template.clone(), |text| shown(s, text))
        }
        Template::Fetch { template, out } => {
            let text = s.client.template_get(&template).await?;
            let Some(file) = out else {
                return if s.out.json {
                    s.out.json(&text)
                } else {
                    s.out.bytes(text.content.as_bytes())
                };
            };
            std::fs::write(&file, &text.content)?;
            s.out.note(&format!("written to {}", file.display()));
            Ok(())
        }
        Template::Trust { template, sha256 } => {
            let sha256 = match sha256 {
                Some(sha256) => sha256,
                None => looked_at(s, &template, "Trust it as it is?").await?,
            };
            let trusted = s.client.template_trust(&TemplateTrusted { template, sha256 }).await?;
            s.out.show(&trusted, |t| t.template.clone(), |t| format!("{} is trusted", t.template))
        }
        Template::Untrust { template } => {
            let now = s.client.template_untrust(&TemplateUntrusted { template }).await?;
            s.out.show(&now, |t| t.template.clone(), |t| format!("{} is not trusted", t.template))
        }
        Template::Apply(args) => apply(args, s).await,
        Template::Sources(args) => sources(args, s).await,
    }
}

async fn list(s: &Session, filter: TemplateFilter) -> Result<(), Failure> {
    let list = all(async |page| s.client.template_list(&filter, &page).await).await?;
    let none = "No templates. `car templates sources add ID URL` brings some.";
    s.out.list(&list, |t| t.template.clone(), none, table)
}

async fn apply(args: Apply, s: &Session) -> Result<(), Failure> {
    let Apply {
        template,
        title,
        set_agent,
        verify,
        at,
        next: _,
        provenance: _,
        mut accept_sha256,
        repo,
    } = args;
    let repo = s.repo(&repo).await?;
    let text = s.client.template_get(&template).await?;
    let untrusted = text.template.trust != TemplateTrust::Trusted;
    if untrusted && accept_sha256.is_none() && s.out.can_ask() {
        accept_sha256 = Some(ask(s, &text, "Make a ticket of it all the same?")?);
    } else {
        for warning in &text.template.warnings {
            s.out.note(&line_of(warning));
        }
    }
    let body = TemplateApply { template, accept_sha256, title, agent: set_agent, verify, at };
    let made = s.client.template_apply(&repo, &body).await?;
    s.out.show(
        &made,
        |made| made.ticket.id.to_string(),
        |made| format!("{repo}/{}: {}", made.ticket.file, event_text::safe(&made.ticket.title)),
    )
}

/// Shows a template and asks; the hash of what was shown when the answer is yes.
async fn looked_at(s: &Session, template: &str, question: &str) -> Result<String, Failure> {
    let text = s.client.template_get(template).await?;
    if !s.out.can_ask() {
        return Err(Failure::Usage(format!(
            "read it with `car templates show {template}` and name what you have read with \
             --sha256; there is no terminal to ask at"
        )));
    }
    ask(s, &text, question)
}

fn ask(s: &Session, text: &TemplateText, question: &str) -> Result<String, Failure> {
    eprintln!("{}", shown(s, text));
    s.out.confirm(question, false)?;
    Ok(text.template.sha256.clone())
}

async fn sources(args: Sources, s: &Session) -> Result<(), Failure> {
    match args {
        Sources::List => {
            let list = all(async |page| s.client.template_source_list(&page).await).await?;
            let none = "No sources. `car templates sources add ID URL` adds one.";
            s.out.list(&list, |source| source.id.to_string(), none, sources_table)?;
            if !s.out.json && !s.out.quiet {
                for note in list.items.iter().flat_map(notes) {
                    s.out.note(&note);
                }
            }
            Ok(())
        }
        Sources::Add { id, url, default_ref, trusted, untrusted: _, no_wait } => {
            let default_ref = Some(default_ref);
            let body = TemplateSourceCreate { id: id.clone(), url, default_ref, trusted };
            s.client.template_source_create(&body).await?;
            let job = s.client.template_source_sync(&id, &TemplateSourceSync::default()).await?;
            jobs::finish(s, job, no_wait).await
        }
        Sources::Sync { id, rewritten, no_wait } => {
            let job = s.client.template_source_sync(&id, &TemplateSourceSync { rewritten }).await?;
            jobs::finish(s, job, no_wait).await
        }
        Sources::Remove { id } => {
            s.client.template_source_delete(&id).await?;
            s.out.note(&format!("{id} is gone"));
            Ok(())
        }
        Sources::Trust { id, yes } => {
            let list = all(async |page| s.client.template_source_list(&page).await).await?;
            let source = list.items.into_iter().find(|source| source.id == id);
            let Some(commit) = source.and_then(|source| source.commit) else {
                let detail = format!("{id} was not fetched yet, or there is no such source");
                return Err(Failure::Usage(detail));
            };
            let filter = TemplateFilter { source: Some(id.clone()), q: None };
            let list = all(async |page| s.client.template_list(&filter, &page).await).await?;
            let unknown = |template: &&Entry| template.trust != TemplateTrust::Trusted;
            let new: Vec<&Entry> = list.items.iter().filter(unknown).collect();
            for template in &new {
                s.out.note(&format!("{} {}", template.template, trust(template.trust).0));
                for warning in &template.warnings {
                    s.out.note(&format!("  {}", line_of(warning)));
                }
            }
            let question = format!("Trust these {} as they are in {commit:.10}?", new.len());
            s.out.confirm(&question, yes || new.is_empty())?;
            let now = s.client.template_source_trust(&id, &TemplateSourceTrust { commit }).await?;
            s.out.show(&now, |source| source.id.to_string(), standing)
        }
        Sources::Untrust { id } => {
            let now = s.client.template_source_untrust(&id).await?;
            s.out.show(&now, |source| source.id.to_string(), standing)
        }
    }
}

fn standing(source: &TemplateSource) -> String {
    let TemplateSource { id, templates, untrusted, .. } = source;
    format!("{id}: {templates} templates, {untrusted} not trusted")
}

/// What a source's row has no room for.
fn notes(source: &TemplateSource) -> Vec<String> {
    let TemplateSource { id, trouble, rewritten, skipped, fetched_at, .. } = source;
    let mut notes = Vec::new();
    if let Some(trouble) = trouble {
        let since = fetched_at.map(|at| format!(" (copy of {})", at.in_words()));
        notes.push(format!("{id}{}: {}", since.unwrap_or_default(), event_text::safe(trouble)));
    }
    if let Some(commit) = rewritten {
        notes.push(format!(
            "{id}: the history was rewritten and {commit:.10} is not taken; see it there, then \
             `car templates sources sync {id} --rewritten`"
        ));
    }
    for left_out in skipped {
        notes.push(format!(
            "{id}: left out {}: {}",
            event_text::safe(&left_out.path),
            left_out.why
        ));
    }
    notes
}

/// A template as a person reads it before they trust it.
fn shown(s: &Session, text: &TemplateText) -> String {
    let TemplateText { template, commit, fetched_at, trouble, content, changes, .. } = text;
    let (word, tone) = trust(template.trust);
    let mut lines = vec![
        format!("{} {}", event_text::safe(&template.title), s.out.toned(word, tone)),
        format!("template  {}", template.template),
        format!("commit    {commit:.10}, fetched {}", time_text::short(*fetched_at)),
        format!("sha256    {}", template.sha256),
    ];
    lines.extend(text.goal.as_deref().map(|goal| format!("goal      {}", event_text::safe(goal))));
    if !text.context.is_empty() {
        lines.push(format!("context   {}", event_text::safe(&text.context.join(", "))));
    }
    if let Some(trouble) = trouble {
        lines.push(
            s.out.toned("The source could not be reached; this is the copy of then.", Tone::Waits),
        );
        lines.push(event_text::safe(trouble));
    }
    lines.extend(template.warnings.iter().map(|w| s.out.toned(&line_of(w), Tone::Waits)));
    lines.push(String::new());
    match changes {
        Some(changes) => {
            lines.push("Changed since it was trusted:".to_owned());
            let visible = |line: &DiffLine| DiffLine { text: visible(&line.text), ..line.clone() };
            lines.extend(changes.iter().map(|line| diff::one(s, &visible(line))));
        }
        None => lines.push(event_text::safe(&visible(content)).trim_end().to_owned()),
    }
    lines.join("\n")
}

/// The text with the characters spelled out that are not seen or turn what is read: whoever trusts it
/// has to see what an agent reads.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if hidden(c) {
            shown.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else {
            shown.push(c);
        }
        shown
    })
}

fn line_of(warning: &TemplateWarning) -> String {
    let TemplateWarning { line, count, message, .. } = warning;
    let place = match (line, count) {
        (0, _) => String::new(),
        (line, 1) => format!("line {line}: "),
        (line, count) => format!("line {line} and {} more: ", count - 1),
    };
    format!("! {place}{}", event_text::safe(message))
}

fn trust(trust: TemplateTrust) -> (&'static str, Tone) {
    match trust {
        TemplateTrust::Trusted => ("trusted", Tone::Good),
        TemplateTrust::Changed => ("changed", Tone::Waits),
        TemplateTrust::Untrusted => ("untrusted", Tone::Dim),
    }
}

fn table(templates: &[Entry]) -> Table {
    let mut table = Table::new(&["TEMPLATE", "TRUST", "LOOK", "TITLE", "SUMMARY"]);
    for template in templates {
        let (word, tone) = trust(template.trust);
        let look = match template.warnings.len() {
            0 => Cell::from(""),
            count => Cell::toned(format!("{count}!"), Tone::Waits),
        };
        table.row([
            template.template.as_str().into(),
            Cell::toned(word, tone),
            look,
            template.title.as_str().into(),
            template.summary.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

fn sources_table(sources: &[TemplateSource]) -> Table {
    let mut table = Table::new(&["SOURCE", "STATE", "TEMPLATES", "UNTRUSTED", "AT", "FROM"]);
    for source in sources {
        let (word, tone) = match (&source.commit, &source.trouble, &source.rewritten) {
            (None, _, _) => ("not fetched", Tone::Waits),
            (_, Some(_), _) => ("old copy", Tone::Bad),
            (_, _, Some(_)) => ("rewritten", Tone::Waits),
            (Some(_), None, None) => ("ready", Tone::Good),
        };
        let commit = source.commit.as_deref().and_then(|commit| commit.get(..10));
        table.row([
            source.id.as_str().into(),
            Cell::toned(word, tone),
            source.templates.to_string().into(),
            source.untrusted.to_string().into(),
            format!("{} {}", source.default_ref, commit.unwrap_or_default()).into(),
            source.url.as_str().into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_spelled_out() {
        assert_eq!(visible("a\u{202e}b\u{200b}\u{e0041}ü日"), "a<U+202E>b<U+200B><U+E0041>ü日");
    }
}
