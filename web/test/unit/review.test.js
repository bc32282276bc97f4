import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowsIn } from '../../part/windowed.js';
import { remarkOn, rowsOf } from '../../state/review.js';

const file = (path, generated = false) => ({ path, generated, change: 'modified', insertions: 1, deletions: 0 });

test('what programs wrote is folded below what people wrote', () => {
  const files = [file('Cargo.lock', true), file('src/a.rs'), file('src/b.rs')];
  assert.deepEqual(rowsOf(files, '', false), [{ file: files[1] }, { file: files[2] }, { generated: 1 }]);
  assert.equal(rowsOf(files, '', true).length, 4);
  assert.deepEqual(rowsOf(files, ' B.r', false), [{ file: files[2] }]);
  assert.equal(rowsOf(files, 'lock', false).length, 2, 'what is looked for is shown');
});

test('a remark says where it belongs, whatever stands there', () => {
  const line = { kind: 'added', new: 7, text: 'let x = `a` + ```b```;' };
  assert.equal(
    remarkOn('src/a.rs', line, ' Why?\n'),
    'On `src/a.rs:7`:\n\n````diff\n+let x = `a` + ```b```;\n````\n\nWhy?\n',
  );
  assert.match(remarkOn('a', { kind: 'removed', old: 3, text: '' }, 'x'), /`a:3 \(before\)`/);
});

test('only rows near the screen are made', () => {
  assert.deepEqual(rowsIn(0, 440, 44, 5000), { first: 0, last: 22 });
  assert.deepEqual(rowsIn(44_000, 440, 44, 5000), { first: 988, last: 1022 });
  assert.deepEqual(rowsIn(1e9, 440, 44, 5000), { first: 4999, last: 5000 });
  assert.deepEqual(rowsIn(0, 440, 44, 0), { first: 0, last: 0 });
});
