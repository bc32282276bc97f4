// Whoever may open terminals is told how they are turned on.
import { run } from '../harness.js';

async function off(tab) {
  tab.expect(/403/);
  await tab.pair('#/terminals', ['read', 'terminal']);
  await tab.page.getByText('car-hub config set terminal.enabled true').waitFor();
  await tab.look('terminals that are turned off');
}

await run({ off });
