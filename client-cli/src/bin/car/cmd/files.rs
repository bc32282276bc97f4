//! `car files …`: files from people to agents and back.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use car_api::{
    BoxFileName, RepoId,
    filebox::{BoxFile, FileBox},
};
use clap::Subcommand;

use crate::{
    args::{Global, RepoArg},
    event_text,
    failure::Failure,
    out::Out,
    session::Session,
    table::Table,
    time_text,
};

#[derive(Subcommand)]
#[command(after_help = "Examples:
  car files put plan.pdf                     for the project manager
  car files put plan.pdf -r demo             for the agents of a repo
  car files get outbox report.md             into this directory
  car files get outbox report.md --output -  to standard output")]
pub(crate) enum Files {
    /// The files of both boxes, or of one
    List {
        /// `inbox` (for agents) or `outbox` (of agents)
        r#box: Option<FileBox>,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Put a file into a box; one of that name is replaced
    #[command(visible_alias = "upload")]
    Put {
        /// The file, `-` for standard input
        file: PathBuf,
        /// `inbox` (for agents) or `outbox` (of agents)
        #[arg(long = "box", value_name = "BOX", default_value = "inbox")]
        r#box: FileBox,
        /// Its name in the box [default: the file's own]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Get a file out of a box; it stays there
    #[command(visible_alias = "download")]
    Get {
        /// `inbox` or `outbox`
        r#box: FileBox,
        /// Its name
        name: String,
        /// Where to, `-` for standard output [default: its name, here; an existing file is kept]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        repo: RepoArg,
    },
    /// Delete a file of a box
    #[command(visible_alias = "delete")]
    Rm {
        /// `inbox` or `outbox`
        r#box: FileBox,
        /// Its name
        name: String,
        #[command(flatten)]
        repo: RepoArg,
    },
}

impl Files {
    fn repo(&self) -> &RepoArg {
        match self {
            Self::List { repo, .. }
            | Self::Put { repo, .. }
            | Self::Get { repo, .. }
            | Self::Rm { repo, .. } => repo,
        }
    }
}

pub(crate) async fn run(args: Files, global: &Global, out: &Out) -> Result<(), Failure> {
    let arg = args.repo().clone();
    let session = Session::open_for(global, out, &arg)?;
    let (s, repo) = (&session, session.repo_if_given(&arg).await?);
    match args {
        Files::List { r#box, .. } => {
            let list = match &repo {
                Some(repo) => s.client.repo_file_list(repo, r#box).await?,
                None => s.client.file_list(r#box).await?,
            };
            out.list(&list, |file| format!("{}/{}", file.r#box, file.name), "No files.", table)
        }
        Files::Put { file, r#box, name, .. } => {
            let made = put(s, repo.as_ref(), r#box, &file, name.as_deref()).await?;
            let id = |file: &BoxFile| file.name.to_string();
            out.show(&made, id, |file| format!("{} is in the {}", safe(file), file.r#box))
        }
        Files::Get { r#box, name, output, .. } => {
            let name = named(&name)?;
            get(s, repo.as_ref(), r#box, &name, output.as_deref()).await
        }
        Files::Rm { r#box, name, .. } => {
            let name = named(&name)?;
            match &repo {
                Some(repo) => s.client.repo_file_delete(repo, r#box, &name).await?,
                None => s.client.file_delete(r#box, &name).await?,
            }
            out.note(&format!("{} is gone", event_text::safe(name.as_str())));
            Ok(())
        }
    }
}

/// Puts a file of this machine into a box.
pub(crate) async fn put(
    s: &Session,
    repo: Option<&RepoId>,
    r#box: FileBox,
    file: &Path,
    name: Option<&str>,
) -> Result<BoxFile, Failure> {
    let own = file.file_name().and_then(|name| name.to_str());
    let name = match (name, own) {
        (Some(name), _) => name,
        (None, Some("-") | None) => {
            return Err(Failure::Usage("say what it is to be called: --name NAME".to_owned()));
        }
        (None, Some(own)) => own,
    };
    let name = named(name)?;
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        return Ok(match repo {
            Some(repo) => s.client.repo_file_put(repo, r#box, &name, bytes).await?,
            None => s.client.file_put(r#box, &name, bytes).await?,
        });
    }
    let said =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    if !fs::metadata(file).map_err(said)?.is_file() {
        return Err(Failure::Usage(format!("{} is no file", file.display())));
    }
    // Sent in pieces as it is read, however large it is.
    let content = tokio::fs::File::open(file).await.map_err(said)?;
    Ok(match repo {
        Some(repo) => s.client.repo_file_put(repo, r#box, &name, content).await?,
        None => s.client.file_put(r#box, &name, content).await?,
    })
}

async fn get(
    s: &Session,
    repo: Option<&RepoId>,
    r#box: FileBox,
    name: &BoxFileName,
    output: Option<&Path>,
) -> Result<(), Failure> {
    let mut incoming = match repo {
        Some(repo) => s.client.repo_file_get(repo, r#box, name).await?,
        None => s.client.file_get(r#box, name).await?,
    };
    if output == Some(Path::new("-")) {
        let mut out = io::stdout().lock();
        while let Some(piece) = incoming.piece().await? {
            out.write_all(&piece)?;
        }
        return Ok(out.flush()?);
    }
    let place = output.map_or_else(|| PathBuf::from(name.as_str()), Path::to_path_buf);
    let said =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", place.display()));
    let mut file = match output {
        Some(_) => File::create(&place),
        // Nobody named it: what is there was not meant.
        None => File::options().write(true).create_new(true).open(&place),
    }
    .map_err(said)?;
    let written = async {
        while let Some(piece) = incoming.piece().await? {
            file.write_all(&piece).map_err(said)?;
        }
        file.flush().map_err(said)?;
        Ok::<_, Failure>(())
    };
    if let Err(error) = written.await {
        // Half a file looks like a whole one.
        let _ = fs::remove_file(&place);
        return Err(error);
    }
    s.out.note(&format!("{} is here", place.display()));
    Ok(())
}

fn named(text: &str) -> Result<BoxFileName, Failure> {
    text.parse().map_err(|e| Failure::Usage(format!("`{text}`: {e}")))
}

/// A name somebody else may have given, for a terminal.
fn safe(file: &BoxFile) -> String {
    event_text::safe(file.name.as_str())
}

fn table(files: &[BoxFile]) -> Table {
    let mut table = Table::new(&["BOX", "NAME", "SIZE", "CHANGED"]);
    for file in files {
        table.row([
            file.r#box.as_str().into(),
            safe(file).into(),
            size(file.size).into(),
            time_text::ago(file.modified_at).into(),
        ]);
    }
    table
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
