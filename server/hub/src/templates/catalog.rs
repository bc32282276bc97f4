//! What templates a commit has.

use std::path::Path;

use car_api::{
    TemplateSourceId,
    template::{Template, TemplateSkipped, TemplateTrust, TemplateWarning},
};
use car_engine::{
    template::{is_template_path, scan},
    ticket::read_template,
};
use car_git::{GitError, Mirror, Oid, TreeFile, TreeFileKind};
use sha2::{Digest as _, Sha256};

use crate::text::hex;

/// Largest template, in bytes.
pub(super) const LARGEST: usize = 256 * 1024;
/// Bytes of all templates of a source.
pub(super) const ALL: usize = 16 << 20;
/// Templates a source has at most.
const MOST: usize = 500;
/// Files that are named when they are left out.
const NAMED: usize = 50;
/// Files that tell about a repository and are no templates.
const ABOUT: [&str; 8] = [
    "readme.md",
    "contributing.md",
    "changelog.md",
    "license.md",
    "security.md",
    "code_of_conduct.md",
    "agents.md",
    "claude.md",
];

/// What is in a commit.
pub(super) struct Catalog {
    pub(super) commit: Oid,
    /// By path.
    pub(super) entries: Vec<Entry>,
    pub(super) skipped: Vec<TemplateSkipped>,
}

/// One template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) blob: String,
    pub(super) sha256: String,
    size: u32,
    title: String,
    summary: Option<String>,
    pub(super) warnings: Vec<TemplateWarning>,
}

impl Entry {
    /// As it goes over the wire.
    pub(super) fn template(&self, source: &TemplateSourceId, trust: TemplateTrust) -> Template {
        Template {
            template: format!("{source}:{}", self.path),
            source: source.clone(),
            path: self.path.clone(),
            title: self.title.clone(),
            summary: self.summary.clone(),
            sha256: self.sha256.clone(),
            blob: self.blob.clone(),
            size: self.size,
            trust,
            warnings: self.warnings.clone(),
        }
    }

    /// Whether all these words, in lower case, are in its name, title or summary.
    pub(super) fn has(&self, source: &TemplateSourceId, words: &[&str]) -> bool {
        let summary = self.summary.as_deref().unwrap_or_default();
        let text = format!("{source}:{} {} {summary}", self.path, self.title).to_lowercase();
        words.iter().all(|word| text.contains(word))
    }

    fn read(path: String, blob: &Oid, bytes: &[u8]) -> Self {
        let text = read_template(bytes).unwrap_or_default();
        let name = Path::new(&path).file_stem().map(|name| name.to_string_lossy().into_owned());
        Self {
            blob: blob.to_string(),
            sha256: hex(&Sha256::digest(bytes)),
            size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            title: text.title.or(name).unwrap_or_default(),
            summary: text.summary,
            warnings: scan(bytes),
            path,
        }
    }

    /// The title of a ticket that has no other.
    pub(super) fn title(&self) -> &str {
        &self.title
    }
}

/// Reads the templates of a commit. What `known` has of the same content is not read again.
pub(super) async fn read(
    mirror: &Mirror,
    commit: &Oid,
    known: Option<&Catalog>,
) -> Result<Catalog, GitError> {
    let mut skipped = Vec::new();
    let mut wanted: Vec<(String, Oid)> = Vec::new();
    let mut bytes = 0_usize;
    for file in mirror.files(commit).await? {
        let shown = shown(&file.path);
        match takes(&file, wanted.len(), bytes) {
            Takes::Yes(path) => {
                bytes = bytes.saturating_add(usize::try_from(file.size).unwrap_or(usize::MAX));
                wanted.push((path, file.oid));
            }
            Takes::No(why) if skipped.len() < NAMED => {
                skipped.push(TemplateSkipped { path: shown, why: why.to_owned() });
            }
            Takes::No(_) | Takes::Other => {}
        }
    }
    let before = |path: &str, oid: &Oid| {
        let mut entries = known.into_iter().flat_map(|known| &known.entries);
        entries.find(|e| e.path == path && e.blob == oid.as_str()).cloned()
    };
    let new: Vec<Oid> = wanted
        .iter()
        .filter(|(path, oid)| before(path, oid).is_none())
        .map(|(_, oid)| oid.clone())
        .collect();
    let mut texts = mirror.blobs(&new, ALL).await?.into_iter();
    let mut entries = Vec::new();
    for (path, oid) in wanted {
        if let Some(entry) = before(&path, &oid) {
            entries.push(entry);
            continue;
        }
        let text = texts.next().unwrap_or_default();
        if !is_text(&text) {
            if skipped.len() < NAMED {
                skipped.push(TemplateSkipped { path, why: "it is not text".to_owned() });
            }
            continue;
        }
        entries.push(Entry::read(path, &oid, &text));
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Catalog { commit: commit.clone(), entries, skipped })
}

/// Reads one template of a commit.
pub(super) async fn read_one(
    mirror: &Mirror,
    commit: &Oid,
    path: &str,
) -> Result<Option<Entry>, GitError> {
    let files = mirror.files(commit).await?;
    let file = files.into_iter().find(|file| file.path == Path::new(path));
    let Some(file) = file else { return Ok(None) };
    let Takes::Yes(path) = takes(&file, 0, 0) else { return Ok(None) };
    let text = mirror.blobs(std::slice::from_ref(&file.oid), LARGEST).await?.pop();
    let text = text.filter(|text| is_text(text));
    Ok(text.map(|text| Entry::read(path, &file.oid, &text)))
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

/// Whether a file is a template.
enum Takes {
    Yes(String),
    /// It looks like one and is left out.
    No(&'static str),
    /// It does not look like one.
    Other,
}

fn takes(file: &TreeFile, so_far: usize, bytes: usize) -> Takes {
    let markdown = file.path.extension().is_some_and(|ending| ending == "md");
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    // `file_name` of a path that ends in `..` is none; such a path is no markdown file either.
    if !markdown || ABOUT.contains(&name.as_str()) {
        return Takes::Other;
    }
    let size = usize::try_from(file.size).unwrap_or(usize::MAX);
    match file.kind {
        TreeFileKind::Symlink => return Takes::No("it is a symbolic link"),
        TreeFileKind::Submodule => return Takes::No("it is a submodule"),
        TreeFileKind::File => {}
    }
    let Some(path) = file.path.to_str() else { return Takes::No("its name is not UTF-8") };
    if path.split('/').any(|part| part.starts_with('.') && part != "..") {
        return Takes::Other;
    }
    if !is_template_path(path) {
        return Takes::No("its name is not plain");
    }
    if size > LARGEST {
        return Takes::No("it is larger than 256 KiB");
    }
    if so_far >= MOST || bytes.saturating_add(size) > ALL {
        return Takes::No("the source has more templates than are read");
    }
    Takes::Yes(path.to_owned())
}

/// A path without what cannot be shown.
fn shown(path: &Path) -> String {
    let text: String = path.to_string_lossy().chars().take(200).collect();
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
