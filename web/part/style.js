import { useEffect, useState } from '../vendor/hooks.js';

/** Style sheets of screens that are not the first one. @type {Map<string, Promise<boolean>>} */
const sheets = new Map();

/**
 * Loads a style sheet of `style/` when a screen first needs it; whether it is there.
 * @param {string} name
 */
export function useStyle(name) {
  const [there, setThere] = useState(false);
  useEffect(() => {
    const loading = sheets.get(name) ?? load(name);
    sheets.set(name, loading);
    // Without it the screen is plain, and still of use.
    void loading.then(() => setThere(true));
  }, [name]);
  return there;
}

/** @param {string} name @returns {Promise<boolean>} */
function load(name) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL(`../style/${name}`, import.meta.url).href;
  return new Promise((resolve) => {
    link.onload = () => resolve(true);
    link.onerror = () => resolve(false);
    document.head.append(link);
  });
}
