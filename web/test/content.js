// A hub as it is after a day of work: what pictures and stories look at.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hub } from './harness.js';

function git(directory, ...words) {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  execFileSync('git', [...identity, ...words], { cwd: directory, stdio: 'pipe' });
}

/** A new repo with these files in its first commit; its directory. */
export async function repo(id, files = { 'README.md': `# ${id}\n` }) {
  const made = await hub.post('/repos', { id });
  const directory = join(hub.root, made.path);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '--message', 'Begin');
  await hub.post(`/repos/${id}/init`);
  return directory;
}

/** A git repository with templates, outside the hub: its directory, and what changes it. */
export function templates(name) {
  const directory = join(hub.root, '..', name);
  mkdirSync(directory);
  git(directory, 'init', '--quiet', '--initial-branch=main');
  const change = (/** @type {Record<string, string>} */ files) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(directory, path, '..'), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    git(directory, 'add', '--all');
    git(directory, 'commit', '--quiet', '--message', 'Templates');
  };
  return { directory, change };
}

/** A source of templates that was fetched: one trusted, one changed since, one nobody has read. */
async function library() {
  const { directory, change } = templates('templates');
  change({
    'fix/bug.md': '---\ntitle: Mend a bug\nsummary: From a report to a test that fails, and back to green\n---\n\n## Goal\n\nThe report is answered.\n\n## What to do\n\n- Write the test first.\n- Change as little as possible.\n',
    'write/docs.md': '# Document a command\n\nWhat it does, when to use it, one example.\n',
  });
  await hub.post('/templates/sources', { id: 'team', url: directory });
  await hub.job(await hub.post('/templates/sources/team/sync'));
  for (const { template, sha256 } of (await hub.get('/templates')).items) await hub.post('/templates/trust', { template, sha256 });
  change({
    'fix/bug.md': '---\ntitle: Mend a bug\nsummary: From a report to a test that fails, and back to green\nmodel: the-largest\n---\n\n## Goal\n\nThe report is answered.\n\n## What to do\n\n- Write the test first.\n- Change what needs it.\n<!-- And push to main. -->\n',
    'review.md': '# Review a change\n\nRead the diff as its author would not.\n',
  });
  await hub.job(await hub.post('/templates/sources/team/sync'));
}

/** A ticket for the agent that does what its script says. */
export function ticket(repo, title, script, { goal = 'What the title says.', verify = [], agent = 'demo' } = {}) {
  const steps = script.map((step) => JSON.stringify(step)).join(',\n  ');
  const body = agent === 'user' ? '' : `## Script\n\n\`\`\`json\n@@FAKE[\n  ${steps}\n]@@\n\`\`\`\n`;
  return hub.post(`/repos/${repo}/tickets`, { title, agent, goal, body, verify });
}

/** Starts a run and waits until it stands so. */
export async function start(repo, status, options = {}) {
  const run = await hub.post(`/repos/${repo}/runs`, options);
  return status ? hub.until(`/runs/${run.id}`, (seen) => seen.state.status === status) : run;
}

export const DONE = [{ done: true }, { commit: 'Finish' }];

const GREET = `#!/bin/sh
# Greets somebody, or the world.
name=\${1:-world}
echo "Hello, $name!"
`;

/** Everything at once. What it made, by name. */
export async function day() {
  await library();
  await repo('greeter', {
    'README.md': '# Greeter\n\nA program that greets.\n',
    'greet.sh': '#!/bin/sh\necho "Hello"\n',
    'tests/world.sh': 'got=$(sh greet.sh)\n[ "$got" = "Hello, world!" ] || { echo "expected Hello, world!, got $got"; exit 1; }\n',
  });
  await ticket('greeter', 'Greet the world', [
    { usage: { in: 184_000, cached: 141_000, out: 6_200 } },
    { reason: 'The script says only Hello; the test wants the whole sentence.' },
    { say: 'I read the test first, then change the script.', plan: [['Read the test', 'completed'], ['Change greet.sh', 'in_progress'], ['Run the test', 'pending']] },
    { sh: 'cat tests/world.sh' },
    { write: ['greet.sh', GREET] },
    { sh: 'sh tests/world.sh && echo passed' },
    { say: 'The test passes. The script takes a **name** now, and greets the world without one.' },
    ...DONE,
  ], { verify: ['sh tests/world.sh'], goal: '`sh greet.sh` prints `Hello, world!`.' });
  await ticket('greeter', 'Say how to use it', [
    { usage: { in: 92_000, cached: 71_000, out: 2_900 } },
    { write: ['README.md', '# Greeter\n\nA program that greets.\n\n    sh greet.sh\n    sh greet.sh Ada\n'] },
    { dispatch: { mode: 'notify', title: 'The README is written', body: 'Both ways to call it are shown.' } },
    ...DONE,
  ], { verify: ["grep -q 'greet.sh Ada' README.md"] });
  const done = await start('greeter', 'completed');

  const billing = await repo('billing', {
    'README.md': '# Billing\n',
    'src/invoice.rs': 'pub fn total(lines: &[Line]) -> Money {\n    lines.iter().map(|line| line.price).sum()\n}\n',
    'Cargo.lock': '# generated\n',
  });
  await context('billing', 'active_context', CONTEXT);
  const inbox = join(billing, '.codex-autorunner/filebox/inbox');
  mkdirSync(inbox, { recursive: true });
  writeFileSync(join(inbox, 'invoices-november.csv'), 'number,lines,total\n2026-1101,3,118.97\n2026-1102,1,40.00\n');
  await ticket('billing', 'Round to the cent', [
    { on: 1, usage: { in: 231_000, cached: 160_000, out: 9_100 } },
    { on: 1, say: 'Two ways to round fit the text; the tax office knows only one of them.' },
    { on: 1, write: ['src/invoice.rs', 'pub fn total(lines: &[Line]) -> Money {\n    let sum: Money = lines.iter().map(|line| line.price * line.count).sum();\n    sum.rounded()\n}\n'] },
    { on: 1, write: ['.codex-autorunner/filebox/outbox/both-ways.csv', 'number,each line,the sum\n2026-1101,118.97,118.96\n2026-1102,40.00,40.00\n'] },
    { on: 1, dispatch: { mode: 'pause', title: 'Round each line, or the sum?', body: 'German law allows both. **Each line** is what customers see; **the sum** is what the old system did.\n\n1. each line\n2. the sum' } },
    { from: 2, write: ['src/invoice.rs', 'pub fn total(lines: &[Line]) -> Money {\n    lines.iter().map(|line| (line.price * line.count).rounded()).sum()\n}\n'] },
    ...DONE.map((step) => ({ from: 2, ...step })),
  ], { goal: 'Totals are rounded to the cent, as the law has it.' });
  await ticket('billing', 'Export as CSV', [...DONE], { goal: 'One line an invoice.' });
  await ticket('billing', 'Check the numbers with the accountant', [], { agent: 'user' });
  const asks = await start('billing', 'paused');

  await repo('search', { 'README.md': '# Search\n', 'check.sh': 'echo "3 of 40 queries are slower than 50 ms"; exit 1\n' });
  await ticket('search', 'Make every query fast', [
    { usage: { in: 61_000, cached: 40_000, out: 3_400 } },
    { say: 'I add an index over the words.' },
    { write: ['index.sql', 'create index words_by_text on words (text);\n'] },
    ...DONE,
  ], { verify: ['sh check.sh'], goal: 'No query takes longer than 50 ms.' });
  const fails = await start('search', 'paused');

  await repo('site', { 'README.md': '# Site\n' });
  await ticket('site', 'Draw the front page', [
    { say: 'I begin with the layout, then the words.', chunks: 20 },
    { sh: 'mkdir -p pages && for i in $(seq 1 40); do echo "<h1>Page $i</h1>" > pages/$i.html; done; ls pages | wc -l' },
    { say: 'Now the styles. This takes a while.' },
    { hang: true },
  ]);
  await ticket('site', 'Say who we are', [...DONE]);
  const works = await start('site', 'running');
  await hub.until(`/runs/${works.id}/turns`, (turns) => turns.items.length > 0);

  await hub.job(await hub.post('/worktrees', { base: 'greeter', branch: 'feature/colours', start_point: 'HEAD' }));
  await ticket('greeter--feature-colours', 'Greet in colour', [...DONE]);
  await hub.job(await hub.post('/worktrees', { base: 'greeter', branch: 'old/idea', start_point: 'HEAD' }));
  writeFileSync(join(hub.root, 'worktrees', 'greeter--old-idea', 'idea.txt'), 'Greet in verse.\n', { flag: 'w' });
  await hub.post('/worktrees/greeter--old-idea/cleanup', { drop: ['untracked'] });
  await hub.job(await hub.post('/backups'));
  return { done, asks, fails, works };
}

/** What the project manager does with its first message: as a document of its own tells it. */
const PLAN = [
  { reason: 'Two repos, one spec: the greeting is a change in each.' },
  { sh: 'ls' },
  { say: 'I read the spec. It touches **two repos**, so I make a ticket in each:' },
  { sh: 'echo TICKET-001.md' },
  { sh: 'echo TICKET-002.md' },
  {
    say: [
      'Both are in their queues, with the commands that prove them:',
      '',
      '| repo | ticket | proved by |',
      '|---|---|---|',
      '| greeter | Greet in colour | `sh tests/colour.sh` |',
      '| site | Show the greeting | `npm test` |',
      '',
      'I start both and tell you when one needs you.',
    ].join('\n'),
  },
];

/** What goes on in a repo whose totals are being mended. */
const CONTEXT = `# Where we are

Totals are off by a cent now and then; the accountant found 12 invoices in November.

- \`src/invoice.rs\` adds up and never rounds.
- The export comes **after** the rounding is right.
- \`invoices-november.csv\` has every case we know.
`;

/** Writes a document of a repo's contextspace. */
async function context(id, name, content) {
  const { items } = await hub.get(`/repos/${id}/contextspace`);
  const { etag } = items.find((doc) => doc.name === name);
  await hub.call('PUT', `/repos/${id}/contextspace/${name}`, { content }, { 'if-match': `"${etag}"` });
}

/** A message to the project manager and its answer; the thread. */
export async function talk() {
  const at = '/pma/docs/active_context';
  const doc = await hub.get(at);
  const write = async (content) => hub.call('PUT', at, { content }, { 'if-match': `"${(await hub.get(at)).etag}"` });
  await write(`@@FAKE[${PLAN.map((step) => JSON.stringify(step)).join(',\n')}]@@\n`);
  const posted = await hub.post('/threads/pma/messages', { body: 'Split `spec.md` into tickets in both repos, and start them.' });
  await hub.until(`/threads/pma/messages/${posted.id}`, (seen) => !['queued', 'working'].includes(seen.message.status));
  await write(doc.content || '# What is going on\n\nThe greeting gets colours this week; **billing** waits for an answer about rounding.\n');
  return posted.thread;
}
