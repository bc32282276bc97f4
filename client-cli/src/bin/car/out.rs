//! What is printed and how: tables for people, JSON for programs, identifiers for scripts.

use std::io::{self, IsTerminal, Write};

use console::Style;
use serde::Serialize;

use crate::{
    args::Global,
    failure::Failure,
    table::{Table, Tone},
    wrap::wrap,
};

/// How this call prints.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    /// Columns of the terminal; none when the output is no terminal and nothing need be cut.
    pub(crate) width: Option<usize>,
    pub(crate) colour: bool,
    colour_on_stderr: bool,
    /// Columns of the terminal errors go to.
    pub(crate) stderr_width: Option<usize>,
}

impl Out {
    pub(crate) fn new(global: &Global) -> Self {
        let tty = io::stdout().is_terminal();
        // https://no-color.org: set and not empty means none.
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colours = !plain && !dumb;
        Self {
            json: global.json,
            quiet: global.quiet,
            width: tty.then(|| usize::from(console::Term::stdout().size().1)),
            colour: tty && colours,
            colour_on_stderr: colours && io::stderr().is_terminal(),
            stderr_width: io::stderr()
                .is_terminal()
                .then(|| usize::from(console::Term::stderr().size().1)),
        }
    }

    /// How a call prints whose words could not be read: `--json` may stand among them.
    pub(crate) fn of_words(words: &[std::ffi::OsString]) -> Self {
        let json = words.iter().take_while(|word| *word != "--").any(|word| word == "--json");
        Self::new(&Global { json, ..Global::default() })
    }

    #[cfg(test)]
    pub(crate) fn plain(width: usize) -> Self {
        let (json, quiet, colour, colour_on_stderr) = (false, false, false, false);
        let (width, stderr_width) = (Some(width), Some(width));
        Self { json, quiet, width, colour, colour_on_stderr, stderr_width }
    }

    /// Whether standard output is a terminal.
    pub(crate) fn is_tty(&self) -> bool {
        self.width.is_some()
    }

    /// Prints a value: as the API's JSON, as its identifier, or as text, whichever was asked for.
    pub(crate) fn show<T: Serialize>(
        &self,
        value: &T,
        id: impl FnOnce(&T) -> String,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return self.json(value);
        }
        let text = if self.quiet { id(value) } else { text(value) };
        self.line(&text)
    }

    /// The same for one thing's particulars: text whose lines are broken to fit the terminal.
    pub(crate) fn details<T: Serialize>(
        &self,
        value: &T,
        id: impl FnOnce(&T) -> String,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        self.show(value, id, |value| wrap(&text(value), self.width))
    }

    pub(crate) fn json<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// Prints a list the same three ways; `none` stands in for an empty table.
    pub(crate) fn list<T: Serialize>(
        &self,
        page: &car_api::Page<T>,
        id: impl Fn(&T) -> String,
        none: &str,
        table: impl FnOnce(&[T]) -> Table,
    ) -> Result<(), Failure> {
        let ids = |page: &car_api::Page<T>| -> String {
            page.items.iter().map(id).collect::<Vec<_>>().join("\n")
        };
        self.show(page, ids, |page| {
            if page.items.is_empty() {
                return none.to_owned();
            }
            table(&page.items).render(self.width, self.colour)
        })
    }

    /// Prints text and ends its line; nothing for an empty text.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }

    /// Prints bytes as they came.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()?;
        Ok(())
    }

    /// Whether there is somebody at a terminal who can answer, and wants to be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json && !self.quiet && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks whether to do what cannot be undone by a like command. Without a terminal nobody can
    /// answer, and the word has to be on the command line.
    pub(crate) fn confirm(&self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(Failure::Usage(format!(
                "{question} There is no terminal to ask at; say --yes"
            )));
        }
        eprint!("{question} [y/N] ");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::Usage("not done".to_owned()))
    }

    /// A remark beside the result, on standard error.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// Text in a colour that says how something stands.
    pub(crate) fn toned(&self, text: &str, tone: Tone) -> String {
        tone.style().force_styling(self.colour).apply_to(text).to_string()
    }

    pub(crate) fn red_on_stderr(&self, text: &str) -> String {
        Style::new().red().bold().force_styling(self.colour_on_stderr).apply_to(text).to_string()
    }
}
