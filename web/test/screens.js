// Every screen of the page: its name, its address, and what brings it to what is to be seen.

/** @type {[string, string, ((page: import('playwright-core').Page) => Promise<unknown>)?][]} */
export const empty = [['home-empty', '#/'], ['repos-empty', '#/repos'], ['runs-empty', '#/runs']];

/** Speaks for a moment, and goes on. */
async function speak(page) {
  await page.context().grantPermissions(['microphone']);
  await page.getByRole('button', { name: 'Speak' }).click();
  await page.getByRole('group', { name: 'Recording' }).getByText(/0:0[1-9]/).waitFor();
}

/** Opens the text, and waits for what the linter says of it. */
async function edit(page) {
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByText('The linter finds nothing.').waitFor();
}

/** All of them, once there is a day's work in the hub. */
export function screens({ done, asks, fails, works, terminal }) {
  return [
    ['home', '#/'],
    ['inbox', '#/inbox'],
    ['chat', '#/chat'],
    ['chat-cost', '#/chat', (page) => page.locator('details.spent > summary').last().click()],
    ['chat-speaking', '#/chat', speak],
    ['chat-recording', '#/chat', (page) => speak(page).then(() => page.getByRole('button', { name: 'Stop', exact: true }).click()).then(() => page.locator('.composer audio').first().waitFor())],
    ['threads', '#/threads'],
    ['repos', '#/repos'],
    ['repos-add', '#/repos?add=1'],
    ['repo', '#/repos/greeter'],
    ['repo-remove', '#/repos/greeter--feature-colours', (page) => page.getByRole('button', { name: /remove/i }).first().click()],
    ['tickets', '#/repos/billing/tickets'],
    ['ticket', '#/repos/billing/tickets/1'],
    ['ticket-new', '#/repos/billing/tickets/new'],
    ['ticket-edit', '#/repos/billing/tickets/2', edit],
    ['tickets-order', '#/repos/billing/tickets', (page) => page.getByRole('button', { name: 'Order' }).click()],
    ['context', '#/repos/billing/context'],
    ['files', '#/repos/billing/files'],
    ['runs', '#/runs'],
    ['run-done', `#/runs/${done.id}`],
    ['run-asks', `#/runs/${asks.id}`],
    ['run-fails', `#/runs/${fails.id}`],
    ['run-works', `#/runs/${works.id}`],
    ['diff', `#/runs/${done.id}/diff`],
    ['diff-file', `#/runs/${done.id}/diff?file=greet.sh`],
    ['diff-remark', `#/runs/${asks.id}/diff?file=src%2Finvoice.rs`, (page) => page.getByRole('listbox', { name: 'Lines' }).getByRole('option').nth(3).click()],
    ['jobs', '#/jobs'],
    ['archive', '#/archive'],
    ['templates', '#/templates'],
    ['templates-add', '#/templates', (page) => page.getByRole('button', { name: 'Add a source' }).first().click()],
    ['template', '#/templates', (page) => page.getByRole('list', { name: 'Templates' }).getByRole('button').first().click().then(() => page.getByText('SHA-256').waitFor())],
    ['ticket-template', '#/repos/billing/tickets/new', (page) => page.getByRole('button', { name: 'Begin from a template' }).click()],
    ['usage', '#/usage'],
    ['terminals', '#/terminals'],
    ['terminal', `#/terminals/${terminal.id}`, (page) => page.getByRole('textbox', { name: 'Terminal input' }).click().then(() => page.keyboard.type('ls -la; git -C greeter log --oneline\n'))],
    ['audit', '#/audit'],
    ['settings', '#/settings'],
    ['settings-access', '#/settings?part=access'],
    ['settings-budgets', '#/settings?part=budgets'],
    ['settings-notices', '#/settings?part=notices'],
    ['pma', '#/pma'],
    ['more', '#/more'],
  ];
}

/** Goes to a screen and waits until there is something on it. */
export async function show(tab, address) {
  await tab.go('#/more');
  await tab.page.waitForFunction(() => document.title.startsWith('More'));
  if (address === '#/more') return;
  await tab.page.goto(`/${address}`);
  await tab.page.waitForFunction(() => !document.title.startsWith('More'));
  await tab.page.locator('main :is(.card, .list, .windowed, .field, .notice, .said, .terminal-keys):visible').first().waitFor();
}
