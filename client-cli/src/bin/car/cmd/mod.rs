//! One file per resource: its words, and what they do.

pub(crate) mod agents;
pub(crate) mod answer;
pub(crate) mod api;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod budgets;
pub(crate) mod channel;
pub(crate) mod context;
pub(crate) mod contexts;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod flow;
pub(crate) mod help;
pub(crate) mod hub;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod jobs;
pub(crate) mod lint;
pub(crate) mod login;
pub(crate) mod notification;
pub(crate) mod pair;
pub(crate) mod pma;
pub(crate) mod repos;
pub(crate) mod run;
pub(crate) mod run_records;
pub(crate) mod salvage;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod talk;
pub(crate) mod template;
pub(crate) mod terminal;
pub(crate) mod thread;
pub(crate) mod ticket;
pub(crate) mod token;
pub(crate) mod usage;
pub(crate) mod voice;
pub(crate) mod watch;
pub(crate) mod webhook;
pub(crate) mod worktree;

use crate::{
    args::{Cli, Command},
    failure::Failure,
    later::Later,
    out::Out,
    session::Session,
};

/// Does what the command line asks for.
pub(crate) async fn run(cli: Cli, out: &Out) -> Result<(), Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Init(args) => init::run(args, global, out).await,
        Command::Hub(Later(args)) => hub::run(args, global, out).await,
        Command::Backup(Later(args)) => backup::run(args, &Session::open(global, out)?).await,
        Command::Salvage(Later(args)) => salvage::run(args, &Session::open(global, out)?).await,
        Command::Ticket(Later(args)) => ticket::run(args, global, out).await,
        Command::Template(Later(args)) => template::run(args, global, out).await,
        Command::Context(Later(args)) => context::run(args, global, out).await,
        Command::Files(Later(args)) => files::run(args, global, out).await,
        Command::Pma(Later(args)) => pma::run(args, &Session::open(global, out)?).await,
        Command::Run(Later(args)) => run::run(args, global, out).await,
        Command::TicketFlow(Later(args)) => flow::run(args, global, out).await,
        Command::Flow(Later(flow::Flow::TicketFlow(args))) => flow::run(args, global, out).await,
        Command::Reply(args) => answer::reply(args, &Session::open(global, out)?).await,
        Command::Ask(args) => answer::ask(args, &Session::open(global, out)?).await,
        Command::Approve(args) => answer::approve(args, &Session::open(global, out)?).await,
        Command::Decline(args) => answer::decline(args, &Session::open(global, out)?).await,
        Command::Thread(Later(args)) => thread::run(args, &Session::open(global, out)?).await,
        Command::Terminal(Later(args)) => terminal::run(args, global, out).await,
        Command::Agents => agents::list(&Session::open(global, out)?).await,
        Command::Models(args) => agents::models(args, &Session::open(global, out)?).await,
        Command::Status(args) => status::run(args, global, out).await,
        Command::Inbox(args) => inbox::run(args, global, out).await,
        Command::Notification(Later(args)) => {
            notification::run(args, &Session::open(global, out)?).await
        }
        Command::Channel(Later(args)) => channel::run(args, &Session::open(global, out)?).await,
        Command::Voice(Later(args)) => voice::run(args, &Session::open(global, out)?).await,
        Command::Usage(args) => usage::run(args, global, out).await,
        Command::Budgets(args) => budgets::run(args, &Session::open(global, out)?).await,
        Command::Jobs(args) => jobs::run(args, &Session::open(global, out)?).await,
        Command::Events(args) => events::run(args, global, out).await,
        Command::Watch(args) => watch::run(args, global, out).await,
        Command::Webhook(Later(args)) => webhook::run(args, &Session::open(global, out)?).await,
        Command::Audit(Later(args)) => audit::run(args, &Session::open(global, out)?).await,
        Command::Token(Later(args)) => token::run(args, &Session::open(global, out)?).await,
        Command::Pair(args) => pair::run(args, &Session::open(global, out)?).await,
        Command::Devices(Later(args)) => pair::devices(args, &Session::open(global, out)?).await,
        Command::Keys(Later(args)) => token::keys(args, &Session::open(global, out)?).await,
        Command::Login(args) => login::login(args, global, out).await,
        Command::Logout(args) => login::logout(args, global, out).await,
        Command::Use(args) => contexts::choose(args, global, out).await,
        Command::Contexts(args) => contexts::run(args, global, out).await,
        Command::Api(args) => api::run(args, &Session::open(global, out)?).await,
        Command::Describe(args) => describe::run(args, global, out).await,
        Command::Doctor(args) => doctor::run(args, global, out).await,
        Command::Completions(args) => install::completions(args, out),
        Command::Man(args) => install::man(args, out),
        Command::Help(args) => help::run(args, out),
        Command::Serve(args) => serve::serve(args, global),
        Command::Edit(args) => context::run(context::Context::Edit(args), global, out).await,
        Command::Log(args) => flow::log(args, global, out).await,
        Command::Resume(args) => flow::resume(args, global, out).await,
        Command::Kill(args) => flow::kill(args, global, out).await,
    }
}
