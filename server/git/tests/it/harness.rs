//! A temporary directory with a home of its own, and plain git to arrange and inspect.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use car_git::Git;

pub(crate) struct World {
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(world.path("home")).unwrap();
        let identity = "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n[protocol \"file\"]\nallow = always\n";
        std::fs::write(world.path("home/.gitconfig"), identity).unwrap();
        world
    }

    /// A world with a repository `base` of one commit: `a`, `dir/b`, `.gitignore`.
    pub(crate) fn with_base() -> Self {
        let world = Self::new();
        world.sh(
            ".",
            "git init -q base && cd base && mkdir dir && printf 'one\\ntwo\\n' >a && echo b >dir/b &&
             printf '*.log\\n.env\\ntarget/\\ncache/\\n' >.gitignore && git add . && git commit -qm first",
        );
        world
    }

    /// As `with_base`, with a remote that has everything and a linked worktree `wt` on `feat`.
    pub(crate) fn with_worktree() -> Self {
        let world = Self::with_base();
        world.sh(
            ".",
            "git clone -q --bare base remote.git && cd base && git remote add origin \"$PWD/../remote.git\" &&
             git fetch -q && git branch -q -u origin/main && git worktree add -q -b feat ../wt",
        );
        world
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(below)
    }

    pub(crate) fn git(&self, below: &str) -> Git {
        Git::at(self.path(below)).with_home(self.path("home"))
    }

    /// Runs a shell script, which must succeed, and returns what it prints.
    pub(crate) fn sh(&self, below: &str, script: &str) -> String {
        let output = Command::new("sh")
            .args(["-ec", script])
            .current_dir(self.path(below))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("LANG", "C.UTF-8")
            .env("GIT_EDITOR", ":")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\n{out}\n{err}");
        out.into_owned()
    }

    /// Every file below with its kind, executable bit and content; `.git` left out.
    pub(crate) fn files(&self, below: &str) -> BTreeMap<PathBuf, String> {
        let mut all = BTreeMap::new();
        collect(&self.path(below), Path::new(""), &mut all);
        all
    }

    /// What git says about a working tree and its index, in full.
    pub(crate) fn state(&self, below: &str) -> String {
        self.sh(
            below,
            "git status --porcelain=v2 --branch --ignored=matching -uall | grep -v '^# branch.ab' ; git ls-files -s -v ; git log -3 --format=%H 2>/dev/null || true",
        )
    }
}

fn collect(root: &Path, dir: &Path, all: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(root.join(dir)).unwrap() {
        let entry = entry.unwrap();
        let path = dir.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if entry.file_name() == ".git" && dir == Path::new("") {
        } else if kind.is_symlink() {
            all.insert(path, format!("-> {}", std::fs::read_link(entry.path()).unwrap().display()));
        } else if kind.is_dir() {
            collect(root, &path, all);
        } else {
            let executable = entry.metadata().unwrap().permissions().mode() & 0o111 != 0;
            let content =
                String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
            all.insert(path, format!("{executable} {content}"));
        }
    }
}
