//! A ticket made of a template.

use car_api::{
    Code, RepoId,
    template::{TemplateApply, TemplateTrust},
    ticket::TicketText,
};
use car_engine::ticket::{DraftValue, TicketDraft, new_ticket, parse, read_template};

use super::Found;
use crate::{Error, Hub, Result, text::is_a_line};

/// Any good name: that of the file the ticket will be in is not the template's fault.
const UNNAMED: &str = "TICKET-001.md";

impl Hub {
    /// Makes a ticket of a template: its title, goal, text and context, and where they are from.
    ///
    /// # Errors
    /// See the API.
    pub async fn template_apply(&self, repo: &RepoId, body: TemplateApply) -> Result<TicketText> {
        self.inner.tree(repo)?;
        let found = self.inner.template_found(&body.template).await?;
        self.accepts(&found, body.accept_sha256.as_deref())?;
        let agent = match body.agent {
            Some(agent) => self.agent_for_ticket(&agent)?,
            None => self.inner.config.default_agent.to_string(),
        };
        if body.title.as_ref().is_some_and(|title| !is_a_line(title, 500)) {
            return Err(Error::bad_request("`title` is one line of 1 to 500 characters."));
        }
        let draft = TicketDraft { verify: body.verify, ..draft(&found, body.title, agent)? };
        let sound = TicketDraft { ticket_id: "tkt_unnamed".to_owned(), ..draft.clone() };
        let parsed = parse(UNNAMED, &new_ticket(&sound), &self.inner.known_agents);
        if let Some(wrong) = parsed.errors().next() {
            let detail = format!("No ticket can be made of {}: {}", body.template, wrong.message);
            return Err(Error::new(Code::Unprocessable, detail));
        }
        let of = format!("{} sha256 {}", body.template, found.entry.sha256);
        let act =
            |file: &str| self.act("template_apply", format!("{repo}/{file}")).detail(of.clone());
        self.ticket_into(repo, draft, body.at, act).await
    }

    /// Whether whoever asks may have a ticket made of this version.
    fn accepts(&self, found: &Found, accepted: Option<&str>) -> Result<()> {
        let name = format!("{}:{}", found.source.id, found.entry.path);
        if found.trust != TemplateTrust::Trusted {
            let how = match found.trust {
                TemplateTrust::Changed => "has changed since it was trusted",
                TemplateTrust::Untrusted | TemplateTrust::Trusted => "is not trusted",
            };
            if self.is_unattended() {
                let detail = format!(
                    "{name} {how}. An agent can use trusted templates only; ask a person to look at \
                     it (`car templates trust {name}`)."
                );
                return Err(Error::new(Code::Forbidden, detail));
            }
            if accepted.is_none() {
                let detail = format!(
                    "{name} {how}. Look at it (`car templates show {name}`), and name what you saw: \
                     `accept_sha256` is {}.",
                    found.entry.sha256
                );
                return Err(Error::new(Code::PreconditionRequired, detail));
            }
        }
        accepted.map_or(Ok(()), |sha256| found.is_what_was_seen(sha256))
    }
}

/// What the ticket is made of. A template gives a title, a goal, a text and files to read, and
/// nothing else; the further fields say where they are from.
fn draft(found: &Found, title: Option<String>, agent: String) -> Result<TicketDraft> {
    let text = read_template(&found.bytes).map_err(|(line, why)| {
        let detail = format!(
            "No ticket can be made of {}:{}, line {line}: {why}",
            found.source.id, found.entry.path
        );
        Error::new(Code::Unprocessable, detail)
    })?;
    let text_of = |value: String| DraftValue::Text(value);
    let mut fields = Vec::new();
    fields.extend(text.goal.map(|goal| ("goal".to_owned(), text_of(goal))));
    let name = format!("{}:{}@{}", found.source.id, found.entry.path, found.at);
    let seen: Vec<&str> =
        found.entry.warnings.iter().map(|warning| warning.kind.as_str()).collect();
    let scan = if seen.is_empty() { "clean".to_owned() } else { seen.join(", ") };
    let trusted = found.trust == TemplateTrust::Trusted;
    // CAR's own names for them.
    fields.extend([
        ("template".to_owned(), text_of(name)),
        ("template_commit".to_owned(), text_of(found.commit.to_string())),
        ("template_blob".to_owned(), text_of(found.entry.blob.clone())),
        ("template_sha256".to_owned(), text_of(found.entry.sha256.clone())),
        ("template_trusted".to_owned(), DraftValue::Bool(trusted)),
        ("template_scan".to_owned(), text_of(scan)),
    ]);
    Ok(TicketDraft {
        title: Some(title.unwrap_or_else(|| found.entry.title().to_owned())),
        agent,
        body: Some(text.body).filter(|body| !body.trim().is_empty()),
        context: text.context,
        fields,
        ..TicketDraft::default()
    })
}
