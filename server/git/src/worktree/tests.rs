use super::*;
use proptest::prelude::*;

const OID: &str = "1f7391f92b6a3792204e07e99f71f643cc35e7e1";

#[test]
fn worktrees_are_read() {
    let text = format!(
        "worktree /a b\0HEAD {OID}\0branch refs/heads/feat/x\0\0worktree /c\nd\0HEAD {OID}\0detached\0locked on a stick\0prunable gone\0\0worktree /e\0HEAD {}\0branch refs/heads/main\0future x\0locked\0\0worktree /f\0bare\0\0",
        "0".repeat(40)
    );
    let want = vec![
        Worktree {
            path: "/a b".into(),
            head: Oid::parse(OID),
            branch: Some("feat/x".into()),
            ..Worktree::default()
        },
        Worktree {
            path: "/c\nd".into(),
            head: Oid::parse(OID),
            detached: true,
            locked: Some("on a stick".into()),
            prunable: Some("gone".into()),
            ..Worktree::default()
        },
        Worktree {
            path: "/e".into(),
            branch: Some("main".into()),
            locked: Some(String::new()),
            ..Worktree::default()
        },
        Worktree { path: "/f".into(), bare: true, ..Worktree::default() },
    ];
    assert_eq!(parse_worktrees(text.as_bytes()), want);
}

#[test]
fn branch_names() {
    for good in ["main", "feat/x", "a.b", "ü", "a@b", "x{y}", "feat-1"] {
        assert!(check_branch_name(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "-x",
        "--upload-pack=x",
        "a b",
        "a..b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "x/.a",
        "a.lock",
        "a.lock/b",
        "a.",
        "@",
        "a@{1}",
        "HEAD",
        "a\nb",
        "a\u{7f}",
        "a\0b",
    ] {
        assert!(check_branch_name(bad).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn parsing_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_worktrees(&bytes);
    }
}
