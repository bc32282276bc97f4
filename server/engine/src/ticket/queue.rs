//! The order of tickets: their names, their numbers, and plans that change them.

use std::collections::BTreeSet;

/// The rule for names, as it is told to people.
pub const NAME_RULE: &str =
    "Rename the file to `TICKET-` with at least three digits and `.md`, as in TICKET-001-title.md.";

/// What a file in a tickets directory is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A ticket.
    Ticket(TicketName),
    /// A file that belongs there without being a ticket, or an editor's scratch file.
    Ignored,
    /// A file that does not belong there: reported, so that a misspelt ticket is not overlooked.
    Foreign,
}

/// A ticket's file name in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketName {
    /// The place in the queue.
    pub number: u64,
    prefix: String,
    width: usize,
    suffix: String,
}

impl TicketName {
    /// The plain name of number `number`: `TICKET-007.md`.
    #[must_use]
    pub fn plain(number: u64) -> String {
        format!("TICKET-{number:03}.md")
    }

    /// The same name with another number; width, suffix and case stay.
    #[must_use]
    pub fn with_number(&self, number: u64) -> String {
        format!("{}{number:0width$}{}", self.prefix, self.suffix, width = self.width)
    }
}

/// Sorts a name into its kind. Case does not matter; the number must fit 64 bits.
#[must_use]
pub fn classify(name: &str) -> Name {
    if let Some(ticket) = ticket_name(name) {
        return Name::Ticket(ticket);
    }
    let is_scratch = name.starts_with('.')
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
        || [".swp", ".swo", ".swx", ".tmp"].iter().any(|end| name.ends_with(end));
    if is_scratch || matches!(name, "AGENTS.md" | "ingest_state.json") {
        Name::Ignored
    } else {
        Name::Foreign
    }
}

fn ticket_name(name: &str) -> Option<TicketName> {
    const PREFIX: usize = "TICKET-".len();
    let prefix = name.get(..PREFIX).filter(|prefix| prefix.eq_ignore_ascii_case("TICKET-"))?;
    let rest = name.get(PREFIX..)?;
    let width = rest.bytes().take_while(u8::is_ascii_digit).count();
    let suffix = rest.get(width..)?;
    let extension = suffix.get(suffix.len().checked_sub(3)?..)?;
    let well_formed = width >= 3
        && extension.eq_ignore_ascii_case(".md")
        && !suffix.contains(['/', '\n', '\r', '\0']);
    let number = rest.get(..width)?.parse().ok().filter(|_| well_formed)?;
    Some(TicketName { number, prefix: prefix.to_owned(), width, suffix: suffix.to_owned() })
}

/// One file that gets another name in the same directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The name it has.
    pub from: String,
    /// The name it gets. Another file may have that name until it is renamed itself, so a plan is
    /// carried out in two phases.
    pub to: String,
}

/// Why a plan cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two files share a number, so "the ticket with that number" means nothing.
    #[error("rename one of `{first}` and `{second}` first: they share a number")]
    Duplicate {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// No ticket has the number.
    #[error("there is no ticket {number:03}: choose the number of an existing ticket")]
    NotFound {
        /// The number asked for.
        number: u64,
    },
    /// The range is empty or the target is outside the queue.
    #[error("choose a range that starts before it ends and a target from 1 to {last}")]
    OutOfRange {
        /// The last position that can be a target.
        last: u64,
    },
    /// A number would not fit.
    #[error("the numbers would become too large: renumber the queue first")]
    TooLarge,
}

/// The tickets among `names`, lowest number first; equal numbers in the order of their names.
#[must_use]
pub fn sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(TicketName, &'a str)> {
    let mut tickets: Vec<_> = names
        .into_iter()
        .filter_map(|name| match classify(name) {
            Name::Ticket(ticket) => Some((ticket, name)),
            Name::Ignored | Name::Foreign => None,
        })
        .collect();
    tickets.sort_by(|(a, a_name), (b, b_name)| (a.number, a_name).cmp(&(b.number, b_name)));
    tickets
}

/// The lowest number, from 1, that no name uses.
#[must_use]
pub fn lowest_free<'a>(names: impl IntoIterator<Item = &'a str>) -> u64 {
    let used: BTreeSet<u64> = sorted(names).into_iter().map(|(ticket, _)| ticket.number).collect();
    (1..).find(|number| !used.contains(number)).unwrap_or(u64::MAX)
}

/// The number behind the highest in use.
#[must_use]
pub fn next_after_last<'a>(names: impl IntoIterator<Item = &'a str>) -> u64 {
    sorted(names).last().map_or(1, |(ticket, _)| ticket.number.saturating_add(1))
}

/// Makes room for `count` tickets in front of number `before`: it and all later ones move up.
///
/// # Errors
/// [`PlanError`] when the queue has duplicates, nothing has a number from `before` on, or the
/// numbers would overflow.
pub fn insert_gap(names: &[&str], before: u64, count: u64) -> Result<Vec<Rename>, PlanError> {
    let tickets = unique(names)?;
    if !tickets.iter().any(|(ticket, _)| ticket.number >= before) {
        return Err(PlanError::NotFound { number: before });
    }
    let later = tickets.iter().filter(|(ticket, _)| ticket.number >= before);
    later
        .map(|(ticket, name)| {
            let number = ticket.number.checked_add(count).ok_or(PlanError::TooLarge)?;
            Ok(Rename { from: (*name).to_owned(), to: ticket.with_number(number) })
        })
        .filter(|rename| rename.as_ref().map_or(true, |rename| rename.from != rename.to))
        .collect()
}

/// Frees number `at`: the ticket there moves up by one, and those directly behind it as far as
/// they are in the way. Tickets behind a gap stay where they are.
///
/// # Errors
/// [`PlanError`] when the queue has duplicates or a number would overflow.
pub fn make_room(names: &[&str], at: u64) -> Result<Vec<Rename>, PlanError> {
    room(&unique(names)?, at)
}

/// Gives ticket `from` the number `to`; tickets in the way move up as in [`make_room`].
///
/// # Errors
/// [`PlanError`] when the queue has duplicates, `from` does not exist, or a number is 0 or would
/// overflow.
pub fn move_to(names: &[&str], from: u64, to: u64) -> Result<Vec<Rename>, PlanError> {
    let mut tickets = unique(names)?;
    let Some(index) = tickets.iter().position(|(ticket, _)| ticket.number == from) else {
        return Err(PlanError::NotFound { number: from });
    };
    if to == 0 {
        return Err(PlanError::OutOfRange { last: u64::MAX });
    }
    if from == to {
        return Ok(Vec::new());
    }
    let (ticket, name) = tickets.remove(index);
    let mut plan = room(&tickets, to)?;
    plan.push(Rename { from: name.to_owned(), to: ticket.with_number(to) });
    Ok(plan)
}

fn room(tickets: &[(TicketName, &str)], at: u64) -> Result<Vec<Rename>, PlanError> {
    let mut wanted = at;
    let mut plan = Vec::new();
    for (ticket, name) in tickets.iter().filter(|(ticket, _)| ticket.number >= at) {
        if ticket.number != wanted {
            break;
        }
        wanted = wanted.checked_add(1).ok_or(PlanError::TooLarge)?;
        plan.push(Rename { from: (*name).to_owned(), to: ticket.with_number(wanted) });
    }
    Ok(plan)
}

/// Numbers the queue 1, 2, 3, … in its present order.
///
/// # Errors
/// [`PlanError::Duplicate`] when two tickets share a number.
pub fn renumber(names: &[&str]) -> Result<Vec<Rename>, PlanError> {
    Ok(numbered(&unique(names)?))
}

/// Moves the tickets numbered `start` to `end` so that the first of them is at position `to`
/// among the others, and numbers the whole queue 1, 2, 3, … as CAR's ticket tool does.
///
/// # Errors
/// [`PlanError`] when the queue has duplicates, `start` does not exist, or the range or the target
/// makes no sense.
pub fn move_block(names: &[&str], start: u64, end: u64, to: u64) -> Result<Vec<Rename>, PlanError> {
    let tickets = unique(names)?;
    if !tickets.iter().any(|(ticket, _)| ticket.number == start) {
        return Err(PlanError::NotFound { number: start });
    }
    let (block, mut rest): (Vec<_>, Vec<_>) =
        tickets.into_iter().partition(|(ticket, _)| (start..=end).contains(&ticket.number));
    let last = u64::try_from(rest.len()).unwrap_or(u64::MAX).saturating_add(1);
    let at = to.checked_sub(1).and_then(|at| usize::try_from(at).ok());
    match at.filter(|at| *at <= rest.len() && !block.is_empty()) {
        None => Err(PlanError::OutOfRange { last }),
        Some(at) => {
            rest.splice(at..at, block);
            Ok(numbered(&rest))
        }
    }
}

fn unique<'a>(names: &[&'a str]) -> Result<Vec<(TicketName, &'a str)>, PlanError> {
    let tickets = sorted(names.iter().copied());
    let clash = tickets.windows(2).find_map(|pair| match pair {
        [(a, first), (b, second)] if a.number == b.number => Some((first, second)),
        _ => None,
    });
    match clash {
        Some((first, second)) => {
            Err(PlanError::Duplicate { first: (*first).to_owned(), second: (*second).to_owned() })
        }
        None => Ok(tickets),
    }
}

fn numbered(tickets: &[(TicketName, &str)]) -> Vec<Rename> {
    tickets
        .iter()
        .zip(1..)
        .map(|((ticket, name), number)| Rename {
            from: (*name).to_owned(),
            to: ticket.with_number(number),
        })
        .filter(|rename| rename.from != rename.to)
        .collect()
}
