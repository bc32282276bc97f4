//! More than any memory should hold. `CAR_SHIM_FLOOD_MIB` makes it as large as wanted.

use car_shim::EntryKind;

use crate::harness::{exit, next, script, segments, until};

const MAX: u64 = 4 << 20;

fn mebibytes() -> u64 {
    std::env::var("CAR_SHIM_FLOOD_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[tokio::test]
async fn a_flood_passes_in_bounded_memory_and_journal() {
    let bytes = mebibytes() << 20;
    let run =
        script(&format!("yes 0123456789abcdefghijklmnopqrstuvwxyz 0123456789 | head -c {bytes}"))
            .with(|options| options.journal_max = MAX)
            .start();
    let mut conn = run.attach(1).await;
    let mut seen = 0;
    let mut expected = 1;
    loop {
        let entry = next(&mut conn).await;
        assert_eq!(entry.n, expected);
        expected += 1;
        match entry.kind {
            EntryKind::Out(text) => seen += text.line.len() as u64 + 1,
            EntryKind::Exit(_) => break,
            EntryKind::Start { .. } | EntryKind::In(_) | EntryKind::Err(_) => {}
        }
        if expected % 10_000 == 0 {
            conn.control.ack(entry.n).await.unwrap();
            let size: u64 = segments(run.dir()).iter().map(|(_, bytes)| bytes).sum();
            assert!(size < 2 * MAX + (1 << 20), "{size}");
        }
    }
    // The last line may lack its line feed.
    assert!(seen == bytes || seen == bytes + 1, "{seen} of {bytes}");
    let peak = run.shim_memory("VmHWM");
    assert!(peak < 16 << 10, "{peak} KiB");
}

#[tokio::test]
async fn a_controller_that_does_not_read_delays_nobody() {
    let run = script("yes 0123456789 | head -c 2000000").start();
    let mut lazy = run.attach(1).await;
    let (_, agent) = run.processes();
    until("the agent ends", || !agent.is_alive()).await;
    let peak = run.shim_memory("VmHWM");
    assert!(peak < 16 << 10, "{peak} KiB");
    assert_eq!(exit(&mut lazy).await.code, Some(0));
}

#[tokio::test]
async fn an_endless_line_is_cut_and_its_length_is_told() {
    let bytes = mebibytes() << 20;
    let run = script(&format!("head -c {bytes} /dev/zero | tr '\\0' z; echo; echo after")).start();
    let mut conn = run.attach(2).await;
    let EntryKind::Out(long) = next(&mut conn).await.kind else { panic!("no line") };
    assert_eq!(long.cut, Some(bytes).filter(|bytes| *bytes > 16 << 20));
    assert_eq!(long.line.len() as u64, bytes.min(16 << 20));
    let EntryKind::Out(after) = next(&mut conn).await.kind else { panic!("no line") };
    assert_eq!((after.line.as_str(), after.cut), ("after", None));
    let peak = run.shim_memory("VmHWM");
    assert!(peak < 48 << 10, "{peak} KiB");
    let now = run.shim_memory("VmRSS");
    assert!(now < 12 << 10, "{now} KiB: the line's memory is given back");
}
