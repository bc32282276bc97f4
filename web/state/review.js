/**
 * What a review shows of a run's changes, and what it makes of a remark. Pure.
 *
 * @typedef {import('../api/types.d.ts').DiffFile} DiffFile
 * @typedef {import('../api/types.d.ts').DiffLine} DiffLine
 */

/**
 * @typedef {{file: DiffFile} | {generated: number}} Row A file, or the fold of those that programs wrote.
 */

/**
 * The rows of a list of files: those that people wrote first, the others folded.
 * @param {DiffFile[]} files
 * @param {string} words Only paths that hold them.
 * @param {boolean} unfolded
 * @returns {Row[]}
 */
export function rowsOf(files, words, unfolded) {
  const wanted = words.trim().toLowerCase();
  const shown = wanted ? files.filter((file) => file.path.toLowerCase().includes(wanted)) : files;
  /** @type {Row[]} */
  const rows = shown.filter((file) => !file.generated).map((file) => ({ file }));
  const generated = shown.filter((file) => file.generated);
  if (generated.length === 0) return rows;
  rows.push({ generated: generated.length });
  if (unfolded || wanted) rows.push(...generated.map((file) => ({ file })));
  return rows;
}

/**
 * A path in two parts: where, and what.
 * @param {string} path
 */
export function split(path) {
  const at = path.lastIndexOf('/') + 1;
  return { directory: path.slice(0, at), name: path.slice(at) };
}

/** The mark at the beginning of each kind of line. @type {Record<DiffLine['kind'], string>} */
export const MARKS = { hunk: '', context: ' ', added: '+', removed: '-', note: '\\' };

/**
 * A remark on a line, as an agent reads it: where, what stands there, and what is said of it.
 * @param {string} path
 * @param {DiffLine} line
 * @param {string} remark
 */
export function remarkOn(path, line, remark) {
  const fence = '`'.repeat(Math.max(3, ...Array.from(line.text.matchAll(/`+/g), ([run]) => run.length + 1)));
  return `On \`${placeOf(path, line)}\`:\n\n${fence}diff\n${MARKS[line.kind]}${line.text}\n${fence}\n\n${remark.trim()}\n`;
}

/**
 * @param {string} path
 * @param {DiffLine} line
 */
export function placeOf(path, line) {
  if (line.new !== undefined) return `${path}:${line.new}`;
  return line.old === undefined ? path : `${path}:${line.old} (before)`;
}
