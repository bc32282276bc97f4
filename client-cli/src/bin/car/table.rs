//! Tables that fit the terminal: the widest columns give way first, and a cut cell says so.

use console::{Style, measure_text_width, truncate_str};

const GAP: usize = 2;
const NARROWEST: usize = 6;

/// Of a text this much is kept as long as a name is longer than twice that.
const READABLE: usize = 12;

/// Columns whose cells are arguments of other commands: they are cut last. A name that is cut can
/// still be given as it stands, with its `…`.
const NAMES: &[&str] = &[
    "REPO", "RUN", "JOB", "TOKEN", "AGENT", "SALVAGE", "WAS", "NAME", "MODEL", "TEMPLATE", "SOURCE",
];

/// Rows under headings.
pub(crate) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One cell.
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

/// What a cell's colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Busy,
    Waits,
    Bad,
    Dim,
}

impl Tone {
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => Style::new().green(),
            Self::Busy => Style::new().cyan(),
            Self::Waits => Style::new().yellow(),
            Self::Bad => Style::new().red(),
            Self::Dim => Style::new().dim(),
        }
    }
}

impl Cell {
    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        let text: String = text.into();
        // One line, and no escape sequences of a file's or an agent's choosing.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { text: text.chars().filter(|c| !c.is_control()).collect(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

impl Table {
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// The table as lines, none wider than `width`.
    pub(crate) fn render(&self, width: Option<usize>, colour: bool) -> String {
        let widths = self.widths(width);
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        let heads = self.heads.iter().map(|head| Cell::toned(*head, Tone::Dim)).collect::<Vec<_>>();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let text = truncate_str(&cell.text, *width, "…");
                let padding = width.saturating_sub(measure_text_width(&text)) + GAP;
                let style = cell.tone.style().force_styling(colour);
                line += &style.apply_to(text).to_string();
                line.extend(std::iter::repeat_n(' ', padding));
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heads.iter().map(|h| measure_text_width(h)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(measure_text_width(&cell.text));
            }
        }
        let Some(width) = width else { return widths };
        let room = width.saturating_sub(GAP * widths.len().saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let widest = |names: bool, floor: usize| {
                let columns = self.heads.iter().zip(&widths).enumerate().rev();
                columns
                    .filter(|(_, (head, width))| NAMES.contains(head) == names && **width > floor)
                    .max_by_key(|(_, (_, width))| **width)
                    .map(|(at, _)| at)
            };
            let next = widest(false, READABLE)
                .or_else(|| widest(true, 2 * READABLE))
                .or_else(|| widest(false, NARROWEST))
                .or_else(|| widest(true, NARROWEST));
            match next.and_then(|at| widths.get_mut(at)) {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["ID", "STATUS", "NOTE"]);
        table.row(["demo".into(), Cell::toned("running", Tone::Busy), "short".into()]);
        let long = "a note that is far too long\nfor a narrow terminal, with \u{1b}[31mtricks";
        table.row(["demo--feature-one".into(), "paused".into(), long.into()]);
        table
    }

    #[test]
    fn cells_are_cut_to_the_width_and_stay_on_their_line() {
        let expected = "\
ID                 STATUS   NOTE
demo               running  short
demo--feature-one  paused   a note that is far too…";
        assert_eq!(table().render(Some(51), false), expected);
    }

    #[test]
    fn names_are_cut_last() {
        let mut table = Table::new(&["REPO", "NOTE"]);
        table.row(["demo--feature-one".into(), "a note that is rather long".into()]);
        for (width, expected) in [
            (30, "demo--feature-one  a note tha…"),
            (26, "demo--feature-one  a note…"),
            (20, "demo--featu…  a not…"),
        ] {
            assert!(table.render(Some(width), false).ends_with(expected), "{width}");
        }
    }

    #[test]
    fn without_a_terminal_nothing_is_cut_and_nothing_coloured() {
        let text = table().render(None, false);
        assert!(text.ends_with("with [31mtricks"), "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(table().render(None, true).contains("\u{1b}[36mrunning\u{1b}[0m"));
    }

    #[test]
    fn lines_never_pass_the_width() {
        for width in 22..120 {
            for line in table().render(Some(width), false).lines() {
                assert!(measure_text_width(line) <= width, "{width}: {line}");
            }
        }
    }
}
