// Written by web/test/types.js from openapi/openapi.json; `make fix` writes it again.

/** A token that soon runs out by itself; it is kept nowhere. */
export type AccessToken = {
  /** The secret, for `Authorization: Bearer`. */
  secret: string
  /** What it allows. */
  scopes: Array<Scope>
  /** When it stops working. */
  expires_at: Timestamp
}

/** What is known of the quota of an agent's account. */
export type AccountLine = {
  /** The account, as the agent names it. */
  account: string
  held_until?: Timestamp | null
  /** Its windows as last reported. */
  limits: Array<RateLimit>
}

/** Somebody who acts on the hub. */
export type Actor = {
  /** What kind of somebody. */
  kind: ActorKind
  /** Id of the credential, or of the run for an agent; `hub` for the hub itself. */
  id: string
  /** Its name, in the words of its owner. */
  name: string
}

/** What kind of somebody acts on the hub. */
export type ActorKind = "hub" | "token" | "device" | "agent" | "pma"

/** One agent the hub can drive, and what was found of it on this machine. */
export type Agent = {
  /** Its id in tickets. */
  id: AgentId
  /** Its name for people. */
  name: string
  /** Whether it can be used now, and if not, why. */
  availability: Availability
  /** Its version as it reports it. */
  version?: string | null
  /** The program that is started. */
  command: Array<string>
  /** The account or provider it would use, when known. */
  account?: string | null
  /** What to do when it is not available. */
  hint?: string | null
  /** What it can do. */
  capabilities: Array<Capability>
}

/** An agent of the registry, such as `codex`; `user` stands for a person. */
export type AgentId = string

/**
 * An amount of money: a whole number of millionths of a unit of the hub's currency, in the
 * database and in JSON. People read and write it as a decimal number: `1.25` is 1250000. It is
 * never a floating point number.
 */
export type Amount = number

/** A question of an agent that waits for a yes or a no. */
export type Approval = {
  /** The question's id. */
  id: ApprovalId
  /** What is asked for. */
  request: ApprovalRequest
  /** When it was asked. */
  asked_at: Timestamp
  decision?: Decision | null
}

/** Body of `approval_decide`. */
export type ApprovalDecide = {
  /** The answer. */
  decision: Decision
}

/** A question of an agent that waits for a yes or a no. */
export type ApprovalId = string

/** How much an agent may do without asking. */
export type ApprovalPolicy = "never" | "on_request" | "untrusted"

/** What an agent asks permission for. */
export type ApprovalRequest = {
  /** The command line. */
  command: string
  /** Where it would run. */
  cwd: string
  /** The agent's reason, if it gave one. */
  reason?: string | null
  type: "command"
} | {
  /** One entry a file. */
  changes: Array<FileChange>
  /** The agent's reason, if it gave one. */
  reason?: string | null
  type: "file_change"
} | {
  /** The agent's words. */
  detail: string
  type: "other"
}

/**
 * The kinds of recordings there are, by their media types: what browsers record, and what
 * other programs do.
 */
export type AudioKind = "audio/webm" | "audio/ogg" | "audio/mp4" | "audio/mpeg" | "audio/wav" | "audio/flac"

/** Where the audit chain is broken. */
export type AuditBreak = {
  /** Number of the line. */
  seq: number
  /** What is wrong with it. */
  detail: string
}

/**
 * The end of the audit chain. Whoever keeps one finds out later whether lines were cut off or
 * the chain was made anew: `audit_verify` with this number and hash.
 */
export type AuditHead = {
  /** Number of the last line; 0 when there is none. */
  seq: number
  /** Its hash; 64 zeros when there is none. */
  hash: string
}

/**
 * One line of the audit chain.
 *
 * `hash` is the SHA-256, in hex, of the line without `prev` and `hash` as canonical JSON
 * (RFC 8785), followed by `prev`, which is the `hash` of the line before; of the first line it
 * is 64 zeros.
 */
export type AuditLine = {
  /** Its number: 1, 2, 3, … without a gap. */
  seq: number
  /** When. */
  at: Timestamp
  /** Who. */
  actor: Actor
  /** Where the request says it came from, behind a proxy; nobody has checked that. */
  ip_claimed?: string | null
  /** What: an operation's id, or what the hub did by itself. */
  verb: string
  /** To what: an id or a name; empty when it is the hub. */
  object: string
  /** How it went. */
  outcome: Outcome
  /** More, where there is more to say. */
  detail?: string | null
  /** The hash of the line before. */
  prev: string
  /** The line's own hash. */
  hash: string
}

/** What a walk over the audit chain found. */
export type AuditReport = {
  /**
   * Whether every line is as it was written, none is missing, and the head that was asked
   * for is part of it.
   */
  ok: boolean
  /** How many lines were walked before the end or the first that is broken. */
  lines: number
  /** The end of the chain as it is now. */
  head: AuditHead
  broken?: AuditBreak | null
}

/** Whether an agent can be used. */
export type Availability = "ready" | "not_installed" | "logged_out" | "broken"

/** One backup: an archive in the hub's backup directory. */
export type Backup = {
  /** Its file name. */
  name: string
  /** Its size in bytes. */
  size: number
  /** When it was made. */
  created_at: Timestamp
  /** Whether the hub made it by itself; it goes when newer ones have taken its place. */
  scheduled: boolean
}

/** What a backup is to hold. */
export type BackupCreate = {
  /** What is left out of it. */
  leave_out?: Array<BackupPart>
}

/** What a backup can do without. */
export type BackupPart = "journals" | "salvage" | "archive"

/** How many messages a safety rule stopped. */
export type BlockedCount = {
  /** The rule. */
  rule: string
  /** Messages. */
  count: number
}

/** One file of a box. */
export type BoxFile = {
  /** The box. */
  box: FileBox
  /** Its name, a single path part. */
  name: BoxFileName
  /** Bytes. */
  size: number
  /** The media type, by its name. */
  media_type: string
  /** When it was last written. */
  modified_at: Timestamp
}

/** The name of a file in a box: one part of a path, not hidden, without control characters. */
export type BoxFileName = string

/**
 * The limits there are, and the body of `budgets_update`. What is absent has no limit. Money is
 * in millionths of the hub's currency; tokens without a price count for no limit of money.
 */
export type BudgetLimits = {
  /** What everything may cost in a day (`budget.day_cost`). */
  day_cost?: number | null
  /** Tokens everything may use in a day (`budget.day_tokens`). */
  day_tokens?: number | null
  /** What a repo with its worktrees may cost in a day (`budget.repo_day_cost`). */
  repo_day_cost?: number | null
  /** Tokens a repo with its worktrees may use in a day (`budget.repo_day_tokens`). */
  repo_day_tokens?: number | null
  /** What a new run may cost before it pauses (`ticket_flow.max_cost`). */
  max_cost?: number | null
  /** Tokens a new run may use before it pauses (`ticket_flow.max_tokens`). */
  max_tokens?: number | null
  /** Seconds of work a new run may take before it pauses (`ticket_flow.max_seconds`). */
  max_seconds?: number | null
}

/** The budgets, and how much of the day's is used. */
export type Budgets = {
  /** The limits. */
  limits: BudgetLimits
  /** The day, as `budget.utc_offset` has it. */
  day: string
  /** When it ends. */
  ends_at: Timestamp
  /** What was used in it, by turns that ended in it or are under way. */
  used: DayUse
  /** The same for each repo or worktree, the most tokens first. */
  repos: Array<RepoDayUse>
  /** The word for the hub's money; absent when no prices are set. */
  currency?: string | null
  /**
   * Whether the hub can keep other limits. A hub that was started without a place for its
   * settings cannot.
   */
  editable: boolean
  /** The version of the limits; goes into `If-Match`. */
  etag: string
}

/** What becomes of a message that comes while the agent is busy. */
export type BusyPolicy = "queue" | "interrupt" | "reject"

/** Something an agent can do beyond answering a prompt. */
export type Capability = "resume" | "interrupt" | "approvals" | "usage" | "rate_limits" | "plan" | "models" | "fork" | "compact"

/** Body of `channel_create`, for a webhook. */
export type ChannelCreate = {
  /** What its owner calls it. */
  name: string
  /** Where to: an `http` or `https` address. */
  url: string
  /** Which notifications; all when empty. */
  kinds?: Array<NotificationKind>
  quiet?: QuietHours | null
}

/** One way out for notifications. */
export type ChannelId = string

/** What kind of way out a channel is. */
export type ChannelKind = "webhook" | "web_push"

/** A channel with its new secret; the only time the secret is shown. */
export type ChannelSecret = {
  /** The channel. */
  channel: NotificationChannel
  /** The secret it is signed with: `whsec_` and the key in base64. */
  secret: string
}

/** Body of `channel_update`, a JSON merge patch: what is absent stays. */
export type ChannelUpdate = {
  /** What its owner calls it. */
  name?: string | null
  /** Which notifications; all when empty. */
  kinds?: Array<NotificationKind> | null
  /** Whether it is used. */
  enabled?: boolean | null
  quiet?: QuietHours | null
}

/** One thing that was looked at. */
export type Check = {
  /** Stable word of it. */
  name: string
  /** Whether it is as it must be. */
  ok: boolean
  /** What was found, in one line. */
  detail: string
}

/** Why a request was not served. A closed set: programs may match on it. */
export type Code = "bad_request" | "unauthenticated" | "forbidden" | "wrong_host" | "turned_off" | "not_found" | "method_not_allowed" | "not_acceptable" | "timeout" | "rate_limited" | "too_large" | "unprocessable" | "unsupported_media_type" | "stale" | "precondition_required" | "already_exists" | "run_active" | "illegal_transition" | "busy" | "agent_cannot" | "tickets_invalid" | "would_lose_work" | "git_state" | "git_failed" | "agent_unavailable" | "transcriber_refused" | "transcriber_away" | "storage" | "disk_full" | "idempotency_mismatch" | "idempotency_in_flight" | "cursor_too_old" | "restore_unconfirmed" | "unavailable" | "internal"

/** What came of one command. */
export type CommandResult = {
  /** The command. */
  command: VerifyCommand
  /** Its exit code; absent when a signal or the timeout ended it. */
  exit_code?: number | null
  /** Whether the timeout ended it. */
  timed_out: boolean
  /** How long it took, in milliseconds. */
  duration_ms: number
  /** The last lines it printed. */
  tail: string
  /** Whether it fails on the run's base commit too, when that was tried. */
  fails_on_base?: boolean | null
}

/** One contextspace document. */
export type ContextDoc = {
  /** Which. */
  name: ContextName
  /** Markdown text; empty when the file is missing. */
  content: string
  /** Version, for `If-Match`. */
  etag: string
}

/** One of the contextspace documents. */
export type ContextName = "active_context" | "decisions" | "spec"

/** Body of `context_update`. */
export type ContextUpdate = {
  /** The new text. */
  content: string
}

/** What something has cost, as far as prices were known. */
export type Cost = {
  /** Of the turns that had a price, in millionths of the hub's currency. */
  amount: Amount
  /** Tokens of the turns that had none: what they cost is not known and not in `amount`. */
  unpriced_tokens: number
}

/** The credential a request came with. */
export type Credential = {
  /** Who acts with it. */
  actor: Actor
  /** What it allows. */
  scopes: Array<Scope>
  /** The repos it reaches, each with its worktrees; all of them when empty. */
  repos: Array<RepoId>
  run?: RunId | null
  expires_at?: Timestamp | null
}

/** How the day stands, in one line of the snapshot: there when a limit of the day is set. */
export type DayLine = {
  /** What was used. */
  used: DayUse
  day_cost?: Amount | null
  /** Tokens everything may use. */
  day_tokens?: number | null
  /** When the day ends. */
  ends_at: Timestamp
}

/** What was used of a day. */
export type DayUse = {
  /** Tokens read and written. */
  tokens: number
  /** What they cost, as far as there were prices. */
  cost: Cost
}

/** An answer to a question of an agent. */
export type Decision = "accept" | "accept_for_session" | "decline" | "cancel"

/** One event on its way to a webhook. */
export type DeliveryId = string

/** How a delivery stands. */
export type DeliveryStatus = "pending" | "delivered" | "failed"

/** A browser that may use the hub, by a cookie and the proof it keeps beside it. */
export type Device = {
  /** Its id. */
  id: DeviceId
  /** What it calls itself. */
  name: string
  /** What it may do. */
  scopes: Array<Scope>
  /** The repos it reaches, each with its worktrees; all of them when empty. */
  repos: Array<RepoId>
  /** When it was paired. */
  created_at: Timestamp
  /** When it was last used, to the minute. */
  last_used_at: Timestamp
  /**
   * When it has to pair again if it is not used before; each use moves this on, up to
   * thirty days after it was paired.
   */
  expires_at: Timestamp
}

/** A browser that was paired. */
export type DeviceId = string

/** What happened to a file. */
export type DiffChange = "added" | "modified" | "deleted" | "type_changed" | "unmerged" | "untracked"

/** One file that differs. */
export type DiffFile = {
  /** Relative to the tree. */
  path: string
  /** What happened to it. */
  change: DiffChange
  /** Lines added; absent for a binary file. */
  insertions?: number | null
  /** Lines removed; absent for a binary file. */
  deletions?: number | null
  /** Whether its name says that a program wrote it, such as a lock file. */
  generated: boolean
}

/** One line of a difference. */
export type DiffLine = {
  /** What it is. */
  kind: LineKind
  /** Its number in the file before; absent for an added one. */
  old?: number | null
  /** Its number in the file now; absent for a removed one. */
  new?: number | null
  /** Its text, without the mark at its beginning. */
  text: string
}

/** What changed in a tree, untracked files included. */
export type DiffStats = {
  /** Files that differ. */
  files_changed: number
  /** Lines added. */
  insertions: number
  /** Lines removed. */
  deletions: number
}

/** One entry of a run's dispatch history. */
export type Dispatch = {
  /** Its number within the run (`dispatch_history/NNNN`). */
  seq: number
  /** What it asks for. */
  mode: DispatchMode
  /** Title, when one was given. */
  title?: string | null
  /** Markdown body. */
  body: string
  /** Names of attached files. */
  attachments: Array<string>
  created_at?: Timestamp | null
}

/** Body of `dispatch_create`. */
export type DispatchCreate = {
  /** What it asks for: `notify` or `pause`. */
  mode: DispatchMode
  /** Title. */
  title?: string | null
  /** Markdown body. */
  body: string
}

/** What a dispatch asks for. */
export type DispatchMode = "notify" | "pause" | "turn_summary"

/** What a look at the hub found. */
export type DoctorReport = {
  /** Whether nothing stands in the way. */
  ok: boolean
  /** What was looked at, in order. */
  findings: Array<Finding>
}

/** What kind of error ended a turn, and so what is done about it. */
export type ErrorClass = "transient" | "quota" | "auth" | "context_overflow" | "agent_lost" | "other"

/**
 * One entry of the hub's log. `seq` is global and has no gaps, so a watcher goes on with
 * `after=<seq>` and misses nothing.
 */
export type Event = {
  /** Its number, from 1. */
  seq: number
  /** When it was written. */
  at: Timestamp
  repo?: RepoId | null
  run?: RunId | null
  thread?: ThreadId | null
  /** What has become true. */
  event: EventKind
}

/** What has become true. */
export type EventKind = {
  /** Its version. */
  version: string
  kind: "hub_started"
} | {
  /** Its directory, relative to the hub's root. */
  path: string
  kind: "repo_added"
} | {
  /** Directory of what was kept of it, relative to the hub's root. */
  salvage?: string | null
  kind: "repo_removed"
} | {
  /** File name. */
  file: string
  ticket?: TicketId | null
  /** Whether it says done. */
  done: boolean
  kind: "ticket_changed"
} | {
  /** Which. */
  name: ContextName
  kind: "context_changed"
} | {
  /** The box; of a repo when the event has one, else of the hub. */
  box: FileBox
  /** The file. */
  name: BoxFileName
  /** Bytes, while it is there. */
  size?: number | null
  kind: "file_changed"
} | {
  /** Which. */
  name: PmaDocName
  kind: "pma_doc_changed"
} | {
  kind: "run_created"
} | {
  /** The new state. */
  state: RunState
  /** One line for people. */
  explain: string
  kind: "run_state_changed"
} | {
  /** The ticket. */
  ticket: RunTicket
  kind: "ticket_selected"
} | {
  /** The ticket. */
  ticket: RunTicket
  /** Whether the hub verified it. */
  verified: boolean
  kind: "ticket_finished"
} | {
  /** The process. */
  session: SessionId
  /** The agent. */
  agent: AgentId
  /** The agent's version as it reports it. */
  version?: string | null
  kind: "session_started"
} | {
  /** The process. */
  session: SessionId
  /** How, for people. */
  detail: string
  kind: "session_ended"
} | {
  /** The turn. */
  turn: TurnId
  /** Its number within the run. */
  number: number
  /** The ticket it works on. */
  ticket: TicketId
  /** The agent. */
  agent: AgentId
  /** Why the agent was asked. */
  purpose: TurnPurpose
  /** SHA-256 of the prompt. */
  prompt_hash: string
  kind: "turn_started"
} | {
  /** The turn. */
  turn: TurnId
  /** The piece. */
  item: Item
  /** Whether it is finished. */
  completed: boolean
  kind: "item_updated"
} | {
  /** The turn. */
  turn: TurnId
  /** The whole plan. */
  steps: Array<PlanStep>
  kind: "plan_updated"
} | {
  /** The account. */
  account: string
  /** Its windows. */
  limits: Array<RateLimit>
  kind: "rate_limits_updated"
} | {
  /** The turn. */
  turn: TurnId
  /** The question. */
  approval: Approval
  kind: "approval_requested"
} | {
  /** The turn. */
  turn: TurnId
  /** The question with its answer; no answer when it became void. */
  approval: Approval
  kind: "approval_resolved"
} | {
  /** The turn. */
  turn: TurnId
  /** The text. */
  message: string
  kind: "agent_notice"
} | {
  /** The turn. */
  turn: TurnId
  /** How. */
  status: TurnStatus
  error?: TurnError | null
  /** Tokens used in it. */
  usage: Usage
  cost?: Amount | null
  kind: "turn_ended"
} | {
  /** The turn. */
  turn: TurnId
  /** Against the tree before the turn. */
  diff: DiffStats
  kind: "diff_updated"
} | {
  /** The turn. */
  turn: TurnId
  /** The commit. */
  commit?: string | null
  /** Why there is none. */
  error?: string | null
  kind: "checkpoint"
} | {
  /** Its number within the run. */
  seq: number
  /** What it asks for. */
  mode: DispatchMode
  /** Title. */
  title?: string | null
  kind: "dispatch_created"
} | {
  /** Its number within the run. */
  seq: number
  /** Where it came from: `file` or `api`. */
  via: string
  kind: "reply_received"
} | {
  /** The ticket. */
  ticket: TicketId
  /** Which try it is for this ticket, from 1. */
  attempt: number
  /** The commands. */
  commands: Array<string>
  /**
   * Whether the ticket was finished before and is checked once more because the tree
   * has changed since.
   */
  again?: boolean
  kind: "verify_started"
} | {
  /** The evidence, as kept in the run's directory. */
  evidence: Evidence
  kind: "verify_ended"
} | {
  /** Why. */
  detail: string
  kind: "backup_failed"
} | {
  kind: "restore_confirmed"
} | {
  /** The job. */
  job: Job
  kind: "job_updated"
} | {
  /** The webhook. */
  webhook: WebhookId
  /** What its owner calls it. */
  description: string
  /** Why, for people. */
  reason: string
  kind: "webhook_disabled"
} | {
  /** The thread as it is now. */
  thread: Thread
  kind: "thread_updated"
} | {
  /** The message as it is now. */
  message: Message
  kind: "message_updated"
} | {
  /** The item as it is now. */
  item: InboxItem
  /** How many items of the hub wait. */
  counts: InboxCounts
  kind: "inbox_updated"
} | {
  /** The notification as it is now. */
  notification: Notification
  kind: "notification_updated"
} | {
  /** The terminal as it is now. */
  terminal: Terminal
  kind: "terminal_updated"
} | {
  /** The source. */
  source: TemplateSourceId
  kind: "templates_changed"
}

/** The hub's verdict on one ticket, bound to the tree it holds for. */
export type Evidence = {
  /** Number of the evidence within its run, from 1. */
  seq: number
  /** The ticket. */
  ticket: TicketId
  /** The ticket's file, relative to the tree. */
  ticket_path: string
  /** Whether every command passed. */
  verdict: Verdict
  /** Commit that was checked. */
  commit?: string | null
  /** Hash of that commit's tree; a later change of the tree makes the verdict stale. */
  tree?: string | null
  /** What was run. */
  commands: Array<CommandResult>
  /** Changed files that are protected, if any. */
  protected?: Array<string>
  /** When the hub began. */
  started_at: Timestamp
  /** When it had the verdict. */
  ended_at: Timestamp
}

/** Why a run stands as it does, who acts next, and when. */
export type Explain = {
  /** One line for people. */
  line: string
  /** Who acts next. */
  owner: Owner
  /** What happens next. */
  next_action: string
  next_at?: Timestamp | null
}

/** Why a run ended without finishing. */
export type FailureCode = "repo_not_found" | "internal" | "database_lost" | "imported"

/** One wrong part of a request's body. */
export type FieldError = {
  /** JSON pointer (RFC 6901) to the part, or a file's name. */
  pointer: string
  /** What is wrong and what to do. */
  detail: string
}

/** One of the two boxes. */
export type FileBox = "inbox" | "outbox"

/** One edited file. */
export type FileChange = {
  /** Path as the agent reports it. */
  path: string
  /** `add`, `delete` or `update`. */
  kind: string
  /** Unified diff, or the content of a new file. */
  diff: string
}

/** The lines of one file's difference, one page of them. */
export type FileDiff = {
  /** The file. */
  path: string
  /** Whether it is binary: there are no lines then. */
  binary: boolean
  /** Whether the difference is longer than the hub reads; the rest is not shown. */
  truncated: boolean
  /** Lines on all pages. */
  lines_total: number
  /** The lines of this page, in order. */
  lines: Array<DiffLine>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** Where a browser can get one file. */
export type FileLink = {
  /** To be followed once, on the same host, with the credential that asked for it. */
  path: string
  /** Until when it can be followed. */
  expires_at: Timestamp
}

/** One thing that was looked at. */
export type Finding = {
  /** What was looked at, in a word or two. */
  check: string
  /** How it is. */
  level: Level
  /** What was found. */
  detail: string
  /** Why it matters; absent when all is well. */
  why?: string | null
  /** The command, or the step, that mends it. */
  fix?: string | null
}

/** Tickets a run finished. */
export type Finished = {
  /** All of them. */
  tickets: number
  /** Those whose verification passed. */
  verified: number
}

/**
 * The log cannot be read from a cursor. Read the snapshot and go on from its `as_of`; what
 * happened in between is not told one by one.
 */
export type Gone = {
  /** Why not. */
  reason: GoneReason
  /** The log's epoch. */
  epoch: string
  /** Number of the oldest entry that is kept. */
  oldest: number
  /** Number of the newest entry. */
  newest: number
  /** Where the snapshot is, relative to the hub's address. */
  snapshot: string
}

/** Why the log cannot be read from a cursor. */
export type GoneReason = "too_old" | "other_epoch" | "future"

/** How much there is in the hub. */
export type HubCounts = {
  /** Base repos. */
  repos: number
  /** Worktrees. */
  worktrees: number
  /** Tickets of all queues. */
  tickets: TicketCounts
  /** Runs that wait for a slot. */
  pending: number
  /** Runs at work. */
  running: number
  /** Runs that wait for a person. */
  paused: number
  /** Runs that wait for a quota. */
  parked: number
  /** Jobs at work. */
  jobs: number
}

/** What this hub is. */
export type HubInfo = {
  /** Version of the hub's program. */
  version: string
  /** Random id of this hub, made when its database was. */
  instance: string
  /** The hub's root directory. */
  root: string
  /** When this process began. */
  started_at: Timestamp
  /** The log's epoch; another one after the hub's database was restored. */
  epoch?: string
  /** Number of the newest event. */
  last_seq: number
  /** Number of the oldest event that is kept. */
  oldest_seq?: number
  /** How many runs may have an agent at once. */
  max_parallel_runs: number
  /** Where the process answers. */
  url: string
  backup_at?: Timestamp | null
  restore?: RestoreReport | null
  /** The end of the audit chain. */
  audit?: AuditHead
  /** The word for the hub's money; absent when no prices are set. */
  currency?: string | null
}

/** What wants attention, small enough for an agent or a phone. */
export type HubSnapshot = {
  /** The event number it is true at: go on with `event_list` from there. */
  as_of: number
  /** The log's epoch: follow the events after `<epoch>-<as_of>`. */
  epoch?: string
  /** The end of the audit chain; a client that keeps it finds out when history changed. */
  audit?: AuditHead
  /** When it was made. */
  at: Timestamp
  /**
   * What waits for a person, the most pressing first: the first 20 of the inbox, without
   * their bodies.
   */
  attention: Array<InboxItem>
  /** How many things wait for a person. */
  attention_total: number
  /** Runs that have not ended, those that wait for a person first, at most 50. */
  runs: Array<RunLine>
  /** How much there is. */
  counts: HubCounts
  /** Accounts of agents that reported a quota or have none left. */
  accounts: Array<AccountLine>
  today?: DayLine | null
}

/** Body of `inbox_act`. */
export type InboxAct = {
  /** What to do; one of the item's `actions`. */
  action: InboxAction
  /** The text, for `reply`. */
  body?: string | null
}

/** What can be done about an inbox item. */
export type InboxAction = "reply" | "approve" | "decline" | "resume" | "retry" | "done" | "stop" | "escalate" | "dismiss"

/** How many inbox items wait. */
export type InboxCounts = {
  /** Items that wait. */
  open: number
  /** Of those, the ones nobody has seen. */
  unseen: number
}

/** One thing that waits for a person. */
export type InboxItem = {
  /** Its id. */
  id: InboxItemId
  /** What it is. */
  kind: InboxKind
  /** Whether it still waits. */
  status: InboxStatus
  /** How pressing it is: the smaller, the more. Items are listed by it. */
  rank: number
  /** What it is about, short. */
  title: string
  /** Why it is here, in one line. */
  line: string
  /** More, in Markdown: the question's text, the failing command and the end of its output. */
  body?: string | null
  /** What can be done; the first resolves it as a rule. */
  actions: Array<InboxAction>
  repo?: RepoId | null
  run?: RunId | null
  thread?: ThreadId | null
  message?: MessageId | null
  /** Which dispatch of the run. */
  dispatch?: number | null
  approval?: ApprovalId | null
  job?: JobId | null
  channel?: ChannelId | null
  /** Since when. */
  created_at: Timestamp
  held_until?: Timestamp | null
  seen_at?: Timestamp | null
  resolved_at?: Timestamp | null
  acted?: InboxAction | null
  /** What resolved it, in one line: who did what. */
  resolution?: string | null
}

/** One thing that waits for a person. */
export type InboxItemId = string

/** What an inbox item is, the most pressing first. */
export type InboxKind = "approval" | "question" | "fix" | "budget" | "user_ticket" | "run_failed" | "thread_held" | "message_failed" | "job_failed" | "repo" | "delivery_failed" | "note"

/** Body of `inbox_seen`. */
export type InboxSeen = {
  /** The items that were seen; those that were seen before stay as they are. */
  items: Array<InboxItemId>
}

/** Whether an inbox item still waits. */
export type InboxStatus = "open" | "resolved" | "dismissed"

/** Which part of the inbox a list shows. */
export type InboxView = "open" | "resolved" | "dismissed" | "all"

/** One piece of a turn: a message, a command, an edit. */
export type Item = {
  /** The agent's own id of the piece, unique within its thread. */
  id: string
  /** What it is. */
  body: ItemBody
}

/** What a piece of a turn is. */
export type ItemBody = {
  /** The whole text. */
  text: string
  type: "message"
} | {
  /** The whole text. */
  text: string
  type: "reasoning"
} | {
  /** The command line as the agent reports it. */
  command: string
  /** Where it ran, absolute. */
  cwd: string
  /** How it went. */
  status: ItemStatus
  /** Exit code once ended. */
  exit_code?: number | null
  /** What it printed; long output is cut at its start. */
  output: string
  /** How long it took, in milliseconds. */
  duration_ms?: number | null
  type: "command"
} | {
  /** How it went. */
  status: ItemStatus
  /** One entry a file. */
  changes: Array<FileChange>
  type: "file_change"
} | {
  /** The tool's name. */
  name: string
  /** How it went. */
  status: ItemStatus
  /** A short account of arguments and result. */
  detail: string
  type: "tool"
}

/** How a command, edit or tool call went. */
export type ItemStatus = "in_progress" | "completed" | "failed" | "declined"

/** One long operation. */
export type Job = {
  /** Its id. */
  id: JobId
  /** What it does. */
  kind: JobKind
  repo?: RepoId | null
  /** How it stands. */
  status: JobStatus
  /** What it is at, for people; once it has ended well, `done` or a note on how it went. */
  phase: string
  /** Percent of this phase done, 0 to 100, when it can be told. */
  percent?: number | null
  /** Bytes received so far, when something is received. */
  bytes?: number | null
  /** Whether somebody asked it to end; it ends once it has cleaned up. */
  cancelling?: boolean
  result?: JobResult | null
  problem?: Problem | null
  /** When it was asked for. */
  created_at: Timestamp
  ended_at?: Timestamp | null
}

/** One long operation with progress, such as a clone. */
export type JobId = string

/** What a job does. */
export type JobKind = "clone" | "worktree_create" | "worktree_cleanup" | "restore" | "repo_remove" | "backup" | "sync" | "verify" | "template_sync"

/** One line of a job's log. */
export type JobLine = {
  /** Its number within the job, from 1. */
  seq: number
  /** When it was said. */
  at: Timestamp
  /** The text; very long lines are cut. */
  line: string
}

/** What a job made. */
export type JobResult = {
  /** As it was when the job ended. */
  repo: Repo
  type: "repo"
} | {
  /** What came of it. */
  verdict: Verdict
  /** What was run, until one failed. */
  commands: Array<CommandResult>
  type: "checked"
} | {
  /** As it was when the job ended. */
  source: TemplateSource
  type: "templates"
}

/** How a job stands. */
export type JobStatus = "running" | "completed" | "failed" | "cancelled"

/** A key the hub signs short-lived tokens with. */
export type KeyId = string

/** The queue of one thread. */
export type Lane = {
  /** The thread. */
  thread: ThreadId
  /** Its name. */
  name: string
  /** Messages that wait. */
  queued: number
  /** Whether one is being answered. */
  working: boolean
  /** Why nothing moves, when nothing does. */
  held?: string | null
}

/** How one thing is. */
export type Level = "ok" | "warning" | "error"

/** What a line of a difference is. */
export type LineKind = "hunk" | "context" | "added" | "removed" | "note"

/** One finding and where it is. */
export type LintFinding = {
  /** File name. */
  file: string
  /** The finding. */
  issue: TicketIssue
}

/** What the linter says of a whole queue. */
export type LintReport = {
  /** Whether no finding is an error. */
  ok: boolean
  /** How many tickets were read. */
  tickets: number
  /** Findings by file; a finding on the queue as a whole has the queue's directory as file. */
  findings: Array<LintFinding>
  /** Files that were mended. */
  fixed: Array<string>
}

/**
 * Text that is not in the log yet: a piece of an answer as it is being written. Frames may
 * be missed; whoever was away reads the item once and goes on from its length.
 */
export type LiveFrame = {
  run?: RunId | null
  thread?: ThreadId | null
  /** The turn. */
  turn: TurnId
  /** The agent's id of the piece. */
  item: string
  /** What is being written. */
  stream: LiveStream
  /** Where `text` begins in the piece, in bytes. */
  offset: number
  /** The text. */
  text: string
}

/** What a live frame is part of. */
export type LiveStream = "message" | "reasoning" | "output" | "verify"

/** What `token_delete_others` did. */
export type LoggedOut = {
  /** How many tokens stopped working. */
  tokens: number
  /** How many browsers have to pair again. */
  devices: number
}

/** One message of a thread and what came of it. A message is one turn of the agent. */
export type Message = {
  /** Its id. */
  id: MessageId
  /** The thread. */
  thread: ThreadId
  /** Its number within the thread, from 1. */
  number: number
  /** The conversation of the agent it belongs to. */
  conversation: number
  /** Who wrote it. */
  origin: MessageOrigin
  /** Who wrote it, for people: a device's or token's name, or the rule that woke the agent. */
  author: string
  /** The caller's own id; posted again, it is the same message. */
  client_turn_id?: string | null
  /** Markdown text. */
  body: string
  /** Names of files of the inbox box of its thread's scope. */
  attachments?: Array<string>
  /** How it stands. */
  status: MessageStatus
  /** Why it stands so, when that needs a word: why it was refused, held, interrupted. */
  detail?: string | null
  continues?: MessageId | null
  turn?: TurnId | null
  /** The agent's last words, once it has answered. */
  answer?: string | null
  error?: TurnError | null
  /** Tokens used. */
  usage: Usage
  cost?: Cost | null
  /** When it was posted. */
  created_at: Timestamp
  started_at?: Timestamp | null
  ended_at?: Timestamp | null
}

/** A message with everything the agent did to answer it. */
export type MessageDetail = {
  /** The message. */
  message: Message
  /** The pieces of the answer, in order, as far as they are known. */
  items: Array<Item>
  /** The agent's plan as it last stood. */
  plan?: Array<PlanStep>
  /** What is being written right now: live frames go on from here. */
  writing?: Array<Writing>
}

/** One message a search found. */
export type MessageHit = {
  /** The thread. */
  thread: ThreadId
  /** The thread's name. */
  thread_name: string
  /** The message. */
  message: MessageId
  /** Its number within the thread. */
  number: number
  /** Whether the words were found in the answer rather than in the message. */
  in_answer: boolean
  /** Where the words stand, with `[` and `]` around each. */
  excerpt: string
  /** When it was posted. */
  at: Timestamp
}

/** One message of a thread and its answer. */
export type MessageId = string

/** Who wrote a message. */
export type MessageOrigin = "user" | "wake"

/** Body of `message_post`. */
export type MessagePost = {
  /** Markdown text; may be empty only when there are attachments. */
  body: string
  /** Names of files in the inbox box of the thread's scope. */
  attachments?: Array<string>
  /**
   * The caller's own id of this message. Posted again with the same id, before or after a
   * restart, it is the same message; with another body that is refused.
   */
  client_turn_id?: string | null
  /** What to do when the agent is busy. */
  busy?: BusyPolicy
}

/** How a message stands. */
export type MessageStatus = "queued" | "working" | "completed" | "interrupted" | "failed" | "cancelled" | "blocked"

/** One model an agent offers. */
export type Model = {
  /** The word for a ticket's `model:`. */
  id: string
  /** Its name for people. */
  name: string
  /** The words for a ticket's `reasoning:`. */
  efforts: Array<string>
  /** Whether the agent uses it when a ticket names none. */
  default: boolean
}

/** One word to the outside. */
export type Notification = {
  /** Its id. */
  id: NotificationId
  /** What makes it one: another with the same key is never made. */
  dedupe_key: string
  /** Why it is sent. */
  kind: NotificationKind
  /** Short. */
  title: string
  /** One line. */
  line: string
  /** What can be done about it, as the inbox item has it. */
  actions?: Array<InboxAction>
  item?: InboxItemId | null
  repo?: RepoId | null
  run?: RunId | null
  thread?: ThreadId | null
  /** When it was made. */
  created_at: Timestamp
  seen_at?: Timestamp | null
  acted_at?: Timestamp | null
  /** What became of it on each way out. */
  deliveries: Array<NotificationDelivery>
}

/** One way out. */
export type NotificationChannel = {
  /** Its id. */
  id: ChannelId
  /** What kind of way. */
  kind: ChannelKind
  /** What its owner calls it. */
  name: string
  /** Where to, without anything secret. */
  target: string
  device?: DeviceId | null
  /** Which notifications; all when empty. */
  kinds: Array<NotificationKind>
  /** Whether it is used. */
  enabled: boolean
  quiet?: QuietHours | null
  failing_since?: Timestamp | null
  /** When it was made. */
  created_at: Timestamp
}

/** What a notification says. */
export type NotificationData = {
  /** Its id. */
  id: NotificationId
  /** Why it is sent. */
  kind: NotificationKind
  /** Short. */
  title: string
  /** One line. */
  line: string
  /** What can be done about it with `inbox_act`. */
  actions?: Array<InboxAction>
  item?: InboxItemId | null
  repo?: RepoId | null
  run?: RunId | null
  thread?: ThreadId | null
}

/** A notification on one way out. */
export type NotificationDelivery = {
  /** The way. */
  channel: ChannelId
  /** What kind of way. */
  channel_kind: ChannelKind
  /** How it stands. */
  status: NotificationStatus
  /** How often it was tried. */
  attempts: number
  /** What went wrong last. */
  last_error?: string | null
  last_attempt_at?: Timestamp | null
  next_attempt_at?: Timestamp | null
  delivered_at?: Timestamp | null
}

/** One word to the outside. */
export type NotificationId = string

/** Why a notification is sent. */
export type NotificationKind = "attention" | "completed" | "failed" | "test"

/**
 * What a channel is sent, as JSON. However often it is sent, the bytes and the id are the same:
 * a webhook carries the id in its header `webhook-id` too.
 */
export type NotificationPayload = {
  /** `notification`. */
  type: string
  /** When it was made. */
  timestamp: Timestamp
  /** What it says. */
  data: NotificationData
}

/** How a notification stands on one way out. */
export type NotificationStatus = "pending" | "delivered" | "failed" | "obsolete"

/** How an act went. */
export type Outcome = "done" | "begun" | "refused" | "failed"

/** Who acts next on a run. */
export type Owner = "hub" | "agent" | "user" | "provider" | "nobody"

/** One page of a list, in a stable order. */
export type Page_Agent = {
  /** The entries of this page. */
  items: Array<{
    /** Its id in tickets. */
    id: AgentId
    /** Its name for people. */
    name: string
    /** Whether it can be used now, and if not, why. */
    availability: Availability
    /** Its version as it reports it. */
    version?: string | null
    /** The program that is started. */
    command: Array<string>
    /** The account or provider it would use, when known. */
    account?: string | null
    /** What to do when it is not available. */
    hint?: string | null
    /** What it can do. */
    capabilities: Array<Capability>
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_AuditLine = {
  /** The entries of this page. */
  items: Array<{
    /** Its number: 1, 2, 3, … without a gap. */
    seq: number
    /** When. */
    at: Timestamp
    /** Who. */
    actor: Actor
    /** Where the request says it came from, behind a proxy; nobody has checked that. */
    ip_claimed?: string | null
    /** What: an operation's id, or what the hub did by itself. */
    verb: string
    /** To what: an id or a name; empty when it is the hub. */
    object: string
    /** How it went. */
    outcome: Outcome
    /** More, where there is more to say. */
    detail?: string | null
    /** The hash of the line before. */
    prev: string
    /** The line's own hash. */
    hash: string
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Backup = {
  /** The entries of this page. */
  items: Array<{
    /** Its file name. */
    name: string
    /** Its size in bytes. */
    size: number
    /** When it was made. */
    created_at: Timestamp
    /** Whether the hub made it by itself; it goes when newer ones have taken its place. */
    scheduled: boolean
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_BoxFile = {
  /** The entries of this page. */
  items: Array<{
    /** The box. */
    box: FileBox
    /** Its name, a single path part. */
    name: BoxFileName
    /** Bytes. */
    size: number
    /** The media type, by its name. */
    media_type: string
    /** When it was last written. */
    modified_at: Timestamp
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_ContextDoc = {
  /** The entries of this page. */
  items: Array<{
    /** Which. */
    name: ContextName
    /** Markdown text; empty when the file is missing. */
    content: string
    /** Version, for `If-Match`. */
    etag: string
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Device = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: DeviceId
    /** What it calls itself. */
    name: string
    /** What it may do. */
    scopes: Array<Scope>
    /** The repos it reaches, each with its worktrees; all of them when empty. */
    repos: Array<RepoId>
    /** When it was paired. */
    created_at: Timestamp
    /** When it was last used, to the minute. */
    last_used_at: Timestamp
    /**
     * When it has to pair again if it is not used before; each use moves this on, up to
     * thirty days after it was paired.
     */
    expires_at: Timestamp
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Dispatch = {
  /** The entries of this page. */
  items: Array<{
    /** Its number within the run (`dispatch_history/NNNN`). */
    seq: number
    /** What it asks for. */
    mode: DispatchMode
    /** Title, when one was given. */
    title?: string | null
    /** Markdown body. */
    body: string
    /** Names of attached files. */
    attachments: Array<string>
    created_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Event = {
  /** The entries of this page. */
  items: Array<{
    /** Its number, from 1. */
    seq: number
    /** When it was written. */
    at: Timestamp
    repo?: RepoId | null
    run?: RunId | null
    thread?: ThreadId | null
    /** What has become true. */
    event: EventKind
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Evidence = {
  /** The entries of this page. */
  items: Array<{
    /** Number of the evidence within its run, from 1. */
    seq: number
    /** The ticket. */
    ticket: TicketId
    /** The ticket's file, relative to the tree. */
    ticket_path: string
    /** Whether every command passed. */
    verdict: Verdict
    /** Commit that was checked. */
    commit?: string | null
    /** Hash of that commit's tree; a later change of the tree makes the verdict stale. */
    tree?: string | null
    /** What was run. */
    commands: Array<CommandResult>
    /** Changed files that are protected, if any. */
    protected?: Array<string>
    /** When the hub began. */
    started_at: Timestamp
    /** When it had the verdict. */
    ended_at: Timestamp
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_InboxItem = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: InboxItemId
    /** What it is. */
    kind: InboxKind
    /** Whether it still waits. */
    status: InboxStatus
    /** How pressing it is: the smaller, the more. Items are listed by it. */
    rank: number
    /** What it is about, short. */
    title: string
    /** Why it is here, in one line. */
    line: string
    /** More, in Markdown: the question's text, the failing command and the end of its output. */
    body?: string | null
    /** What can be done; the first resolves it as a rule. */
    actions: Array<InboxAction>
    repo?: RepoId | null
    run?: RunId | null
    thread?: ThreadId | null
    message?: MessageId | null
    /** Which dispatch of the run. */
    dispatch?: number | null
    approval?: ApprovalId | null
    job?: JobId | null
    channel?: ChannelId | null
    /** Since when. */
    created_at: Timestamp
    held_until?: Timestamp | null
    seen_at?: Timestamp | null
    resolved_at?: Timestamp | null
    acted?: InboxAction | null
    /** What resolved it, in one line: who did what. */
    resolution?: string | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Job = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: JobId
    /** What it does. */
    kind: JobKind
    repo?: RepoId | null
    /** How it stands. */
    status: JobStatus
    /** What it is at, for people; once it has ended well, `done` or a note on how it went. */
    phase: string
    /** Percent of this phase done, 0 to 100, when it can be told. */
    percent?: number | null
    /** Bytes received so far, when something is received. */
    bytes?: number | null
    /** Whether somebody asked it to end; it ends once it has cleaned up. */
    cancelling?: boolean
    result?: JobResult | null
    problem?: Problem | null
    /** When it was asked for. */
    created_at: Timestamp
    ended_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_JobLine = {
  /** The entries of this page. */
  items: Array<{
    /** Its number within the job, from 1. */
    seq: number
    /** When it was said. */
    at: Timestamp
    /** The text; very long lines are cut. */
    line: string
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Message = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: MessageId
    /** The thread. */
    thread: ThreadId
    /** Its number within the thread, from 1. */
    number: number
    /** The conversation of the agent it belongs to. */
    conversation: number
    /** Who wrote it. */
    origin: MessageOrigin
    /** Who wrote it, for people: a device's or token's name, or the rule that woke the agent. */
    author: string
    /** The caller's own id; posted again, it is the same message. */
    client_turn_id?: string | null
    /** Markdown text. */
    body: string
    /** Names of files of the inbox box of its thread's scope. */
    attachments?: Array<string>
    /** How it stands. */
    status: MessageStatus
    /** Why it stands so, when that needs a word: why it was refused, held, interrupted. */
    detail?: string | null
    continues?: MessageId | null
    turn?: TurnId | null
    /** The agent's last words, once it has answered. */
    answer?: string | null
    error?: TurnError | null
    /** Tokens used. */
    usage: Usage
    cost?: Cost | null
    /** When it was posted. */
    created_at: Timestamp
    started_at?: Timestamp | null
    ended_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_MessageHit = {
  /** The entries of this page. */
  items: Array<{
    /** The thread. */
    thread: ThreadId
    /** The thread's name. */
    thread_name: string
    /** The message. */
    message: MessageId
    /** Its number within the thread. */
    number: number
    /** Whether the words were found in the answer rather than in the message. */
    in_answer: boolean
    /** Where the words stand, with `[` and `]` around each. */
    excerpt: string
    /** When it was posted. */
    at: Timestamp
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Model = {
  /** The entries of this page. */
  items: Array<{
    /** The word for a ticket's `model:`. */
    id: string
    /** Its name for people. */
    name: string
    /** The words for a ticket's `reasoning:`. */
    efforts: Array<string>
    /** Whether the agent uses it when a ticket names none. */
    default: boolean
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Notification = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: NotificationId
    /** What makes it one: another with the same key is never made. */
    dedupe_key: string
    /** Why it is sent. */
    kind: NotificationKind
    /** Short. */
    title: string
    /** One line. */
    line: string
    /** What can be done about it, as the inbox item has it. */
    actions?: Array<InboxAction>
    item?: InboxItemId | null
    repo?: RepoId | null
    run?: RunId | null
    thread?: ThreadId | null
    /** When it was made. */
    created_at: Timestamp
    seen_at?: Timestamp | null
    acted_at?: Timestamp | null
    /** What became of it on each way out. */
    deliveries: Array<NotificationDelivery>
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_NotificationChannel = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: ChannelId
    /** What kind of way. */
    kind: ChannelKind
    /** What its owner calls it. */
    name: string
    /** Where to, without anything secret. */
    target: string
    device?: DeviceId | null
    /** Which notifications; all when empty. */
    kinds: Array<NotificationKind>
    /** Whether it is used. */
    enabled: boolean
    quiet?: QuietHours | null
    failing_since?: Timestamp | null
    /** When it was made. */
    created_at: Timestamp
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Pairing = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: PairingId
    /** What is let in. */
    kind: PairingKind
    /** How it stands. */
    state: PairingState
    /** What the other side calls itself; nothing before a code is claimed. */
    name?: string | null
    /** The address the other side called from, as the hub sees it: behind a proxy, the proxy's. */
    address?: string | null
    /** The short code the other side shows, for `token`. */
    code?: string | null
    /** What it will be allowed. */
    scopes: Array<Scope>
    /** The repos it will reach; all of them when empty. */
    repos: Array<RepoId>
    /** When it was opened. */
    created_at: Timestamp
    /** Until when it can be decided. */
    expires_at: Timestamp
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_PmaDoc = {
  /** The entries of this page. */
  items: Array<{
    /** Which. */
    name: PmaDocName
    /** Its file, relative to the hub's root. */
    path: string
    /** Markdown text; empty when the file is missing. */
    content: string
    /** Lines it has. */
    lines: number
    /** Lines it may have before it is pruned; only of `active_context`. */
    line_budget?: number | null
    /** Whether it says what it says in a new hub. */
    is_default: boolean
    /** Version, for `If-Match`. */
    etag: string
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Reply = {
  /** The entries of this page. */
  items: Array<{
    /** Its number within the run (`reply_history/NNNN`). */
    seq: number
    /** Title, when one was given. */
    title?: string | null
    /** Markdown body. */
    body: string
    /** Names of attached files. */
    attachments: Array<string>
    created_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Repo = {
  /** The entries of this page. */
  items: Array<{
    /** Its id in the manifest. */
    id: RepoId
    /** Its name for people. */
    name: string
    /** Directory relative to the hub's root, with `/`. */
    path: string
    /** Base repo or worktree. */
    kind: RepoKind
    worktree_of?: RepoId | null
    /** The branch checked out when it was last looked at. */
    branch?: string | null
    /** Where it stands. */
    status: RepoStatus
    /** Tickets of its queue. */
    tickets: TicketCounts
    run?: RunBrief | null
    /** What is wrong with its entry or directory. */
    issue?: string | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Run = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: RunId
    /** The repo or worktree whose queue it works. */
    repo: RepoId
    /** How it stands, with what belongs to that. */
    state: RunState
    /** Why it stands so, who acts next, and when. */
    explain: Explain
    /** What it was started with. */
    options: RunOptions
    ticket?: RunTicket | null
    /** Turns spent so far. */
    turns: number
    /** Tokens used so far. */
    usage: Usage
    /** What its turns cost so far. */
    cost: Cost
    /** Tickets of the queue now. */
    tickets: TicketCounts
    /** Tickets this run finished, and how many of them the hub verified. */
    finished: Finished
    /** Questions of the agent that wait for an answer. */
    approvals?: Array<Approval>
    /** Quota windows of the agent's account, as last reported. */
    rate_limits?: Array<RateLimit>
    /** The commit the tree was at when the run began. */
    base_commit?: string | null
    /** When it was asked for. */
    created_at: Timestamp
    started_at?: Timestamp | null
    ended_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Salvage = {
  /** The entries of this page. */
  items: Array<{
    /** Its id, for `car salvage restore`. */
    id: SalvageId
    /** The worktree or repo it was. */
    repo: RepoId
    worktree_of?: RepoId | null
    /** The branch it was on. */
    branch?: string | null
    /** Directory of the bundle, relative to the hub's root. */
    path: string
    /** When it was made. */
    created_at: Timestamp
    /** Until when it is kept at least. */
    keep_until: Timestamp
    /** Size on disk in bytes. */
    bytes: number
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_SigningKey = {
  /** The entries of this page. */
  items: Array<{
    /** Its id, as in the `kid` of tokens. */
    id: KeyId
    /** When it was made. */
    created_at: Timestamp
    /** Whether new tokens are signed with it. */
    signs: boolean
    verifies_until?: Timestamp | null
    rotates_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Template = {
  /** The entries of this page. */
  items: Array<{
    /** Its name: `source:path`. */
    template: string
    /** The source it is from. */
    source: TemplateSourceId
    /** The file, relative to the source's root. */
    path: string
    /** Its title, or the file's name. */
    title: string
    /** What it is for, in a line. */
    summary?: string | null
    /** SHA-256 of the file: what trust is in. */
    sha256: string
    /** git's name of the file's content. */
    blob: string
    /** Bytes. */
    size: number
    /** Whether somebody trusts it. */
    trust: TemplateTrust
    /** What in it deserves a look. */
    warnings: Array<TemplateWarning>
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_TemplateSource = {
  /** The entries of this page. */
  items: Array<{
    /** Its id, as templates are named by it: `id:path`. */
    id: TemplateSourceId
    /** Where it is fetched from, without a login. */
    url: string
    /** The branch, tag or commit its templates are taken from. */
    default_ref: string
    /** Whether what it has when it is first fetched is trusted as it then is. */
    trusted: boolean
    /**
     * The commit its templates are taken from until it is fetched again; absent before it was
     * fetched once.
     */
    commit?: string | null
    /**
     * Another commit that `default_ref` names by now and that does not follow `commit`: the
     * history was rewritten. It is taken only when that is asked for.
     */
    rewritten?: string | null
    fetched_at?: Timestamp | null
    /** Why it could not be fetched the last time; the copy of `fetched_at` is used. */
    trouble?: string | null
    /** How many templates it has. */
    templates: number
    /** How many of them nobody has trusted as they are. */
    untrusted: number
    /** Files that could have been templates and are left out, at most fifty of them. */
    skipped: Array<TemplateSkipped>
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Terminal = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: TerminalId
    /** How it stands. */
    status: TerminalStatus
    repo?: RepoId | null
    /** The directory it was opened in. */
    dir: string
    /** The shell. */
    command: string
    /** Characters in a line. */
    cols: number
    /** Lines. */
    rows: number
    /** Bytes the shell has written. */
    written: number
    /** How many look at it now. */
    viewers: number
    /** Who opened it. */
    opened_by: string
    /** When it was opened. */
    created_at: Timestamp
    /** When it is ended at the latest. */
    expires_at: Timestamp
    ended_at?: Timestamp | null
    end?: TerminalEnd | null
    /** The shell's exit status, when it ended by itself and not by a signal. */
    exit_code?: number | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Thread = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: ThreadId
    /** Its name for people. */
    name: string
    /** What it is for: the one thread of the project manager, or any other. */
    kind: ThreadKind
    repo?: RepoId | null
    /** The agent. */
    agent: AgentId
    /** Model, in the agent's words; its default when absent. */
    model?: string | null
    /** Reasoning effort, in the agent's words; its default when absent. */
    effort?: string | null
    /** How much the agent may do without asking. */
    approvals: ApprovalPolicy
    /** How it stands. */
    status: ThreadStatus
    /** Why it stands so and what happens next, in one line. */
    explain: string
    current?: MessageId | null
    /** Messages that wait for their turn. */
    queued: number
    /** How many messages it has, answered or not. */
    messages: number
    /** Which conversation of the agent it is at: 1, and one more with every reset. */
    conversation: number
    /** The beginning of the newest message or answer. */
    preview?: string | null
    /** Questions of the agent that wait for a yes or a no. */
    approvals_open?: Array<Approval>
    /** Tokens used in it. */
    usage: Usage
    forked_from?: ThreadId | null
    /** When it was made. */
    created_at: Timestamp
    /** When something last happened in it. */
    updated_at: Timestamp
    archived_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Ticket = {
  /** The entries of this page. */
  items: Array<{
    /** Its `ticket_id`, or one derived from its path. */
    id: TicketId
    /** The repo or worktree whose queue it is in. */
    repo: RepoId
    /** Its number in the queue; absent when the file's name has none. */
    number?: number | null
    /** File name; bytes that are not UTF-8 are shown replaced. */
    file: string
    /** Where it stands. */
    state: TicketState
    /** Title, or the first heading, or the file's name. */
    title: string
    /** Who works it: an agent's id or `user`. */
    agent?: string | null
    /** Model asked for. */
    model?: string | null
    /** Reasoning effort asked for. */
    reasoning?: string | null
    /** Whether verification commands are set in the ticket itself. */
    has_verify: boolean
    /** What the linter found. */
    issues: Array<TicketIssue>
    /** Version of the file, for `If-Match`. */
    etag: string
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Token = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: TokenId
    /** What it is for, in its owner's words. */
    name: string
    /** What it allows. */
    scopes: Array<Scope>
    /** The repos it reaches, each with its worktrees; all of them when empty. */
    repos: Array<RepoId>
    run?: RunId | null
    /** When it was made. */
    created_at: Timestamp
    expires_at?: Timestamp | null
    last_used_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Turn = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: TurnId
    /** The run it belongs to. */
    run: RunId
    /** Its number within the run, from 1. */
    number: number
    /** The ticket it works on. */
    ticket: TicketId
    /** The ticket's file name. */
    ticket_file: string
    /** The agent. */
    agent: AgentId
    /** The model it ran with, where the agent tells. */
    model?: string | null
    /** Why the agent was asked. */
    purpose: TurnPurpose
    /** How it stands. */
    status: TurnStatus
    session?: SessionId | null
    /** The agent's own id of the conversation. */
    thread?: string | null
    /** SHA-256 of the prompt (its text is `prompts/<turn>.md` in the run's directory). */
    prompt_hash?: string | null
    /** When it began. */
    started_at: Timestamp
    ended_at?: Timestamp | null
    /** Tokens used in it. */
    usage: Usage
    cost?: Amount | null
    /** The agent's last message. */
    message?: string | null
    error?: TurnError | null
    diff?: DiffStats | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_Webhook = {
  /** The entries of this page. */
  items: Array<{
    /** Its id. */
    id: WebhookId
    /** Where to. */
    url: string
    /** What it is for, in its owner's words. */
    description: string
    /** Which events. */
    filter: WebhookFilter
    /** Whether events are sent. */
    enabled: boolean
    /** Why the hub turned it off, when it did. */
    disabled_reason?: string | null
    failing_since?: Timestamp | null
    /** Number of the last event that was looked at; those after it are not in the ledger yet. */
    cursor: number
    /** Deliveries that have not arrived yet and are not given up. */
    pending: number
    old_secret_until?: Timestamp | null
    /** When it was made. */
    created_at: Timestamp
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One page of a list, in a stable order. */
export type Page_WebhookDelivery = {
  /** The entries of this page. */
  items: Array<{
    /** Its id, which is also sent as `webhook-id`. */
    id: DeliveryId
    /** The webhook. */
    webhook: WebhookId
    /** The event's number; absent for a test. */
    seq?: number | null
    /** The event's kind; `test` for a test. */
    kind: string
    /** How it stands. */
    status: DeliveryStatus
    /** How often it was tried. */
    attempts: number
    /** When it joined the ledger. */
    created_at: Timestamp
    last_attempt_at?: Timestamp | null
    /** What the address answered last. */
    last_status?: number | null
    /** What went wrong last. */
    last_error?: string | null
    next_attempt_at?: Timestamp | null
  }>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** Body of `pair_finish`. */
export type PairFinish = {
  /** From `pair_request`. */
  secret: string
  /** Seconds to wait for a decision, at most 25; at once when absent. */
  wait?: number | null
}

/** How a wish to be let in stands, for the one who wishes. */
export type PairOutcome = {
  type: "waiting"
} | {
  type: "denied"
} | {
  type: "expired"
} | {
  /** What the hub knows of it. */
  device: Device
  /** To be sent as `X-Car-Proof` with every request; shown only now. */
  proof: string
  type: "device"
} | {
  /** Its token with the secret, shown only now. */
  created: TokenCreated
  /** The hub's instance. */
  instance: string
  type: "token"
}

/** Body of `pair_request`. */
export type PairRequest = {
  /** The code. */
  code: string
  /** What the browser calls itself. */
  name: string
  type: "device"
} | {
  /** What the machine calls itself. */
  name: string
  /** What it asks to be allowed; `read`, `write`, `run` and `approve` when absent. */
  scopes?: Array<Scope> | null
  type: "token"
}

/** What `pair_request` gives: how to ask for the outcome. */
export type PairRequested = {
  /** The id the owner sees. */
  pairing: PairingId
  /** Known to this side only; `pair_finish` asks for it. */
  secret: string
  /** What the owner has to type or see, for a machine. */
  code?: string | null
  /** Until when the owner can decide. */
  expires_at: Timestamp
}

/** A wish to be let in. */
export type Pairing = {
  /** Its id. */
  id: PairingId
  /** What is let in. */
  kind: PairingKind
  /** How it stands. */
  state: PairingState
  /** What the other side calls itself; nothing before a code is claimed. */
  name?: string | null
  /** The address the other side called from, as the hub sees it: behind a proxy, the proxy's. */
  address?: string | null
  /** The short code the other side shows, for `token`. */
  code?: string | null
  /** What it will be allowed. */
  scopes: Array<Scope>
  /** The repos it will reach; all of them when empty. */
  repos: Array<RepoId>
  /** When it was opened. */
  created_at: Timestamp
  /** Until when it can be decided. */
  expires_at: Timestamp
}

/** Body of `pairing_create`: opens a code for one browser. */
export type PairingCreate = {
  /**
   * What the browser may do, at most what the caller may; `read`, `write`, `run` and
   * `approve` when absent.
   */
  scopes?: Array<Scope> | null
  /** The repos it shall reach, each with its worktrees; all when empty. */
  repos?: Array<RepoId>
}

/** A code that was opened; the only time it is shown. */
export type PairingCreated = {
  /** The pairing. */
  pairing: Pairing
  /** The code, for the fragment of `/pair#…`, which browsers send to no server. */
  code: string
  /** The names under which the hub is reached, besides this machine's own. */
  hosts: Array<string>
  /**
   * The path before every address of the hub under these names: empty, or begins with a
   * slash and ends without one.
   */
  base_path: string
}

/** Body of `pairing_decide`. */
export type PairingDecide = {
  /** Whether to let it in. */
  approve: boolean
  /** What it may do, in place of what was asked for. */
  scopes?: Array<Scope> | null
  /** The repos it shall reach, in place of what was asked for. */
  repos?: Array<RepoId> | null
  /** Days a token works, 1 to 366; 90 when absent. */
  days?: number | null
}

/** A wish to be let in that an owner of the hub decides on. */
export type PairingId = string

/** What is let in. */
export type PairingKind = "device" | "token"

/** How a pairing stands. */
export type PairingState = "open" | "waiting" | "approved" | "done" | "denied" | "expired"

/** Why a run waits for a person. */
export type PauseReason = "max_turns" | "budget" | "no_tickets" | "needs_user_fix" | "user_pause" | "loop_no_diff" | "verify_failed" | "protected_paths" | "infra_error" | "agent_auth" | "interrupted" | "requested" | "missing_required_context" | "restored"

/** What a running run is at. */
export type Phase = {
  name: "selecting"
} | {
  /** The turn. */
  turn: TurnId
  /** Why the agent was asked. */
  purpose: TurnPurpose
  name: "in_turn"
} | {
  /** The turn that ended. */
  turn: TurnId
  name: "post_turn"
} | {
  /** Which try it is for this ticket, from 1. */
  attempt: number
  name: "verifying"
} | {
  /** When it tries again. */
  until: Timestamp
  /** Which try failed, from 1. */
  attempt: number
  name: "backing_off"
}

/** How far a step of a plan is. */
export type PlanStatus = "pending" | "in_progress" | "completed"

/** One step of the agent's plan. */
export type PlanStep = {
  /** What is to be done. */
  step: string
  /** How far it is. */
  status: PlanStatus
}

/** One document of the PMA. */
export type PmaDoc = {
  /** Which. */
  name: PmaDocName
  /** Its file, relative to the hub's root. */
  path: string
  /** Markdown text; empty when the file is missing. */
  content: string
  /** Lines it has. */
  lines: number
  /** Lines it may have before it is pruned; only of `active_context`. */
  line_budget?: number | null
  /** Whether it says what it says in a new hub. */
  is_default: boolean
  /** Version, for `If-Match`. */
  etag: string
}

/** One of the documents the PMA works from. */
export type PmaDocName = "prompt" | "agents" | "active_context" | "context_log" | "about_car"

/** Body of `pma_doc_update`. */
export type PmaDocUpdate = {
  /** The new text. */
  content: string
}

/** How the PMA stands. */
export type PmaInfo = {
  /** Whether it is turned on (`pma.enabled`). */
  enabled: boolean
  /** Its thread. */
  thread: ThreadId
  /** What keeps it from harm. */
  safety: PmaSafety
  /** Its lanes: one a thread that has something to do. */
  lanes: Array<Lane>
}

/** Limits of the PMA and of threads, and how far they are used. */
export type PmaSafety = {
  /** Whether turns are stopped because too many failed in a row. */
  breaker_open: boolean
  breaker_until?: Timestamp | null
  /** Failures in a row. */
  failures: number
  /** Failures in a row that open the breaker (`pma.breaker_failures`). */
  breaker_failures: number
  /** Turns begun in the last minute. */
  turns_last_minute: number
  /** Turns a minute at most (`pma.turns_per_minute`). */
  turns_per_minute: number
  /** Equal messages within `pma.duplicate_window_seconds` that are let through. */
  duplicates_max: number
  /** Messages a rule stopped in the last day, by rule (`duplicate`, `rate`, `breaker`). */
  blocked: Array<BlockedCount>
}

/** The body of every error response (RFC 9457, `application/problem+json`). */
export type Problem = {
  /** Stable word a program may match on. */
  code: Code
  /** The same for every problem of this code. */
  title: string
  /** The HTTP status, repeated. */
  status: number
  /** What happened here and what to do about it. */
  detail: string
  /** The request's id; the hub's log has the same. */
  instance?: string | null
  /** Which part of the body is wrong, one entry each. */
  errors?: Array<FieldError>
  current?: Versioned | null
  yours?: Versioned | null
  /** For `would_lose_work`: what would be lost. */
  unsaved?: Array<Unsaved>
  gone?: Gone | null
}

/** Body of `push_act`. It needs no other credential than the token. */
export type PushAct = {
  /** The token of the push. */
  token: string
  /** What to do. */
  action: InboxAction
  /** The text, for `reply`. */
  body?: string | null
}

/** What came of `push_act`. */
export type PushActed = {
  /** How many inbox items wait now. */
  open_items: number
  /** When it was done. */
  at: Timestamp
}

/** The key a browser subscribes with. */
export type PushKey = {
  /** The hub's public key (P-256, uncompressed) in base64url. */
  public_key: string
}

/** Body of `push_subscribe`: what the browser's push manager gave, and what is wanted. */
export type PushSubscribe = {
  /** The push service's address of this browser. */
  endpoint: string
  /** The browser's public key in base64url. */
  p256dh: string
  /** The browser's secret in base64url. */
  auth: string
  /** Which notifications; all when empty. */
  kinds?: Array<NotificationKind>
  quiet?: QuietHours | null
}

/** Hours of every day in which a channel is left alone; what comes then is sent at their end. */
export type QuietHours = {
  /** First minute of the day, 0 to 1439. */
  from_minute: number
  /** Minute of the day it ends at, 0 to 1439; before `from_minute`, the next day's. */
  to_minute: number
  /** Minutes by which the clock of the place is ahead of UTC, -720 to 840. */
  utc_offset_minutes: number
}

/** How much of one quota window of an account is used. */
export type RateLimit = {
  /** Which window, in the provider's words (`primary`, `secondary`). */
  window: string
  /** Percent used, 0 to 100. */
  used_percent: number
  /** The window's length in minutes. */
  window_minutes?: number | null
  resets_at?: Timestamp | null
}

/** Whether the hub can work. */
export type Readiness = {
  /** Whether every check passed. */
  ready: boolean
  /** What was looked at. */
  checks: Array<Check>
}

/** What removing a worktree or repo does, or would do. */
export type RemovalReport = {
  /** The worktree or repo. */
  repo: RepoId
  /** Whether it is gone now. */
  removed: boolean
  /** Work that exists nowhere else. */
  unsaved: Array<Unsaved>
  salvage?: Salvage | null
  /** Where tickets, context and runs were archived to. */
  archive?: string | null
}

/** One entry of a run's reply history. */
export type Reply = {
  /** Its number within the run (`reply_history/NNNN`). */
  seq: number
  /** Title, when one was given. */
  title?: string | null
  /** Markdown body. */
  body: string
  /** Names of attached files. */
  attachments: Array<string>
  created_at?: Timestamp | null
}

/** Body of `run_reply`. */
export type ReplyCreate = {
  /** Title. */
  title?: string | null
  /** Markdown body; it will be in the next prompt. */
  body: string
}

/** One repo or worktree of the hub. */
export type Repo = {
  /** Its id in the manifest. */
  id: RepoId
  /** Its name for people. */
  name: string
  /** Directory relative to the hub's root, with `/`. */
  path: string
  /** Base repo or worktree. */
  kind: RepoKind
  worktree_of?: RepoId | null
  /** The branch checked out when it was last looked at. */
  branch?: string | null
  /** Where it stands. */
  status: RepoStatus
  /** Tickets of its queue. */
  tickets: TicketCounts
  run?: RunBrief | null
  /** What is wrong with its entry or directory. */
  issue?: string | null
}

/** Body of `repo_clone`. */
export type RepoClone = {
  /** What git can clone: an URL or an absolute path. */
  url: string
  /** Id; the last part of the URL when absent. */
  id?: string | null
}

/** One commit. */
export type RepoCommit = {
  /** Its hash. */
  id: string
  /** First line of its message. */
  subject: string
  /** Who wrote it. */
  author: string
  /** When it was made. */
  at: Timestamp
}

/** Body of `repo_create`. */
export type RepoCreate = {
  /** Id; other characters than letters, digits, `.`, `_`, `-` become `-`. */
  id: string
  /** Directory relative to the hub's root; the id when absent. */
  path?: string | null
  /** Take an existing directory. */
  force?: boolean
}

/** What was used of a day in one repo or worktree. */
export type RepoDayUse = {
  /** The repo or worktree. */
  repo: RepoId
  /** What was used. */
  used: DayUse
}

/** How a repo or worktree stands in git, asked of git at the moment. */
export type RepoGit = {
  /** The branch; absent when HEAD names a commit. */
  branch?: string | null
  /** The commit; absent before the first. */
  head?: string | null
  /**
   * What `ahead` and `behind` are counted from: what the branch follows, else the repo's
   * default branch.
   */
  against?: string | null
  /** Commits that are not there, counted up to 1,000. */
  ahead?: number | null
  /** Commits that are only there, counted up to 1,000. */
  behind?: number | null
  /** Tracked files that differ from the commit; CAR's own are left out. */
  changed: number
  /** Files that are not tracked and not ignored; CAR's own are left out. */
  untracked: number
  /** Files in conflict. */
  conflicts: number
  /** What was begun and not ended, such as `merge`. */
  operation?: string | null
  /** The newest commits, at most ten. */
  commits: Array<RepoCommit>
}

/** A repo or worktree of the hub: its id in the manifest, such as `demo--feature-one`. */
export type RepoId = string

/** Base repo or worktree. */
export type RepoKind = "base" | "worktree"

/** Body of `repo_update`: what is absent stays as it is. */
export type RepoPatch = {
  /** Name for people; `null` for the id. */
  name?: string | null
}

/** Body of `repo_remove`. */
export type RepoRemove = {
  /** Also delete the directory; else only the manifest's entry goes. */
  delete_dir?: boolean
  /** Kinds of unsaved work that may be dropped (kept in a salvage bundle for 30 days). */
  drop?: Array<string>
  /** Only say what would happen. */
  dry_run?: boolean
}

/** Where a repo stands. */
export type RepoStatus = "uninitialized" | "ready" | "missing" | "invalid"

/**
 * What restoring a backup gave. Until a person confirms it, the hub starts nothing, goes on
 * with nothing and removes nothing.
 */
export type RestoreReport = {
  /** The archive. */
  archive: string
  /** When it was made. */
  created_at: Timestamp
  /** When it was restored. */
  restored_at: Timestamp
  /** How many files were put in place. */
  files: number
  /** Whether keys and tokens came back; if not, every client pairs anew. */
  with_secrets: boolean
  /** How many runs were active and are paused now. */
  runs_paused: number
  /** Trees that were on disk already; their files were left as they are. */
  trees_kept: Array<RestoredTree>
  /** Trees whose git history has to be brought back, with the command that does it. */
  trees_missing: Array<RestoredTree>
  /** What could not be kept in the backup, and why. */
  notes: Array<string>
  confirmed_at?: Timestamp | null
}

/** A tree of a restored hub. */
export type RestoredTree = {
  /** Its id. */
  repo: RepoId
  /** Its directory, relative to the hub's root. */
  path: string
  /** Whether it was changed after the backup was made. */
  newer: boolean
  /** What brings it back. */
  command?: string | null
}

/** What makes a paused run go on. */
export type ResumeRule = "reply" | "fix" | "user_ticket"

/** One run. */
export type Run = {
  /** Its id. */
  id: RunId
  /** The repo or worktree whose queue it works. */
  repo: RepoId
  /** How it stands, with what belongs to that. */
  state: RunState
  /** Why it stands so, who acts next, and when. */
  explain: Explain
  /** What it was started with. */
  options: RunOptions
  ticket?: RunTicket | null
  /** Turns spent so far. */
  turns: number
  /** Tokens used so far. */
  usage: Usage
  /** What its turns cost so far. */
  cost: Cost
  /** Tickets of the queue now. */
  tickets: TicketCounts
  /** Tickets this run finished, and how many of them the hub verified. */
  finished: Finished
  /** Questions of the agent that wait for an answer. */
  approvals?: Array<Approval>
  /** Quota windows of the agent's account, as last reported. */
  rate_limits?: Array<RateLimit>
  /** The commit the tree was at when the run began. */
  base_commit?: string | null
  /** When it was asked for. */
  created_at: Timestamp
  started_at?: Timestamp | null
  ended_at?: Timestamp | null
}

/** A run in one line. */
export type RunBrief = {
  /** Its id. */
  id: RunId
  /** How it stands. */
  status: RunStatus
  /** Why it stands so and what happens next. */
  explain: string
}

/** The files that differ, one page of them, with the totals of all. */
export type RunDiff = {
  /** The run. */
  run: RunId
  turn?: TurnId | null
  /** The commit it is compared with. */
  base: string
  /** The commit that is compared; the tree as it is now when absent. */
  to?: string | null
  /**
   * Whether this is what the run or turn changed and nothing else. It is not where later
   * work on the same tree cannot be told apart.
   */
  exact: boolean
  /** Files that differ, on all pages. */
  files_changed: number
  /** Lines added, in all files. */
  insertions: number
  /** Lines removed, in all files. */
  deletions: number
  /** Files among them that a program wrote. */
  generated: number
  /** The files of this page, by path. */
  files: Array<DiffFile>
  /** Cursor of the next page; absent on the last one. */
  next?: string | null
}

/** One pass of the ticket flow over the queue of one working tree. */
export type RunId = string

/** A run that has not ended, in one line. */
export type RunLine = {
  /** Its id. */
  id: RunId
  /** The repo or worktree whose queue it works. */
  repo: RepoId
  /** How it stands. */
  status: RunStatus
  /** Why it stands so. */
  explain: string
  /** Who acts next. */
  owner: Owner
  next_at?: Timestamp | null
  /** The ticket it is at, by number and title. */
  ticket?: string | null
  /** Tickets of its queue. */
  tickets: TicketCounts
  /** Turns spent so far. */
  turns: number
  /** Tokens used so far. */
  tokens: number
  /** When it was asked for. */
  created_at: Timestamp
}

/** What a run is started with; defaults come from the hub's configuration. */
export type RunOptions = {
  /** Turns it may spend before it pauses. */
  max_total_turns: number
  /** Turns to mend one ticket's frontmatter. */
  max_lint_retries: number
  /** Turns to get one ticket's work committed. */
  max_commit_retries: number
  /** Turns to get one ticket through verification. */
  max_verify_retries: number
  /** Tries after passing errors. */
  max_network_retries: number
  /** Tokens it may use before it pauses. */
  max_tokens?: number | null
  max_cost?: Amount | null
  /** Seconds of work it may take before it pauses. */
  max_seconds?: number | null
  /** Commit a checkpoint after every turn. */
  auto_commit: boolean
  /** A finished ticket leaves the tree clean. */
  require_commit: boolean
  /** Put the previous ticket into the prompt. */
  include_previous_ticket: boolean
  /** How much the agent may do without asking. */
  approvals: ApprovalPolicy
}

/** Body of `run_resume`. */
export type RunResume = {
  /** Allow this many more turns; the option's value again when absent. */
  max_total_turns?: number | null
  /** Tokens the whole run may use from now on; as before when absent. */
  max_tokens?: number | null
  /**
   * What the whole run may cost from now on, in millionths of the hub's currency; as before
   * when absent.
   */
  max_cost?: number | null
  /** Seconds of work the whole run may take from now on; as before when absent. */
  max_seconds?: number | null
  /**
   * Accept the changes to protected files, or to what checks the ticket, that paused the
   * run.
   */
  accept_protected?: boolean
}

/** Body of `run_start`; what is absent takes the hub's defaults. */
export type RunStart = {
  /** Turns it may spend before it pauses. */
  max_total_turns?: number | null
  /** Tokens it may use before it pauses. */
  max_tokens?: number | null
  /** What it may cost before it pauses, in millionths of the hub's currency. */
  max_cost?: number | null
  /** Seconds of work it may take before it pauses. */
  max_seconds?: number | null
  /** Commit a checkpoint after every turn. */
  auto_commit?: boolean | null
  /** A finished ticket leaves the tree clean. */
  require_commit?: boolean | null
  approvals?: ApprovalPolicy | null
  /** Take the place of a paused run of the same tree. */
  supersede?: boolean
}

/** How a run stands, with what belongs to that. */
export type RunState = {
  status: "pending"
} | {
  /** What it is at. */
  phase: Phase
  status: "running"
} | {
  /** Why. */
  reason: PauseReason
  /** Why, in full. */
  details: string
  /** Since when. */
  since: Timestamp
  /** What makes it go on. */
  resume: ResumeRule
  status: "paused"
} | {
  /** Whose quota. */
  account: string
  /** Until when. */
  until: Timestamp
  status: "parked"
} | {
  status: "stopping"
} | {
  status: "completed"
} | {
  /** Why. */
  code: FailureCode
  /** Why, in full. */
  message: string
  status: "failed"
} | {
  status: "stopped"
} | {
  /** The newer run. */
  by: RunId
  status: "superseded"
}

/** How a run stands, in one word. */
export type RunStatus = "pending" | "running" | "paused" | "parked" | "stopping" | "completed" | "failed" | "stopped" | "superseded"

/** The ticket a run is at. */
export type RunTicket = {
  /** Its id. */
  id: TicketId
  /** Its number in the queue. */
  number: number
  /** Its file's name. */
  file: string
  /** Its title. */
  title: string
  /** Who works it. */
  agent: AgentId
}

/** What was kept of something removed. */
export type Salvage = {
  /** Its id, for `car salvage restore`. */
  id: SalvageId
  /** The worktree or repo it was. */
  repo: RepoId
  worktree_of?: RepoId | null
  /** The branch it was on. */
  branch?: string | null
  /** Directory of the bundle, relative to the hub's root. */
  path: string
  /** When it was made. */
  created_at: Timestamp
  /** Until when it is kept at least. */
  keep_until: Timestamp
  /** Size on disk in bytes. */
  bytes: number
}

/** What was kept of a removed worktree or repo so that it can be restored. */
export type SalvageId = string

/** What a scan of the hub's directories found. */
export type ScanReport = {
  /** Ids that are new. */
  added: Array<RepoId>
  /** Ids whose directory is gone. */
  missing: Array<RepoId>
  /** Entries and directories that could not be taken, and why. */
  issues: Array<string>
  /** How many repos and worktrees the hub has now. */
  total: number
}

/**
 * One thing a credential may allow. None implies another: each operation names exactly the
 * one it needs.
 */
export type Scope = "read" | "write" | "run" | "approve" | "terminal" | "admin"

/** One agent process under its shim; several turns and threads may use it. */
export type SessionId = string

/** The commands that prepare a new worktree of a base repo. */
export type Setup = {
  /** Shell commands, run in order in the new worktree; the first that fails ends the rest. */
  commands: Array<string>
  /** Their version, for `If-Match`. */
  etag: string
}

/** Body of `repo_setup_update`. */
export type SetupUpdate = {
  /** Shell commands, run in order in the new worktree; the first that fails ends the rest. */
  commands: Array<string>
}

/** How much a finding matters. */
export type Severity = "error" | "warning"

/** One key, without its secret half. */
export type SigningKey = {
  /** Its id, as in the `kid` of tokens. */
  id: KeyId
  /** When it was made. */
  created_at: Timestamp
  /** Whether new tokens are signed with it. */
  signs: boolean
  verifies_until?: Timestamp | null
  rotates_at?: Timestamp | null
}

/** One message of the event stream. */
export type StreamMessage = {
  /** The entry. */
  event: Event
  type: "event"
} | {
  /** The text. */
  frame: LiveFrame
  type: "live"
} | {
  /** Number of the newest entry. */
  seq: number
  /** The log's epoch: `<epoch>-<seq>` is a cursor that is never taken for another log's. */
  epoch?: string
  type: "caught_up"
} | {
  /** Why, and where to start instead. */
  gone: Gone
  type: "gone"
}

/** A template, as lists have it. */
export type Template = {
  /** Its name: `source:path`. */
  template: string
  /** The source it is from. */
  source: TemplateSourceId
  /** The file, relative to the source's root. */
  path: string
  /** Its title, or the file's name. */
  title: string
  /** What it is for, in a line. */
  summary?: string | null
  /** SHA-256 of the file: what trust is in. */
  sha256: string
  /** git's name of the file's content. */
  blob: string
  /** Bytes. */
  size: number
  /** Whether somebody trusts it. */
  trust: TemplateTrust
  /** What in it deserves a look. */
  warnings: Array<TemplateWarning>
}

/** Body of `template_apply`. */
export type TemplateApply = {
  /** Its name: `source:path`, or `source:path@ref`. */
  template: string
  /**
   * SHA-256 of the file, for a template nobody trusts: whoever names it has looked at it.
   * Agents cannot.
   */
  accept_sha256?: string | null
  /** Title of the ticket; the template's when absent. */
  title?: string | null
  /** Who works it; the hub's default agent when absent. */
  agent?: string | null
  /** Verification commands; a template brings none of its own. */
  verify?: Array<string>
  /** Number to take; the next free one when absent. A taken number moves the rest on. */
  at?: number | null
}

/** A file that is left out. */
export type TemplateSkipped = {
  /** Where it is; what cannot be shown is replaced. */
  path: string
  /** Why. */
  why: string
}

/** A git repository whose markdown files are templates. */
export type TemplateSource = {
  /** Its id, as templates are named by it: `id:path`. */
  id: TemplateSourceId
  /** Where it is fetched from, without a login. */
  url: string
  /** The branch, tag or commit its templates are taken from. */
  default_ref: string
  /** Whether what it has when it is first fetched is trusted as it then is. */
  trusted: boolean
  /**
   * The commit its templates are taken from until it is fetched again; absent before it was
   * fetched once.
   */
  commit?: string | null
  /**
   * Another commit that `default_ref` names by now and that does not follow `commit`: the
   * history was rewritten. It is taken only when that is asked for.
   */
  rewritten?: string | null
  fetched_at?: Timestamp | null
  /** Why it could not be fetched the last time; the copy of `fetched_at` is used. */
  trouble?: string | null
  /** How many templates it has. */
  templates: number
  /** How many of them nobody has trusted as they are. */
  untrusted: number
  /** Files that could have been templates and are left out, at most fifty of them. */
  skipped: Array<TemplateSkipped>
}

/** Body of `template_source_create`. */
export type TemplateSourceCreate = {
  /** A short id, which templates are named by. */
  id: TemplateSourceId
  /** An https, ssh, git or file address, or a path on the hub's machine. */
  url: string
  /** Branch, tag or commit; `main` when absent. */
  default_ref?: string | null
  /**
   * Trust what it has when it is first fetched, unseen. What changes later has to be trusted
   * again.
   */
  trusted?: boolean
}

/** A git repository that ticket templates come from: its short name, such as `team`. */
export type TemplateSourceId = string

/** Body of `template_source_sync`. */
export type TemplateSourceSync = {
  /** Take what the source has although its history was rewritten. */
  rewritten?: boolean
}

/** Body of `template_source_trust`. */
export type TemplateSourceTrust = {
  /** The commit whose files are trusted: the present one, as it was looked at. */
  commit: string
}

/** A template with its text. */
export type TemplateText = {
  /** The template. */
  template: Template
  /** The commit it is of. */
  commit: string
  /** When the source last answered. */
  fetched_at: Timestamp
  /** Why the source could not be fetched the last time: this is a copy from before. */
  trouble?: string | null
  /** The whole file as it is. */
  content: string
  /** The part of it that becomes the ticket's body. */
  body: string
  /** The goal the ticket gets. */
  goal?: string | null
  /** The files of the tree that the ticket's prompt will hold. */
  context: Array<string>
  /** When it is `changed`: how it differs from what was trusted last. */
  changes?: Array<DiffLine> | null
}

/** Whether somebody has looked at a template and trusts it. */
export type TemplateTrust = "trusted" | "changed" | "untrusted"

/** Body of `template_trust`. */
export type TemplateTrusted = {
  /** Its name: `source:path`, or `source:path@ref`. */
  template: string
  /** SHA-256 of the file that was looked at. */
  sha256: string
}

/** Body of `template_untrust`. */
export type TemplateUntrusted = {
  /** Its name: `source:path`. */
  template: string
}

/** Something in a template that deserves a look. It only warns; trust decides. */
export type TemplateWarning = {
  /** What it is. */
  kind: TemplateWarningKind
  /** The first line it is in, from 1; 0 for the whole file. */
  line: number
  /** How often it is there. */
  count: number
  /** For people. */
  message: string
}

/** What in a template deserves a look. */
export type TemplateWarningKind = "large" | "bidi" | "invisible" | "html_comment" | "encoded" | "shell" | "dropped" | "unreadable"

/** A shell on the hub's machine. */
export type Terminal = {
  /** Its id. */
  id: TerminalId
  /** How it stands. */
  status: TerminalStatus
  repo?: RepoId | null
  /** The directory it was opened in. */
  dir: string
  /** The shell. */
  command: string
  /** Characters in a line. */
  cols: number
  /** Lines. */
  rows: number
  /** Bytes the shell has written. */
  written: number
  /** How many look at it now. */
  viewers: number
  /** Who opened it. */
  opened_by: string
  /** When it was opened. */
  created_at: Timestamp
  /** When it is ended at the latest. */
  expires_at: Timestamp
  ended_at?: Timestamp | null
  end?: TerminalEnd | null
  /** The shell's exit status, when it ended by itself and not by a signal. */
  exit_code?: number | null
}

/** Body of `terminal_create`. */
export type TerminalCreate = {
  repo?: RepoId | null
  /** Characters in a line, 2 to 1000. */
  cols: number
  /** Lines, 1 to 1000. */
  rows: number
}

/** Why a terminal ended. */
export type TerminalEnd = "exited" | "killed" | "expired" | "hub_stopped"

/** A shell on the hub's machine. */
export type TerminalId = string

/** What a socket of `terminal_attach` says in text; what the shell writes are binary messages. */
export type TerminalMessage = {
  /** The terminal. */
  terminal: Terminal
  /**
   * The place of the next byte: later than asked for when what was before is no longer
   * kept.
   */
  from: number
  type: "attached"
} | {
  /** The place of the next byte. */
  at: number
  type: "caught_up"
} | {
  /** Characters in a line. */
  cols: number
  /** Lines. */
  rows: number
  type: "resized"
} | {
  /** The terminal. */
  terminal: Terminal
  type: "ended"
}

/** What a client says in text; what is typed are binary messages. */
export type TerminalOrder = {
  /** Characters in a line, 2 to 1000. */
  cols: number
  /** Lines, 1 to 1000. */
  rows: number
  type: "resize"
}

/** How a terminal stands. */
export type TerminalStatus = "running" | "ended"

/** A conversation with one agent: messages of people (and of the hub), one turn each, in order. */
export type Thread = {
  /** Its id. */
  id: ThreadId
  /** Its name for people. */
  name: string
  /** What it is for: the one thread of the project manager, or any other. */
  kind: ThreadKind
  repo?: RepoId | null
  /** The agent. */
  agent: AgentId
  /** Model, in the agent's words; its default when absent. */
  model?: string | null
  /** Reasoning effort, in the agent's words; its default when absent. */
  effort?: string | null
  /** How much the agent may do without asking. */
  approvals: ApprovalPolicy
  /** How it stands. */
  status: ThreadStatus
  /** Why it stands so and what happens next, in one line. */
  explain: string
  current?: MessageId | null
  /** Messages that wait for their turn. */
  queued: number
  /** How many messages it has, answered or not. */
  messages: number
  /** Which conversation of the agent it is at: 1, and one more with every reset. */
  conversation: number
  /** The beginning of the newest message or answer. */
  preview?: string | null
  /** Questions of the agent that wait for a yes or a no. */
  approvals_open?: Array<Approval>
  /** Tokens used in it. */
  usage: Usage
  forked_from?: ThreadId | null
  /** When it was made. */
  created_at: Timestamp
  /** When something last happened in it. */
  updated_at: Timestamp
  archived_at?: Timestamp | null
}

/** Body of `thread_create`. */
export type ThreadCreate = {
  /** Its name; made from the first message when absent. */
  name?: string | null
  repo?: RepoId | null
  agent?: AgentId | null
  /** Model, in the agent's words. */
  model?: string | null
  /** Reasoning effort, in the agent's words. */
  effort?: string | null
  approvals?: ApprovalPolicy | null
}

/** Body of `thread_fork`. */
export type ThreadFork = {
  /** The new thread's name. */
  name?: string | null
}

/** A conversation with an agent outside any run. */
export type ThreadId = string

/** A thread: its id, or `pma` for the project manager's. */
export type ThreadKey = string

/** What a thread is for. */
export type ThreadKind = "pma" | "chat"

/** How a thread stands. */
export type ThreadStatus = "idle" | "working" | "asking" | "held"

/** Body of `thread_update`, a JSON merge patch: what is absent stays. */
export type ThreadUpdate = {
  /** Its name. */
  name?: string | null
  /** Model for the turns to come. */
  model?: string | null
  /** Reasoning effort for the turns to come. */
  effort?: string | null
  approvals?: ApprovalPolicy | null
  /** Put away (`true`) or taken out again. */
  archived?: boolean | null
}

/** One ticket file as the index has it. A file with errors is listed like any other. */
export type Ticket = {
  /** Its `ticket_id`, or one derived from its path. */
  id: TicketId
  /** The repo or worktree whose queue it is in. */
  repo: RepoId
  /** Its number in the queue; absent when the file's name has none. */
  number?: number | null
  /** File name; bytes that are not UTF-8 are shown replaced. */
  file: string
  /** Where it stands. */
  state: TicketState
  /** Title, or the first heading, or the file's name. */
  title: string
  /** Who works it: an agent's id or `user`. */
  agent?: string | null
  /** Model asked for. */
  model?: string | null
  /** Reasoning effort asked for. */
  reasoning?: string | null
  /** Whether verification commands are set in the ticket itself. */
  has_verify: boolean
  /** What the linter found. */
  issues: Array<TicketIssue>
  /** Version of the file, for `If-Match`. */
  etag: string
}

/** How many tickets a queue has. */
export type TicketCounts = {
  /** All files of the queue. */
  total: number
  /** Those that say done. */
  done: number
  /** Those with errors. */
  invalid: number
}

/** Body of `ticket_create`. */
export type TicketCreate = {
  /** Title. */
  title: string
  /** Who works it; the hub's default agent when absent. */
  agent?: string | null
  /** Goal of one line or paragraph. */
  goal?: string | null
  /** Markdown body; when absent, a `## Goal` with the goal. */
  body?: string | null
  /** Verification commands. */
  verify?: Array<string>
  /** Number to take; the next free one when absent. A taken number moves the rest on. */
  at?: number | null
}

/** Body of `ticket_done`. */
export type TicketDone = {
  /** The new value of `done:`. */
  done: boolean
}

/** A ticket: its `ticket_id`, or one derived from its path when the file has none. */
export type TicketId = string

/** One finding of the linter. */
export type TicketIssue = {
  /** Stable word of the finding. */
  code: string
  /** Whether it stops a run. */
  severity: Severity
  /** Line, from 1; 0 when it concerns the whole file. */
  line: number
  /** Column in characters, from 1; 0 when it concerns the whole line. */
  column: number
  /** What is wrong and what to do. */
  message: string
  /** Whether `car tickets lint --fix` can mend it. */
  fixable: boolean
}

/** Body of `ticket_lint`. */
export type TicketLint = {
  /** Mend what can be mended safely. */
  fix?: boolean
  /** Check this text of a ticket, which is in no file yet, instead of the queue: for editors. */
  content?: string | null
}

/** Body of `ticket_move`. */
export type TicketMove = {
  /** Number the ticket shall have; the rest makes room. */
  to: number
}

/** Body of `ticket_patch`: what is absent stays as it is. */
export type TicketPatch = {
  /** Title; `null` takes it out. */
  title?: string | null
  /** Who works it: an agent's id or `user`. */
  agent?: string | null
  /** Whether it is done. */
  done?: boolean | null
  /** Model asked for; `null` for the agent's own choice. */
  model?: string | null
  /** Reasoning effort asked for; `null` for the agent's own choice. */
  reasoning?: string | null
}

/** Where a ticket stands by its own file. */
export type TicketState = "open" | "done" | "invalid"

/** A ticket with its text. */
export type TicketText = {
  /** The ticket. */
  ticket: Ticket
  /** The whole file; bytes that are not UTF-8 are shown replaced. */
  content: string
}

/** Body of `ticket_update`: the whole new text. */
export type TicketUpdate = {
  /** The file's new text. Text with errors is refused unless `allow_invalid`. */
  content: string
  /** Keep the text although the linter finds errors. */
  allow_invalid?: boolean
}

/** A point in time: microseconds since 1970-01-01 UTC in the database, RFC 3339 UTC in JSON. */
export type Timestamp = string

/** A personal access token, without its secret. */
export type Token = {
  /** Its id. */
  id: TokenId
  /** What it is for, in its owner's words. */
  name: string
  /** What it allows. */
  scopes: Array<Scope>
  /** The repos it reaches, each with its worktrees; all of them when empty. */
  repos: Array<RepoId>
  run?: RunId | null
  /** When it was made. */
  created_at: Timestamp
  expires_at?: Timestamp | null
  last_used_at?: Timestamp | null
}

/** Body of `token_create`. */
export type TokenCreate = {
  /** What it is for. */
  name: string
  /**
   * What it shall allow, at most what the caller may; `read`, `write`, `run` and `approve`
   * when absent. `terminal` is given only by the owner's own token on the hub's machine.
   */
  scopes?: Array<Scope> | null
  /** The repos it shall reach, each with its worktrees; all when empty. */
  repos?: Array<RepoId>
  run?: RunId | null
  /** Days until it stops working, 1 to 366; 90 when absent. */
  days?: number | null
}

/** A new token; the only time its secret is shown. */
export type TokenCreated = {
  /** The token. */
  token: Token
  /** The secret, for `Authorization: Bearer`. */
  secret: string
}

/** Body of `token_exchange`. */
export type TokenExchange = {
  /** What the short-lived token shall allow; all the caller may when absent. */
  scopes?: Array<Scope> | null
}

/** A personal access token (the identifier, never the secret). */
export type TokenId = string

/** What was said in a recording. */
export type Transcription = {
  /** The words; empty when there are none in it. */
  text: string
}

/** One turn. */
export type Turn = {
  /** Its id. */
  id: TurnId
  /** The run it belongs to. */
  run: RunId
  /** Its number within the run, from 1. */
  number: number
  /** The ticket it works on. */
  ticket: TicketId
  /** The ticket's file name. */
  ticket_file: string
  /** The agent. */
  agent: AgentId
  /** The model it ran with, where the agent tells. */
  model?: string | null
  /** Why the agent was asked. */
  purpose: TurnPurpose
  /** How it stands. */
  status: TurnStatus
  session?: SessionId | null
  /** The agent's own id of the conversation. */
  thread?: string | null
  /** SHA-256 of the prompt (its text is `prompts/<turn>.md` in the run's directory). */
  prompt_hash?: string | null
  /** When it began. */
  started_at: Timestamp
  ended_at?: Timestamp | null
  /** Tokens used in it. */
  usage: Usage
  cost?: Amount | null
  /** The agent's last message. */
  message?: string | null
  error?: TurnError | null
  diff?: DiffStats | null
}

/** A turn with everything the agent did in it. */
export type TurnDetail = {
  /** The turn. */
  turn: Turn
  /** The pieces of the answer, in order, as far as they are known. */
  items: Array<Item>
  /** What is being written right now, as far as it came: live frames go on from here. */
  writing?: Array<Writing>
  /** The prompt's text, while the run's directory is there. */
  prompt?: string | null
}

/** What went wrong in a turn, classified by the agent's adapter. */
export type TurnError = {
  /** What kind of error it is. */
  class: ErrorClass
  /** The agent's words. */
  message: string
  retry_at?: Timestamp | null
}

/** One prompt to one agent and its answer. */
export type TurnId = string

/** Why the agent was asked. */
export type TurnPurpose = "work" | "lint_repair" | "commit" | "verify_fix" | "continue"

/** How a turn stands. */
export type TurnStatus = "running" | "completed" | "failed" | "interrupted"

/** Work that exists nowhere else. */
export type Unsaved = {
  /** Stable word of the kind, for `--drop`. */
  kind: string
  /** One line for people. */
  detail: string
  /** How many files or commits. */
  count: number
  /** Some of them. */
  sample: Array<string>
}

/** Tokens used, as the agent's provider counts them. */
export type Usage = {
  /** Tokens read, cached ones included. */
  input_tokens: number
  /** Of those, served from the provider's cache. */
  cached_input_tokens: number
  /** Tokens written, reasoning included. */
  output_tokens: number
  /** Of those, reasoning. */
  reasoning_tokens: number
}

/** What a row of a usage report stands for. */
export type UsageBy = "day" | "repo" | "agent" | "model" | "run" | "thread"

/** What agents have used. */
export type UsageReport = {
  /** What a row stands for. */
  by: UsageBy
  /** The rows: days oldest first, everything else with the most tokens first. */
  rows: Array<UsageRow>
  /** How many rows were left off because of `limit`. */
  left_off: number
  /** All rows together, those that were left off included. */
  total: Used
  /** The word for the hub's money; absent when no prices are set. */
  currency?: string | null
}

/** One row of a usage report. */
export type UsageRow = {
  /**
   * The day (`2026-03-01`), or the id of what it stands for. Absent for what has none:
   * threads of the hub itself have no repo, and not every agent names its model.
   */
  key?: string | null
  /** The name for people, where there is one besides the id. */
  name?: string | null
  repo?: RepoId | null
  /** What was used. */
  used: Used
}

/** What turns that have ended used. */
export type Used = {
  /** Turns, of runs and of threads. */
  turns: number
  /** Runs they belong to. */
  runs: number
  /** Tokens. */
  usage: Usage
  /** Milliseconds agents were at work. */
  active_ms: number
  /** What it cost, as far as prices were known when the turns ended. */
  cost: Cost
}

/** What the hub found when it checked a claim of being done. */
export type Verdict = "passed" | "failed" | "pre_existing" | "protected" | "not_verified"

/** One command the hub runs to check a ticket's claim of being done. */
export type VerifyCommand = {
  /** Shell command, run by `/bin/sh -c`. */
  run: string
  /** Directory it runs in, relative to the tree's root. */
  dir?: string | null
  /** After how many seconds it is ended and counts as failed. */
  timeout_s: number
  /** On which tree it runs. */
  tree: VerifyTree
}

/** On which tree a verification command runs. */
export type VerifyTree = "worktree" | "clean"

/** A text and the tag of its version. */
export type Versioned = {
  /** The present text. */
  content: string
  /** Its version, as in `ETag`. */
  etag: string
}

/** What the hub does with speech. */
export type Voice = {
  /**
   * Whether it has something that finds the words of a recording. Without, recordings are
   * files like others.
   */
  configured: boolean
  /** The model that does it. */
  model?: string | null
  /** Largest recording whose words are found, in bytes. */
  max_bytes: number
  /** The media types of recordings whose words are found. */
  kinds: Array<AudioKind>
}

/**
 * An address that events are posted to.
 *
 * Each event is one `POST` of a `WebhookPayload`, signed as Standard Webhooks has it:
 * `webhook-id` stays the same however often the event is sent, `webhook-timestamp` is when it
 * was sent, `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over
 * `<id>.<timestamp>.<body>`, once for each secret that is valid. Any 2xx within the time limit
 * is a delivery; everything else is tried again, later and later; 410 turns the webhook off.
 */
export type Webhook = {
  /** Its id. */
  id: WebhookId
  /** Where to. */
  url: string
  /** What it is for, in its owner's words. */
  description: string
  /** Which events. */
  filter: WebhookFilter
  /** Whether events are sent. */
  enabled: boolean
  /** Why the hub turned it off, when it did. */
  disabled_reason?: string | null
  failing_since?: Timestamp | null
  /** Number of the last event that was looked at; those after it are not in the ledger yet. */
  cursor: number
  /** Deliveries that have not arrived yet and are not given up. */
  pending: number
  old_secret_until?: Timestamp | null
  /** When it was made. */
  created_at: Timestamp
}

/** Body of `webhook_create`. */
export type WebhookCreate = {
  /** Where to: an `http` or `https` address without user name and fragment. */
  url: string
  /** What it is for. */
  description?: string
  /** Which events; all when absent. */
  filter?: WebhookFilter
}

/** One line of the ledger: an event on its way to a webhook. */
export type WebhookDelivery = {
  /** Its id, which is also sent as `webhook-id`. */
  id: DeliveryId
  /** The webhook. */
  webhook: WebhookId
  /** The event's number; absent for a test. */
  seq?: number | null
  /** The event's kind; `test` for a test. */
  kind: string
  /** How it stands. */
  status: DeliveryStatus
  /** How often it was tried. */
  attempts: number
  /** When it joined the ledger. */
  created_at: Timestamp
  last_attempt_at?: Timestamp | null
  /** What the address answered last. */
  last_status?: number | null
  /** What went wrong last. */
  last_error?: string | null
  next_attempt_at?: Timestamp | null
}

/** Which events a webhook is sent; an empty filter wants all. */
export type WebhookFilter = {
  repo?: RepoId | null
  run?: RunId | null
  /** Only of these kinds, by the `kind` word of the event. */
  kinds?: Array<string>
}

/** An address that events are posted to. */
export type WebhookId = string

/** What is posted to a webhook. */
export type WebhookPayload = {
  /** The event's kind; `test` for a test. */
  type: string
  /** When the event was written. */
  timestamp: Timestamp
  data?: Event | null
}

/** A webhook with a new secret; the only time the secret is shown. */
export type WebhookSecret = {
  /** The webhook. */
  webhook: Webhook
  /** The secret: `whsec_` and the key in base64. */
  secret: string
}

/** Body of `webhook_update`; what is absent stays. */
export type WebhookUpdate = {
  /** Where to. */
  url?: string | null
  /** What it is for. */
  description?: string | null
  filter?: WebhookFilter | null
  /** Whether events are sent. Turned on again, it goes on where it was. */
  enabled?: boolean | null
}

/** Body of `worktree_cleanup`. */
export type WorktreeCleanup = {
  /** Also delete the branch. */
  delete_branch?: boolean
  /** Kinds of unsaved work that may be dropped (kept in a salvage bundle for 30 days). */
  drop?: Array<string>
  /** Only say what would happen. */
  dry_run?: boolean
}

/** Body of `worktree_create`. */
export type WorktreeCreate = {
  /** The base repo. */
  base: RepoId
  /** Branch to create or check out. */
  branch: string
  /** Where a new branch starts; `origin/<default>` when absent, else HEAD with a note. */
  start_point?: string | null
  /** Do not run the base repo's set-up commands. */
  skip_setup?: boolean
}

/**
 * A piece that is being written. Its text goes on with the live frame whose `offset` is this
 * `offset` plus the text's length in bytes; of a frame that begins earlier, the rest goes on.
 */
export type Writing = {
  /** The agent's id of the piece. */
  item: string
  /** What is being written. */
  stream: LiveStream
  /** Where `text` begins in the piece, in bytes; not 0 only for very long pieces. */
  offset: number
  /** The text. */
  text: string
}

/** Opens one WebSocket, once. */
export type WsTicket = {
  /** Sent as a second protocol beside `car.v1` in `Sec-WebSocket-Protocol`. */
  protocol: string
  /** Until when it can be used. */
  expires_at: Timestamp
}

/**
 * Body of `ws_ticket_create`: what the socket shall follow, as in `event_list`, or the terminal
 * it shall open.
 */
export type WsTicketCreate = {
  repo?: RepoId | null
  run?: RunId | null
  thread?: ThreadId | null
  /** Only of these kinds, separated by commas. */
  kind?: string | null
  terminal?: TerminalId | null
}

/** Every operation: where it is, what it takes and what it gives. */
export interface Operations {
  /** Say that the process is alive */
  health_live: {
    method: "GET"
    url: "/health/live"
    path: {}
    query: {}
    body: undefined
    answer: unknown
  }
  /** Say whether the hub can work */
  health_ready: {
    method: "GET"
    url: "/health/ready"
    path: {}
    query: {}
    body: undefined
    answer: Readiness
  }
  /** Get numbers for Prometheus */
  metrics_get: {
    method: "GET"
    url: "/metrics"
    path: {}
    query: {}
    body: undefined
    answer: string
  }
  /** Get the file behind a link */
  download_get: {
    method: "GET"
    url: "/download/{link}"
    path: { link: string }
    query: {}
    body: undefined
    answer: string
  }
  /** Get the hub */
  hub_get: {
    method: "GET"
    url: "/api/v1/hub"
    path: {}
    query: {}
    body: undefined
    answer: HubInfo
  }
  /** Get what wants attention */
  hub_snapshot: {
    method: "GET"
    url: "/api/v1/hub/snapshot"
    path: {}
    query: {}
    body: undefined
    answer: HubSnapshot
  }
  /** Look for repos and worktrees */
  hub_scan: {
    method: "POST"
    url: "/api/v1/hub/scan"
    path: {}
    query: {}
    body: undefined
    answer: ScanReport
  }
  /** Look for what could keep the hub from working */
  hub_doctor: {
    method: "GET"
    url: "/api/v1/hub/doctor"
    path: {}
    query: {}
    body: undefined
    answer: DoctorReport
  }
  /** Count what agents have used */
  usage_get: {
    method: "GET"
    url: "/api/v1/usage"
    path: {}
    query: { by?: UsageBy; since?: string; until?: string; repo?: RepoId; utc_offset?: string; limit?: number }
    body: undefined
    answer: UsageReport
  }
  /** Get the budgets, and how much of the day's is used */
  budgets_get: {
    method: "GET"
    url: "/api/v1/budgets"
    path: {}
    query: {}
    body: undefined
    answer: Budgets
  }
  /** Set the budgets */
  budgets_update: {
    method: "PUT"
    url: "/api/v1/budgets"
    path: {}
    query: {}
    body: BudgetLimits
    answer: Budgets
  }
  /** Get this document */
  openapi_get: {
    method: "GET"
    url: "/api/v1/openapi.json"
    path: {}
    query: {}
    body: undefined
    answer: unknown
  }
  /** Read this document as a page */
  docs_get: {
    method: "GET"
    url: "/api/v1/docs"
    path: {}
    query: {}
    body: undefined
    answer: string
  }
  /** Get the page's style sheet */
  docs_style: {
    method: "GET"
    url: "/api/v1/docs/style.css"
    path: {}
    query: {}
    body: undefined
    answer: string
  }
  /** List backups */
  backup_list: {
    method: "GET"
    url: "/api/v1/backups"
    path: {}
    query: {}
    body: undefined
    answer: Page_Backup
  }
  /** Make a backup */
  backup_create: {
    method: "POST"
    url: "/api/v1/backups"
    path: {}
    query: {}
    body: BackupCreate
    answer: Job
  }
  /** Confirm a restore */
  restore_confirm: {
    method: "POST"
    url: "/api/v1/hub/restore/confirm"
    path: {}
    query: {}
    body: undefined
    answer: undefined
  }
  /** List repos and worktrees */
  repo_list: {
    method: "GET"
    url: "/api/v1/repos"
    path: {}
    query: { kind?: RepoKind; status?: RepoStatus; base?: RepoId; run?: RunStatus; after?: string; limit?: number }
    body: undefined
    answer: Page_Repo
  }
  /** Create a repo, or take an existing directory */
  repo_create: {
    method: "POST"
    url: "/api/v1/repos"
    path: {}
    query: {}
    body: RepoCreate
    answer: Repo
  }
  /** Clone a repo */
  repo_clone: {
    method: "POST"
    url: "/api/v1/repos/clone"
    path: {}
    query: {}
    body: RepoClone
    answer: Job
  }
  /** Get a repo or worktree */
  repo_get: {
    method: "GET"
    url: "/api/v1/repos/{repo}"
    path: { repo: RepoId }
    query: {}
    body: undefined
    answer: Repo
  }
  /** Change a repo's name */
  repo_update: {
    method: "PATCH"
    url: "/api/v1/repos/{repo}"
    path: { repo: RepoId }
    query: {}
    body: RepoPatch
    answer: Repo
  }
  /** Ask git how a repo or worktree stands */
  repo_git: {
    method: "GET"
    url: "/api/v1/repos/{repo}/git"
    path: { repo: RepoId }
    query: {}
    body: undefined
    answer: RepoGit
  }
  /** Make the directories a queue needs */
  repo_init: {
    method: "POST"
    url: "/api/v1/repos/{repo}/init"
    path: { repo: RepoId }
    query: {}
    body: undefined
    answer: Repo
  }
  /** Bring a repo or worktree up to what its remote has */
  repo_sync: {
    method: "POST"
    url: "/api/v1/repos/{repo}/sync"
    path: { repo: RepoId }
    query: {}
    body: undefined
    answer: Job
  }
  /** Get the commands that prepare new worktrees */
  repo_setup_get: {
    method: "GET"
    url: "/api/v1/repos/{repo}/setup"
    path: { repo: RepoId }
    query: {}
    body: undefined
    answer: Setup
  }
  /** Set the commands that prepare new worktrees */
  repo_setup_update: {
    method: "PUT"
    url: "/api/v1/repos/{repo}/setup"
    path: { repo: RepoId }
    query: {}
    body: SetupUpdate
    answer: Setup
  }
  /** Take a repo out of the hub */
  repo_remove: {
    method: "POST"
    url: "/api/v1/repos/{repo}/remove"
    path: { repo: RepoId }
    query: {}
    body: RepoRemove
    answer: RemovalReport
  }
  /** List worktrees */
  worktree_list: {
    method: "GET"
    url: "/api/v1/worktrees"
    path: {}
    query: { base?: RepoId; after?: string; limit?: number }
    body: undefined
    answer: Page_Repo
  }
  /** Create a worktree and run the set-up commands of its base */
  worktree_create: {
    method: "POST"
    url: "/api/v1/worktrees"
    path: {}
    query: {}
    body: WorktreeCreate
    answer: Job
  }
  /** Remove a worktree */
  worktree_cleanup: {
    method: "POST"
    url: "/api/v1/worktrees/{repo}/cleanup"
    path: { repo: RepoId }
    query: {}
    body: WorktreeCleanup
    answer: RemovalReport
  }
  /** List what was kept of removed worktrees and repos */
  salvage_list: {
    method: "GET"
    url: "/api/v1/salvages"
    path: {}
    query: { repo?: RepoId; after?: string; limit?: number }
    body: undefined
    answer: Page_Salvage
  }
  /** Bring a removed worktree or repo back */
  salvage_restore: {
    method: "POST"
    url: "/api/v1/salvages/{salvage}/restore"
    path: { salvage: SalvageId }
    query: {}
    body: undefined
    answer: Repo
  }
  /** List the tickets of a queue */
  ticket_list: {
    method: "GET"
    url: "/api/v1/repos/{repo}/tickets"
    path: { repo: RepoId }
    query: { state?: TicketState; agent?: string; title?: string; after?: string; limit?: number }
    body: undefined
    answer: Page_Ticket
  }
  /** Create a ticket */
  ticket_create: {
    method: "POST"
    url: "/api/v1/repos/{repo}/tickets"
    path: { repo: RepoId }
    query: {}
    body: TicketCreate
    answer: TicketText
  }
  /** List the tickets of all queues */
  ticket_list_all: {
    method: "GET"
    url: "/api/v1/tickets"
    path: {}
    query: { state?: TicketState; agent?: string; title?: string; after?: string; limit?: number }
    body: undefined
    answer: Page_Ticket
  }
  /** Get a ticket with its text */
  ticket_get: {
    method: "GET"
    url: "/api/v1/repos/{repo}/tickets/{ticket}"
    path: { repo: RepoId; ticket: string }
    query: {}
    body: undefined
    answer: TicketText
  }
  /** Replace a ticket's text */
  ticket_update: {
    method: "PUT"
    url: "/api/v1/repos/{repo}/tickets/{ticket}"
    path: { repo: RepoId; ticket: string }
    query: {}
    body: TicketUpdate
    answer: TicketText
  }
  /** Change fields of a ticket */
  ticket_patch: {
    method: "PATCH"
    url: "/api/v1/repos/{repo}/tickets/{ticket}"
    path: { repo: RepoId; ticket: string }
    query: {}
    body: TicketPatch
    answer: TicketText
  }
  /** Mark a ticket done, or open again */
  ticket_done: {
    method: "POST"
    url: "/api/v1/repos/{repo}/tickets/{ticket}/done"
    path: { repo: RepoId; ticket: string }
    query: {}
    body: TicketDone
    answer: TicketText
  }
  /** Run the commands that prove a ticket */
  ticket_verify: {
    method: "POST"
    url: "/api/v1/repos/{repo}/tickets/{ticket}/verify"
    path: { repo: RepoId; ticket: string }
    query: {}
    body: undefined
    answer: Job
  }
  /** Give a ticket another place in the queue */
  ticket_move: {
    method: "POST"
    url: "/api/v1/repos/{repo}/tickets/{ticket}/move"
    path: { repo: RepoId; ticket: string }
    query: {}
    body: TicketMove
    answer: Page_Ticket
  }
  /** Close the gaps in a queue's numbers */
  ticket_renumber: {
    method: "POST"
    url: "/api/v1/repos/{repo}/tickets/renumber"
    path: { repo: RepoId }
    query: {}
    body: undefined
    answer: Page_Ticket
  }
  /** Check a queue, and mend what can be mended safely */
  ticket_lint: {
    method: "POST"
    url: "/api/v1/repos/{repo}/tickets/lint"
    path: { repo: RepoId }
    query: {}
    body: TicketLint
    answer: LintReport
  }
  /** Make a ticket of a template */
  template_apply: {
    method: "POST"
    url: "/api/v1/repos/{repo}/tickets/from-template"
    path: { repo: RepoId }
    query: {}
    body: TemplateApply
    answer: TicketText
  }
  /** List templates */
  template_list: {
    method: "GET"
    url: "/api/v1/templates"
    path: {}
    query: { source?: TemplateSourceId; q?: string; after?: string; limit?: number }
    body: undefined
    answer: Page_Template
  }
  /** Get a template with its text */
  template_get: {
    method: "GET"
    url: "/api/v1/templates/text"
    path: {}
    query: { template: string }
    body: undefined
    answer: TemplateText
  }
  /** Trust a template */
  template_trust: {
    method: "POST"
    url: "/api/v1/templates/trust"
    path: {}
    query: {}
    body: TemplateTrusted
    answer: Template
  }
  /** Trust a template no longer */
  template_untrust: {
    method: "POST"
    url: "/api/v1/templates/untrust"
    path: {}
    query: {}
    body: TemplateUntrusted
    answer: Template
  }
  /** List sources of templates */
  template_source_list: {
    method: "GET"
    url: "/api/v1/templates/sources"
    path: {}
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_TemplateSource
  }
  /** Add a source of templates */
  template_source_create: {
    method: "POST"
    url: "/api/v1/templates/sources"
    path: {}
    query: {}
    body: TemplateSourceCreate
    answer: TemplateSource
  }
  /** Remove a source of templates */
  template_source_delete: {
    method: "DELETE"
    url: "/api/v1/templates/sources/{source}"
    path: { source: TemplateSourceId }
    query: {}
    body: undefined
    answer: undefined
  }
  /** Fetch a source of templates */
  template_source_sync: {
    method: "POST"
    url: "/api/v1/templates/sources/{source}/sync"
    path: { source: TemplateSourceId }
    query: {}
    body: TemplateSourceSync
    answer: Job
  }
  /** Trust all templates of a source */
  template_source_trust: {
    method: "POST"
    url: "/api/v1/templates/sources/{source}/trust"
    path: { source: TemplateSourceId }
    query: {}
    body: TemplateSourceTrust
    answer: TemplateSource
  }
  /** Trust nothing of a source any more */
  template_source_untrust: {
    method: "POST"
    url: "/api/v1/templates/sources/{source}/untrust"
    path: { source: TemplateSourceId }
    query: {}
    body: undefined
    answer: TemplateSource
  }
  /** List the contextspace documents with their texts */
  context_list: {
    method: "GET"
    url: "/api/v1/repos/{repo}/contextspace"
    path: { repo: RepoId }
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_ContextDoc
  }
  /** Get a contextspace document */
  context_get: {
    method: "GET"
    url: "/api/v1/repos/{repo}/contextspace/{name}"
    path: { repo: RepoId; name: ContextName }
    query: {}
    body: undefined
    answer: ContextDoc
  }
  /** Replace a contextspace document */
  context_update: {
    method: "PUT"
    url: "/api/v1/repos/{repo}/contextspace/{name}"
    path: { repo: RepoId; name: ContextName }
    query: {}
    body: ContextUpdate
    answer: ContextDoc
  }
  /** List the files of the hub's own boxes */
  file_list: {
    method: "GET"
    url: "/api/v1/files"
    path: {}
    query: { box?: FileBox; after?: string; limit?: number }
    body: undefined
    answer: Page_BoxFile
  }
  /** Get a file of the hub's own boxes */
  file_get: {
    method: "GET"
    url: "/api/v1/files/{box}/{name}"
    path: { box: FileBox; name: BoxFileName }
    query: {}
    body: undefined
    answer: string
  }
  /** Put a file into one of the hub's own boxes */
  file_put: {
    method: "PUT"
    url: "/api/v1/files/{box}/{name}"
    path: { box: FileBox; name: BoxFileName }
    query: {}
    body: string
    answer: BoxFile
  }
  /** Delete a file of the hub's own boxes */
  file_delete: {
    method: "DELETE"
    url: "/api/v1/files/{box}/{name}"
    path: { box: FileBox; name: BoxFileName }
    query: {}
    body: undefined
    answer: undefined
  }
  /** Get a link to a file of the hub's own boxes */
  file_link: {
    method: "POST"
    url: "/api/v1/files/{box}/{name}/link"
    path: { box: FileBox; name: BoxFileName }
    query: {}
    body: undefined
    answer: FileLink
  }
  /** List the files of a repo's boxes */
  repo_file_list: {
    method: "GET"
    url: "/api/v1/repos/{repo}/files"
    path: { repo: RepoId }
    query: { box?: FileBox; after?: string; limit?: number }
    body: undefined
    answer: Page_BoxFile
  }
  /** Get a file of a repo's boxes */
  repo_file_get: {
    method: "GET"
    url: "/api/v1/repos/{repo}/files/{box}/{name}"
    path: { repo: RepoId; box: FileBox; name: BoxFileName }
    query: {}
    body: undefined
    answer: string
  }
  /** Put a file into one of a repo's boxes */
  repo_file_put: {
    method: "PUT"
    url: "/api/v1/repos/{repo}/files/{box}/{name}"
    path: { repo: RepoId; box: FileBox; name: BoxFileName }
    query: {}
    body: string
    answer: BoxFile
  }
  /** Delete a file of a repo's boxes */
  repo_file_delete: {
    method: "DELETE"
    url: "/api/v1/repos/{repo}/files/{box}/{name}"
    path: { repo: RepoId; box: FileBox; name: BoxFileName }
    query: {}
    body: undefined
    answer: undefined
  }
  /** Get a link to a file of a repo's boxes */
  repo_file_link: {
    method: "POST"
    url: "/api/v1/repos/{repo}/files/{box}/{name}/link"
    path: { repo: RepoId; box: FileBox; name: BoxFileName }
    query: {}
    body: undefined
    answer: FileLink
  }
  /** Get how the project manager stands */
  pma_get: {
    method: "GET"
    url: "/api/v1/pma"
    path: {}
    query: {}
    body: undefined
    answer: PmaInfo
  }
  /** Close the circuit breaker */
  pma_breaker_reset: {
    method: "POST"
    url: "/api/v1/pma/breaker/reset"
    path: {}
    query: {}
    body: undefined
    answer: PmaInfo
  }
  /** List the documents of the project manager with their texts */
  pma_doc_list: {
    method: "GET"
    url: "/api/v1/pma/docs"
    path: {}
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_PmaDoc
  }
  /** Get a document of the project manager */
  pma_doc_get: {
    method: "GET"
    url: "/api/v1/pma/docs/{name}"
    path: { name: PmaDocName }
    query: {}
    body: undefined
    answer: PmaDoc
  }
  /** Replace a document of the project manager */
  pma_doc_update: {
    method: "PUT"
    url: "/api/v1/pma/docs/{name}"
    path: { name: PmaDocName }
    query: {}
    body: PmaDocUpdate
    answer: PmaDoc
  }
  /** Move the project manager's working set into its log */
  pma_doc_prune: {
    method: "POST"
    url: "/api/v1/pma/docs/active_context/prune"
    path: {}
    query: {}
    body: undefined
    answer: PmaDoc
  }
  /** Get what the project manager is shown of the hub */
  pma_packet: {
    method: "GET"
    url: "/api/v1/pma/packet"
    path: {}
    query: {}
    body: undefined
    answer: string
  }
  /** Start a run over a queue */
  run_start: {
    method: "POST"
    url: "/api/v1/repos/{repo}/runs"
    path: { repo: RepoId }
    query: {}
    body: RunStart
    answer: Run
  }
  /** List runs */
  run_list: {
    method: "GET"
    url: "/api/v1/runs"
    path: {}
    query: { repo?: RepoId; status?: RunStatus; since?: Timestamp; until?: Timestamp; after?: string; limit?: number }
    body: undefined
    answer: Page_Run
  }
  /** Get a run */
  run_get: {
    method: "GET"
    url: "/api/v1/runs/{run}"
    path: { run: RunId }
    query: {}
    body: undefined
    answer: Run
  }
  /** Say why a run stands as it does, and who acts next */
  run_explain: {
    method: "GET"
    url: "/api/v1/runs/{run}/explain"
    path: { run: RunId }
    query: {}
    body: undefined
    answer: Explain
  }
  /** Let a paused or parked run go on */
  run_resume: {
    method: "POST"
    url: "/api/v1/runs/{run}/resume"
    path: { run: RunId }
    query: {}
    body: RunResume
    answer: Run
  }
  /** Pause a run after its present turn */
  run_pause: {
    method: "POST"
    url: "/api/v1/runs/{run}/pause"
    path: { run: RunId }
    query: {}
    body: undefined
    answer: Run
  }
  /** Stop a run and its agent now */
  run_stop: {
    method: "POST"
    url: "/api/v1/runs/{run}/stop"
    path: { run: RunId }
    query: {}
    body: undefined
    answer: Run
  }
  /** Reply to a run; the text is in its next prompt */
  run_reply: {
    method: "POST"
    url: "/api/v1/runs/{run}/reply"
    path: { run: RunId }
    query: {}
    body: ReplyCreate
    answer: Reply
  }
  /** List the turns of a run */
  run_turns: {
    method: "GET"
    url: "/api/v1/runs/{run}/turns"
    path: { run: RunId }
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Turn
  }
  /** Get a turn with everything the agent did in it */
  turn_get: {
    method: "GET"
    url: "/api/v1/turns/{turn}"
    path: { turn: TurnId }
    query: {}
    body: undefined
    answer: TurnDetail
  }
  /** List what a run's agent said to people */
  run_dispatches: {
    method: "GET"
    url: "/api/v1/runs/{run}/dispatches"
    path: { run: RunId }
    query: { mode?: DispatchMode; after?: string; limit?: number }
    body: undefined
    answer: Page_Dispatch
  }
  /** Say something to people for a run's agent */
  dispatch_create: {
    method: "POST"
    url: "/api/v1/runs/{run}/dispatches"
    path: { run: RunId }
    query: {}
    body: DispatchCreate
    answer: undefined
  }
  /** List what people replied to a run */
  run_replies: {
    method: "GET"
    url: "/api/v1/runs/{run}/replies"
    path: { run: RunId }
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Reply
  }
  /** List what the hub found when it checked a run's claims */
  run_evidence: {
    method: "GET"
    url: "/api/v1/runs/{run}/evidence"
    path: { run: RunId }
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Evidence
  }
  /** List the files a run changed */
  run_diff: {
    method: "GET"
    url: "/api/v1/runs/{run}/diff"
    path: { run: RunId }
    query: { turn?: TurnId; after?: string; limit?: number }
    body: undefined
    answer: RunDiff
  }
  /** Get the lines of one file a run changed */
  run_diff_file: {
    method: "GET"
    url: "/api/v1/runs/{run}/diff/file"
    path: { run: RunId }
    query: { path: string; turn?: TurnId; after?: string; limit?: number }
    body: undefined
    answer: FileDiff
  }
  /** Answer a question of an agent */
  approval_decide: {
    method: "POST"
    url: "/api/v1/runs/{run}/approvals/{approval}"
    path: { run: RunId; approval: ApprovalId }
    query: {}
    body: ApprovalDecide
    answer: Approval
  }
  /** Read the log, or follow it */
  event_list: {
    method: "GET"
    url: "/api/v1/events"
    path: {}
    query: { after?: string; last?: number; limit?: number; repo?: RepoId; run?: RunId; thread?: ThreadId; kind?: string }
    body: undefined
    answer: Page_Event
  }
  /** List webhooks */
  webhook_list: {
    method: "GET"
    url: "/api/v1/webhooks"
    path: {}
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Webhook
  }
  /** Create a webhook */
  webhook_create: {
    method: "POST"
    url: "/api/v1/webhooks"
    path: {}
    query: {}
    body: WebhookCreate
    answer: WebhookSecret
  }
  /** Get a webhook */
  webhook_get: {
    method: "GET"
    url: "/api/v1/webhooks/{webhook}"
    path: { webhook: WebhookId }
    query: {}
    body: undefined
    answer: Webhook
  }
  /** Delete a webhook */
  webhook_delete: {
    method: "DELETE"
    url: "/api/v1/webhooks/{webhook}"
    path: { webhook: WebhookId }
    query: {}
    body: undefined
    answer: undefined
  }
  /** Change a webhook */
  webhook_update: {
    method: "PATCH"
    url: "/api/v1/webhooks/{webhook}"
    path: { webhook: WebhookId }
    query: {}
    body: WebhookUpdate
    answer: Webhook
  }
  /** Give a webhook a new secret */
  webhook_rotate: {
    method: "POST"
    url: "/api/v1/webhooks/{webhook}/rotate"
    path: { webhook: WebhookId }
    query: {}
    body: undefined
    answer: WebhookSecret
  }
  /** Send a test to a webhook */
  webhook_test: {
    method: "POST"
    url: "/api/v1/webhooks/{webhook}/test"
    path: { webhook: WebhookId }
    query: {}
    body: undefined
    answer: WebhookDelivery
  }
  /** List a webhook's deliveries */
  webhook_deliveries: {
    method: "GET"
    url: "/api/v1/webhooks/{webhook}/deliveries"
    path: { webhook: WebhookId }
    query: { status?: DeliveryStatus; after?: string; limit?: number }
    body: undefined
    answer: Page_WebhookDelivery
  }
  /** Send a delivery again */
  webhook_redeliver: {
    method: "POST"
    url: "/api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver"
    path: { webhook: WebhookId; delivery: DeliveryId }
    query: {}
    body: undefined
    answer: WebhookDelivery
  }
  /** List what waits for a person */
  inbox_list: {
    method: "GET"
    url: "/api/v1/inbox"
    path: {}
    query: { status?: InboxView; repo?: RepoId; run?: RunId; kind?: InboxKind; after?: string; limit?: number }
    body: undefined
    answer: Page_InboxItem
  }
  /** Count what waits for a person */
  inbox_counts: {
    method: "GET"
    url: "/api/v1/inbox/counts"
    path: {}
    query: {}
    body: undefined
    answer: InboxCounts
  }
  /** Note what a person has seen */
  inbox_seen: {
    method: "POST"
    url: "/api/v1/inbox/seen"
    path: {}
    query: {}
    body: InboxSeen
    answer: InboxCounts
  }
  /** Get one thing that waits for a person */
  inbox_get: {
    method: "GET"
    url: "/api/v1/inbox/{item}"
    path: { item: InboxItemId }
    query: {}
    body: undefined
    answer: InboxItem
  }
  /** Do one of an item's actions */
  inbox_act: {
    method: "POST"
    url: "/api/v1/inbox/{item}/act"
    path: { item: InboxItemId }
    query: {}
    body: InboxAct
    answer: InboxItem
  }
  /** List notifications */
  notification_list: {
    method: "GET"
    url: "/api/v1/notifications"
    path: {}
    query: { status?: NotificationStatus; after?: string; limit?: number }
    body: undefined
    answer: Page_Notification
  }
  /** Get the key a browser subscribes with */
  push_key_get: {
    method: "GET"
    url: "/api/v1/push/key"
    path: {}
    query: {}
    body: undefined
    answer: PushKey
  }
  /** Get how this browser is pushed to */
  push_get: {
    method: "GET"
    url: "/api/v1/push/subscription"
    path: {}
    query: {}
    body: undefined
    answer: NotificationChannel
  }
  /** Have notifications pushed to this browser */
  push_subscribe: {
    method: "PUT"
    url: "/api/v1/push/subscription"
    path: {}
    query: {}
    body: PushSubscribe
    answer: NotificationChannel
  }
  /** Push nothing to this browser any more */
  push_unsubscribe: {
    method: "DELETE"
    url: "/api/v1/push/subscription"
    path: {}
    query: {}
    body: undefined
    answer: undefined
  }
  /** Push a trial to this browser */
  push_test: {
    method: "POST"
    url: "/api/v1/push/subscription/test"
    path: {}
    query: {}
    body: undefined
    answer: Notification
  }
  /** Do one of the actions of a notification that was pushed */
  push_act: {
    method: "POST"
    url: "/api/v1/push/act"
    path: {}
    query: {}
    body: PushAct
    answer: PushActed
  }
  /** Get a notification */
  notification_get: {
    method: "GET"
    url: "/api/v1/notifications/{notification}"
    path: { notification: NotificationId }
    query: {}
    body: undefined
    answer: Notification
  }
  /** Note that a person has seen a notification */
  notification_seen: {
    method: "POST"
    url: "/api/v1/notifications/{notification}/seen"
    path: { notification: NotificationId }
    query: {}
    body: undefined
    answer: Notification
  }
  /** Send a notification again where it was given up */
  notification_retry: {
    method: "POST"
    url: "/api/v1/notifications/{notification}/retry"
    path: { notification: NotificationId }
    query: {}
    body: undefined
    answer: Notification
  }
  /** List the ways out for notifications */
  channel_list: {
    method: "GET"
    url: "/api/v1/channels"
    path: {}
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_NotificationChannel
  }
  /** Create a webhook channel */
  channel_create: {
    method: "POST"
    url: "/api/v1/channels"
    path: {}
    query: {}
    body: ChannelCreate
    answer: ChannelSecret
  }
  /** Get a channel */
  channel_get: {
    method: "GET"
    url: "/api/v1/channels/{channel}"
    path: { channel: ChannelId }
    query: {}
    body: undefined
    answer: NotificationChannel
  }
  /** Delete a channel */
  channel_delete: {
    method: "DELETE"
    url: "/api/v1/channels/{channel}"
    path: { channel: ChannelId }
    query: {}
    body: undefined
    answer: undefined
  }
  /** Change a channel */
  channel_update: {
    method: "PATCH"
    url: "/api/v1/channels/{channel}"
    path: { channel: ChannelId }
    query: {}
    body: ChannelUpdate
    answer: NotificationChannel
  }
  /** Send a trial on a channel */
  channel_test: {
    method: "POST"
    url: "/api/v1/channels/{channel}/test"
    path: { channel: ChannelId }
    query: {}
    body: undefined
    answer: Notification
  }
  /** List threads */
  thread_list: {
    method: "GET"
    url: "/api/v1/threads"
    path: {}
    query: { kind?: ThreadKind; repo?: RepoId; status?: ThreadStatus; archived?: "false" | "true" | "all"; after?: string; limit?: number }
    body: undefined
    answer: Page_Thread
  }
  /** Begin a thread */
  thread_create: {
    method: "POST"
    url: "/api/v1/threads"
    path: {}
    query: {}
    body: ThreadCreate
    answer: Thread
  }
  /** Get a thread */
  thread_get: {
    method: "GET"
    url: "/api/v1/threads/{thread}"
    path: { thread: ThreadKey }
    query: {}
    body: undefined
    answer: Thread
  }
  /** Change a thread's name or settings, put it away or take it out again */
  thread_update: {
    method: "PATCH"
    url: "/api/v1/threads/{thread}"
    path: { thread: ThreadKey }
    query: {}
    body: ThreadUpdate
    answer: Thread
  }
  /** List the messages of a thread */
  message_list: {
    method: "GET"
    url: "/api/v1/threads/{thread}/messages"
    path: { thread: ThreadKey }
    query: { before?: number; after?: number; limit?: number }
    body: undefined
    answer: Page_Message
  }
  /** Post a message to a thread's agent */
  message_post: {
    method: "POST"
    url: "/api/v1/threads/{thread}/messages"
    path: { thread: ThreadKey }
    query: {}
    body: MessagePost
    answer: Message
  }
  /** Get a message with everything the agent did to answer it */
  message_get: {
    method: "GET"
    url: "/api/v1/threads/{thread}/messages/{message}"
    path: { thread: ThreadKey; message: MessageId }
    query: {}
    body: undefined
    answer: MessageDetail
  }
  /** Take a message back that waits */
  message_cancel: {
    method: "DELETE"
    url: "/api/v1/threads/{thread}/messages/{message}"
    path: { thread: ThreadKey; message: MessageId }
    query: {}
    body: undefined
    answer: Message
  }
  /** Have the agent go on with an answer that was cut off or failed */
  message_continue: {
    method: "POST"
    url: "/api/v1/threads/{thread}/messages/{message}/continue"
    path: { thread: ThreadKey; message: MessageId }
    query: {}
    body: undefined
    answer: Message
  }
  /** Cut off the answer that is under way; the queue goes on */
  thread_interrupt: {
    method: "POST"
    url: "/api/v1/threads/{thread}/interrupt"
    path: { thread: ThreadKey }
    query: {}
    body: undefined
    answer: Thread
  }
  /** Cut off the answer that is under way, and take back every message that waits */
  thread_stop: {
    method: "POST"
    url: "/api/v1/threads/{thread}/stop"
    path: { thread: ThreadKey }
    query: {}
    body: undefined
    answer: Thread
  }
  /** Let a held thread go on */
  thread_resume: {
    method: "POST"
    url: "/api/v1/threads/{thread}/resume"
    path: { thread: ThreadKey }
    query: {}
    body: undefined
    answer: Thread
  }
  /** Begin a new conversation of the agent; the messages stay */
  thread_reset: {
    method: "POST"
    url: "/api/v1/threads/{thread}/reset"
    path: { thread: ThreadKey }
    query: {}
    body: undefined
    answer: Thread
  }
  /** Make the agent's conversation shorter */
  thread_compact: {
    method: "POST"
    url: "/api/v1/threads/{thread}/compact"
    path: { thread: ThreadKey }
    query: {}
    body: undefined
    answer: Thread
  }
  /** Begin another thread from what was said in this one */
  thread_fork: {
    method: "POST"
    url: "/api/v1/threads/{thread}/fork"
    path: { thread: ThreadKey }
    query: {}
    body: ThreadFork
    answer: Thread
  }
  /** Answer a question of a thread's agent */
  thread_approval_decide: {
    method: "POST"
    url: "/api/v1/threads/{thread}/approvals/{approval}"
    path: { thread: ThreadKey; approval: ApprovalId }
    query: {}
    body: ApprovalDecide
    answer: Approval
  }
  /** Search the messages of all threads and their answers */
  message_search: {
    method: "GET"
    url: "/api/v1/messages"
    path: {}
    query: { q?: string; thread?: ThreadKey; after?: string; limit?: number }
    body: undefined
    answer: Page_MessageHit
  }
  /** Get what the hub does with speech */
  voice_get: {
    method: "GET"
    url: "/api/v1/voice"
    path: {}
    query: {}
    body: undefined
    answer: Voice
  }
  /** Find the words of a recording */
  voice_transcribe: {
    method: "POST"
    url: "/api/v1/voice/transcriptions"
    path: {}
    query: { language?: string }
    body: string
    answer: Transcription
  }
  /** List agents and whether they can be used */
  agent_list: {
    method: "GET"
    url: "/api/v1/agents"
    path: {}
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Agent
  }
  /** List the models an agent offers */
  agent_models: {
    method: "GET"
    url: "/api/v1/agents/{agent}/models"
    path: { agent: AgentId }
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Model
  }
  /** List terminals */
  terminal_list: {
    method: "GET"
    url: "/api/v1/terminals"
    path: {}
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Terminal
  }
  /** Open a terminal */
  terminal_create: {
    method: "POST"
    url: "/api/v1/terminals"
    path: {}
    query: {}
    body: TerminalCreate
    answer: Terminal
  }
  /** Get a terminal */
  terminal_get: {
    method: "GET"
    url: "/api/v1/terminals/{terminal}"
    path: { terminal: TerminalId }
    query: {}
    body: undefined
    answer: Terminal
  }
  /** End a terminal */
  terminal_end: {
    method: "DELETE"
    url: "/api/v1/terminals/{terminal}"
    path: { terminal: TerminalId }
    query: {}
    body: undefined
    answer: Terminal
  }
  /** Look at a terminal and type into it */
  terminal_attach: {
    method: "GET"
    url: "/api/v1/terminals/{terminal}/attach"
    path: { terminal: TerminalId }
    query: { from?: number }
    body: undefined
    answer: undefined
  }
  /** List jobs */
  job_list: {
    method: "GET"
    url: "/api/v1/jobs"
    path: {}
    query: { status?: JobStatus; kind?: JobKind; repo?: RepoId; after?: string; limit?: number }
    body: undefined
    answer: Page_Job
  }
  /** Get a job */
  job_get: {
    method: "GET"
    url: "/api/v1/jobs/{job}"
    path: { job: JobId }
    query: {}
    body: undefined
    answer: Job
  }
  /** Read a job's log */
  job_log: {
    method: "GET"
    url: "/api/v1/jobs/{job}/log"
    path: { job: JobId }
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_JobLine
  }
  /** End a job */
  job_cancel: {
    method: "POST"
    url: "/api/v1/jobs/{job}/cancel"
    path: { job: JobId }
    query: {}
    body: undefined
    answer: Job
  }
  /** List what was done */
  audit_list: {
    method: "GET"
    url: "/api/v1/audit"
    path: {}
    query: { actor?: string; verb?: string; object?: string; since?: Timestamp; after?: string; limit?: number }
    body: undefined
    answer: Page_AuditLine
  }
  /** Get the end of the audit chain */
  audit_head: {
    method: "GET"
    url: "/api/v1/audit/head"
    path: {}
    query: { line?: number }
    body: undefined
    answer: AuditHead
  }
  /** Walk the audit chain */
  audit_verify: {
    method: "GET"
    url: "/api/v1/audit/verify"
    path: {}
    query: { kept?: string }
    body: undefined
    answer: AuditReport
  }
  /** List tokens, without their secrets */
  token_list: {
    method: "GET"
    url: "/api/v1/tokens"
    path: {}
    query: { after?: string; limit?: number }
    body: undefined
    answer: Page_Token
  }
  /** Create a token */
  token_create: {
    method: "POST"
    url: "/api/v1/tokens"
    path: {}
    query: {}
    body: TokenCreate
    answer: TokenCreated
  }
  /** Delete a token */
  token_delete: {
    method: "DELETE"
    url: "/api/v1/tokens/{token}"
    path: { token: TokenId }
    query: {}
    body: undefined
    answer: undefined
  }
  /** Log out everywhere else */
  token_delete_others: {
    method: "POST"
    url: "/api/v1/tokens/delete-others"
    path: {}
    query: {}
    body: undefined
    answer: LoggedOut
  }
  /** Exchange a personal token for one of ten minutes */
  token_exchange: {
    method: "POST"
    url: "/api/v1/tokens/exchange"
    path: {}
    query: {}
    body: TokenExchange
    answer: AccessToken
  }
  /** Get what your credential is and allows */
  credential_get: {
    method: "GET"
    url: "/api/v1/credential"
    path: {}
    query: {}
    body: undefined
    answer: Credential
  }
  /** Log out: end your own credential */
  credential_delete: {
    method: "DELETE"
    url: "/api/v1/credential"
    path: {}
    query: {}
    body: undefined
    answer: undefined
  }
  /** Get a ticket that opens one WebSocket */
  ws_ticket_create: {
    method: "POST"
    url: "/api/v1/ws-tickets"
    path: {}
    query: {}
    body: WsTicketCreate
    answer: WsTicket
  }
  /** List paired browsers */
  device_list: {
    method: "GET"
    url: "/api/v1/devices"
    path: {}
    query: {}
    body: undefined
    answer: Page_Device
  }
  /** Have a browser pair again */
  device_delete: {
    method: "DELETE"
    url: "/api/v1/devices/{device}"
    path: { device: DeviceId }
    query: {}
    body: undefined
    answer: undefined
  }
  /** List who asks to be let in, and who did a moment ago */
  pairing_list: {
    method: "GET"
    url: "/api/v1/pairings"
    path: {}
    query: {}
    body: undefined
    answer: Page_Pairing
  }
  /** Open a code for one browser */
  pairing_create: {
    method: "POST"
    url: "/api/v1/pairings"
    path: {}
    query: {}
    body: PairingCreate
    answer: PairingCreated
  }
  /** Get a pairing, or wait for it to change */
  pairing_get: {
    method: "GET"
    url: "/api/v1/pairings/{pairing}"
    path: { pairing: PairingId }
    query: { wait?: number; seen?: PairingState }
    body: undefined
    answer: Pairing
  }
  /** Let somebody in, or not */
  pairing_decide: {
    method: "POST"
    url: "/api/v1/pairings/{pairing}/decide"
    path: { pairing: PairingId }
    query: {}
    body: PairingDecide
    answer: Pairing
  }
  /** Ask to be let in */
  pair_request: {
    method: "POST"
    url: "/api/v1/pair"
    path: {}
    query: {}
    body: PairRequest
    answer: PairRequested
  }
  /** Ask whether you were let in, and get your credential */
  pair_finish: {
    method: "POST"
    url: "/api/v1/pair/finish"
    path: {}
    query: {}
    body: PairFinish
    answer: PairOutcome
  }
  /** List the keys that sign short-lived tokens */
  key_list: {
    method: "GET"
    url: "/api/v1/keys"
    path: {}
    query: {}
    body: undefined
    answer: Page_SigningKey
  }
  /** Sign with a new key from now on */
  key_rotate: {
    method: "POST"
    url: "/api/v1/keys/rotate"
    path: {}
    query: {}
    body: undefined
    answer: Page_SigningKey
  }
}
