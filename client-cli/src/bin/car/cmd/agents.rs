//! `car agents`, `car models`

use car_api::{
    AgentId,
    agent::{Agent, Availability, Model},
};
use clap::Args;

use crate::{
    failure::Failure,
    session::Session,
    table::{Cell, Table, Tone},
};

#[derive(Args)]
pub(crate) struct Models {
    /// The agent, such as `codex`
    agent: AgentId,
}

pub(crate) async fn list(s: &Session) -> Result<(), Failure> {
    let agents = s.client.agent_list().await?;
    s.out.list(&agents, |a| a.id.to_string(), "This hub knows no agents.", agent_table)
}

pub(crate) async fn models(args: Models, s: &Session) -> Result<(), Failure> {
    let models = s.client.agent_models(&args.agent).await?;
    s.out.list(&models, |m| m.id.clone(), "The agent lists no models.", model_table)
}

fn agent_table(agents: &[Agent]) -> Table {
    let mut table = Table::new(&["AGENT", "STATUS", "VERSION", "ACCOUNT", "TO DO"]);
    for agent in agents {
        let tone = match agent.availability {
            Availability::Ready => Tone::Good,
            Availability::NotInstalled => Tone::Dim,
            Availability::LoggedOut => Tone::Waits,
            Availability::Broken => Tone::Bad,
        };
        table.row([
            agent.id.as_str().into(),
            Cell::toned(agent.availability.as_str(), tone),
            agent.version.as_deref().unwrap_or("-").into(),
            agent.account.as_deref().unwrap_or("-").into(),
            agent.hint.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

fn model_table(models: &[Model]) -> Table {
    let mut table = Table::new(&["MODEL", "NAME", "REASONING", ""]);
    for model in models {
        table.row([
            model.id.as_str().into(),
            model.name.as_str().into(),
            model.efforts.join(" ").into(),
            if model.default { "default" } else { "" }.into(),
        ]);
    }
    table
}
