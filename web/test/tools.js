// The programs that `deploy/dev/test-tools.sh` installs, found beside the repository.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const tools = process.env.CAR_WEB_TOOLS ?? join(root, '.tools/web');
const load = createRequire(join(tools, 'package.json'));

export const { chromium } = load('playwright-core');
export const axe = readFileSync(load.resolve('axe-core/axe.min.js'), 'utf8');

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const browserPath = process.env.CAR_TEST_CHROMIUM ?? places.find(existsSync);

/** How the browser is started, whoever starts it. */
export const browserArgs = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--force-color-profile=srgb', '--use-fake-device-for-media-stream'];
