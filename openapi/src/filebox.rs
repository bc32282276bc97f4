//! File boxes: files handed to agents (inbox) and by agents (outbox), one pair a repo or worktree
//! and one for the hub.

use crate::{BoxFileName, Timestamp, wire, words};

words! {
    /// One of the two boxes.
    pub enum FileBox {
        /// Files for agents.
        Inbox = "inbox",
        /// Files of agents.
        Outbox = "outbox",
    }
}

wire! {
    /// One file of a box.
    pub struct BoxFile {
        /// The box.
        pub r#box: FileBox,
        /// Its name, a single path part.
        pub name: BoxFileName,
        /// Bytes.
        pub size: u64,
        /// The media type, by its name.
        pub media_type: String,
        /// When it was last written.
        pub modified_at: Timestamp,
    }
}

wire! {
    /// Where a browser can get one file.
    pub struct FileLink {
        /// To be followed once, on the same host, with the credential that asked for it.
        pub path: String,
        /// Until when it can be followed.
        pub expires_at: Timestamp,
    }
}

/// The media type of a file, by its name; bytes when the name says nothing that is known.
#[must_use]
pub fn media_type(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    MEDIA_TYPES
        .iter()
        .find(|(ends, _)| ends.contains(&end.as_str()))
        .map_or("application/octet-stream", |(_, kind)| kind)
}

/// Endings of names and what such files are.
const MEDIA_TYPES: &[(&[&str], &str)] = &[
    (&["md", "markdown"], "text/markdown"),
    (&["txt", "log", "rst", "toml", "ini", "cfg", "conf", "diff", "patch"], "text/plain"),
    (&["rs", "py", "go", "c", "h", "cpp", "java", "rb", "sh", "ts", "tsx", "jsx"], "text/plain"),
    (&["csv"], "text/csv"),
    (&["json", "jsonl", "ndjson"], "application/json"),
    (&["yaml", "yml"], "application/yaml"),
    (&["html", "htm"], "text/html"),
    (&["css"], "text/css"),
    (&["js", "mjs"], "text/javascript"),
    (&["xml"], "application/xml"),
    (&["pdf"], "application/pdf"),
    (&["zip"], "application/zip"),
    (&["gz", "tgz"], "application/gzip"),
    (&["tar"], "application/x-tar"),
    (&["zst"], "application/zstd"),
    (&["png"], "image/png"),
    (&["jpg", "jpeg"], "image/jpeg"),
    (&["gif"], "image/gif"),
    (&["webp"], "image/webp"),
    (&["avif"], "image/avif"),
    (&["heic"], "image/heic"),
    (&["svg"], "image/svg+xml"),
    (&["mp3"], "audio/mpeg"),
    (&["wav"], "audio/wav"),
    (&["ogg", "oga", "opus"], "audio/ogg"),
    (&["m4a"], "audio/mp4"),
    (&["mp4", "m4v"], "video/mp4"),
    (&["mov"], "video/quicktime"),
    (&["webm"], "video/webm"),
];
