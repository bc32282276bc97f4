import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contradiction } from '../../state/history.js';

test('a chain only grows', () => {
  const head = (seq, hash) => ({ seq, hash });
  const seen = head(5, 'a');
  assert.equal(contradiction(seen, head(5, 'a'), head(7, 'c')), '');
  assert.match(contradiction(seen, head(5, 'b'), head(7, 'c')), /line 5 of its audit chain is another one/);
  assert.match(contradiction(seen, null, head(4, 'd')), /ends with line 4, and line 5 was seen/);
});
