//! Files that a program wrote: whoever reviews a change looks at them last.

/// Names that are lock files of package managers.
const LOCKS: [&str; 23] = [
    "bun.lock",
    "bun.lockb",
    "cargo.lock",
    "composer.lock",
    "deno.lock",
    "flake.lock",
    "gemfile.lock",
    "go.sum",
    "go.work.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "package.resolved",
    "pdm.lock",
    "pipfile.lock",
    "pnpm-lock.yaml",
    "podfile.lock",
    "poetry.lock",
    "pubspec.lock",
    ".terraform.lock.hcl",
    "uv.lock",
    "yarn.lock",
];

/// Ends of names that programs give.
const ENDS: [&str; 13] = [
    ".min.js",
    ".min.css",
    ".js.map",
    ".css.map",
    ".pb.go",
    "_pb2.py",
    "_pb2_grpc.py",
    ".pb.rs",
    ".g.dart",
    ".designer.cs",
    ".snap",
    ".generated.ts",
    "_generated.go",
];

/// Directories whose whole content programs write.
const DIRECTORIES: [&str; 6] =
    ["node_modules", "vendor", "__snapshots__", "dist", "__generated__", ".yarn"];

/// Whether a path's name says that a program wrote the file.
#[must_use]
pub fn is_generated(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    LOCKS.contains(&name.as_str())
        || ENDS.iter().any(|end| name.ends_with(end))
        || parts.any(|part| DIRECTORIES.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        for yes in [
            "Cargo.lock",
            "web/package-lock.json",
            "a/uv.lock",
            "a.min.js",
            "api/v1/x.pb.go",
            "node_modules/left-pad/index.js",
            "go.sum",
            "src/__snapshots__/a.txt",
        ] {
            assert!(is_generated(yes), "{yes}");
        }
        for no in ["src/lock.rs", "README.md", "dist.rs", "src/vendor.rs", "min.js", "", "a/lock"] {
            assert!(!is_generated(no), "{no}");
        }
    }
}
