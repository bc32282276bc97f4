// Templates of tickets: a source is added, read, trusted, used; it changes and is read again.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { repo, templates } from '../content.js';
import { hub, run } from '../harness.js';

async function library(tab, size) {
  const { page } = tab;
  const id = `work-${size.name}`;
  const team = `team-${size.name}`;
  const source = templates(`templates-${size.name}`);
  source.change({
    'fix/bug.md': '---\ntitle: Mend a bug\nsummary: A test first\nverify:\n  - rm -rf /\n---\n\nWrite the **test** first.\u202e\n',
    'plan.md': '# Plan a thing\n\nIn five lines.\n',
  });
  await repo(id);
  await tab.pair();
  tab.expect(/422 .*templates\/sources/);
  await tab.go('#/more');
  await page.locator('main').getByRole('link', { name: 'Templates' }).click();
  if (size.name === 'phone') {
    await page.getByText('No templates yet').waitFor();
    await tab.look('no templates');
  }
  await page.getByRole('button', { name: 'Add a source' }).click();
  await page.getByLabel('Address').fill('ext::sh -c true');
  await page.getByLabel('Name').fill(team);
  await page.getByRole('button', { name: 'Add and fetch it' }).click();
  await page.getByRole('alert').getByText('names a transport helper').waitFor();
  await page.getByLabel('Address').fill(source.directory);
  await tab.look('adding a source');
  await page.getByRole('button', { name: 'Add and fetch it' }).click();
  const card = page.getByRole('article', { name: team });
  await card.getByText('2 templates, 2 not trusted').waitFor();
  await tab.look('a source');

  // Read, and used although nobody trusts it: what is seen is what is taken.
  await tab.go(`#/repos/${id}/tickets/new`);
  await page.getByRole('button', { name: 'Begin from a template' }).click();
  await page.getByLabel('Find a template').fill(`${team} bug`);
  await page.getByRole('button', { name: /Mend a bug/ }).click();
  await page.getByText('A template may not set this').waitFor();
  const content = page.locator('dialog pre');
  assert.match(await content.textContent(), /rm -rf[^]*first\.⟨U\+202E⟩/, 'what is not trusted is shown whole, and all of it is seen');
  await tab.look('a template nobody trusts');
  await page.getByRole('button', { name: 'Make the ticket of what I see here' }).click();
  await page.getByRole('button', { name: 'Edit' }).waitFor();
  const [first] = (await hub.get(`/repos/${id}/tickets`)).items;
  assert.deepEqual([first.title, first.has_verify, first.state], ['Mend a bug', false, 'open']);
  assert.deepEqual(first.issues.map((issue) => issue.code), ['hidden-character'], 'the linter sees it too');

  // Trusted, it is made under another name without a question.
  await tab.go(`#/repos/${id}/tickets/new`);
  await page.getByLabel('What is to be done').fill('Mend the parser');
  await page.getByLabel('In full').fill('Something else.');
  await page.getByLabel('Commands that prove it').fill('make test\n');
  await page.getByRole('button', { name: 'Begin from a template' }).click();
  await page.getByRole('button', { name: new RegExp(`Mend a bug.*${team}`) }).click();
  await page.getByRole('button', { name: 'I have read it: trust it' }).click();
  await page.getByRole('button', { name: 'Make the ticket', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.locator('dialog strong').getByText('test').waitFor();
  await tab.look('a template that is trusted');
  await page.getByRole('button', { name: 'Make the ticket', exact: true }).click();
  await page.getByRole('heading', { name: 'Mend the parser' }).waitFor();
  const made = (await hub.get(`/repos/${id}/tickets`)).items.at(-1);
  assert(made.has_verify, 'the commands are those of whoever makes it');
  await tab.go(`#/repos/${id}/tickets/new`);
  assert.equal(await page.getByLabel('In full').inputValue(), 'Something else.');
  const lint = await hub.post(`/repos/${id}/tickets/lint`);
  assert(lint.ok, JSON.stringify(lint.findings));

  // Its source changes: nothing here does before it is fetched, and then it is shown.
  source.change({ 'fix/bug.md': '---\ntitle: Mend a bug\nsummary: A test first\n---\n\nWrite the **code** first.\n' });
  await tab.go('#/templates');
  await card.getByRole('button', { name: 'Fetch' }).click();
  await card.getByText('2 templates at').waitFor();
  await page.getByRole('button', { name: new RegExp(`Mend a bug.*${team}`) }).click();
  await page.getByRole('button', { name: 'What changed', pressed: true }).waitFor();
  await content.getByText('-Write the **test** first.⟨U+202E⟩').waitFor();
  await content.getByText('+Write the **code** first.').waitFor();
  await tab.look('a template that has changed');
  await page.getByRole('button', { name: 'I have read it: trust it' }).click();
  await page.getByRole('button', { name: 'Trust it no longer' }).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();

  // It is away: the copy is used, and that is said where it is.
  renameSync(source.directory, `${source.directory}-away`);
  await card.getByRole('button', { name: 'Fetch' }).click();
  await card.getByText('It could not be fetched; the copy goes on being used.').waitFor();
  await tab.look('a source that is away');
  await tab.sure(card.getByRole('button', { name: 'Remove' }), card.getByRole('button', { name: 'Remove it?' }));
  await card.waitFor({ state: 'detached' });
}

await run({ library });
