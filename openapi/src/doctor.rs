//! What could keep a hub from working.

use crate::{wire, words};

wire! {
    /// What a look at the hub found.
    pub struct DoctorReport {
        /// Whether nothing stands in the way.
        pub ok: bool,
        /// What was looked at, in order.
        pub findings: Vec<Finding>,
    }
}

wire! {
    /// One thing that was looked at.
    pub struct Finding {
        /// What was looked at, in a word or two.
        pub check: String,
        /// How it is.
        pub level: Level,
        /// What was found.
        pub detail: String,
        /// Why it matters; absent when all is well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub why: Option<String>,
        /// The command, or the step, that mends it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub fix: Option<String>,
    }
}

words! {
    /// How one thing is.
    pub enum Level {
        /// Well.
        Ok = "ok",
        /// It works, but not for ever or not all of it.
        Warning = "warning",
        /// It stands in the way.
        Error = "error",
    }
}

impl Finding {
    /// Something that is well.
    #[must_use]
    pub fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        let (check, detail) = (check.into(), detail.into());
        Self { check, level: Level::Ok, detail, why: None, fix: None }
    }

    /// Something that will need a hand.
    #[must_use]
    pub fn warning(check: impl Into<String>, detail: impl Into<String>, why: &str) -> Self {
        Self { level: Level::Warning, why: Some(why.to_owned()), ..Self::ok(check, detail) }
    }

    /// Something that stands in the way.
    #[must_use]
    pub fn error(check: impl Into<String>, detail: impl Into<String>, why: &str) -> Self {
        Self { level: Level::Error, why: Some(why.to_owned()), ..Self::ok(check, detail) }
    }

    /// The same with what mends it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl DoctorReport {
    /// The report of these findings.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Self {
        let ok = findings.iter().all(|finding| finding.level != Level::Error);
        Self { ok, findings }
    }
}
