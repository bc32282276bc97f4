import { to } from '../state/route.js';
import { Tabs } from './layout.js';
import { h } from './html.js';

/**
 * The screens of one repo.
 * @param {{repo: string, current: string}} props
 */
export function RepoTabs({ repo, current }) {
  return h(Tabs, {
    label: 'Parts of the repo',
    current,
    tabs: [
      { address: to('repos', repo), name: 'Overview' },
      { address: to('repos', repo, 'tickets'), name: 'Tickets' },
      { address: to('repos', repo, 'context'), name: 'Context' },
      { address: to('repos', repo, 'files'), name: 'Files' },
    ],
  });
}
