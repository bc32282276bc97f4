/** Files handed to agents and by agents. */

import { Boxes } from '../part/boxes.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { RepoTabs } from '../part/repo_tabs.js';
import { to } from '../state/route.js';

/** @param {{params: Record<string, string>}} props */
export default function Files({ params }) {
  const repo = params.repo ?? null;
  return html`${h(Head, repo
      ? { title: 'Files', crumb: html`<a href=${to('repos', repo)}>${repo}</a>`, up: to('repos', repo) }
      : { title: 'Files of the project manager', up: '#/more' })}
    <div class="stack wide">
      ${repo && h(RepoTabs, { repo, current: to('repos', repo, 'files') })}
      ${h(Boxes, { repo })}
    </div>`;
}
