import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matched, placeOf, to } from '../../state/route.js';

test('an address and its place are two forms of the same', () => {
  for (const parts of [[], ['runs', 'run_1'], ['repos', 'a b', 'tickets', 'ü/%']]) {
    assert.deepEqual(placeOf(to(...parts)).parts, parts);
  }
  assert.deepEqual(placeOf('#/runs/?status=paused&x=%26'), {
    path: '/runs',
    parts: ['runs'],
    query: { status: 'paused', x: '&' },
  });
  assert.deepEqual(placeOf('#/%zz').parts, ['%zz']);
});

test('a pattern fits places of its length only', () => {
  assert.deepEqual(matched('/runs/:run', placeOf('#/runs/run_1')), { run: 'run_1' });
  assert.equal(matched('/runs/:run', placeOf('#/runs')), null);
  assert.equal(matched('/runs/:run', placeOf('#/repos/x')), null);
  assert.deepEqual(matched('/', placeOf('')), {});
});
