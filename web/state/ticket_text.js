/** Tickets as text, as far as the page looks into it; what counts is what the hub reads. */

/** The text below the frontmatter. @param {string} content */
export const bodyOf = (content) => content.replace(/^\uFEFF?---\r?\n[\s\S]*?\n---[ \t]*(?:\r?\n|$)/, '').trim();

/**
 * The commands of `verify:`, as they stand in the frontmatter; for showing only.
 * @param {string} content
 */
export function verifyOf(content) {
  const head = /^\uFEFF?---\r?\n([\s\S]*?)\n---/.exec(content)?.[1] ?? '';
  const block = /^verify:[ \t]*\r?\n((?:[ \t]+.*(?:\r?\n|$)|[ \t]*-.*(?:\r?\n|$))*)/m.exec(`${head}\n`)?.[1] ?? '';
  return block
    .split('\n')
    .map((line) => /^\s*(?:-\s*)?(?:run:\s*)?(.+?)\s*$/.exec(line)?.[1] ?? '')
    .filter((line) => line && !/^(?:dir|timeout|timeout_s|tree):/.test(line))
    .map((line) => line.replace(/^(['"])(.*)\1$/, '$2'));
}

/**
 * The text with the characters spelled out that are not seen or turn what is read.
 * @param {string} text
 */
export const visible = (text) =>
  text.replace(/[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\u{e0000}-\u{e01ef}]/gu, (c) => `⟨U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`);

/**
 * Several tickets at once: a line each, or parts of Markdown with a heading each.
 * @param {string} text
 * @returns {{title: string, body?: string}[]}
 */
export function drafts(text) {
  const headings = text.split(/^#{1,2} +/m);
  if (headings.length > 1) {
    return headings.slice(1).map((part) => {
      const [title, ...rest] = part.split('\n');
      const body = rest.join('\n').trim();
      return body ? { title: title.trim(), body } : { title: title.trim() };
    });
  }
  return text
    .split('\n')
    .map((line) => line.replace(/^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ x]\]\s+)?/, '').trim())
    .filter(Boolean)
    .map((title) => ({ title }));
}
