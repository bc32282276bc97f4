/** One job and what it said. */

import { useEffect } from '../vendor/hooks.js';
import { job_get, job_log } from '../api/jobs.js';
import { h, html } from '../part/html.js';
import { JobCard } from '../part/job_card.js';
import { jobName } from '../part/jobs.js';
import { Head } from '../part/layout.js';
import { Unread } from '../part/trouble.js';
import { to } from '../state/route.js';
import { state, useResource } from '../state/store.js';

/** @param {{params: Record<string, string>}} props */
export default function JobScreen({ params }) {
  const id = params.job;
  const job = useResource(`job_get ${id}`, () => job_get(id));
  const log = useResource(`job_log ${id}`, () => everyLine(id), (event) => event.event.kind === 'job_updated' && event.event.job.id === id);
  const data = state.value.jobs[id] ?? job.data;
  useEffect(() => {
    if (data?.status !== 'running') return undefined;
    const timer = setInterval(log.refresh, 1500);
    return () => clearInterval(timer);
  }, [data?.status]);
  if (!data) return html`${h(Head, { title: 'Job', up: '#/jobs' })}${h(Unread, { of: job })}`;
  const made = data.result?.type === 'repo' ? data.result.repo : null;
  return html`${h(Head, { title: `${jobName(data)}${data.repo ? `: ${data.repo}` : ''}`, up: '#/jobs' })}
    <div class="stack narrow-page">
      ${h(JobCard, { job: data })}
      ${made && html`<div><a class="button main" href=${to('repos', made.id)}>Open ${made.name}</a></div>`}
      ${h(Unread, { of: log })}
      ${log.data && log.data.length > 0 && html`<pre class="output log" tabindex="0">${log.data.map((line) => `${line.line}\n`).join('')}</pre>`}
    </div>`;
}

/** @param {string} job */
async function everyLine(job) {
  const all = [];
  let after;
  do {
    const page = await job_log(job, { limit: 500, after });
    all.push(...page.items);
    after = page.next;
  } while (after);
  return all;
}
