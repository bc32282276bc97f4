import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, drafts, verifyOf, visible } from '../../state/ticket_text.js';

const text = `---
title: "One"
agent: demo
verify:
  - cargo test
  - run: 'sh check.sh'
    dir: sub
    timeout_s: 9
done: false
---

# Goal

Text with --- in it.
`;

test('a ticket has a body and commands', () => {
  assert.equal(bodyOf(text), '# Goal\n\nText with --- in it.');
  assert.deepEqual(verifyOf(text), ['cargo test', 'sh check.sh']);
  assert.deepEqual([bodyOf('no head'), verifyOf('no head')], ['no head', []]);
});

test('several tickets are a line each, or a heading each', () => {
  assert.deepEqual(drafts('- One\n2. Two\n\n* [ ] Three\n'), [{ title: 'One' }, { title: 'Two' }, { title: 'Three' }]);
  assert.deepEqual(drafts('intro\n# One\nbody\n\n## Two\n'), [{ title: 'One', body: 'body' }, { title: 'Two' }]);
  assert.deepEqual(drafts('  \n'), []);
});

test('what is not seen is spelled out', () => {
  assert.equal(visible('a\u202eb\u200b\u{e0041}ü日👍'), 'a⟨U+202E⟩b⟨U+200B⟩⟨U+E0041⟩ü日👍');
});
