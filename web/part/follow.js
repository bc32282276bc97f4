import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';

/** Nearer to the end than this is at the end, in pixels. */
const NEAR = 96;

/**
 * Keeps the end of what is being written in sight while whoever reads is there, and never moves the
 * page otherwise.
 * @param {boolean} wanted Whether something is being written.
 * @param {unknown} content Changes with what is shown.
 * @returns {{end: import('preact').RefObject<HTMLElement | null>, away: boolean, toEnd: () => void}} What to put
 *   at the end, whether it is far out of sight, and how to get there.
 */
export function useFollow(wanted, content) {
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const following = useRef(true);
  const wants = useRef(wanted);
  wants.current = wanted;
  const [away, setAway] = useState(false);
  const distance = () => (end.current ? end.current.getBoundingClientRect().bottom - window.innerHeight : 0);
  const toEnd = () => {
    following.current = true;
    end.current?.scrollIntoView({ block: 'end' });
  };
  useEffect(() => {
    const look = () => {
      following.current = distance() < NEAR;
      setAway(distance() > window.innerHeight / 2);
    };
    addEventListener('scroll', look, { passive: true });
    // Text that is laid out anew, such as when Markdown can be read, moves the end as well.
    const grown = new ResizeObserver(() => {
      if (wants.current && following.current && distance() > 0) toEnd();
    });
    grown.observe(document.body);
    return () => {
      removeEventListener('scroll', look);
      grown.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    // What ends above the lower edge is in sight as it is.
    if (wanted && following.current && distance() > 0) toEnd();
  }, [wanted, content]);
  return { end, away, toEnd };
}
