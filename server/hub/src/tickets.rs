//! Operations on tickets.

use std::{ffi::OsStr, path::Path};

use car_api::{
    AgentId, Code, Page, PageQuery, RepoId, TicketId,
    problem::FieldError,
    run::RunStatus,
    ticket::{
        LintFinding, LintReport, Severity, Ticket, TicketCreate, TicketDone, TicketLint,
        TicketMove, TicketPatch, TicketText, TicketUpdate,
    },
};
use car_engine::ticket::{
    FieldValue, KnownAgents, MAX_TICKET_BYTES, TicketDraft, new_ticket, parse,
};
use car_files::{
    ContentHash,
    atomic::WriteIf,
    tickets::{self, Place},
};
use car_store::RunRow;

use crate::{
    Error, Hub, Result,
    audit::Act,
    hub::blocking,
    idempotency::Made,
    index::{self, TicketFilter},
    runs::{Way, active_error},
    text::{hex, is_a_line},
};

/// The condition of a write, from the `If-Match` of the request.
pub(crate) fn condition(if_match: Option<String>) -> Result<WriteIf> {
    let Some(tag) = if_match else {
        let detail =
            "Send `If-Match` with the version you read, or `*` to write whatever is there.";
        return Err(Error::bad_request(detail));
    };
    let tag = tag.trim();
    if tag == "*" {
        return Ok(WriteIf::Any);
    }
    let tag = tag.trim_start_matches("W/").trim_matches('"');
    // A tag that is no version of this hub matches nothing.
    Ok(WriteIf::Hash(tag.parse().unwrap_or_else(|_| ContentHash::of(tag.as_bytes()))))
}

/// The version a small edit is made on; any when none is named.
fn expected(if_match: Option<String>) -> Result<Option<ContentHash>> {
    Ok(match if_match.map(|tag| condition(Some(tag))).transpose()? {
        Some(WriteIf::Hash(hash)) => Some(hash),
        Some(WriteIf::Any | WriteIf::Absent) | None => None,
    })
}

fn new_id() -> Result<TicketId> {
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id).map_err(|error| Error::internal(error.to_string()))?;
    format!("tkt_{}", hex(&id)).parse().map_err(Error::internal)
}

impl Hub {
    /// The tickets of a repo, in the order of the queue, as they go over the wire, with a word for
    /// their version.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_list_json(
        &self,
        repo: &RepoId,
        filter: TicketFilter,
        page: PageQuery,
    ) -> Result<(String, bytes::Bytes)> {
        if filter == TicketFilter::default() {
            let (generation, bytes) = self.inner.index.tickets_json(repo, &page)?;
            return Ok((self.lists_at(generation), bytes));
        }
        let version = self.lists_version();
        let list = self.inner.index.tickets(repo, &filter, &page)?;
        Ok((version, serde_json::to_vec(&list).map_err(Error::internal)?.into()))
    }

    /// All tickets of the hub, by repo and queue.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_list_all(
        &self,
        filter: TicketFilter,
        page: PageQuery,
    ) -> Result<Page<Ticket>> {
        self.inner.index.all_tickets(&filter, &page, &self.rights.reach)
    }

    /// Creates a ticket.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_create(&self, repo: &RepoId, body: TicketCreate) -> Result<TicketText> {
        self.inner.tree(repo)?;
        if !is_a_line(&body.title, 500) {
            return Err(Error::bad_request("`title` is one line of 1 to 500 characters."));
        }
        let agent = match body.agent {
            Some(agent) => self.agent_for_ticket(&agent)?,
            None => self.inner.config.default_agent.to_string(),
        };
        let draft = TicketDraft {
            title: Some(body.title),
            agent,
            goal: body.goal,
            body: body.body,
            verify: body.verify,
            ..TicketDraft::default()
        };
        let act = |file: &str| self.act("ticket_create", format!("{repo}/{file}"));
        self.ticket_into(repo, draft, body.at, act).await
    }

    /// Puts a new ticket into a queue, at a number or behind the last one.
    pub(crate) async fn ticket_into(
        &self,
        repo: &RepoId,
        mut draft: TicketDraft,
        at: Option<u64>,
        act: impl FnOnce(&str) -> Act,
    ) -> Result<TicketText> {
        let tree = self.inner.tree(repo)?;
        let id = match self.begun() {
            // An earlier try of this request got no further than its name.
            Some(Made::Ticket { id, .. }) => id.clone(),
            Some(_) | None => new_id()?,
        };
        draft.ticket_id = id.to_string();
        if at.is_some() {
            self.not_while_running(repo).await?;
        }
        let place = match at {
            Some(at) => Place::Before(number("at", at)?),
            None => Place::Last,
        };
        let bytes = new_ticket(&draft);
        if bytes.len() > MAX_TICKET_BYTES {
            return Err(Error::new(Code::TooLarge, "A ticket has at most 1 MiB."));
        }
        self.intend(&Made::Ticket { repo: repo.clone(), id }).await?;
        let placed =
            blocking(move || Ok(tickets::create(&tree, place, |_| bytes.clone())?)).await?;
        self.inner.refresh(repo).await;
        let file = placed.name.to_string_lossy();
        self.note(act(&file)).await?;
        self.ticket_get(repo, &file).await
    }

    pub(crate) fn agent_for_ticket(&self, agent: &str) -> Result<String> {
        let id = agent.trim().to_lowercase();
        let known = id.parse::<AgentId>().is_ok_and(|id| self.inner.agents.contains_key(&id));
        if known || id == "user" {
            return Ok(id);
        }
        let known: Vec<&str> = self.inner.agents.keys().map(AgentId::as_str).collect();
        let detail = format!("There is no agent `{agent}`. Use {} or user.", known.join(", "));
        Err(Error::new(Code::AgentUnavailable, detail))
    }

    /// One ticket with its text.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_get(&self, repo: &RepoId, ticket: &str) -> Result<TicketText> {
        let tree = self.inner.tree(repo)?;
        let mut ticket = self.inner.index.ticket(repo, ticket)?;
        let file = ticket.file.clone();
        let read = blocking(move || Ok(tickets::read_bytes(&tree, OsStr::new(&file)))).await?;
        let (content, etag) = match read {
            Ok(content) => {
                (String::from_utf8_lossy(&content.bytes).into_owned(), content.hash.to_string())
            }
            // The listing says what is wrong with it.
            Err(error) if !ticket.issues.is_empty() => (format!("({error})"), ticket.etag.clone()),
            Err(error) => return Err(error.into()),
        };
        if etag != ticket.etag && !etag.is_empty() {
            // The index is a moment behind the file.
            self.inner.refresh(repo).await;
            ticket = self.inner.index.ticket(repo, &ticket.file)?;
            // The tag is of the text that is given, whatever the index has seen meanwhile: with a
            // newer one a change made from this text would undo somebody's.
            ticket.etag = etag;
        }
        Ok(TicketText { ticket, content })
    }

    /// Writes a ticket's whole text, on the version that was read.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_update(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: TicketUpdate,
        if_match: Option<String>,
    ) -> Result<TicketText> {
        let tree = self.inner.tree(repo)?;
        let tag = if_match.clone();
        let when = condition(if_match)?;
        let file = self.inner.index.ticket(repo, ticket)?.file;
        if !body.allow_invalid {
            let parsed = parse(&file, body.content.as_bytes(), &self.inner.known_agents);
            let errors: Vec<FieldError> = parsed
                .errors()
                .map(|issue| FieldError {
                    pointer: "/content".to_owned(),
                    detail: format!("line {}: {}", issue.line, issue.message),
                })
                .collect();
            if !errors.is_empty() {
                let detail = "The text has errors; mend them, or send `allow_invalid: true`.";
                let mut error = Error::new(Code::TicketsInvalid, detail);
                error.errors = errors;
                return Err(error);
            }
        }
        let (name, sent) = (file.clone(), body.content.clone());
        let written = blocking(move || {
            Ok(tickets::write(&tree, OsStr::new(&name), body.content.as_bytes(), when)?)
        });
        written.await.map_err(|error| error.with_yours(&sent, tag.as_deref()))?;
        self.inner.refresh(repo).await;
        self.note(self.act("ticket_update", format!("{repo}/{file}"))).await?;
        self.ticket_get(repo, &file).await
    }

    /// Marks a ticket done or open again, by an edit of that line alone.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_done(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: TicketDone,
        if_match: Option<String>,
    ) -> Result<TicketText> {
        let tree = self.inner.tree(repo)?;
        let expected = expected(if_match)?;
        let file = self.inner.index.ticket(repo, ticket)?.file;
        let name = file.clone();
        blocking(move || Ok(tickets::set_done(&tree, OsStr::new(&name), body.done, expected)?))
            .await?;
        self.inner.refresh(repo).await;
        let act = self.act("ticket_done", format!("{repo}/{file}"));
        self.note(act.detail(format!("done: {}", body.done))).await?;
        self.ticket_get(repo, &file).await
    }

    /// Changes fields of a ticket by edits of their lines alone.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_patch(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: TicketPatch,
        if_match: Option<String>,
    ) -> Result<TicketText> {
        let tree = self.inner.tree(repo)?;
        let expected = expected(if_match)?;
        let file = self.inner.index.ticket(repo, ticket)?.file;
        let agent = body.agent.map(|agent| self.agent_for_ticket(&agent)).transpose()?;
        let texts = [
            ("title", body.title, 500),
            ("agent", agent.map(Some), 64),
            ("model", body.model, 200),
            ("reasoning", body.reasoning, 64),
        ];
        for (name, text, max) in &texts {
            if text.as_ref().and_then(Option::as_ref).is_some_and(|text| !is_a_line(text, *max)) {
                let detail = format!("`{name}` is one line of 1 to {max} characters.");
                return Err(Error::bad_request(detail));
            }
        }
        let name = file.clone();
        blocking(move || {
            let mut fields: Vec<(&str, Option<FieldValue<'_>>)> = texts
                .iter()
                .filter_map(|(key, text, _)| {
                    Some((*key, text.as_ref()?.as_deref().map(FieldValue::Text)))
                })
                .collect();
            fields.extend(body.done.map(|done| ("done", Some(FieldValue::Bool(done)))));
            Ok(tickets::set_fields(&tree, OsStr::new(&name), &fields, expected)?)
        })
        .await?;
        self.note(self.act("ticket_patch", format!("{repo}/{file}"))).await?;
        self.inner.refresh(repo).await;
        self.ticket_get(repo, &file).await
    }

    /// Moves a ticket to another number; the rest makes room.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_move(
        &self,
        repo: &RepoId,
        ticket: &str,
        body: TicketMove,
    ) -> Result<Page<Ticket>> {
        let tree = self.inner.tree(repo)?;
        let ticket = self.inner.index.ticket(repo, ticket)?;
        let to = number("to", body.to)?;
        let Some(from) = ticket.number else {
            let detail = format!("{} has no number; rename the file first.", ticket.file);
            return Err(Error::bad_request(detail));
        };
        self.not_while_running(repo).await?;
        let version = ticket.etag.clone();
        if let Some(Made::TicketMove { version: meant, .. }) = self.begun()
            && *meant != version
        {
            let detail = "The queue has changed since this was asked first; look at it again.";
            return Err(Error::new(Code::Stale, detail));
        }
        self.intend(&Made::TicketMove { repo: repo.clone(), to, version }).await?;
        blocking(move || Ok(tickets::move_to(&tree, from, to)?)).await?;
        self.inner.refresh(repo).await;
        let act = self.act("ticket_move", format!("{repo}/{}", ticket.file));
        self.note(act.detail(format!("{from} to {to}"))).await?;
        self.inner.index.tickets(repo, &TicketFilter::default(), &PageQuery::default())
    }

    /// Numbers the queue 1, 2, 3, …
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_renumber(&self, repo: &RepoId) -> Result<Page<Ticket>> {
        let tree = self.inner.tree(repo)?;
        self.not_while_running(repo).await?;
        blocking(move || Ok(tickets::renumber(&tree)?)).await?;
        self.inner.refresh(repo).await;
        self.note(self.act("ticket_renumber", repo)).await?;
        self.inner.index.tickets(repo, &TicketFilter::default(), &PageQuery::default())
    }

    /// Numbers never shift under an agent at work.
    async fn not_while_running(&self, repo: &RepoId) -> Result<()> {
        let working = |run: &RunRow| {
            matches!(run.flow.state.status(), RunStatus::Running | RunStatus::Stopping)
        };
        match self.inner.active_run(repo).await?.filter(working) {
            Some(run) => Err(active_error(&run, Way::Quiet)),
            None => Ok(()),
        }
    }

    /// Checks a whole queue, and mends what can be mended safely.
    ///
    /// # Errors
    /// See the API.
    pub async fn ticket_lint(&self, repo: &RepoId, body: TicketLint) -> Result<LintReport> {
        let tree = self.inner.tree(repo)?;
        let agents = self.inner.known_agents.clone();
        if let Some(content) = body.content {
            if body.fix {
                let detail =
                    "A text that is in no file can be checked, not mended: leave `fix` out.";
                return Err(Error::new(Code::Unprocessable, detail));
            }
            return Ok(lint_text(&content, &agents));
        }
        let report = blocking(move || lint(&tree, &agents, body.fix)).await?;
        self.inner.refresh(repo).await;
        if body.fix {
            let act = self.act("ticket_lint", repo);
            self.note(act.detail(format!("mended: {}", report.fixed.join(", ")))).await?;
        }
        Ok(report)
    }
}

/// Any good name: that of the file the text will be in is not the text's fault.
const UNNAMED: &str = "TICKET-001.md";

/// The largest number a ticket can be given: what every reader of JSON takes for itself.
const LARGEST: u64 = (1 << 53) - 1;

fn number(name: &str, wanted: u64) -> Result<u64> {
    if (1..=LARGEST).contains(&wanted) {
        return Ok(wanted);
    }
    Err(Error::bad_request(format!("`{name}` is 1 to {LARGEST}.")))
}

fn lint_text(content: &str, agents: &KnownAgents) -> LintReport {
    let parsed = parse(UNNAMED, content.as_bytes(), agents);
    let finding = |issue| LintFinding { file: UNNAMED.to_owned(), issue: index::issue(issue) };
    let findings = parsed.issues.iter().map(finding).collect();
    LintReport { ok: parsed.is_valid(), tickets: 1, findings, fixed: Vec::new() }
}

fn lint(tree: &Path, agents: &KnownAgents, fix: bool) -> Result<LintReport> {
    let mut fixed = Vec::new();
    if fix {
        for file in tickets::list(tree, agents)?.files {
            if file.issues().iter().any(|issue| issue.fix.is_some()) {
                tickets::fix(tree, &file.name, None)?;
                fixed.push(file.display_name());
            }
        }
    }
    let listing = tickets::list(tree, agents)?;
    let mut findings = Vec::new();
    for file in &listing.files {
        findings.extend(
            file.issues()
                .iter()
                .map(|issue| LintFinding { file: file.display_name(), issue: index::issue(issue) }),
        );
    }
    for (places, issue) in &listing.clashes {
        let names = places.iter().filter_map(|place| listing.files.get(*place));
        findings.extend(
            names
                .take(1)
                .map(|file| LintFinding { file: file.display_name(), issue: index::issue(issue) }),
        );
    }
    Ok(LintReport {
        ok: findings.iter().all(|finding| finding.issue.severity != Severity::Error),
        tickets: u64::try_from(listing.files.len()).unwrap_or(u64::MAX),
        findings,
        fixed,
    })
}
