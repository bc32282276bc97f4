//! The parts of Codex's messages the hub looks at. Every other member is ignored, every member may
//! be missing: a newer Codex that adds words must not break a hub.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Any message, either way.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    /// Of a request, or of the request that is answered. Numbers and texts are both in use; 0 is
    /// one of them.
    #[serde(default, borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) method: Option<String>,
    #[serde(default, borrow)]
    pub(super) params: Option<&'a RawValue>,
    #[serde(default, borrow)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) error: Option<RpcError>,
    /// When Codex wrote a notification, in milliseconds since the epoch.
    #[serde(default, rename = "emittedAtMs")]
    pub(super) emitted_at_ms: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RpcError {
    #[serde(default)]
    pub(super) message: String,
}

/// Declares what is read of a message: a missing member and a `null` are the member's default.
macro_rules! lenient {
    ($($(#[$meta:meta])* struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        pub(super) struct $name {
            $($(#[$field_meta])* #[serde(deserialize_with = "or_default")] pub(super) $field: $type,)*
        }
    )*};
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

lenient! {
    /// What the hub's own requests say, seen again in the journal.
    struct Sent {
        thread_id: Option<String>,
        turn_id: Option<String>,
        client_user_message_id: Option<String>,
    }

    struct Initialized {
        /// `<client>/<version> (<system>) …`
        user_agent: String,
    }

    struct AccountRead {
        account: Option<Account>,
        requires_openai_auth: bool,
    }

    struct Account {
        #[serde(rename = "type")]
        kind: String,
        plan_type: Option<String>,
        email: Option<String>,
    }

    struct ModelList {
        data: Vec<Model>,
        next_cursor: Option<String>,
    }

    struct Model {
        id: String,
        model: String,
        display_name: String,
        hidden: bool,
        is_default: bool,
        supported_reasoning_efforts: Vec<Effort>,
    }

    struct Effort {
        reasoning_effort: String,
    }

    struct ThreadOpened {
        thread: Thread,
        model: Option<String>,
    }

    struct Thread {
        id: String,
    }

    /// Answer to `turn/start` and parameters of `turn/started` and `turn/completed`.
    struct TurnNews {
        thread_id: String,
        turn: Turn,
    }

    struct Turn {
        id: String,
        status: String,
        items: Vec<Box<RawValue>>,
        error: Option<TurnError>,
    }

    struct TurnError {
        message: String,
        /// A word, or an object with one member that holds `httpStatusCode`.
        codex_error_info: Option<serde_json::Value>,
        additional_details: Option<String>,
    }

    struct ErrorNews {
        thread_id: String,
        error: TurnError,
        will_retry: bool,
    }

    struct ItemNews {
        thread_id: String,
        item: Item,
    }

    struct Item {
        #[serde(rename = "type")]
        kind: String,
        id: String,
        status: Option<String>,
        text: String,
        summary: Vec<String>,
        command: String,
        cwd: String,
        aggregated_output: Option<String>,
        exit_code: Option<i32>,
        duration_ms: Option<i64>,
        changes: Vec<Change>,
        server: Option<String>,
        tool: Option<String>,
        query: Option<String>,
        path: Option<String>,
        review: Option<String>,
        prompt: Option<String>,
        arguments: Option<Box<RawValue>>,
        error: Option<Box<RawValue>>,
    }

    struct Change {
        path: String,
        kind: ChangeKind,
        diff: String,
    }

    struct ChangeKind {
        #[serde(rename = "type")]
        kind: String,
    }

    struct DeltaNews {
        thread_id: String,
        item_id: String,
        delta: String,
        summary_index: u32,
    }

    struct PlanNews {
        thread_id: String,
        plan: Vec<PlanStep>,
    }

    struct PlanStep {
        step: String,
        status: String,
    }

    struct UsageNews {
        thread_id: String,
        token_usage: TokenUsage,
    }

    struct TokenUsage {
        total: Tokens,
    }

    struct Tokens {
        input_tokens: i64,
        cached_input_tokens: i64,
        output_tokens: i64,
        reasoning_output_tokens: i64,
    }

    struct LimitsNews {
        rate_limits: RateLimits,
    }

    struct RateLimits {
        limit_id: Option<String>,
        primary: Option<Window>,
        secondary: Option<Window>,
    }

    struct Window {
        used_percent: f64,
        window_duration_mins: Option<i64>,
        /// Seconds since the epoch.
        resets_at: Option<i64>,
    }

    struct Resolved {
        request_id: Option<Box<RawValue>>,
    }

    /// Parameters of every request Codex makes of its client.
    struct Ask {
        turn_id: Option<String>,
        item_id: Option<String>,
        reason: Option<String>,
        command: Option<String>,
        cwd: Option<String>,
        questions: Vec<AskedText>,
    }

    struct AskedText {
        id: String,
        question: String,
    }

    /// A note for people: `warning`, `configWarning`, `deprecationNotice`.
    struct Note {
        message: Option<String>,
        summary: Option<String>,
    }
}
