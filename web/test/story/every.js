// Every screen with real content: for people who see little, who use no pointer, and for thumbs.
import assert from 'node:assert/strict';
import { day, talk } from '../content.js';
import { hub, run, sizes } from '../harness.js';
import { empty, screens, show } from '../screens.js';

/** How large what is touched is at least, in pixels. */
const TOUCH = 44;

/** More steps than any screen has places for the keyboard. */
const STEPS = 400;

/** What is too small for a thumb. A word within a sentence is as large as the sentence's words. */
const small = (touch) => {
  const inText = (element) => getComputedStyle(element).display === 'inline' && element.parentElement.textContent.trim() !== element.textContent.trim();
  return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.disabled && !inText(element))
    .filter((element) => !element.closest('.xterm, [inert]'))
    .map((element) => ({ element, box: (element.closest('label') ?? element).getBoundingClientRect() }))
    .filter(({ box }) => box.width > 2 && box.bottom > 0 && (Math.round(box.width) < touch || Math.round(box.height) < touch))
    .map(({ element, box }) => `${element.outerHTML.slice(0, 90)} ${Math.round(box.width)}×${Math.round(box.height)}`);
};

/** How often a screen that changed while the keyboard went through it is gone through. */
const WALKS = 5;

/** Where the keyboard can go, and which of these places were `numbered` before. */
const places = (numbered) => {
  const within = document.querySelector('dialog[open]') ?? document;
  const all = [...within.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter((element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.tabIndex >= 0 && !element.closest('fieldset:disabled'));
  if (numbered) return all.map((element) => element.dataset.place);
  for (const element of document.querySelectorAll('[data-place]')) delete element.dataset.place;
  all.forEach((element, number) => { element.dataset.place = String(number); });
  return all.map((element) => element.outerHTML.slice(0, 90));
};

/** Where it is: which place, whether it is seen that it is there, and what it is called. */
const at = () => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = (one) => getComputedStyle(one);
  const ringed = (one) => style(one).outlineStyle !== 'none' && parseFloat(style(one).outlineWidth) >= 1;
  const shown = ringed(element) || (element.parentElement && ringed(element.parentElement)) || style(element).boxShadow !== 'none';
  const { top, bottom } = element.getBoundingClientRect();
  return { place: element.dataset.place, shown, inView: bottom > 0 && top < innerHeight, html: element.outerHTML.slice(0, 90) };
};

/**
 * Goes through the screen by the Tab key: everything is reached, and it is seen where one is. What
 * agents do goes on meanwhile: where it drew something anew, that was not what was looked for.
 */
async function byKeyboard(page, name) {
  for (let walk = 1; ; walk += 1) {
    const { wanted, missed } = await walked(page, name);
    if (missed.length === 0) return;
    const now = await page.evaluate(places, true);
    const same = now.length === wanted.length && now.every((place, number) => place === String(number));
    if (same || walk === WALKS) assert.deepEqual(missed, [], `${name}: the keyboard does not come to these`);
  }
}

async function walked(page, name) {
  const wanted = await page.evaluate(places, false);
  await page.evaluate(() => document.activeElement?.blur?.());
  const reached = new Set();
  for (let step = 0; step < STEPS && reached.size < wanted.length; step += 1) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(at);
    if (!here) continue;
    assert(here.shown, `${name}: nobody sees that the keyboard is at ${here.html}`);
    assert(here.inView, `${name}: the keyboard is out of sight at ${here.html}`);
    if (here.place !== undefined) reached.add(Number(here.place));
  }
  return { wanted, missed: wanted.filter((_, number) => !reached.has(number)) };
}

/** All of the list; what is wrong is told of all of them at once. */
async function look(tab, size, list) {
  const wrong = [];
  const note = (error) => wrong.push(error.message);
  for (const [name, address, prepare] of list) {
    await show(tab, address);
    await prepare?.(tab.page);
    await tab.quiet();
    await tab.look(name).catch(note);
    if (size.touch) wrong.push(...(await tab.page.evaluate(small, TOUCH)).map((one) => `${name}: too small for a thumb: ${one}`));
    // In a terminal the Tab key is the shell's; Shift+Escape leaves it.
    else if (name !== 'terminal') await byKeyboard(tab.page, name).catch(note);
  }
  assert.deepEqual(wrong, []);
}

let made;

/** A hub nobody has used yet. */
async function unused(tab, size) {
  await tab.pair();
  await look(tab, size, empty);
}

/** One with a day's work in it. */
async function used(tab, size) {
  if (!made) {
    made = { ...(await day()), terminal: await hub.post('/terminals', { cols: 80, rows: 24 }) };
    await talk();
  }
  await tab.pair('#/', ['read', 'write', 'run', 'approve', 'admin', 'terminal']);
  if (!size.touch) await exactTime(tab.page);
  await look(tab, size, screens(made));
}

/** Times are relative; the exact one is told to whoever points at one. */
async function exactTime(page) {
  const time = page.locator('main time').first();
  await time.waitFor();
  const at = new Date(await time.getAttribute('datetime'));
  assert.equal(await time.getAttribute('title'), null);
  await time.hover();
  const told = await time.getAttribute('title');
  assert(told.includes(String(at.getFullYear())) && told.includes(String(at.getSeconds()).padStart(2, '0')), told);
}

const [phone, desk] = sizes;
const seen = (story, size, scheme) => Object.assign((tab) => story(tab, size), { sizes: [size], options: { scheme } });
await run({
  'unused, light': seen(unused, phone, 'light'),
  'unused, dark': seen(unused, desk, 'dark'),
  'used, light': seen(used, phone, 'light'),
  'used, dark': seen(used, desk, 'dark'),
});
await hub.post(`/runs/${made.works.id}/stop`);
await hub.until(`/runs/${made.works.id}`, (run) => run.state.status === 'stopped');
