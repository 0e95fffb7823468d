import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { Tray } from '../../../app/web/static/core/tray.js';
import { FakeServer, refusal, settled } from '../fake_server.js';

/** @typedef {{id: number, segment: number}} Clip */

const LIST = 'GET /api/collections';

/** A library of collections, behind the routes that the tray uses. */
class Library extends FakeServer {
  constructor() {
    super();
    /** @type {{id: number, name: string, revision: number, clips: Clip[]}[]} */
    this.collections = [];
    this.answers[LIST] = () => ({ collections: this.collections.map((each) => row(each)), tray: 1 });
    this.answers['POST /api/collections'] = (/** @type {{name: string}} */ { name }) =>
      name === 'bad' ? refusal(400, 'No such name.') : row(this.add(name));
    this.add('Tray');
    this.add('Other', [{ id: 50, segment: 500 }]);
  }

  /**
   * @param {string} name
   * @param {Clip[]} [clips]
   */
  add(name, clips = []) {
    const collection = { id: this.collections.length + 1, name, revision: 1, clips };
    this.collections.push(collection);
    const address = `/api/collections/${collection.id}`;
    this.answers[`GET ${address}`] = () => ({ ...row(collection), subclips: collection.clips });
    this.answers[`POST ${address}/subclips`] = (/** @type {{items: {segment: number}[]}} */ { items }) => {
      collection.revision += 1;
      return {
        subclips: items.map(({ segment }) => {
          const clip = collection.clips.find((each) => each.segment === segment) ?? { id: 10 * segment, segment };
          if (!collection.clips.includes(clip)) collection.clips.push(clip);
          return clip;
        }),
      };
    };
    this.answers[`DELETE ${address}/subclips`] = (/** @type {{ids: number[]}} */ { ids }) => {
      collection.revision += 1;
      collection.clips = collection.clips.filter(({ id }) => !ids.includes(id));
      return { removed: ids.length };
    };
    this.answers[`POST ${address}/put-back`] = (/** @type {{ids: number[]}} */ { ids }) => {
      collection.revision += 1;
      for (const id of ids) collection.clips.push({ id, segment: id / 10 });
      return { restored: ids.length };
    };
    return collection;
  }
}

/** @param {{id: number, name: string, revision: number, clips: Clip[]}} collection */
function row({ id, name, revision, clips }) {
  return { id, name, revision, items: clips.length };
}

/** @type {Library} */
let server;
/** @type {Tray} */
let tray;
/** @type {string[]} */
let heard;

beforeEach((context) => {
  assert('mock' in context);
  localStorage.clear();
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  server = new Library().serve(context);
  tray = new Tray();
  heard = [];
  tray.addEventListener('change', () => heard.push('change'));
  tray.addEventListener('trouble', () => heard.push(`trouble: ${tray.failed}`));
});

afterEach(() => document.body.replaceChildren());

function said() {
  return [...document.querySelectorAll('.ps-toast > span')].map((each) => each.textContent);
}

async function undo() {
  const button = [...document.querySelectorAll('.ps-toast button')].find((each) => each.textContent === 'Undo');
  assert(button instanceof HTMLElement);
  button.click();
  await settled();
}

/** @param {DocumentVisibilityState} state */
function turn(state) {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

test('the tray is the collection that the server calls so', async () => {
  await tray.refresh();
  assert.equal(tray.current?.name, 'Tray');
  assert.equal(tray.collections.length, 2);
  assert.deepEqual(heard, ['change']);
});

test('while the revision is the same, subclips are not fetched again and nobody is told', async () => {
  await tray.refresh();
  server.asked();
  await tray.refresh();
  assert.deepEqual(server.asked(), [LIST]);
  assert.deepEqual(heard, ['change']);
});

test('a change by another tab is fetched and told, and so is one of another collection', async () => {
  await tray.refresh();
  const [first, other] = server.collections;
  first.revision += 1;
  first.clips.push({ id: 10, segment: 1 });
  await tray.refresh();
  assert(tray.has(1));
  assert(!tray.has(2));
  other.name = 'Renamed';
  server.asked();
  await tray.refresh();
  assert.deepEqual(server.asked(), [LIST]);
  assert.equal(tray.collections[1].name, 'Renamed');
  assert.equal(heard.length, 3);
});

test('it is not polled: it looks again when somebody comes and when another tab has changed it', async (context) => {
  const first = tray.watch();
  const second = tray.watch();
  await settled();
  assert.deepEqual(server.asked(), [LIST, 'GET /api/collections/1']);
  context.mock.timers.tick(600_000);
  await settled();
  assert.deepEqual(server.asked(), []);
  for (const moment of [
    () => dispatchEvent(new Event('focus')),
    () => new BroadcastChannel('x').postMessage('changed'),
  ]) {
    moment();
    await settled();
    assert.deepEqual(server.asked(), [LIST], 'once for all watchers');
  }
  first();
  first();
  dispatchEvent(new Event('focus'));
  await settled();
  assert.deepEqual(server.asked(), [LIST], 'the other one still watches');
  second();
  dispatchEvent(new Event('focus'));
  turn('visible');
  await settled();
  assert.deepEqual(server.asked(), []);
  const again = tray.watch();
  await settled();
  assert.deepEqual(server.asked(), [LIST]);
  again();
});

test('a hidden page does not poll, and looks once it is shown again', async (context) => {
  const unwatch = tray.watch();
  await settled();
  server.asked();
  turn('hidden');
  context.mock.timers.tick(20_000);
  await settled();
  assert.deepEqual(server.asked(), []);
  turn('visible');
  await settled();
  assert.deepEqual(server.asked(), [LIST]);
  unwatch();
});

test('a failure is told once, and so is that it is over', async () => {
  await tray.refresh();
  server.down = true;
  await tray.refresh();
  await tray.refresh();
  assert.equal(heard.length, 2);
  assert.match(heard[1], /^trouble: .*is not responding/);
  assert.equal(tray.current?.name, 'Tray', 'what was there stays');
  server.down = false;
  server.answers['GET /api/collections/1'] = () => refusal(500, 'The disk is gone.');
  server.collections[0].revision += 1;
  await tray.refresh();
  assert.equal(heard[2], 'trouble: The disk is gone.', 'another failure is told anew');
  server.collections[0].revision -= 1;
  await tray.refresh();
  assert.equal(heard[3], 'change');
  assert.equal(tray.failed, null);
  await tray.refresh();
  assert.equal(heard.length, 4);
});

test('a chosen collection is the tray in this browser, also after the page is loaded anew', async () => {
  await tray.choose(2);
  assert(tray.has(500));
  const next = new Tray();
  await next.refresh();
  assert.equal(next.current?.id, 2);
});

test('a chosen collection that is gone gives way to the tray of the server', async () => {
  await tray.choose(2);
  server.collections.pop();
  await tray.refresh();
  assert.equal(tray.current?.id, 1);
});

test('a browser without storage keeps the choice for this page', async (context) => {
  const refuse = () => {
    throw new DOMException('', 'SecurityError');
  };
  const storage = { ...localStorage, getItem: refuse, setItem: refuse };
  context.mock.property(globalThis, 'localStorage', /** @type {Storage} */ (storage));
  await tray.choose(2);
  await tray.refresh();
  assert.equal(tray.current?.id, 2);
  assert.equal(tray.failed, null);
});

test('an answer that was asked for before another collection was chosen does not bring the old one back', async () => {
  await tray.refresh();
  server.collections[0].revision += 1;
  const { opened, open } = gate();
  const late = server.answers['GET /api/collections/1'];
  assert(typeof late === 'function');
  server.answers['GET /api/collections/1'] = async () => {
    await opened;
    return late();
  };
  const polled = tray.refresh();
  await settled();
  await tray.choose(2);
  open();
  await polled;
  assert.equal(tray.current?.id, 2);
});

test('a late failure does not hide an answer that came first', async () => {
  const { opened, open } = gate();
  const list = server.answers[LIST];
  assert(typeof list === 'function');
  server.answers[LIST] = async () => {
    await opened;
    return refusal(500, 'Too late.');
  };
  const first = tray.refresh();
  server.answers[LIST] = list;
  await tray.refresh();
  open();
  await first;
  assert.deepEqual(heard, ['change']);
});

test('a new collection is the tray at once; a name that is refused is an error', async () => {
  const made = await tray.create('New');
  assert.deepEqual([made.id, tray.current?.id, tray.current?.name], [3, 3, 'New']);
  await assert.rejects(tray.create('bad'), { message: 'No such name.' });
  assert.equal(tray.current?.id, 3);
});

test('what is added can be taken out again by Undo', async () => {
  const added = await tray.add([{ segment: 1 }]);
  assert.deepEqual(
    added.map((clip) => clip.segment),
    [1],
  );
  assert(tray.has(1));
  assert.deepEqual(said(), ['Added to “Tray”']);
  await undo();
  assert(!tray.has(1));
  assert.deepEqual(said(), [], 'an undo needs no message');
});

test('Undo takes out what was new, and leaves what was there before', async () => {
  await tray.add([{ segment: 1 }]);
  await tray.add([{ segment: 1 }, { segment: 2 }, { segment: 3 }]);
  assert.deepEqual(said(), ['2 added to “Tray”']);
  await undo();
  assert.deepEqual(
    server.collections[0].clips.map(({ segment }) => segment),
    [1],
  );
});

test('what is there already is said to be, without an Undo', async () => {
  await tray.add([{ segment: 1 }, { segment: 2 }]);
  await tray.add([{ segment: 1 }]);
  assert.deepEqual(said(), ['Already in “Tray”']);
  await tray.add([{ segment: 1 }, { segment: 2 }]);
  assert.deepEqual(said(), ['Already in “Tray”']);
  assert(!document.querySelector('.ps-toast .ps-link'));
});

test('adding nothing, or without a server, adds nothing and does not throw', async () => {
  assert.deepEqual(await tray.add([]), []);
  server.answers['POST /api/collections/1/subclips'] = () => refusal(404, 'No such segment.');
  assert.deepEqual(await tray.add([{ segment: 9 }]), []);
  assert.deepEqual(said(), ['No such segment.']);
  const alone = new Tray();
  server.down = true;
  assert.deepEqual(await alone.add([{ segment: 1 }]), []);
  await alone.takeOut([1]);
});

test('what is taken out can be put back by Undo', async () => {
  await tray.add([{ segment: 1 }, { segment: 2 }]);
  await tray.takeOut([10]);
  assert(!tray.has(1));
  assert.deepEqual(said(), ['Removed from “Tray”']);
  await undo();
  assert(tray.has(1));
  await tray.takeOut([10, 20]);
  assert.deepEqual(said(), ['2 removed from “Tray”']);
});

test('Undo puts back into the collection that the clips were taken out of, whatever the tray is now', async () => {
  await tray.add([{ segment: 1 }]);
  await tray.takeOut([10]);
  await tray.choose(2);
  await undo();
  assert.equal(server.collections[0].clips.length, 1);
  assert.equal(server.collections[1].clips.length, 1);
});

test('clips that could not be taken out are not said to have been', async () => {
  await tray.add([{ segment: 1 }]);
  server.answers['DELETE /api/collections/1/subclips'] = () => refusal(500, 'The disk is full.');
  await tray.takeOut([10]);
  assert(tray.has(1));
  assert.deepEqual(said().slice(1), ['The disk is full.']);
});

/** Return what an answer waits for, and what lets it go. */
function gate() {
  let open = () => {};
  /** @type {Promise<void>} */
  const opened = new Promise((done) => {
    open = done;
  });
  return { opened, open: () => open() };
}
