//! What is said when a shim cannot be started, and where it can.

use std::path::Path;

use car_shim::{Status, spawn};

use crate::harness::{SHIM, exit, next_out, script};

fn why(run: &crate::harness::Run) -> String {
    spawn(Path::new(SHIM), &run.options).unwrap_err().to_string()
}

#[tokio::test]
async fn a_failed_start_says_why_and_leaves_nothing() {
    let nothing = script("").with(|options| options.command = vec!["/no/such/agent".into()]);
    let text = why(&nothing);
    assert!(text.contains("/no/such/agent") && text.contains("No such file"), "{text}");
    assert!(matches!(car_shim::status(nothing.dir()), Ok(Status::Dead(None))));

    let not_a_program = script("").with(|options| options.command = vec!["/etc/passwd".into()]);
    assert!(why(&not_a_program).contains("Permission denied"));

    let nowhere = script("true").with(|options| options.cwd = Some("/no/such/place".into()));
    assert!(why(&nowhere).contains("start sh"));

    let unnamed = script("true").with(|options| options.id = "a/b".into());
    assert!(why(&unnamed).contains("--id needs"));
    assert!(!unnamed.dir().exists());
}

#[tokio::test]
async fn a_directory_serves_one_run() {
    let run = script("read x").start();
    assert!(why(&run).contains("already lives"), "{}", why(&run));
    let mut conn = run.attach(1).await;
    conn.control.send("end").await.unwrap();
    exit(&mut conn).await;
    conn.control.ack(3).await.unwrap();
    conn.control.leave().await.unwrap();
    crate::harness::until("the shim leaves", || !run.is_alive()).await;
    assert!(why(&run).contains("earlier run"), "{}", why(&run));
}

#[tokio::test]
async fn a_directory_may_be_far_deeper_than_a_socket_address() {
    let run = script("while read -r x; do echo \"<$x>\"; done").with(|options| {
        for _ in 0..10 {
            options.dir.push("d".repeat(200));
        }
    });
    let run = run.start();
    let mut conn = run.attach(1).await;
    conn.control.send("deep").await.unwrap();
    assert_eq!(next_out(&mut conn).await, "<deep>");
    assert!(run.is_alive());
}

/// Says which descriptors are open.
const OPEN: &str = "for f in /proc/$$/fd/*; do printf '%s ' ${f##*/}; done; echo";

#[tokio::test]
async fn the_agent_gets_its_directory_its_variables_and_its_marker() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let run = script(&format!("pwd; echo $COLOUR; echo $CAR_SHIM_ID; umask; {OPEN}"))
        .with(|options| {
            options.cwd = Some(place.clone());
            options.env.push(("COLOUR".into(), "blue = green".into()));
        })
        .start();
    let mut conn = run.attach(1).await;
    assert_eq!(next_out(&mut conn).await, place.to_str().unwrap());
    assert_eq!(next_out(&mut conn).await, "blue = green");
    assert!(next_out(&mut conn).await.ends_with(&run.options.id));
    let own = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(own);
    let umask = next_out(&mut conn).await;
    assert_eq!(u32::from_str_radix(&umask, 8).unwrap(), own.bits());
    let inherited = next_out(&mut conn).await;
    // Only what the test itself was given by whoever started it.
    let plain = std::process::Command::new("sh").args(["-c", OPEN]).output().unwrap();
    assert_eq!(inherited.trim(), String::from_utf8(plain.stdout).unwrap().trim());
    let (shim, _) = run.processes();
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", shim.pid)).unwrap();
    assert!(!arguments.contains("green"), "arguments are visible to all users");
}

#[tokio::test]
async fn only_this_user_can_read_what_is_carried() {
    use std::os::unix::fs::PermissionsExt;
    let run = script("read x").start();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(run.dir()), 0o700);
    for entry in std::fs::read_dir(run.dir()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
