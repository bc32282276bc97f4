import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';

/** Nearer to the end than this is at the end, in pixels. */
const NEAR = 96;

const distance = () => document.documentElement.scrollHeight - window.scrollY - window.innerHeight;

/**
 * Keeps the end of the page in sight while whoever reads is there, and never moves it otherwise.
 * @param {boolean} wanted Whether something is being written at the end.
 * @param {unknown} content Changes with what is shown.
 * @returns {{away: boolean, toEnd: () => void}} Whether the end is out of sight, and how to get there.
 */
export function useFollow(wanted, content) {
  const following = useRef(true);
  const [away, setAway] = useState(false);
  useEffect(() => {
    const look = () => {
      following.current = distance() < NEAR;
      setAway(distance() > window.innerHeight);
    };
    addEventListener('scroll', look, { passive: true });
    return () => removeEventListener('scroll', look);
  }, []);
  useLayoutEffect(() => {
    if (wanted && following.current) window.scrollTo(0, document.documentElement.scrollHeight);
  }, [wanted, content]);
  return {
    away,
    toEnd: () => {
      following.current = true;
      window.scrollTo(0, document.documentElement.scrollHeight);
    },
  };
}
