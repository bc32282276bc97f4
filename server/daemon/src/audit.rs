//! `car-hub audit …`: the audit chain, read from the database without serving the hub.

use std::{io, path::Path, process::ExitCode};

use car_api::audit::AuditHead;

use crate::{program::Error, program::say, serve};

/// Walks the chain; fails when it is not as it was written.
pub(crate) fn verify(root: &Path, since_head: Option<&str>) -> Result<ExitCode, Error> {
    let kept = since_head.map(head).transpose()?;
    let report = serve::runtime()?.block_on(car_hub::verify_audit(root, kept.as_ref()))?;
    if let Some(broken) = report.broken {
        say(format_args!("BROKEN at line {}: {}", broken.seq, broken.detail));
        return Ok(ExitCode::FAILURE);
    }
    say(format_args!(
        "{} lines, whole; head {}:{}",
        report.lines, report.head.seq, report.head.hash
    ));
    Ok(ExitCode::SUCCESS)
}

fn head(text: &str) -> Result<AuditHead, Error> {
    let parts = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)));
    let (seq, hash) = parts.ok_or_else(|| {
        Error::file("--since-head", io::Error::other("give it as SEQ:HASH (`car audit head`)"))
    })?;
    Ok(AuditHead { seq, hash: hash.to_owned() })
}
