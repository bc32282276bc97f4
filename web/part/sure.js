import { useEffect, useState } from '../vendor/hooks.js';
import { Button, useAct } from './act.js';
import { Fragment, h } from './html.js';
import { TroubleNote } from './trouble.js';

/** How long the second touch is waited for, in milliseconds. */
const WAIT = 4000;

/**
 * A button that asks once more before it acts.
 * @param {Omit<import('./act.js').ButtonProps, 'onClick' | 'busy'> & {work: () => Promise<unknown>, question: string}} props
 */
export function Sure({ work, question, children, disabled, ...props }) {
  const [asked, setAsked] = useState(false);
  const { act, busy, slow, trouble } = useAct(work);
  useEffect(() => {
    if (!asked) return undefined;
    const timer = setTimeout(() => setAsked(false), WAIT);
    return () => clearTimeout(timer);
  }, [asked]);
  return h(Fragment, null,
    h(Button, {
      ...props,
      disabled: disabled || busy,
      busy: slow,
      tone: asked ? 'grave' : props.tone,
      onClick: () => {
        if (!asked) return setAsked(true);
        setAsked(false);
        return void act();
      },
      children: asked ? question : children,
    }),
    h(TroubleNote, { trouble }),
  );
}
