//! Puts the original into `.tools/car-<version>` with pip.

use std::{path::Path, process::Command};

use crate::{
    Outcome,
    subject::{ORIGINALS, Subject, quiet},
};

/// The subjects that can be measured here, the hub first.
pub(crate) fn subjects(workspace: &Path, programs: &Path) -> Vec<Subject> {
    let mut subjects = vec![Subject::Hub { programs: programs.to_owned() }];
    for (version, name) in ORIGINALS {
        let dir = workspace.join(".tools").join(format!("car-{version}"));
        let car = dir.join("bin/car");
        if !car.is_file()
            && let Err(error) = install(&dir, version)
        {
            println!("{name} is not measured: it cannot be installed by pip ({error})");
            continue;
        }
        subjects.push(Subject::Original { name, car });
    }
    subjects
}

fn install(dir: &Path, version: &str) -> Outcome<()> {
    println!("installing CAR {version} into {}", dir.display());
    quiet(Command::new("python3").args(["-m", "venv"]).arg(dir))?;
    quiet(
        Command::new(dir.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--timeout", "20"])
            .arg(format!("codex-autorunner=={version}")),
    )
}
