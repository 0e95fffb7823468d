import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import '../page.js';
import { tray } from '../../../app/web/static/core/tray.js';
import { mount } from '../../../app/web/static/search/grid.js';
import { FakeServer } from '../fake_server.js';

/** @typedef {import('../../../app/web/static/search/grid.js').GridHit} GridHit */

const COLUMNS = 4;
/** @type {[string, unknown][]} */
let triggers = [];
/** @type {(() => void)[]} */
let later = []; // what waits for the browser to be idle
let parent = document.createElement('div');
let unmount = () => {};

/**
 * @param {number} id
 * @returns {GridHit}
 */
function hit(id) {
  return {
    id,
    name: `${id}.mp4`,
    folder: '/videos',
    score: 0.5,
    share: 1,
    strength: null,
    alike: [],
    part: 1,
    part_count: 1,
    start: 0,
    end: 2,
    missing: false,
  };
}

/**
 * @param {string} token
 * @param {GridHit[]} hits
 * @param {boolean} [more]
 * @param {boolean} [folded]
 * @param {string} [search] Whose hits have moments.
 */
function show(token, hits, more = false, folded = false, search = '') {
  unmount = mount({
    parentElement: parent,
    data: { token, hits, more, folded, search },
    setTriggerValue: (name, value) => triggers.push([name, value]),
  });
}

/** Let frames and promises pass. */
async function settle() {
  for (let turn = 0; turn < 5; turn += 1)
    await new Promise((done) => {
      setImmediate(done);
    });
}

beforeEach(() => {
  [triggers, later] = [[], []];
  mock.method(tray, 'watch', () => () => {});
  Object.assign(globalThis, {
    requestAnimationFrame: (/** @type {() => void} */ run) => setImmediate(run),
    requestIdleCallback: (/** @type {() => void} */ run) => later.push(run),
  });
  parent = document.createElement('div');
  document.body.replaceChildren(parent);
});
afterEach(() => {
  unmount();
  mock.restoreAll();
  tray.current = null;
});

/** @returns {HTMLElement[]} */
function cards() {
  return [...parent.querySelectorAll('.ps-card')].filter((card) => card instanceof HTMLElement);
}

function ids() {
  return cards().map((card) => Number(card.dataset.segment));
}

/** Give the cards places in rows, which this document does not lay out. */
function layOut() {
  for (const [at, card] of cards().entries())
    Object.defineProperty(card, 'offsetTop', { value: 100 * Math.floor(at / COLUMNS), configurable: true });
}

/** @param {string} key */
function press(key) {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true }));
}

/** The segment whose card has the focus. */
function focused() {
  const { activeElement } = document;
  return activeElement instanceof HTMLElement ? Number(activeElement.dataset.segment) : null;
}

/** @param {number} count */
function hits(count) {
  return Array.from({ length: count }, (_, at) => hit(at + 1));
}

test('the first hits are there at once; the others follow while the browser is idle', async () => {
  show('a', hits(80));
  assert.equal(cards().length, 36);
  await settle();
  later.shift()?.();
  assert.equal(cards().length, 72);
  later.shift()?.();
  assert.deepEqual(
    ids(),
    hits(80).map(({ id }) => id),
  );
  assert.equal(later.length, 0);
});

test('results are ready once the posters in sight have loaded or failed; those below do not count', async (context) => {
  context.mock.getter(HTMLImageElement.prototype, 'complete', () => false);
  context.mock.method(
    HTMLImageElement.prototype,
    'getBoundingClientRect',
    /** @this {HTMLImageElement} */ function () {
      const top = Number(this.closest('.ps-card')?.getAttribute('data-segment')) === 3 ? innerHeight : 100;
      return new DOMRect(0, top, 100, 50);
    },
  );
  show('a', hits(3));
  await settle();
  assert(!parent.querySelector('[data-ready]'));
  const [first, second] = cards().map((card) => card.querySelector('img'));
  first?.dispatchEvent(new Event('load'));
  await settle();
  assert(!parent.querySelector('[data-ready]'));
  second?.dispatchEvent(new Event('error'));
  await settle();
  assert(parent.querySelector('[data-ready=a]'));
});

test('results that take the place of others are not ready before their own posters', async () => {
  show('a', hits(3));
  await settle();
  assert(parent.querySelector('[data-ready=a]'));
  show('b', hits(3).reverse());
  assert(!parent.querySelector('[data-ready]'));
  await settle();
  assert(parent.querySelector('[data-ready=b]'));
});

test('cards of earlier results that are still to come do not follow', async () => {
  show('a', hits(80));
  await settle();
  show('b', hits(80).reverse());
  later.shift()?.();
  assert.deepEqual(
    ids(),
    hits(80)
      .reverse()
      .slice(0, 36)
      .map(({ id }) => id),
  );
});

test('more of the same results leave the list as long as it is, with its open cards', async () => {
  show('a', hits(80), true);
  await settle();
  for (const run of later.splice(0)) run();
  for (const run of later.splice(0)) run();
  assert.equal(cards().length, 80);
  const before = cards();
  show('b', hits(160));
  assert.deepEqual(cards().slice(0, 80), before, 'a shorter list would scroll');
  assert(cards().length > 80);
  show('c', hits(160).reverse());
  assert.equal(cards().length, 36);
});

test('a hit that is found again keeps its card, and shows what it is now', () => {
  show('a', [hit(1), hit(2)]);
  const [, second] = cards();
  show('b', [{ ...hit(2), score: 0.25 }, hit(3)]);
  assert.equal(cards()[0], second);
  assert.match(second.textContent, /0\.25/);
  assert.deepEqual(ids(), [2, 3]);
});

test('the same results again change nothing but whether there are more', () => {
  show('a', [hit(1)]);
  const [card] = cards();
  show('a', [hit(2)], true);
  assert.equal(cards()[0], card);
  const more = parent.querySelector('.ps-more');
  assert.equal(more?.hasAttribute('hidden'), false);
  if (more instanceof HTMLElement) more.click();
  assert.equal(triggers[0][0], 'more');
});

test('one card is reached by Tab: the first, then the one that had the focus last', () => {
  show('a', hits(3));
  const stops = () =>
    cards()
      .filter((card) => card.tabIndex === 0)
      .map((card) => Number(card.dataset.segment));
  assert.deepEqual(stops(), [1]);
  cards()[2].focus();
  assert.deepEqual(stops(), [3]);
  show('b', hits(3));
  assert.deepEqual(stops(), [1]);
});

test('arrow keys lead from card to card and from row to row, and stop at the ends', () => {
  show('a', hits(10));
  layOut();
  const path = ['ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowUp', 'ArrowUp', 'ArrowUp'];
  const seen = path.map((key) => {
    press(key);
    return focused();
  });
  assert.deepEqual(seen, [1, 2, 6, 10, 9, 5, 1, 1]);
});

test('cards that are not in the document yet are not reached', async () => {
  show('a', hits(40));
  await settle();
  for (const run of later.splice(0)) run();
  assert.equal(cards().length, 40);
  show('b', hits(40).reverse()); // all cards are known, but only the first are shown
  layOut();
  cards()[35].focus();
  press('ArrowRight');
  assert.equal(focused(), 5);
  assert.equal(cards()[35].tabIndex, 0, 'and Tab comes back to it');
});

test('the buttons of a card do what they say', () => {
  const add = mock.method(tray, 'add', () => Promise.resolve([]));
  show('a', [hit(7), { ...hit(8), score: null }]);
  for (const button of cards()[0].querySelectorAll('.ps-actions button'))
    if (button instanceof HTMLElement) button.click();
  const [keep] = cards()[1].querySelectorAll('.ps-actions button');
  if (keep instanceof HTMLElement) keep.click();
  assert.deepEqual(
    add.mock.calls.map((call) => call.arguments),
    [[[{ segment: 7, score: 0.5 }]], [[{ segment: 8, score: undefined }]]],
  );
  assert.deepEqual(
    triggers.map(([name]) => name),
    ['like', 'exclude'],
  );
  assert.equal(Reflect.get(Object(triggers[0][1]), 'segment'), 7);
});

test('keys work on the card that has the focus, or is under the pointer', () => {
  show('a', hits(3));
  press('m');
  assert.equal(triggers.length, 0, 'there is none yet');
  cards()[1].dispatchEvent(new Event('pointerover', { bubbles: true }));
  press('m');
  cards()[2].focus();
  press('n');
  assert.deepEqual(
    triggers.map(([name, value]) => [name, Reflect.get(Object(value), 'segment')]),
    [
      ['like', 2],
      ['exclude', 3],
    ],
  );
});

test('a preview plays under the pointer once it rests, one at a time, and ends when it leaves', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  show('a', hits(3));
  const videos = () => [...parent.querySelectorAll('video')].map((video) => video.getAttribute('src'));
  const over = (/** @type {number} */ at) => cards()[at].dispatchEvent(new Event('pointerover', { bubbles: true }));
  over(0);
  assert.deepEqual(videos(), []);
  over(1);
  mock.timers.tick(100);
  assert.deepEqual(videos(), ['/api/preview/2']);
  over(2);
  mock.timers.tick(100);
  assert.deepEqual(videos(), ['/api/preview/3']);
  parent.querySelector('.ps-grid')?.dispatchEvent(new Event('pointerleave'));
  assert.deepEqual(videos(), []);
  mock.timers.reset();
});

test('a preview of a hit plays its moment once that is known: at once, or when a person lingers', async (context) => {
  const moment = { preview: { from: 0.25, to: 0.75 }, is_whole: false };
  const server = new FakeServer({ 'GET /api/moment/1': moment }).serve(context);
  mock.timers.enable({ apis: ['setTimeout'] });
  show('a', hits(2), false, false, 'q=a');
  /** @param {number} milliseconds */
  const hover = async (milliseconds) => {
    parent.querySelector('.ps-grid')?.dispatchEvent(new Event('pointerleave'));
    cards()[0].dispatchEvent(new Event('pointerover', { bubbles: true }));
    for (const each of [100, milliseconds]) mock.timers.tick(each);
    await settle();
    return parent.querySelector('.ps-preview-moment');
  };
  const asked = () => server.asked().filter((line) => line.includes('/api/moment'));
  assert.equal(await hover(1000), null);
  assert.deepEqual(asked(), [], 'who passes over a hit asks for nothing');
  const bar = await hover(1600);
  assert(bar instanceof HTMLElement);
  assert.deepEqual([bar.style.left, bar.style.width], ['25%', '50%']);
  const video = parent.querySelector('video');
  assert(video);
  Object.defineProperty(video, 'duration', { value: 4 });
  await settle();
  assert.equal(video.currentTime, 1);
  video.currentTime = 3;
  await settle();
  assert.equal(video.currentTime, 1, 'it is played again and again');
  assert.equal(asked().length, 1);
  assert.ok(await hover(0), 'now it is known');
  assert.deepEqual(asked(), []);
  parent.querySelector('.ps-grid')?.dispatchEvent(new Event('pointerleave'));
  await settle();
  assert.equal(parent.querySelector('.ps-preview-moment'), null);
  mock.timers.reset();
});

/** @param {'said' | 'picture'} channel @returns {import('../../../app/web/static/search/found_line.js').Found} */
function foundBy(channel) {
  const line = { time: 1.5, from: 1.5, source: 4, pieces: /** @type {[string, boolean][]} */ ([['engine', true]]) };
  return { channels: [channel], line: channel === 'picture' ? null : line, lines: 1 };
}

test('cards show what words found them, and forget it with the next search', () => {
  show('a', [
    { ...hit(1), score: null, share: null, found: foundBy('said') },
    { ...hit(2), found: foundBy('picture') },
  ]);
  assert.deepEqual(
    cards().map((card) => card.querySelector('.ps-found')?.textContent),
    ['Said0:02engine', 'Picture'],
  );
  assert.match(cards()[0].getAttribute('aria-label') ?? '', /engine/);
  show('b', [hit(1)]);
  const [found] = cards()[0].querySelectorAll('.ps-found');
  assert.deepEqual([found.hasAttribute('hidden'), found.textContent], [true, '']);
});

test('Enter plays a hit of words from the word on, with the track that it is from', async (context) => {
  const server = new FakeServer({}).serve(context);
  const open = mock.method(HTMLDialogElement.prototype, 'showModal', () => {});
  show('a', [{ ...hit(1), found: foundBy('said') }, hit(2)]);
  cards()[0].focus();
  press('Enter');
  await settle();
  assert.equal(open.mock.callCount(), 1);
  assert(server.asked().some((line) => line.includes('/api/segment/1')));
});

test('hits that are in the tray are marked', () => {
  show('a', hits(3));
  const kept = () =>
    cards()
      .filter((card) => card.classList.contains('ps-kept'))
      .map((card) => Number(card.dataset.segment));
  assert.deepEqual(kept(), []);
  const subclips = JSON.parse('[{"segment": 2}, {"segment": null}]');
  tray.current = { id: 1, name: 'Tray', revision: 1, subclips };
  tray.dispatchEvent(new Event('change'));
  assert.deepEqual(kept(), [2]);
  assert.match(cards()[1].getAttribute('aria-label') ?? '', /, in tray$/);
  assert.doesNotMatch(cards()[0].getAttribute('aria-label') ?? '', /in tray/);
});

test('buttons are in cells of a grid, because nothing that is one control itself may hold others', () => {
  show('a', hits(1));
  const grid = parent.querySelector('.ps-grid');
  assert.equal(grid?.getAttribute('role'), 'grid');
  assert.equal(cards()[0].getAttribute('role'), 'row');
  for (const button of cards()[0].querySelectorAll('button'))
    assert.equal(button.closest('[role]')?.getAttribute('role'), 'gridcell');
});

test('once removed, keys and the tray are left alone', () => {
  show('a', hits(3));
  unmount();
  press('ArrowRight');
  tray.dispatchEvent(new Event('change'));
  assert.equal(parent.childElementCount, 0);
});

/** A stack of three: 2 in front of 8 and 9. */
function stacked() {
  return [hit(1), { ...hit(2), alike: [8, 9] }, hit(3)];
}

test('A opens a stack beside its hit and closes it again, from any of its shots', async (context) => {
  const server = new FakeServer({ 'GET /api/cards?ids=8,9': { items: [hit(8), hit(9)] } }).serve(context);
  show('a', stacked());
  cards()[0].focus();
  press('a');
  await settle();
  assert.deepEqual(ids(), [1, 2, 3], 'it has nothing behind it');
  cards()[1].focus();
  press('a');
  press('a'); // impatient
  await settle();
  assert.deepEqual(ids(), [1, 2, 8, 9, 3]);
  assert.deepEqual(server.asked(), ['GET /api/cards?ids=8,9']);
  assert.equal(cards()[1].querySelector('.ps-stack-button')?.getAttribute('aria-expanded'), 'true');
  cards()[3].focus();
  press('m');
  assert.equal(Reflect.get(Object(triggers[0][1]), 'segment'), 9);
  press('a');
  assert.deepEqual(ids(), [1, 2, 3]);
  assert.equal(focused(), 2);
});

/** Take 2 of a set-up, which has a copy, in front of take 1, with a copy, and take 3. */
function takes() {
  const others = [
    { number: 1, ids: [11, 12] },
    { number: 3, ids: [31] },
  ];
  return [hit(1), { ...hit(2), alike: [22], take: { number: 2, count: 3 }, takes: others }, hit(3)];
}

const TAKES_SERVER = {
  'GET /api/cards?ids=11,31': { items: [hit(11), hit(31)] },
  'GET /api/cards?ids=22': { items: [hit(22)] },
  'GET /api/cards?ids=12': { items: [hit(12)] },
};

/** @param {number} id */
function badges(id) {
  const card = cards().find((each) => each.dataset.segment === String(id));
  return [...(card?.querySelectorAll('.ps-badges > :not([hidden])') ?? [])].map((each) => each.textContent);
}

/** @param {number} id @param {string} key */
async function pressOn(id, key) {
  const card = cards().find((each) => each.dataset.segment === String(id));
  card?.focus();
  const shiftKey = key === 'A';
  card?.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true, composed: true }));
  await settle();
}

test('A opens the takes of a set-up, then the copies of a take, one level at a time', async (context) => {
  const server = new FakeServer(TAKES_SERVER).serve(context);
  show('a', takes());
  assert.deepEqual(badges(2), ['3 takes']);
  await pressOn(2, 'a');
  assert.deepEqual(ids(), [1, 2, 11, 31, 3]);
  assert.deepEqual(badges(2), ['Take 2 of 3', '2 alike']);
  assert.deepEqual(badges(11), ['Take 1 of 3', '2 alike']);
  assert.deepEqual(badges(31), ['Take 3 of 3']);
  await pressOn(2, 'a');
  assert.deepEqual(ids(), [1, 2, 22, 11, 31, 3], 'copies stand nearer than other takes');
  await pressOn(11, 'a');
  assert.deepEqual(ids(), [1, 2, 22, 11, 12, 31, 3]);
  assert(cards()[4].classList.contains('ps-deeper'));
  assert.deepEqual(server.asked(), ['GET /api/cards?ids=11,31', 'GET /api/cards?ids=22', 'GET /api/cards?ids=12']);
  await pressOn(2, 'a');
  assert.deepEqual(ids(), [1, 2, 3], 'nothing was left to open, so all is closed');
  assert.deepEqual(badges(2), ['3 takes']);
});

test('copies that are opened first stay before the takes', async (context) => {
  new FakeServer(TAKES_SERVER).serve(context);
  show('a', takes());
  await pressOn(2, 'a');
  await pressOn(11, 'a');
  await pressOn(11, 'a');
  assert.deepEqual(ids(), [1, 2, 11, 31, 3], 'a take closes its copies');
  await pressOn(31, 'a');
  assert.deepEqual(ids(), [1, 2, 3], 'a take without copies closes the takes');
  assert.equal(focused(), 2);
});

test('Shift and A goes back one level, to what stands in front', async (context) => {
  new FakeServer(TAKES_SERVER).serve(context);
  show('a', takes());
  await pressOn(2, 'a');
  await pressOn(11, 'a');
  await pressOn(12, 'A');
  assert.deepEqual(ids(), [1, 2, 11, 31, 3]);
  assert.equal(focused(), 11);
  await pressOn(11, 'A');
  assert.deepEqual(ids(), [1, 2, 3]);
  assert.equal(focused(), 2);
  await pressOn(2, 'A');
  assert.deepEqual(ids(), [1, 2, 3], 'nothing is open');
});

test('C compares the takes that share a card, from any of them', async (context) => {
  new FakeServer(TAKES_SERVER).serve(context);
  mock.method(HTMLDialogElement.prototype, 'showModal', () => {});
  show('a', takes());
  const compared = () => {
    const dialog = document.querySelector('dialog.ps-compare');
    const found = [...(dialog?.querySelectorAll('video') ?? [])].map((video) => video.poster);
    if (dialog instanceof HTMLDialogElement) dialog.dispatchEvent(new Event('close'));
    return found.map((address) => Number(address.split('/').at(-1)));
  };
  await pressOn(1, 'c');
  assert.deepEqual(compared(), [], 'it has no takes');
  await pressOn(2, 'c');
  assert.deepEqual(compared(), [11, 2, 31], 'in the order of recording');
  await pressOn(2, 'a');
  await pressOn(11, 'a');
  await pressOn(12, 'c');
  assert.deepEqual(compared(), [12, 2, 31], 'a copy stands for its take');
});

test('R names the takes of a stack, and the stack and the comparison show the name', async (context) => {
  const asked = mock.fn((/** @type {string} */ _question, /** @type {string} */ _known) => ' Kitchen ');
  Reflect.set(globalThis, 'prompt', asked);
  mock.method(HTMLDialogElement.prototype, 'showModal', () => {});
  const server = new FakeServer({
    ...TAKES_SERVER,
    'POST /api/takes/name': { id: 4, name: 'Kitchen', revision: 1, items: 3, own: false },
  }).serve(context);
  show('a', takes());
  await pressOn(1, 'r');
  assert.equal(asked.mock.callCount(), 0, 'it has no takes');
  await pressOn(2, 'a');
  await pressOn(31, 'r');
  const named = () => server.requests.filter(({ line }) => line === 'POST /api/takes/name').map(({ body }) => body);
  assert.deepEqual(named(), [{ takes: [[11, 12], [2, 22], [31]], name: 'Kitchen' }]);
  assert.deepEqual(asked.mock.calls[0].arguments.at(-1), '');
  assert.deepEqual(badges(2), ['Take 2 of 3', '2 alike'], 'the stack stays open');
  await pressOn(2, 'A');
  assert.deepEqual(badges(2), ['Kitchen: 3 takes']);
  await pressOn(2, 'r');
  assert.deepEqual(asked.mock.calls[1].arguments.at(-1), 'Kitchen');
  assert.equal(named().length, 1, 'the server was asked, and has that name already');
  await pressOn(2, 'c');
  assert.equal(
    document.querySelector('dialog.ps-compare .ps-player-title')?.textContent,
    'Kitchen: 3 takes side by side',
  );
  document.querySelector('dialog.ps-compare')?.dispatchEvent(new Event('close'));
});

test('four takes are compared, the chosen one among them', async (context) => {
  new FakeServer({}).serve(context);
  mock.method(HTMLDialogElement.prototype, 'showModal', () => {});
  const others = [1, 2, 3, 4, 5].map((number) => ({ number, ids: [10 + number] }));
  show('a', [{ ...hit(16), take: { number: 6, count: 6 }, takes: others }]);
  await pressOn(16, 'c');
  const labels = [...document.querySelectorAll('dialog.ps-compare figcaption strong')].map((each) => each.textContent);
  assert.deepEqual(labels, ['Take 1', 'Take 2', 'Take 3', 'Take 6']);
  document.querySelector('dialog.ps-compare')?.dispatchEvent(new Event('close'));
});

test('takes that are shown apart say which they are, and have nothing behind them', () => {
  show('a', [{ ...hit(1), take: { number: 2, count: 5 }, takes: [] }]);
  assert.deepEqual(badges(1), ['Take 2 of 5']);
  assert.match(cards()[0].getAttribute('aria-label') ?? '', /take 2 of 5$/);
});

test('an open stack does not reach into the next results', async (context) => {
  new FakeServer({ 'GET /api/cards?ids=8,9': { items: [hit(8), hit(9)] } }).serve(context);
  show('a', stacked());
  cards()[1].focus();
  press('a');
  await settle();
  press('a');
  press('a'); // still asked for when the next results come
  show('b', [hit(2), hit(8)]);
  await settle();
  assert.deepEqual(ids(), [2, 8]);
  assert.equal(parent.querySelectorAll('.ps-member, .ps-open').length, 0);
});

test('results that are no good match are folded until they are asked for, and at the next search again', () => {
  show('a', hits(3), true, true);
  const button = parent.querySelector('.ps-fold');
  assert(button instanceof HTMLElement);
  const closed = () => parent.querySelector('.ps-grid')?.closest('[hidden]') !== null;
  assert(closed());
  assert.equal(button.textContent, 'Show the nearest shots', 'without a number: a long shot may be several cards');
  press('ArrowRight');
  assert(!focused(), 'keys do not reach what is hidden');
  button.click();
  assert(!closed());
  press('ArrowRight');
  assert.equal(focused(), 1);
  show('b', hits(2), false, true);
  assert(closed());
  show('c', hits(2));
  assert(!closed());
  assert(button.hidden);
});

test('Shift and M adds an example', () => {
  show('a', hits(3));
  cards()[1].focus();
  cards()[1].dispatchEvent(new KeyboardEvent('keydown', { key: 'M', shiftKey: true, bubbles: true, composed: true }));
  const [[name, value]] = triggers;
  assert.deepEqual(
    [name, Reflect.get(Object(value), 'segment'), Reflect.get(Object(value), 'also')],
    ['like', 2, true],
  );
});
