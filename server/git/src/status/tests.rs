use super::*;
use proptest::prelude::*;

const OID: &str = "1f7391f92b6a3792204e07e99f71f643cc35e7e1";

fn parse(text: &str) -> Result<Status, String> {
    parse_status(text.as_bytes())
}

#[test]
fn headers() {
    let text = format!(
        "# branch.oid {OID}\0# branch.head feat/x\0# branch.upstream origin/main\0# branch.ab +2 -1\0# new.header y\0"
    );
    let want = Status {
        branch: Some("feat/x".into()),
        head: Oid::parse(OID),
        upstream: Some("origin/main".into()),
        ahead: Some(2),
        behind: Some(1),
        ..Status::default()
    };
    assert_eq!(parse(&text), Ok(want));
    let unborn = parse("# branch.oid (initial)\0# branch.head main\0").unwrap();
    assert!(unborn.is_unborn() && unborn.is_clean());
    assert!(parse(&format!("# branch.oid {OID}\0# branch.head (detached)\0")).unwrap().detached);
}

#[test]
fn entries() {
    let text = format!(
        "1 .M N... 100644 100644 100644 {OID} {OID} a b\0\
         1 A. SC.U 000000 160000 160000 {OID} {OID} sub\0\
         2 R. N... 100644 100644 100644 {OID} {OID} R100 new name\0old name\0\
         u UU N... 100644 100644 100644 100644 {OID} {OID} {OID} c\nd\0\
         ? -u\0! target/\0"
    );
    let want = vec![
        Entry::Changed {
            path: "a b".into(),
            staged: Change::Unchanged,
            unstaged: Change::Modified,
            submodule: None,
        },
        Entry::Changed {
            path: "sub".into(),
            staged: Change::Added,
            unstaged: Change::Unchanged,
            submodule: Some(SubmoduleState {
                commit_changed: true,
                modified: false,
                untracked: true,
            }),
        },
        Entry::Renamed {
            path: "new name".into(),
            from: "old name".into(),
            staged: Change::Renamed,
            unstaged: Change::Unchanged,
        },
        Entry::Unmerged { path: "c\nd".into() },
        Entry::Untracked { path: "-u".into() },
        Entry::Ignored { path: "target/".into() },
    ];
    assert_eq!(parse(&text).unwrap().entries, want);
}

#[test]
fn broken_records_are_errors_that_show_the_record() {
    for text in [
        "x y\0",
        "1 .M N...\0",
        "1 ZZ N... 1 1 1 a b path\0",
        "2 R. N... 1 1 1 a b R1 x",
        "1 .M N... 1 1 1 a b \0",
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with("status record"), "{text:?}: {error}");
    }
}

#[test]
fn excluding_a_prefix_compares_whole_components() {
    let text = "? .codex-autorunner/tickets/a\0? .codex-autorunner2\0";
    let left = parse(text).unwrap().excluding(".codex-autorunner");
    assert_eq!(left.entries, [Entry::Untracked { path: ".codex-autorunner2".into() }]);
}

proptest! {
    #[test]
    fn parsing_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_status(&bytes);
    }

    #[test]
    fn parsing_is_total_near_the_format(text in "([12u?!#] [.MADRTU]{0,3} ?[NS][.CMU]{0,4} ?[0-9a-f ]{0,60}[a-z /]{0,9}\0?){0,5}") {
        let _ = parse_status(text.as_bytes());
    }

    #[test]
    fn any_untracked_name_survives(name in proptest::collection::vec(1u8.., 1..80)) {
        let mut record = b"? ".to_vec();
        record.extend(&name);
        record.push(0);
        let status = parse_status(&record).unwrap();
        prop_assert_eq!(status.entries, vec![Entry::Untracked { path: path_of(&name) }]);
    }
}
