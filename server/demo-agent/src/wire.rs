//! Messages to the client: one JSON object a line, several threads writing.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

/// The client's end.
#[derive(Clone)]
pub(crate) struct Client(Arc<Mutex<Box<dyn Write + Send>>>);

impl Client {
    pub(crate) fn new(stdout: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(stdout))))
    }

    pub(crate) fn result(&self, id: &Value, result: Value) {
        self.line(&json!({ "id": id, "result": result }));
    }

    pub(crate) fn error(&self, id: &Value, message: &str) {
        self.line(&json!({ "id": id, "error": { "code": -32600, "message": message } }));
    }

    pub(crate) fn notify(&self, method: &str, params: Value) {
        self.line(&json!({ "method": method, "params": params, "emittedAtMs": now_millis() }));
    }

    pub(crate) fn ask(&self, id: u64, method: &str, params: Value) {
        self.line(&json!({ "method": method, "id": id, "params": params }));
    }

    /// A client that is gone takes nothing any more; its end shows itself on the other pipe.
    fn line(&self, message: &Value) {
        let mut text = message.to_string();
        text.push('\n');
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A new identifier, in the shape of a UUID of version 7.
pub(crate) fn new_id() -> String {
    use std::io::Read;
    let mut bytes = [0_u8; 16];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut bytes));
    if read.is_err() {
        // Still unique among the ids of this machine.
        bytes[8..12].copy_from_slice(&std::process::id().to_be_bytes());
        bytes[12..]
            .copy_from_slice(&std::time::Instant::now().elapsed().subsec_nanos().to_be_bytes());
    }
    bytes[..6].copy_from_slice(&now_millis().to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}
