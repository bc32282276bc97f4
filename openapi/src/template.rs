//! Templates of tickets, from git repositories.

use crate::{TemplateSourceId, Timestamp, diff::DiffLine, wire, words};

wire! {
    /// A git repository whose markdown files are templates.
    pub struct TemplateSource {
        /// Its id, as templates are named by it: `id:path`.
        pub id: TemplateSourceId,
        /// Where it is fetched from, without a login.
        pub url: String,
        /// The branch, tag or commit its templates are taken from.
        pub default_ref: String,
        /// Whether what it has when it is first fetched is trusted as it then is.
        pub trusted: bool,
        /// The commit its templates are taken from until it is fetched again; absent before it was
        /// fetched once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub commit: Option<String>,
        /// Another commit that `default_ref` names by now and that does not follow `commit`: the
        /// history was rewritten. It is taken only when that is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub rewritten: Option<String>,
        /// When it last answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub fetched_at: Option<Timestamp>,
        /// Why it could not be fetched the last time; the copy of `fetched_at` is used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub trouble: Option<String>,
        /// How many templates it has.
        pub templates: u32,
        /// How many of them nobody has trusted as they are.
        pub untrusted: u32,
        /// Files that could have been templates and are left out, at most fifty of them.
        pub skipped: Vec<TemplateSkipped>,
    }
}

wire! {
    /// A file that is left out.
    pub struct TemplateSkipped {
        /// Where it is; what cannot be shown is replaced.
        pub path: String,
        /// Why.
        pub why: String,
    }
}

wire! {
    /// Body of `template_source_create`.
    #[serde(deny_unknown_fields)]
    pub struct TemplateSourceCreate {
        /// A short id, which templates are named by.
        pub id: TemplateSourceId,
        /// An https, ssh, git or file address, or a path on the hub's machine.
        #[cfg_attr(feature = "schema", schema(max_length = 2000))]
        pub url: String,
        /// Branch, tag or commit; `main` when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(max_length = 240))]
        pub default_ref: Option<String>,
        /// Trust what it has when it is first fetched, unseen. What changes later has to be trusted
        /// again.
        #[serde(default)]
        pub trusted: bool,
    }
}

wire! {
    /// Body of `template_source_sync`.
    #[derive(Default)]
    #[serde(deny_unknown_fields)]
    pub struct TemplateSourceSync {
        /// Take what the source has although its history was rewritten.
        #[serde(default)]
        pub rewritten: bool,
    }
}

wire! {
    /// Body of `template_source_trust`.
    #[serde(deny_unknown_fields)]
    pub struct TemplateSourceTrust {
        /// The commit whose files are trusted: the present one, as it was looked at.
        #[cfg_attr(feature = "schema", schema(max_length = 64))]
        pub commit: String,
    }
}

words! {
    /// Whether somebody has looked at a template and trusts it.
    pub enum TemplateTrust {
        /// As it is.
        Trusted = "trusted",
        /// As it was; it has changed since.
        Changed = "changed",
        /// Nobody has.
        Untrusted = "untrusted",
    }
}

wire! {
    /// A template, as lists have it.
    pub struct Template {
        /// Its name: `source:path`.
        pub template: String,
        /// The source it is from.
        pub source: TemplateSourceId,
        /// The file, relative to the source's root.
        pub path: String,
        /// Its title, or the file's name.
        pub title: String,
        /// What it is for, in a line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub summary: Option<String>,
        /// SHA-256 of the file: what trust is in.
        pub sha256: String,
        /// git's name of the file's content.
        pub blob: String,
        /// Bytes.
        pub size: u32,
        /// Whether somebody trusts it.
        pub trust: TemplateTrust,
        /// What in it deserves a look.
        pub warnings: Vec<TemplateWarning>,
    }
}

words! {
    /// What in a template deserves a look.
    pub enum TemplateWarningKind {
        /// It is long.
        Large = "large",
        /// Characters that turn the direction of writing.
        Bidi = "bidi",
        /// Characters that are not seen.
        Invisible = "invisible",
        /// An HTML comment.
        HtmlComment = "html_comment",
        /// A long encoded piece.
        Encoded = "encoded",
        /// A shell command in the frontmatter.
        Shell = "shell",
        /// Fields a template may not set; they are left out.
        Dropped = "dropped",
        /// No ticket can be made of it.
        Unreadable = "unreadable",
    }
}

wire! {
    /// Something in a template that deserves a look. It only warns; trust decides.
    pub struct TemplateWarning {
        /// What it is.
        pub kind: TemplateWarningKind,
        /// The first line it is in, from 1; 0 for the whole file.
        pub line: u32,
        /// How often it is there.
        pub count: u32,
        /// For people.
        pub message: String,
    }
}

wire! {
    /// A template with its text.
    pub struct TemplateText {
        /// The template.
        pub template: Template,
        /// The commit it is of.
        pub commit: String,
        /// When the source last answered.
        pub fetched_at: Timestamp,
        /// Why the source could not be fetched the last time: this is a copy from before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub trouble: Option<String>,
        /// The whole file as it is.
        pub content: String,
        /// The part of it that becomes the ticket's body.
        pub body: String,
        /// The goal the ticket gets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub goal: Option<String>,
        /// The files of the tree that the ticket's prompt will hold.
        pub context: Vec<String>,
        /// When it is `changed`: how it differs from what was trusted last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub changes: Option<Vec<DiffLine>>,
    }
}

wire! {
    /// Body of `template_trust`.
    #[serde(deny_unknown_fields)]
    pub struct TemplateTrusted {
        /// Its name: `source:path`, or `source:path@ref`.
        #[cfg_attr(feature = "schema", schema(max_length = 1000))]
        pub template: String,
        /// SHA-256 of the file that was looked at.
        #[cfg_attr(feature = "schema", schema(max_length = 64))]
        pub sha256: String,
    }
}

wire! {
    /// Body of `template_untrust`.
    #[serde(deny_unknown_fields)]
    pub struct TemplateUntrusted {
        /// Its name: `source:path`.
        #[cfg_attr(feature = "schema", schema(max_length = 1000))]
        pub template: String,
    }
}

wire! {
    /// Body of `template_apply`.
    #[serde(deny_unknown_fields)]
    pub struct TemplateApply {
        /// Its name: `source:path`, or `source:path@ref`.
        #[cfg_attr(feature = "schema", schema(max_length = 1000))]
        pub template: String,
        /// SHA-256 of the file, for a template nobody trusts: whoever names it has looked at it.
        /// Agents cannot.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(max_length = 64))]
        pub accept_sha256: Option<String>,
        /// Title of the ticket; the template's when absent.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(max_length = 500, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"))]
        pub title: Option<String>,
        /// Who works it; the hub's default agent when absent.
        #[serde(default)]
        pub agent: Option<String>,
        /// Verification commands; a template brings none of its own.
        #[serde(default)]
        pub verify: Vec<String>,
        /// Number to take; the next free one when absent. A taken number moves the rest on.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 9_007_199_254_740_991_i64))]
        pub at: Option<u64>,
    }
}
