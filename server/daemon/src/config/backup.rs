//! `backup:`

use std::path::{Path, PathBuf};

use car_hub::backup::{BackupConfig, default_dir};
use serde::{Deserialize, Serialize};

/// `backup:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    /// Whether the hub makes backups by itself.
    pub enabled: bool,
    /// Where they are, relative to the hub's root; `.codex-autorunner/backups` when absent.
    pub dir: Option<PathBuf>,
    /// Hours from one to the next.
    pub every_hours: u32,
    /// Of how many days the last one is kept.
    pub keep_daily: u32,
    /// Of how many weeks the last one is kept.
    pub keep_weekly: u32,
}

impl Default for Backup {
    fn default() -> Self {
        Self { enabled: true, dir: None, every_hours: 24, keep_daily: 7, keep_weekly: 4 }
    }
}

impl Backup {
    /// As the hub takes it.
    #[must_use]
    pub fn for_hub(&self, root: &Path) -> BackupConfig {
        BackupConfig {
            enabled: self.enabled,
            dir: self.dir.as_ref().map_or_else(|| default_dir(root), |dir| root.join(dir)),
            every_hours: self.every_hours,
            keep_daily: self.keep_daily,
            keep_weekly: self.keep_weekly,
        }
    }
}
