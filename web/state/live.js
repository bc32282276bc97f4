/**
 * Text that is being written right now: the frames of the stream that are in no log yet. A frame
 * goes on where the text so far ends, counted in bytes of UTF-8.
 *
 * @typedef {import('../api/types.d.ts').LiveFrame} LiveFrame
 * @typedef {import('../api/types.d.ts').Writing} Writing
 */

/**
 * A piece as far as it came.
 * @typedef {object} Piece
 * @property {string} item
 * @property {import('../api/types.d.ts').LiveStream} stream
 * @property {string} text
 * @property {number} end Where the next frame is expected, in bytes.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Longer pieces are shown from where they fit. */
const SHOWN = 64 * 1024;

/** @param {string} item @param {string} stream */
export const pieceKey = (item, stream) => `${stream} ${item}`;

/**
 * The pieces of a turn that was read as a whole.
 * @param {Writing[]} writing
 * @returns {Record<string, Piece>}
 */
export function piecesOf(writing) {
  return Object.fromEntries(
    writing.map(({ item, stream, offset, text }) => [
      pieceKey(item, stream),
      { item, stream, text, end: offset + encoder.encode(text).length },
    ]),
  );
}

/**
 * The pieces with one more frame; nothing when a frame before it was missed.
 * @param {Record<string, Piece>} pieces
 * @param {LiveFrame} frame
 * @returns {Record<string, Piece> | null}
 */
export function withFrame(pieces, frame) {
  const key = pieceKey(frame.item, frame.stream);
  const piece = pieces[key] ?? { item: frame.item, stream: frame.stream, text: '', end: 0 };
  if (frame.offset > piece.end) return null;
  const bytes = encoder.encode(frame.text);
  const known = piece.end - frame.offset;
  if (known >= bytes.length && bytes.length > 0) return pieces;
  const more = known === 0 ? frame.text : decoder.decode(bytes.subarray(known));
  const text = piece.text + more;
  const shown = text.length > SHOWN ? text.slice(-SHOWN) : text;
  return { ...pieces, [key]: { ...piece, text: shown, end: frame.offset + bytes.length } };
}

/**
 * The pieces without those of an item that is in the log now.
 * @param {Record<string, Piece>} pieces
 * @param {string} item
 */
export function withoutItem(pieces, item) {
  const left = Object.entries(pieces).filter(([, piece]) => piece.item !== item);
  return left.length === Object.keys(pieces).length ? pieces : Object.fromEntries(left);
}
