/** Elements are written as templates; components as `h(Component, props)`, so that props are checked. */

import htm from '../vendor/htm.js';
import { Fragment, h } from '../vendor/preact.js';

export { Fragment, h };

export const html = htm.bind(h);
