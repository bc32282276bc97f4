/** Files handed to agents of a repo and by them. */

import { Boxes } from '../part/boxes.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { RepoTabs } from '../part/repo_tabs.js';
import { to } from '../state/route.js';

/** @param {{params: Record<string, string>}} props */
export default function Files({ params }) {
  const repo = params.repo;
  return html`${h(Head, { title: 'Files', crumb: html`<a href=${to('repos', repo)}>${repo}</a>`, up: to('repos', repo) })}
    <div class="stack wide">
      ${h(RepoTabs, { repo, current: to('repos', repo, 'files') })}
      ${h(Boxes, { repo })}
    </div>`;
}
