//! What can be mended without losing anything.

use std::{fs, os::unix::fs::PermissionsExt};

use car_files::{CAR_DIR, hub_root};

use super::{Place, is_idle, machine, private};
use crate::orphan;

/// Mends what is safe to mend and says what was done.
pub async fn mend(place: &Place) -> Vec<String> {
    let mut done = Vec::new();
    let hub = place.root.join(CAR_DIR);
    for path in private(&hub) {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        if fs::set_permissions(&path, fs::Permissions::from_mode(mode)).is_ok() {
            done.push(format!("{} is its owner's alone now", path.display()));
        }
    }
    if car_backup::clear_halves(&place.backup.dir).is_err() {
        done.push(format!("{} cannot be cleared", place.backup.dir.display()));
    }
    // Nobody else acts on the hub while this is done.
    if !is_idle(&place.root) {
        return done;
    }
    if matches!(hub_root::read_endpoint(&place.root), Ok(Some(_)))
        && hub_root::remove_endpoint(&place.root).is_ok()
    {
        done.push("hub_endpoint.json of a hub that is gone was removed".to_owned());
    }
    for one in machine::alive(&place.root).await {
        if !one.owned && orphan::end(&one.dir).await {
            done.push(format!("the agent of {} was ended", one.dir.display()));
        }
    }
    done
}
