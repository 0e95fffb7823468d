import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { element } from '../../../app/web/static/core/dom.js';
import { isDark, watchTheme } from '../../../app/web/static/core/theme.js';
import { settled } from '../fake_server.js';

/** @type {HTMLElement} */
let view;

beforeEach(() => {
  view = element('main', {});
  document.body.append(element('section', {}, view));
});

afterEach(() => {
  document.body.replaceChildren();
  document.documentElement.removeAttribute('style');
});

/** @param {string} colour Of the page's background, as Streamlit sets it. */
function paint(colour) {
  document.documentElement.style.setProperty('--st-background-color', colour);
}

/**
 * Let the browser compute a colour so.
 *
 * @param {import('node:test').TestContext} context
 * @param {string} colour
 */
function compute(context, colour) {
  context.mock.method(globalThis, 'getComputedStyle', () => ({ color: colour }));
}

test('a page is dark where its background is, whatever its hue', (context) => {
  for (const [colour, dark] of /** @type {[string, boolean][]} */ ([
    ['rgb(0, 0, 0)', true],
    ['rgb(14, 17, 23)', true],
    ['rgb(255, 255, 255)', false],
    ['rgb(127, 127, 127)', true],
    ['rgb(129, 129, 129)', false],
    ['rgb(255, 0, 0)', true],
    ['rgb(0, 255, 0)', false],
    ['rgb(0, 0, 255)', true],
    ['rgba(250, 250, 250, 0.5)', false],
    ['', false],
  ])) {
    compute(context, colour);
    assert.equal(isDark(view), dark, colour);
    context.mock.restoreAll();
  }
  assert.equal(view.childElementCount, 0, 'the probe is gone');
});

test('a change of the theme is told once, by whatever element it was made', async (context) => {
  /** @type {boolean[]} */
  const told = [];
  compute(context, 'rgb(255, 255, 255)');
  const stop = watchTheme(view, (dark) => told.push(dark));
  context.mock.restoreAll();
  compute(context, 'rgb(14, 17, 23)');
  paint('#0e1117');
  await settled();
  view.parentElement?.classList.add('again');
  await settled();
  assert.deepEqual(told, [true]);
  stop();
  context.mock.restoreAll();
  compute(context, 'rgb(255, 255, 255)');
  paint('#fff');
  await settled();
  assert.deepEqual(told, [true]);
});

test('the system turning dark is looked at once Streamlit has followed', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const preferred = new EventTarget();
  context.mock.method(globalThis, 'matchMedia', () => preferred);
  let colour = 'rgb(255, 255, 255)';
  context.mock.method(globalThis, 'getComputedStyle', () => ({ color: colour }));
  /** @type {boolean[]} */
  const told = [];
  const stop = watchTheme(view, (dark) => told.push(dark));
  colour = 'rgb(0, 0, 0)';
  preferred.dispatchEvent(new Event('change'));
  assert.deepEqual(told, []);
  context.mock.timers.tick(300);
  assert.deepEqual(told, [true]);
  colour = 'rgb(255, 255, 255)';
  view.remove();
  preferred.dispatchEvent(new Event('change'));
  context.mock.timers.tick(300);
  assert.deepEqual(told, [true], 'a view outside the document has no theme');
  stop();
});
