import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pieceKey, piecesOf, withFrame, withoutItem } from '../../state/live.js';

const frame = (offset, text) => ({ run: 'run_1', turn: 'trn_1', item: 'i', stream: 'message', offset, text });
const key = pieceKey('i', 'message');
const bytes = (text) => new TextEncoder().encode(text).length;

test('frames go on where the text ends, in bytes', () => {
  let pieces = piecesOf([{ item: 'i', stream: 'message', offset: 0, text: 'grün' }]);
  assert.equal(pieces[key].end, 5);
  pieces = withFrame(pieces, frame(5, ' ist'));
  assert.equal(pieces[key].text, 'grün ist');
  assert.equal(withFrame(pieces, frame(5, ' ist')), pieces, 'heard twice');
  assert.equal(withFrame(pieces, frame(4, 'n ist gut'))[key].text, 'grün ist gut', 'the rest of one that overlaps');
  assert.equal(withFrame(pieces, frame(20, 'x')), null, 'one was missed');
});

test('any cut of a text gives the text again', () => {
  const text = 'a😀b\nü—€ '.repeat(40);
  for (let size = 1; size < 9; size += 1) {
    let pieces = {};
    let offset = 0;
    const signs = [...text];
    for (let at = 0; at < signs.length; at += size) {
      const piece = signs.slice(at, at + size).join('');
      pieces = withFrame(pieces, frame(offset, piece));
      offset += bytes(piece);
    }
    assert.equal(pieces[key].text, text);
  }
});

test('what is in the log is written no longer', () => {
  const pieces = withFrame({}, frame(0, 'x'));
  assert.deepEqual(withoutItem(pieces, 'i'), {});
  assert.equal(withoutItem(pieces, 'other'), pieces);
});
