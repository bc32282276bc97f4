//! A hub that was found, and what the words of the command line mean there.

use std::{env, fs, io, path::PathBuf};

use car_api::{
    DeviceId, JobId, MessageId, Page, PageQuery, RepoId, RunId, ThreadKey, TokenId, TurnId,
    WebhookId, ticket::Ticket,
};
use car_client::{
    Client, ClientError, MessagePage, ThreadFilter, credentials,
    find::{self, Found, Source, Wanted},
};

use crate::{
    args::{Global, RepoArg},
    failure::Failure,
    out::Out,
    pick, place,
};

/// A hub to talk to, and how to print.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) found: Found,
    pub(crate) out: Out,
    pub(crate) cwd: PathBuf,
}

/// What the command line and the environment say about the hub.
pub(crate) fn wanted(global: &Global) -> Result<Wanted, Failure> {
    Ok(Wanted {
        hub: global.hub.clone().filter(|hub| !hub.is_empty()),
        token: token(global)?,
        path: global.path.clone(),
        cwd: env::current_dir()?,
        config_dir: credentials::config_dir(|name| env::var_os(name)),
    })
}

/// How a hub was found, to follow its address.
pub(crate) fn how(source: &Source) -> String {
    match source {
        Source::Address => "by its address".to_owned(),
        Source::Context(name) => format!("by the context {name}"),
        Source::Directory => "by the directory".to_owned(),
        Source::LastStarted => "as the one started last on this machine".to_owned(),
    }
}

/// The token somebody named. One that was named and cannot be read is an error, never a reason to
/// take another: an agent must not come to act with the rights of its owner by that.
fn token(global: &Global) -> Result<Option<String>, Failure> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if global.token_file.is_none()
        && let Some(token) = env::var("CAR_TOKEN").ok().filter(|token| !token.is_empty())
    {
        return Ok(Some(token));
    }
    // Some agents keep variables with TOKEN in their names from the commands they run.
    let of_run = || {
        let dir = set("CAR_RUN_DIR").or_else(|| set("CAR_THREAD_DIR"));
        dir.map(|dir| dir.join("token"))
    };
    let Some(path) = global.token_file.clone().or_else(|| set("CAR_TOKEN_FILE")).or_else(of_run)
    else {
        return Ok(None);
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        io::Error::new(error.kind(), format!("the token of {}: {error}", path.display()))
    })?;
    Ok(Some(text.trim().to_owned()))
}

impl Session {
    pub(crate) fn open(global: &Global, out: &Out) -> Result<Self, Failure> {
        Self::open_for(global, out, &RepoArg::default())
    }

    /// Finds the hub; a repo given as a path also says which hub is meant.
    pub(crate) fn open_for(global: &Global, out: &Out, repo: &RepoArg) -> Result<Self, Failure> {
        let mut wanted = wanted(global)?;
        if wanted.path.is_none() && wanted.hub.is_none() {
            let path = repo.repo.as_deref().filter(|text| place::is_path(text));
            wanted.path =
                path.map(PathBuf::from).filter(|p| find::root_above(&wanted.cwd.join(p)).is_some());
        }
        let found = find::find(&wanted)?;
        let client = Client::at(&found.url, found.token.as_deref(), found.socket.as_deref())?
            .expecting(found.instance.clone());
        Ok(Self { client, found, out: out.clone(), cwd: wanted.cwd })
    }

    /// The repo that is meant: by id, by path, or the one of the working directory.
    pub(crate) async fn repo(&self, arg: &RepoArg) -> Result<RepoId, Failure> {
        match arg.repo.as_deref() {
            // A name that a table had to cut.
            Some(text) if text.ends_with('…') => {
                let start = text.trim_end_matches('…');
                let list = async |page| self.client.repo_list(None, &page).await;
                let repos = all(list).await?.items.into_iter();
                let fitting = repos.filter(|repo| repo.id.as_str().starts_with(start));
                pick::one(start, "repo", fitting, |repo| repo.id.as_str()).map(|repo| repo.id)
            }
            Some(text) if !place::is_path(text) => {
                text.parse().map_err(|e| Failure::Usage(format!("`{text}`: {e}")))
            }
            Some(path) => self.repo_of_path(self.cwd.join(path)).await,
            None => self.repo_of_path(self.cwd.clone()).await,
        }
    }

    /// The repo that is meant, when one is meant at all.
    pub(crate) async fn repo_if_given(&self, arg: &RepoArg) -> Result<Option<RepoId>, Failure> {
        match arg.repo {
            Some(_) => self.repo(arg).await.map(Some),
            None => Ok(None),
        }
    }

    async fn repo_of_path(&self, path: PathBuf) -> Result<RepoId, Failure> {
        let nowhere = |why: &str| {
            let place = path.display();
            Failure::NotFound(format!(
                "{place} is in no repo of {}{why}; say --repo ID (`car hub repos` lists them)",
                self.client.url()
            ))
        };
        let dir = fs::canonicalize(&path).map_err(|_| nowhere(" (there is no such directory)"))?;
        let root = match &self.found.root {
            Some(root) => root.clone(),
            None => {
                let info = self.client.hub_get().await?;
                let root = PathBuf::from(info.root);
                // Another machine may have a directory of the same name, with other repos in it.
                if find::instance_at(&root).as_deref() != Some(info.instance.as_str()) {
                    return Err(nowhere(", which is on another machine"));
                }
                root
            }
        };
        let root = fs::canonicalize(root).map_err(|_| nowhere(", which is on another machine"))?;
        let repos = all(async |page| self.client.repo_list(None, &page).await).await?;
        match place::repo_at(&dir, &root, &repos.items) {
            Some(repo) => Ok(repo.id.clone()),
            None => Err(nowhere("")),
        }
    }

    /// The run that is meant: by id or a piece of it, by its repo (then its latest), or the latest
    /// of the repo one is in.
    pub(crate) async fn run(&self, text: Option<&str>) -> Result<RunId, Failure> {
        let Some(text) = text else {
            return self.latest_run(&self.repo(&RepoArg::default()).await?).await;
        };
        if pick::is_whole(text, "run_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let piece = text.strip_prefix("run_").unwrap_or(text);
        if piece.len() >= 4 && piece.bytes().all(|b| b.is_ascii_hexdigit()) {
            let runs = all(async |page| self.client.run_list(None, None, &page).await).await?;
            match pick::one(text, "run", runs.items, |run| run.id.as_str()) {
                Ok(run) => return Ok(run.id),
                // A repo may have such a name.
                Err(Failure::NotFound(_)) if piece == text => {}
                Err(error) => return Err(error),
            }
        }
        let repo = RepoArg { repo: Some(text.to_owned()) };
        self.latest_run(&self.repo(&repo).await?).await
    }

    /// The turn that is meant: by id, a piece of it, or its number within the run.
    pub(crate) async fn turn(&self, text: &str, run: Option<&str>) -> Result<TurnId, Failure> {
        if pick::is_whole(text, "trn_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let run = self.run(run).await?;
        let turns = all(async |page| self.client.run_turns(&run, &page).await).await?.items;
        if let Some(turn) = turns.iter().find(|turn| turn.number.to_string() == text) {
            return Ok(turn.id.clone());
        }
        pick::one(text, "turn", turns, |turn| turn.id.as_str()).map(|turn| turn.id)
    }

    /// The job that is meant: by id or a piece of it.
    pub(crate) async fn job(&self, text: &str) -> Result<JobId, Failure> {
        if pick::is_whole(text, "job_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let jobs = all(async |page| self.client.job_list(&page).await).await?;
        pick::one(text, "job", jobs.items, |job| job.id.as_str()).map(|job| job.id)
    }

    /// The token that is meant: by id or a piece of it.
    pub(crate) async fn token(&self, text: &str) -> Result<TokenId, Failure> {
        if pick::is_whole(text, "tok_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let tokens = self.client.token_list().await?.items;
        pick::one(text, "token", tokens, |token| token.id.as_str()).map(|token| token.id)
    }

    /// The paired browser that is meant: by id or a piece of it.
    pub(crate) async fn device(&self, text: &str) -> Result<DeviceId, Failure> {
        if pick::is_whole(text, "dev_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let devices = self.client.device_list().await?.items;
        pick::one(text, "device", devices, |device| device.id.as_str()).map(|device| device.id)
    }

    /// The webhook that is meant: by id or a piece of it.
    pub(crate) async fn webhook(&self, text: &str) -> Result<WebhookId, Failure> {
        if pick::is_whole(text, "whk_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let webhooks = all(async |page| self.client.webhook_list(&page).await).await?.items;
        pick::one(text, "webhook", webhooks, |webhook| webhook.id.as_str()).map(|found| found.id)
    }

    /// The thread that is meant: by id or a piece of it, or `pma`.
    pub(crate) async fn thread(&self, text: &str) -> Result<ThreadKey, Failure> {
        if (text == "pma" || pick::is_whole(text, "thr_"))
            && let Ok(key) = text.parse()
        {
            return Ok(key);
        }
        let filter = ThreadFilter::default();
        let threads = all(async |page| self.client.thread_list(&filter, &page).await).await?;
        let found = pick::one(text, "thread", threads.items, |thread| thread.id.as_str())?;
        found.id.as_str().parse().map_err(|e| Failure::Usage(format!("{e}")))
    }

    /// The message of a thread that is meant: by id, a piece of it, or its number.
    pub(crate) async fn message(
        &self,
        thread: &ThreadKey,
        text: &str,
    ) -> Result<MessageId, Failure> {
        if pick::is_whole(text, "mes_")
            && let Ok(id) = text.parse()
        {
            return Ok(id);
        }
        let number: Option<u32> = text.parse().ok().filter(|_| text.len() < 6);
        let page = MessagePage {
            after: number.map(|number| number.saturating_sub(1)),
            before: None,
            limit: Some(if number.is_some() { 1 } else { 500 }),
        };
        let messages = self.client.message_list(thread, page).await?.items;
        if let Some(message) = messages.iter().find(|message| Some(message.number) == number) {
            return Ok(message.id.clone());
        }
        pick::one(text, "message", messages, |message| message.id.as_str()).map(|found| found.id)
    }

    /// How the hub is to be told which ticket is meant: by its number as it is, by its file's
    /// name, or by its id or a piece of it.
    pub(crate) async fn ticket(&self, repo: &RepoId, text: &str) -> Result<String, Failure> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let bare = text.trim_start_matches('0');
            return Ok(if bare.is_empty() { text } else { bare }.to_owned());
        }
        let tickets =
            all(async |page| self.client.ticket_list(repo, None, &page).await).await?.items;
        let file = text.rsplit('/').next().unwrap_or(text);
        let of_file = |t: &&Ticket| t.file == file || t.file.strip_suffix(".md") == Some(file);
        if let Some(ticket) = tickets.iter().find(of_file) {
            return Ok(ticket.id.to_string());
        }
        pick::one(text, "ticket", tickets, |ticket| ticket.id.as_str())
            .map(|ticket| ticket.id.to_string())
    }

    pub(crate) async fn latest_run(&self, repo: &RepoId) -> Result<RunId, Failure> {
        let page = PageQuery { after: None, limit: Some(1) };
        let runs = self.client.run_list(Some(repo), None, &page).await?;
        match runs.items.into_iter().next() {
            Some(run) => Ok(run.id),
            None => {
                // Says so when there is no such repo at all.
                self.client.repo_get(repo).await?;
                Err(Failure::NotFound(format!(
                    "{repo} has no run yet; start one with `car run start --repo {repo}`"
                )))
            }
        }
    }
}

/// Every page of a list, as one.
pub(crate) async fn all<T>(
    list: impl AsyncFn(PageQuery) -> Result<Page<T>, ClientError>,
) -> Result<Page<T>, ClientError> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = list(PageQuery { after, limit: Some(500) }).await?;
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(Page { items, next: None }),
        }
    }
}
