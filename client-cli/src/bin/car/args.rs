//! The words of the command line, on one screen; each command's own words are in its file.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::{cmd, later::Later};

/// Runs coding agents over queues of tickets, and checks what they claim.
#[derive(Parser)]
#[command(
    name = "car",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Examples:
  car hub clone https://github.com/you/project
  car ticket new \"Make the parser total\" -r project --verify \"cargo test\"
  car run start -r project && car watch
Topics: car help coming-from-car | exit-codes | finding-the-hub | operations |
        output | remote | runs | terminals | threads | tickets | verify"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The whole command line, every command's own words included.
pub(crate) fn whole() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// What every command understands.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The hub: an URL, a context's name, or a hub's directory
    #[arg(long, global = true, env = "CAR_HUB_URL", value_name = "HUB", hide_env_values = true)]
    pub(crate) hub: Option<String>,
    /// A directory in the hub that is meant
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// Read the token from this file (or set CAR_TOKEN or CAR_TOKEN_FILE)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Print the API's JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print only identifiers
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Which repo or worktree; the one of the working directory when absent.
#[derive(Args, Clone, Default)]
pub(crate) struct RepoArg {
    /// Repo or worktree, by id or path [default: the one you are in]
    #[arg(long, short, value_name = "ID|PATH", env = "CAR_REPO", hide_env = true)]
    pub(crate) repo: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a hub's directory, or prepare a repo of a hub
    Init(cmd::init::Init),
    /// The hub, its repos and worktrees
    #[command(subcommand)]
    Hub(Later<cmd::hub::Hub>),
    /// What was kept of removed worktrees and repos
    #[command(subcommand)]
    Salvage(Later<cmd::salvage::Salvage>),
    /// Archives of the whole hub, and the report of a restore
    #[command(subcommand)]
    Backup(Later<cmd::backup::Backup>),
    /// Tickets of a queue
    #[command(subcommand, visible_alias = "tickets")]
    Ticket(Later<cmd::ticket::Ticket>),
    /// Templates of tickets, from git repositories
    #[command(subcommand, visible_alias = "templates")]
    Template(Later<cmd::template::Template>),
    /// Documents every prompt can carry
    #[command(subcommand)]
    Context(Later<cmd::context::Context>),
    /// Files from people to agents and back
    #[command(subcommand)]
    Files(Later<cmd::files::Files>),
    /// The project manager: the agent that runs the hub for you
    #[command(subcommand)]
    Pma(Later<cmd::pma::Pma>),
    /// Runs over a queue
    #[command(subcommand)]
    Run(Later<cmd::run::Run>),
    /// Start, watch and stop the run of one repo
    #[command(subcommand)]
    TicketFlow(Later<cmd::flow::TicketFlow>),
    /// The same as `ticket-flow`
    #[command(subcommand, hide = true)]
    Flow(Later<cmd::flow::Flow>),
    /// How things stand where you are
    Status(cmd::status::Status),
    /// What waits for you
    Inbox(cmd::inbox::Inbox),
    /// Runs as they go, until you press Ctrl-C
    Watch(cmd::watch::Watch),
    /// Answer a run; the text will be in its next prompt
    Reply(cmd::answer::Reply),
    /// Say or ask people something in the name of a run's agent
    Ask(cmd::answer::Ask),
    /// Say yes to a question of a run's agent
    Approve(cmd::answer::Approve),
    /// Say no to a question of a run's agent
    Decline(cmd::answer::Decline),
    /// Conversations with agents outside runs
    #[command(subcommand, visible_alias = "threads")]
    Thread(Later<cmd::thread::Thread>),
    /// The words of recordings, where the hub's owner has named what finds them
    #[command(subcommand)]
    Voice(Later<cmd::voice::Voice>),
    /// Shells on the hub's machine, where its owner has turned them on
    #[command(subcommand, visible_alias = "terminals")]
    Terminal(Later<cmd::terminal::Terminal>),
    /// What agents have used: tokens and money
    Usage(cmd::usage::Usage),
    /// How much may be used in a day and in a run
    #[command(visible_alias = "budget")]
    Budgets(cmd::budgets::Budgets),
    /// The agents this hub can drive
    Agents,
    /// The models an agent offers
    Models(cmd::agents::Models),
    /// Long operations and how they go
    Jobs(cmd::jobs::Jobs),
    /// The hub's log
    Events(cmd::events::Events),
    /// Addresses that events are posted to
    #[command(subcommand, visible_alias = "webhooks")]
    Webhook(Later<cmd::webhook::Webhook>),
    /// What the hub told people outside, and what became of it
    #[command(subcommand, visible_alias = "notifications")]
    Notification(Later<cmd::notification::Notification>),
    /// Ways out for notifications
    #[command(subcommand, visible_alias = "channels")]
    Channel(Later<cmd::channel::Channel>),
    /// Who did what on the hub, in a chain that shows when it was tampered with
    #[command(subcommand)]
    Audit(Later<cmd::audit::Audit>),
    /// Personal access tokens of the hub
    #[command(subcommand)]
    Token(Later<cmd::token::Token>),
    /// The keys that sign short-lived tokens
    #[command(subcommand)]
    Keys(Later<cmd::token::Keys>),
    /// Let a browser in, or a machine that asks (`car login`)
    Pair(cmd::pair::Pair),
    /// Browsers that may use the hub
    #[command(subcommand)]
    Devices(Later<cmd::pair::Devices>),
    /// Get a token for a hub on another machine, and use that hub
    Login(cmd::login::Login),
    /// End that token, and forget the hub
    Logout(cmd::login::Logout),
    /// Choose the hub to talk to, or give one a name
    Use(cmd::contexts::Use),
    /// The hubs that have a name
    Contexts(cmd::contexts::Contexts),
    /// Any request to the hub's API
    Api(cmd::api::Api),
    /// What this program can do and where it is, for agents
    Describe(RepoArg),
    /// Look for what could be wrong
    Doctor(RepoArg),
    /// A completion script for a shell
    Completions(cmd::install::Completions),
    /// The manual pages
    Man(cmd::install::Man),
    /// Explain a command or a topic
    Help(cmd::help::Help),
    /// Serve the hub: `car hub serve`
    #[command(hide = true)]
    Serve(cmd::serve::Serve),
    /// Change a document: `car context edit`
    #[command(hide = true)]
    Edit(cmd::context::Edit),
    /// The log of a repo's run: `car run logs`
    #[command(hide = true)]
    Log(cmd::flow::Log),
    /// Let a repo's paused run go on: `car run resume`
    #[command(hide = true)]
    Resume(cmd::flow::Which),
    /// Stop a repo's run: `car run stop`
    #[command(hide = true)]
    Kill(RepoArg),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A command's own argument of such a name would be taken for the global one, with its type.
    #[test]
    fn no_command_has_an_argument_named_as_a_global_one() {
        fn look(command: &clap::Command, globals: &BTreeSet<String>) {
            for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
                let id = argument.get_id().as_str();
                assert!(!globals.contains(id), "{} has `{id}`", command.get_name());
            }
            command.get_subcommands().for_each(|command| look(command, globals));
        }
        let command = whole();
        let globals = command.get_arguments().filter(|argument| argument.is_global_set());
        let globals = globals.map(|argument| argument.get_id().to_string()).collect();
        look(&command, &globals);
        command.debug_assert();
    }
}
