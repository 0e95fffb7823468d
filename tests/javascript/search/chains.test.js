import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import '../page.js';
import { tray } from '../../../app/web/static/core/tray.js';
import { chainCard, chainTexts } from '../../../app/web/static/search/chain_card.js';
import { mount } from '../../../app/web/static/search/chains.js';

/** @typedef {import('../../../app/web/static/search/chain_card.js').GridChain} GridChain */

let parent = document.createElement('div');
let unmount = () => {};

/**
 * @param {number} id
 * @param {number} step
 * @param {number} start
 */
function part(id, step, start) {
  const [name, folder] = ['film.mp4', '/footage'];
  const strength = null;
  const whole = { part: 1, part_count: 1, strength, alike: [], missing: false };
  return { id, step, name, folder, score: 0.4, share: 1, start, end: start + 2, ...whole };
}

/**
 * @param {number} rank
 * @returns {GridChain}
 */
function chain(rank) {
  return {
    rank,
    score: 0.5,
    strength: { value: 4, chance: 0.004, level: 'strong' },
    name: 'film.mp4',
    folder: '/footage',
    missing: false,
    start: 10,
    end: 17.5,
    start_pts: 1000,
    end_pts: 1750,
    first: 10 * rank,
    alike: rank - 1,
    parts: [part(10 * rank, 2, 10), part(10 * rank + 1, 1, 15.5)],
  };
}

/**
 * @param {string} token
 * @param {number} count
 * @param {boolean} [folded]
 */
function show(token, count, folded = false) {
  const chains = Array.from({ length: count }, (_, at) => chain(at + 1));
  const data = { token, chains, more: false, folded };
  unmount = mount({ parentElement: parent, data, setTriggerValue: () => {} });
}

beforeEach(() => {
  mock.method(tray, 'watch', () => () => {});
  Object.assign(globalThis, { requestAnimationFrame: (/** @type {() => void} */ run) => setImmediate(run) });
  parent = document.createElement('div');
  document.body.replaceChildren(parent);
});
afterEach(() => {
  unmount();
  mock.restoreAll();
});

function cards() {
  return [...parent.querySelectorAll('.ps-chain')].filter((card) => card instanceof HTMLElement);
}

/**
 * @param {string} key
 * @param {boolean} [shiftKey]
 */
function press(key, shiftKey = false) {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(
    new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true, composed: true }),
  );
}

test('a card says how strong the chain is, where it is, and how far apart its parts are', () => {
  const texts = chainTexts(chain(1));
  assert.equal(texts.level, 'Strong');
  assert.equal(texts.span, '00:00:10.000, 7.5 s');
  assert.deepEqual(texts.gaps, ['3.5 s']);
  assert.equal(texts.label, 'film.mp4, at 00:00:10.000, 7.5 s, 2 shots, strong match');
  const close = { ...chain(1), strength: null, parts: [part(1, 1, 10), part(2, 2, 12)] };
  assert.deepEqual([chainTexts(close).gaps, chainTexts(close).level], [[''], '0.50']);
});

test('a chain is one card, with its parts in the order of time and the numbers of their steps', () => {
  show('a', 2);
  assert.equal(cards().length, 2);
  const parts = [...cards()[0].querySelectorAll('.ps-chain-part')];
  assert.deepEqual(
    parts.map((each) => each.getAttribute('data-segment')),
    ['10', '11'],
  );
  assert.deepEqual(
    parts.map((each) => each.querySelector('.ps-chain-step')?.textContent),
    ['2', '1'],
  );
});

test('a part of a long shot says which', () => {
  const long = { ...part(10, 1, 10), part: 2, part_count: 5 };
  const card = chainCard({ ...chain(1), parts: [long, part(11, 2, 15.5)] });
  const parts = [...card.querySelectorAll('.ps-chain-part')];
  assert.deepEqual(
    parts.map((each) => each.getAttribute('title')),
    ['00:00:10.000, part 2 of 5', '00:00:15.500'],
  );
  assert.match(parts[0].textContent ?? '', /00:00:10.000, part 2 of 5/);
});

test('a chain says how many are alike', () => {
  show('a', 2);
  const said = cards().map((card) => card.querySelector('.ps-chain-alike')?.textContent);
  assert.deepEqual(said, [undefined, '2 alike']);
});

test('S adds the parts to the tray, Shift and S their whole span, as the buttons do', () => {
  const add = mock.method(tray, 'add', () => Promise.resolve([]));
  show('a', 2);
  press('s');
  assert.equal(add.mock.callCount(), 0, 'no card has the focus');
  cards()[1].focus();
  press('s');
  press('S', true);
  for (const button of cards()[1].querySelectorAll('.ps-chain-action'))
    if (button instanceof HTMLElement) button.click();
  const parts = [
    { segment: 20, score: 0.4 },
    { segment: 21, score: 0.4 },
  ];
  const span = [{ segment: 20, start_pts: 1000, end_pts: 1750 }];
  assert.deepEqual(
    add.mock.calls.map((call) => call.arguments[0]),
    [parts, span, parts, span],
  );
});

test('arrows lead from chain to chain; keys do not reach those that are folded', () => {
  show('a', 3, true);
  press('ArrowDown');
  assert(!parent.contains(document.activeElement));
  const fold = parent.querySelector('.ps-fold');
  assert.equal(fold?.textContent, 'Show the nearest places');
  if (fold instanceof HTMLElement) fold.click();
  document.body.focus();
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  press('ArrowRight');
  press('ArrowRight');
  assert.equal(document.activeElement, cards()[1]);
});

test('the others follow while the browser is idle, and not once another search has come', async () => {
  /** @type {(() => void)[]} */
  const later = [];
  Object.assign(globalThis, { requestIdleCallback: (/** @type {() => void} */ run) => later.push(run) });
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => void setImmediate(done));
  };
  show('a', 30);
  assert.equal(cards().length, 24);
  await settle();
  later.shift()?.();
  assert.equal(cards().length, 30);
  show('b', 2);
  show('c', 30);
  await settle();
  show('d', 2);
  later.shift()?.();
  assert.equal(cards().length, 2);
});
