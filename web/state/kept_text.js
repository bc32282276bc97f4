/**
 * Texts that somebody is changing and others may change too: kept by this browser until they are
 * saved, each with the version it began from, so that nothing newer is written over unseen.
 */

/**
 * What was written and not saved yet.
 * @param {string} name
 * @returns {{content: string, etag?: string} | null}
 */
export function keptText(name) {
  const kept = localStorage.getItem(name);
  if (kept === null) return null;
  try {
    const { content, etag } = JSON.parse(kept);
    if (typeof content === 'string') return { content, etag };
  } catch {
    // It is from before versions were kept.
  }
  return { content: kept };
}

/** @param {string} name @param {string} content @param {string} etag */
export function keepText(name, content, etag) {
  localStorage.setItem(name, JSON.stringify({ content, etag }));
}

/** @param {string} name */
export function dropText(name) {
  localStorage.removeItem(name);
}
