//! What is said of a connection that comes and goes while a command follows the hub.

use crate::out::Out;

/// A followed connection, as its user was last told of it.
#[derive(Default)]
pub(crate) struct Connection {
    /// Why it is lost, as it was said.
    lost: Option<String>,
}

impl Connection {
    /// Says that it is lost, once for each reason and not at every try.
    pub(crate) fn lost(&mut self, out: &Out, reason: String) {
        if let Some(line) = self.news(reason) {
            out.note(&line);
        }
    }

    fn news(&mut self, reason: String) -> Option<String> {
        if self.lost.as_ref() == Some(&reason) {
            return None;
        }
        let line = format!("connection lost: {reason}");
        self.lost = Some(reason);
        Some(line)
    }

    /// Says that it is there again.
    pub(crate) fn back(&mut self, out: &Out) {
        self.lost = None;
        out.note("connected again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_said_once_until_the_connection_is_back() {
        let mut connection = Connection::default();
        let mut news = |reason: &str| connection.news(reason.to_owned());
        assert_eq!(news("it restarts").as_deref(), Some("connection lost: it restarts"));
        assert_eq!(news("no answer").as_deref(), Some("connection lost: no answer"));
        assert_eq!(news("no answer"), None);
        connection.lost = None;
        assert!(connection.news("no answer".to_owned()).is_some());
    }
}
