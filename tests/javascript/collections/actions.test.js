import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { ClipActions } from '../../../app/web/static/collections/actions.js';
import { FakeServer, refusal, settled } from '../fake_server.js';
import { subclip } from './subclips.js';

/** @typedef {import('../../../app/web/static/core/types.js').Collection} Collection */
/** @typedef {import('node:test').TestContext} TestContext */

beforeEach((context) => {
  document.body.replaceChildren();
  /** @type {TestContext} */ (context).mock.timers.enable({ apis: ['setTimeout'] }); // messages stay
});

/**
 * @param {number} id
 * @param {...number} ids
 * @returns {Collection}
 */
function collection(id, ...ids) {
  return { id, name: `Collection ${id}`, revision: 1, subclips: ids.map((each) => subclip({ id: each })) };
}

/**
 * Return a view that shows a collection, its actions, and a server that accepts everything.
 *
 * @param {TestContext} context
 * @param {...number} ids
 */
function page(context, ...ids) {
  const server = new FakeServer({ 'GET /api/collections': refusal(503, 'not now') }).serve(context);
  const accept = () => ({});
  for (const id of ids) server.answers[`POST /api/subclips/${id}/move`] = accept;
  server.answers['DELETE /api/collections/1/subclips'] = accept;
  server.answers['POST /api/collections/1/put-back'] = accept;
  const view = {
    /** @type {Collection | null} */
    shown: collection(1, ...ids),
    /** @type {number[][]} */
    drawn: [],
    synced: 0,
    busy: false,
    draw() {
      view.drawn.push(view.order);
    },
    sync() {
      view.synced += 1;
      return Promise.resolve();
    },
    /** @param {boolean} busy */
    showBusy(busy) {
      view.busy = busy;
    },
    get order() {
      return view.shown?.subclips.map((clip) => clip.id) ?? [];
    },
  };
  const actions = new ClipActions(view);
  /** The changes that were sent: method, address and body. */
  const sent = () =>
    server.requests.flatMap(({ line, body }) => (line.startsWith('GET') ? [] : [[line, JSON.stringify(body)]]));
  return { server, view, actions, sent };
}

/** The texts of the messages that are shown. */
function messages() {
  return [...document.querySelectorAll('.ps-toast span')].map((each) => each.textContent);
}

test('a move is shown at once, and sent as the subclip that comes before', async (context) => {
  const { view, actions, sent } = page(context, 1, 2, 3);
  const done = actions.move([1], 2);
  assert.deepEqual(view.order, [2, 1, 3]);
  assert(view.busy);
  assert(actions.busy);
  await done;
  assert.deepEqual(sent(), [['POST /api/subclips/1/move', '{"after":2}']]);
  assert(!view.busy);
  assert.equal(view.synced, 1);
});

test('several are sent in their new order, each behind the one before it', async (context) => {
  const { actions, sent } = page(context, 1, 2, 3, 4);
  await actions.move([4, 2], null);
  assert.deepEqual(sent(), [
    ['POST /api/subclips/2/move', '{"after":null}'],
    ['POST /api/subclips/4/move', '{"after":2}'],
  ]);
});

test('a move to the same place sends nothing, and there is nothing to undo', async (context) => {
  const { view, actions, sent } = page(context, 1, 2, 3);
  await actions.move([2], 1);
  await actions.move([], 1);
  assert.deepEqual(sent(), []);
  assert.deepEqual(view.drawn, []);
  assert.deepEqual(actions.past, []);
});

test('without a collection nothing is done', async (context) => {
  const { view, actions, sent } = page(context, 1, 2);
  view.shown = null;
  await actions.move([1], 2);
  await actions.takeOut([1]);
  assert.deepEqual(sent(), []);
});

test('a move that the server refuses is taken back, with the reason', async (context) => {
  const { server, view, actions } = page(context, 1, 2, 3);
  server.answers['POST /api/subclips/1/move'] = refusal(404, 'There is no such clip.');
  await actions.move([1], 3);
  assert.deepEqual(view.drawn, [
    [2, 3, 1],
    [1, 2, 3],
  ]);
  assert.deepEqual(messages(), ['There is no such clip.']);
  assert.deepEqual(actions.past, []);
  assert.equal(view.shown?.revision, -1); // what the server has is to be loaded
});

test('requests never overtake each other', async (context) => {
  const { server, actions, sent } = page(context, 1, 2, 3);
  /** @type {() => void} */
  let answer = () => {};
  server.answers['POST /api/subclips/1/move'] = () =>
    new Promise((done) => {
      answer = () => done({});
    });
  const both = Promise.all([actions.move([1], 2), actions.move([3], null)]);
  await settled();
  assert.deepEqual(sent(), [['POST /api/subclips/1/move', '{"after":2}']]);
  assert(actions.busy);
  answer();
  await both;
  assert.deepEqual(sent()[1], ['POST /api/subclips/3/move', '{"after":null}']);
  assert(!actions.busy);
});

test('a request that fails does not hold up the next one', async (context) => {
  const { server, actions, sent } = page(context, 1, 2, 3);
  server.answers['POST /api/subclips/1/move'] = refusal(500, 'broken');
  await Promise.all([actions.move([1], 2), actions.takeOut([3])]);
  assert.equal(sent().length, 2);
  assert(!actions.busy);
});

test('a move can be undone, once', async (context) => {
  const { view, actions, sent } = page(context, 1, 2, 3);
  await actions.move([3], null);
  actions.undo();
  await settled();
  assert.deepEqual(view.order, [1, 2, 3]);
  assert.deepEqual(sent()[1], ['POST /api/subclips/3/move', '{"after":2}']);
  assert.deepEqual(messages(), ['Undone: a subclip moved']);
  actions.undo();
  await settled();
  assert.equal(sent().length, 2);
  assert(messages().includes('Nothing to undo'));
});

test('a move is undone in its own collection, though another is shown', async (context) => {
  const { server, view, actions, sent } = page(context, 1, 2, 3);
  await actions.move([3], null);
  view.shown = collection(2, 8, 9);
  server.answers['GET /api/collections/1'] = collection(1, 3, 1, 2);
  actions.undo();
  await settled();
  assert.deepEqual(sent()[1], ['POST /api/subclips/3/move', '{"after":2}']);
  assert.deepEqual(view.order, [8, 9]);
  assert.equal(view.shown?.revision, 1);
});

test('while a collection is loaded, a move is undone all the same', async (context) => {
  const { server, view, actions, sent } = page(context, 1, 2);
  await actions.move([2], null);
  view.shown = null;
  server.answers['GET /api/collections/1'] = collection(1, 2, 1);
  actions.undo();
  await settled();
  assert.deepEqual(sent()[1], ['POST /api/subclips/2/move', '{"after":1}']);
});

test('what is taken out goes at once, and can be put back', async (context) => {
  const { view, actions, sent } = page(context, 1, 2, 3);
  const done = actions.takeOut([1, 3]);
  assert.deepEqual(view.order, [2]);
  await done;
  assert.deepEqual(sent(), [['DELETE /api/collections/1/subclips', '{"ids":[1,3]}']]);
  assert.deepEqual(messages(), ['2 removed from “Collection 1”']);
  /** @type {HTMLButtonElement | null} */
  const undo = document.querySelector('.ps-toast .ps-link');
  undo?.click();
  await settled();
  assert.deepEqual(sent()[1], ['POST /api/collections/1/put-back', '{"ids":[1,3]}']);
  actions.undo(); // the button has undone it already
  await settled();
  assert.equal(sent().length, 2);
});

test('what cannot be taken out comes back', async (context) => {
  const { server, view, actions } = page(context, 1, 2);
  server.answers['DELETE /api/collections/1/subclips'] = refusal(409, 'The library is read-only.');
  await actions.takeOut([1]);
  assert.deepEqual(view.order, [1, 2]);
  assert.deepEqual(messages(), ['The library is read-only.']);
  assert.deepEqual(actions.past, []);
});

test('actions are undone from the latest to the earliest', async (context) => {
  const { actions } = page(context, 1, 2, 3);
  /** @type {string[]} */
  const undone = [];
  actions.remember('one', () => undone.push('one'));
  const second = actions.remember('two', () => undone.push('two'));
  actions.remember('three', () => undone.push('three'));
  second();
  second();
  actions.undo();
  actions.undo();
  actions.undo();
  assert.deepEqual(undone, ['two', 'three', 'one']);
  await settled();
});

test('only the latest hundred can be undone', (context) => {
  const { actions } = page(context);
  for (let number = 0; number < 150; number += 1) actions.remember(`${number}`, () => {});
  assert.equal(actions.past.length, 100);
  assert.equal(actions.past[0].label, '50');
});
