//! What can only be seen when all tickets of a directory are looked at together.

use super::issue::{Code, Issue};
use super::queue::{Name, classify};
use std::collections::BTreeMap;

/// A ticket of a directory, as far as the check needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The file's name.
    pub name: &'a str,
    /// Its own identity, if it has one.
    pub ticket_id: Option<&'a str>,
}

/// Finds numbers and identities used twice. Each clash gives one issue, which names every file of
/// it and is returned with the indices of those files in `tickets`.
#[must_use]
pub fn check_directory(tickets: &[Listed<'_>]) -> Vec<(Vec<usize>, Issue)> {
    let mut numbers: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut ids: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, ticket) in tickets.iter().enumerate() {
        if let Name::Ticket(name) = classify(ticket.name) {
            numbers.entry(name.number).or_default().push(index);
        }
        if let Some(id) = ticket.ticket_id {
            ids.entry(id).or_default().push(index);
        }
    }
    let names = |indices: &[usize]| {
        let mut names: Vec<&str> =
            indices.iter().filter_map(|index| tickets.get(*index)).map(|t| t.name).collect();
        names.sort_unstable();
        names.iter().map(|name| format!("`{}`", name.escape_debug())).collect::<Vec<_>>().join(", ")
    };
    let clashes = |(_, indices): &(String, Vec<usize>)| indices.len() > 1;
    let numbers = numbers.into_iter().map(|(n, i)| (format!("{n:03}"), i)).filter(clashes).map(
        |(number, indices)| {
            let message = format!(
                "Rename or remove one of {}: they share the number {number}.",
                names(&indices)
            );
            let issue = Issue::at_start(Code::NumberDuplicate, message);
            (indices, issue)
        },
    );
    let ids =
        ids.into_iter().map(|(id, i)| (id.to_owned(), i)).filter(clashes).map(|(id, indices)| {
            let message = format!(
                "Change or remove the `ticket_id` in one of {}: they share `{id}`.",
                names(&indices)
            );
            let issue = Issue::at_start(Code::TicketIdDuplicate, message);
            (indices, issue)
        });
    numbers.chain(ids).collect()
}
