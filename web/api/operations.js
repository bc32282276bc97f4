/** The hub's operations, by the names they have everywhere. */

import { call, get, part, patch, post, put, remove } from './client.js';

/** @typedef {Record<string, string | number | boolean | undefined | null>} Query */

/** @template I @typedef {{items: I[], next?: string}} Page */

// The hub.
/** @returns {Promise<import('./types.d.ts').HubInfo>} */
export const hub_get = () => get('/hub');
/** @returns {Promise<import('./types.d.ts').HubSnapshot>} */
export const hub_snapshot = () => get('/hub/snapshot');
/** @returns {Promise<import('./types.d.ts').ScanReport>} */
export const hub_scan = () => post('/hub/scan');
/** @returns {Promise<import('./types.d.ts').DoctorReport>} */
export const hub_doctor = () => get('/hub/doctor');
/** @param {Query} [query] @returns {Promise<import('./types.d.ts').UsageReport>} */
export const usage_get = (query) => get('/usage', query);
/** @returns {Promise<import('./types.d.ts').Budgets>} */
export const budgets_get = () => get('/budgets');
/** @param {import('./types.d.ts').BudgetLimits} limits @param {string} match @returns {Promise<import('./types.d.ts').Budgets>} */
export const budgets_update = (limits, match) => put('/budgets', limits, { match });
export const restore_confirm = () => post('/hub/restore/confirm');
/** @returns {Promise<Page<import('./types.d.ts').Backup>>} */
export const backup_list = () => get('/backups');
/** @returns {Promise<import('./types.d.ts').Job>} */
export const backup_create = () => post('/backups', {});

// Repos and worktrees.
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Repo>>} */
export const repo_list = (query) => get('/repos', query);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_get = (repo) => get(`/repos/${part(repo)}`);
/** @param {string} repo @returns {Promise<import('./types.d.ts').RepoGit>} */
export const repo_git = (repo) => get(`/repos/${part(repo)}/git`);
/** @param {{id: string, path?: string, force?: boolean}} body @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_create = (body) => post('/repos', body);
/** @param {{url: string, id?: string}} body @returns {Promise<import('./types.d.ts').Job>} */
export const repo_clone = (body) => post('/repos/clone', body);
/** @param {string} repo @param {{name: string | null}} body @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_update = (repo, body) => patch(`/repos/${part(repo)}`, body);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_init = (repo) => post(`/repos/${part(repo)}/init`);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Job>} */
export const repo_sync = (repo) => post(`/repos/${part(repo)}/sync`);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Setup>} */
export const repo_setup_get = (repo) => get(`/repos/${part(repo)}/setup`);
/** @param {string} repo @param {string[]} commands @param {string} match @returns {Promise<import('./types.d.ts').Setup>} */
export const repo_setup_update = (repo, commands, match) => put(`/repos/${part(repo)}/setup`, { commands }, { match });
/** @param {string} repo @param {{delete_dir?: boolean, drop?: string[], dry_run?: boolean}} body @returns {Promise<import('./types.d.ts').RemovalReport>} */
export const repo_remove = (repo, body) => post(`/repos/${part(repo)}/remove`, body);
/** @param {{base: string, branch: string, start_point?: string, skip_setup?: boolean}} body @returns {Promise<import('./types.d.ts').Job>} */
export const worktree_create = (body) => post('/worktrees', body);
/** @param {string} repo @param {{delete_branch?: boolean, drop?: string[], dry_run?: boolean}} body @returns {Promise<import('./types.d.ts').RemovalReport>} */
export const worktree_cleanup = (repo, body) => post(`/worktrees/${part(repo)}/cleanup`, body);
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Salvage>>} */
export const salvage_list = (query) => get('/salvages', query);
/** @param {string} salvage @returns {Promise<import('./types.d.ts').Repo>} */
export const salvage_restore = (salvage) => post(`/salvages/${part(salvage)}/restore`);

// Tickets and the documents beside them.
/** @param {string} repo @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Ticket>>} */
export const ticket_list = (repo, query) => get(`/repos/${part(repo)}/tickets`, query);
/** @param {string} repo @param {string} ticket @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_get = (repo, ticket) => get(`/repos/${part(repo)}/tickets/${part(ticket)}`);
/** @param {string} repo @param {import('./types.d.ts').TicketCreate} body @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_create = (repo, body) => post(`/repos/${part(repo)}/tickets`, body);
/** @param {string} repo @param {string} ticket @param {{content: string, allow_invalid?: boolean}} body @param {string} match @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_update = (repo, ticket, body, match) => put(`/repos/${part(repo)}/tickets/${part(ticket)}`, body, { match });
/** @param {string} repo @param {string} ticket @returns {Promise<import('./types.d.ts').Job>} */
export const ticket_verify = (repo, ticket) => post(`/repos/${part(repo)}/tickets/${part(ticket)}/verify`);
/** @param {string} repo @param {string} ticket @param {{done: boolean}} body @param {string} match @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_done = (repo, ticket, body, match) => post(`/repos/${part(repo)}/tickets/${part(ticket)}/done`, body, { match });
/** @param {string} repo @param {string} ticket @param {number} to @returns {Promise<Page<import('./types.d.ts').Ticket>>} */
export const ticket_move = (repo, ticket, to) => post(`/repos/${part(repo)}/tickets/${part(ticket)}/move`, { to });
/** @param {string} repo @param {boolean} fix @returns {Promise<import('./types.d.ts').LintReport>} */
export const ticket_lint = (repo, fix) => post(`/repos/${part(repo)}/tickets/lint`, { fix });
// Templates of tickets.
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').TemplateSource>>} */
export const template_source_list = (query) => get('/templates/sources', query);
/** @param {{id: string, url: string, default_ref?: string}} body @returns {Promise<import('./types.d.ts').TemplateSource>} */
export const template_source_create = (body) => post('/templates/sources', body);
/** @param {string} source */
export const template_source_delete = (source) => remove(`/templates/sources/${part(source)}`);
/** @param {string} source @param {boolean} [rewritten] @returns {Promise<import('./types.d.ts').Job>} */
export const template_source_sync = (source, rewritten = false) => post(`/templates/sources/${part(source)}/sync`, { rewritten });
/** @param {string} source @param {string} commit @returns {Promise<import('./types.d.ts').TemplateSource>} */
export const template_source_trust = (source, commit) => post(`/templates/sources/${part(source)}/trust`, { commit });
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Template>>} */
export const template_list = (query) => get('/templates', query);
/** @param {string} template @returns {Promise<import('./types.d.ts').TemplateText>} */
export const template_get = (template) => get('/templates/text', { template });
/** @param {string} template @param {string} sha256 @returns {Promise<import('./types.d.ts').Template>} */
export const template_trust = (template, sha256) => post('/templates/trust', { template, sha256 });
/** @param {string} template @returns {Promise<import('./types.d.ts').Template>} */
export const template_untrust = (template) => post('/templates/untrust', { template });
/** @param {string} repo @param {import('./types.d.ts').TemplateApply} body @returns {Promise<import('./types.d.ts').TicketText>} */
export const template_apply = (repo, body) => post(`/repos/${part(repo)}/tickets/from-template`, body);
/** A text that is in no file yet. @param {string} repo @param {string} content @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').LintReport>} */
export const ticket_lint_text = (repo, content, signal) => call('POST', `/repos/${part(repo)}/tickets/lint`, { body: { content }, once: true, signal });
/** @param {string} repo @returns {Promise<Page<import('./types.d.ts').ContextDoc>>} */
export const context_list = (repo) => get(`/repos/${part(repo)}/contextspace`);
/** @param {string} repo @param {string} name @param {string} content @param {string} match @returns {Promise<import('./types.d.ts').ContextDoc>} */
export const context_update = (repo, name, content, match) => put(`/repos/${part(repo)}/contextspace/${part(name)}`, { content }, { match });

// Runs and what happens in them.
/** @param {string} repo @param {import('./types.d.ts').RunStart} [body] @returns {Promise<import('./types.d.ts').Run>} */
export const run_start = (repo, body) => post(`/repos/${part(repo)}/runs`, body ?? {});
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Run>>} */
export const run_list = (query) => get('/runs', query);
/** @param {string} run @returns {Promise<import('./types.d.ts').Run>} */
export const run_get = (run) => get(`/runs/${part(run)}`);
/** @param {string} run @param {import('./types.d.ts').RunResume} [body] @returns {Promise<import('./types.d.ts').Run>} */
export const run_resume = (run, body) => post(`/runs/${part(run)}/resume`, body ?? {});
/** @param {string} run @returns {Promise<import('./types.d.ts').Run>} */
export const run_pause = (run) => post(`/runs/${part(run)}/pause`);
/** @param {string} run @returns {Promise<import('./types.d.ts').Run>} */
export const run_stop = (run) => post(`/runs/${part(run)}/stop`);
/** @param {string} run @param {string} body @returns {Promise<import('./types.d.ts').Reply>} */
export const run_reply = (run, body) => post(`/runs/${part(run)}/reply`, { body });
/** @param {string} run @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Turn>>} */
export const run_turns = (run, query) => get(`/runs/${part(run)}/turns`, query);
/** @param {string} turn @returns {Promise<import('./types.d.ts').TurnDetail>} */
export const turn_get = (turn) => get(`/turns/${part(turn)}`);
/** @param {string} run @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Dispatch>>} */
export const run_dispatches = (run, query) => get(`/runs/${part(run)}/dispatches`, query);
/** @param {string} run @returns {Promise<Page<import('./types.d.ts').Reply>>} */
export const run_replies = (run) => get(`/runs/${part(run)}/replies`, { limit: 500 });
/** @param {string} run @returns {Promise<Page<import('./types.d.ts').Evidence>>} */
export const run_evidence = (run) => get(`/runs/${part(run)}/evidence`, { limit: 500 });
/** @param {string} run @param {Query} [query] @returns {Promise<import('./types.d.ts').RunDiff>} */
export const run_diff = (run, query) => get(`/runs/${part(run)}/diff`, query);
/** @param {string} run @param {string} path @param {Query} [query] @returns {Promise<import('./types.d.ts').FileDiff>} */
export const run_diff_file = (run, path, query) => get(`/runs/${part(run)}/diff/file`, { ...query, path });
/** @param {string} run @param {string} approval @param {string} decision @returns {Promise<import('./types.d.ts').Approval>} */
export const approval_decide = (run, approval, decision) => post(`/runs/${part(run)}/approvals/${part(approval)}`, { decision });

// The machinery.
/** @returns {Promise<Page<import('./types.d.ts').Agent>>} */
export const agent_list = () => get('/agents');
/** @param {string} agent @returns {Promise<Page<import('./types.d.ts').Model>>} */
export const agent_models = (agent) => get(`/agents/${part(agent)}/models`);
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Job>>} */
export const job_list = (query) => get('/jobs', query);
/** @param {string} job @returns {Promise<import('./types.d.ts').Job>} */
export const job_get = (job) => get(`/jobs/${part(job)}`);
/** @param {string} job @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').JobLine>>} */
export const job_log = (job, query) => get(`/jobs/${part(job)}/log`, query);
/** @param {string} job @returns {Promise<import('./types.d.ts').Job>} */
export const job_cancel = (job) => post(`/jobs/${part(job)}/cancel`);
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').AuditLine>>} */
export const audit_list = (query) => get('/audit', query);
/** @param {number} [line] @returns {Promise<import('./types.d.ts').AuditHead>} */
export const audit_head = (line) => get('/audit/head', { line });
/** @param {string} [kept] A head: its number, a dash and its hash. @returns {Promise<import('./types.d.ts').AuditReport>} */
export const audit_verify = (kept) => get('/audit/verify', { kept });

// Who may do what.
/** @returns {Promise<import('./types.d.ts').Credential>} */
export const credential_get = () => get('/credential');
export const credential_delete = () => remove('/credential');
/** @returns {Promise<import('./types.d.ts').WsTicket>} */
/** @param {{terminal?: string}} [body] @returns {Promise<import('./types.d.ts').WsTicket>} */
export const ws_ticket_create = (body = {}) => call('POST', '/ws-tickets', { body, once: true });

// Terminals.
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Terminal>>} */
export const terminal_list = (query) => get('/terminals', query);
/** @param {import('./types.d.ts').TerminalCreate} body @returns {Promise<import('./types.d.ts').Terminal>} */
export const terminal_create = (body) => post('/terminals', body);
/** @param {string} terminal @returns {Promise<import('./types.d.ts').Terminal>} */
export const terminal_end = (terminal) => remove(`/terminals/${part(terminal)}`);
/** @returns {Promise<Page<import('./types.d.ts').Token>>} */
export const token_list = () => get('/tokens', { limit: 500 });
/** @param {import('./types.d.ts').TokenCreate} body @returns {Promise<import('./types.d.ts').TokenCreated>} */
export const token_create = (body) => post('/tokens', body);
/** @param {string} token */
export const token_delete = (token) => remove(`/tokens/${part(token)}`);
/** @returns {Promise<import('./types.d.ts').LoggedOut>} */
export const token_delete_others = () => post('/tokens/delete-others');
/** @returns {Promise<Page<import('./types.d.ts').Device>>} */
export const device_list = () => get('/devices');
/** @param {string} device */
export const device_delete = (device) => remove(`/devices/${part(device)}`);
/** @returns {Promise<Page<import('./types.d.ts').Pairing>>} */
export const pairing_list = () => get('/pairings');
/** @param {{scopes?: string[]}} body @returns {Promise<import('./types.d.ts').PairingCreated>} */
export const pairing_create = (body) => post('/pairings', body);
/** @param {string} pairing @param {string} seen @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').Pairing>} */
export const pairing_get = (pairing, seen, signal) => get(`/pairings/${part(pairing)}`, { seen, wait: 25 }, signal);
/** @param {string} pairing @param {boolean} approve @returns {Promise<import('./types.d.ts').Pairing>} */
export const pairing_decide = (pairing, approve) => post(`/pairings/${part(pairing)}/decide`, { approve });
/** @param {string} code @param {string} name @returns {Promise<import('./types.d.ts').PairRequested>} */
export const pair_request = (code, name) => call('POST', '/pair', { body: { type: 'device', code, name }, once: true });
/** @param {string} secret @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').PairOutcome>} */
export const pair_finish = (secret, signal) => call('POST', '/pair/finish', { body: { secret, wait: 25 }, once: true, signal });

// Conversations.
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Thread>>} */
export const thread_list = (query) => get('/threads', query);
/** @param {{name?: string, agent?: string, repo?: string}} body @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_create = (body) => post('/threads', body);
/** @param {string} thread Its id, or `pma`. @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_get = (thread) => get(`/threads/${part(thread)}`);
/** @param {string} thread @param {Record<string, unknown>} body @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_update = (thread, body) => patch(`/threads/${part(thread)}`, body);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_interrupt = (thread) => post(`/threads/${part(thread)}/interrupt`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_stop = (thread) => post(`/threads/${part(thread)}/stop`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_resume = (thread) => post(`/threads/${part(thread)}/resume`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_reset = (thread) => post(`/threads/${part(thread)}/reset`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_compact = (thread) => post(`/threads/${part(thread)}/compact`);
/** @param {string} thread @param {{name?: string}} body @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_fork = (thread, body) => post(`/threads/${part(thread)}/fork`, body);
/** @param {string} thread @param {string} approval @param {string} decision @returns {Promise<import('./types.d.ts').Approval>} */
export const thread_approval_decide = (thread, approval, decision) => post(`/threads/${part(thread)}/approvals/${part(approval)}`, { decision });
/** @param {string} thread @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Message>>} */
export const message_list = (thread, query) => get(`/threads/${part(thread)}/messages`, query);
/** @param {string} thread @param {import('./types.d.ts').MessagePost} body @returns {Promise<import('./types.d.ts').Message>} */
export const message_post = (thread, body) => post(`/threads/${part(thread)}/messages`, body);
/** @param {string} thread @param {string} message @returns {Promise<import('./types.d.ts').MessageDetail>} */
export const message_get = (thread, message) => get(`/threads/${part(thread)}/messages/${part(message)}`);
/** @param {string} thread @param {string} message */
export const message_cancel = (thread, message) => remove(`/threads/${part(thread)}/messages/${part(message)}`);
/** @param {string} thread @param {string} message @returns {Promise<import('./types.d.ts').Message>} */
export const message_continue = (thread, message) => post(`/threads/${part(thread)}/messages/${part(message)}/continue`);
/** @param {{q: string, thread?: string, after?: string, limit?: number}} query @returns {Promise<Page<import('./types.d.ts').MessageHit>>} */
export const message_search = (query) => get('/messages', query);

// Files for agents and of agents: of a repo, or of the hub when there is none.
/** @param {string | null} repo */
const boxes = (repo) => (repo === null ? '/files' : `/repos/${part(repo)}/files`);
/** @param {string | null} repo @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').BoxFile>>} */
export const file_list = (repo, query) => get(boxes(repo), { limit: 500, ...query });
/** @param {string | null} repo @param {string} box @param {string} name @returns {Promise<import('./types.d.ts').FileLink>} */
export const file_link = (repo, box, name) => call('POST', `${boxes(repo)}/${part(box)}/${part(name)}/link`, { once: true });
/** @param {string | null} repo @param {string} box @param {File} file @param {string} [name] @returns {Promise<import('./types.d.ts').BoxFile>} */
export const file_put = (repo, box, file, name = file.name) => call('PUT', `${boxes(repo)}/${part(box)}/${part(name)}`, { file, once: true });
/** @param {string | null} repo @param {string} box @param {string} name @returns {Promise<Blob>} */
export const file_get = (repo, box, name) => call('GET', `${boxes(repo)}/${part(box)}/${part(name)}`, { bytes: true });
/** @param {string | null} repo @param {string} box @param {string} name */
export const file_delete = (repo, box, name) => remove(`${boxes(repo)}/${part(box)}/${part(name)}`);

// Speech.
/** @returns {Promise<import('./types.d.ts').Voice>} */
export const voice_get = () => get('/voice');
/** @param {File} recording @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').Transcription>} */
export const voice_transcribe = (recording, signal) => call('POST', '/voice/transcriptions', { file: recording, named: true, once: true, signal });

// What waits for a person.
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').InboxItem>>} */
export const inbox_list = (query) => get('/inbox', query);
/** @param {string[]} items @returns {Promise<import('./types.d.ts').InboxCounts>} */
export const inbox_seen = (items) => post('/inbox/seen', { items });
/** @param {string} item @param {import('./types.d.ts').InboxAct} body @returns {Promise<import('./types.d.ts').InboxItem>} */
export const inbox_act = (item, body) => post(`/inbox/${part(item)}/act`, body);

// Pushes to this browser.
/** @returns {Promise<import('./types.d.ts').PushKey>} */
export const push_key_get = () => get('/push/key');
/** @returns {Promise<import('./types.d.ts').NotificationChannel>} */
export const push_get = () => get('/push/subscription');
/** @param {import('./types.d.ts').PushSubscribe} body @returns {Promise<import('./types.d.ts').NotificationChannel>} */
export const push_subscribe = (body) => put('/push/subscription', body);
export const push_unsubscribe = () => remove('/push/subscription');
/** @returns {Promise<import('./types.d.ts').Notification>} */
export const push_test = () => post('/push/subscription/test');
// The project manager.
/** @returns {Promise<Page<import('./types.d.ts').PmaDoc>>} */
export const pma_doc_list = () => get('/pma/docs');
/** @param {string} name @param {string} content @param {string} match @returns {Promise<import('./types.d.ts').PmaDoc>} */
export const pma_doc_update = (name, content, match) => put(`/pma/docs/${part(name)}`, { content }, { match });

// Ways out for notifications.
/** @returns {Promise<Page<import('./types.d.ts').NotificationChannel>>} */
export const channel_list = () => get('/channels');
/** @param {{name: string, url: string}} body @returns {Promise<import('./types.d.ts').ChannelSecret>} */
export const channel_create = (body) => post('/channels', body);
/** @param {string} channel @param {Record<string, unknown>} body @returns {Promise<import('./types.d.ts').NotificationChannel>} */
export const channel_update = (channel, body) => patch(`/channels/${part(channel)}`, body);
/** @param {string} channel */
export const channel_delete = (channel) => remove(`/channels/${part(channel)}`);
/** @param {string} channel @returns {Promise<import('./types.d.ts').Notification>} */
export const channel_test = (channel) => post(`/channels/${part(channel)}/test`);
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Notification>>} */
export const notification_list = (query) => get('/notifications', query);
