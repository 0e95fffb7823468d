import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { Edits } from '../../../app/web/static/collections/edits.js';
import { FakeServer, refusal, settled } from '../fake_server.js';
import { subclip } from './subclips.js';

/** @typedef {import('../../../app/web/static/core/types.js').Subclip} Subclip */
/** @typedef {import('node:test').TestContext} TestContext */

const PATCH = 'PATCH /api/subclips/1';

/** @type {Set<string>} */
const held = new Set(); // names of the locks that pages hold

beforeEach(() => {
  localStorage.clear();
  held.clear();
  Object.defineProperty(navigator, 'locks', {
    configurable: true,
    value: {
      /**
       * @param {string} name
       * @param {() => Promise<unknown>} work
       */
      async request(name, work) {
        held.add(name);
        await work();
        held.delete(name);
      },
      query: () => Promise.resolve({ held: [...held].map((name) => ({ name })) }),
    },
  });
});

/** A library of subclips that answers requests as the real one does. */
class Library {
  /** @param {...Subclip} clips */
  constructor(...clips) {
    /** @type {Map<number, Subclip>} */
    this.clips = new Map(clips.map((clip) => [clip.id, clip]));
    /** @type {Record<string, unknown>[]} */
    this.changes = []; // that were sent
    this.server = new FakeServer({
      'GET /api/collections/1': () => ({ id: 1, name: 'Tray', revision: 1, subclips: [...this.clips.values()] }),
    });
    for (const { id } of clips)
      this.server.answers[`PATCH /api/subclips/${id}`] = (/** @type {Record<string, unknown>} */ body) =>
        this.change(id, body);
  }

  /**
   * @param {number} id
   * @param {Record<string, unknown>} body
   */
  change(id, { revision, ...change }) {
    this.changes.push(change);
    const clip = this.clips.get(id);
    if (!clip) return refusal(404, 'There is no such clip.');
    return revision === clip.revision ? this.write(id, change) : refusal(409, 'Changed elsewhere.', { current: clip });
  }

  /**
   * @param {number} id
   * @param {Partial<Subclip>} change
   */
  write(id, change) {
    const clip = { ...subclip({ id }), ...this.clips.get(id), ...change };
    clip.revision += 1;
    this.clips.set(id, clip);
    return clip;
  }

  /** The first subclip as it is now. */
  get first() {
    return this.clips.get(1) ?? assert.fail('the subclip is gone');
  }

  /**
   * Return the edits of a page that shows this library.
   *
   * @param {TestContext} context
   */
  open(context) {
    this.server.serve(context);
    const edits = new Edits();
    edits.learnAll(1, [...this.clips.values()]);
    context.after(() => edits.close());
    return edits;
  }
}

/** The keys of what the browser keeps of unsaved edits. */
function kept() {
  return Object.keys(localStorage).filter((key) => key.startsWith('prismsearch.unsent.'));
}

/** Return a promise, and the function that settles it. */
function gate() {
  /** @type {() => void} */
  let open = () => {};
  const opened = new Promise((done) => {
    open = () => done(undefined);
  });
  return { opened, open };
}

test('what is typed is stored at once, sent once, and forgotten when it is saved', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  /** @type {Subclip[]} */
  const saved = [];
  edits.addEventListener('saved', (event) => saved.push(/** @type {CustomEvent<Subclip>} */ (event).detail));
  for (const value of ['B', 'Be', 'Beach']) edits.put(library.first, 'name', value);
  assert.equal(edits.of(1, 'name')?.state, 'typed');
  assert.equal(kept().length, 1);
  assert.equal(library.changes.length, 0);
  await edits.send(1);
  assert.deepEqual(library.changes, [{ name: 'Beach' }]);
  assert.equal(library.first.name, 'Beach');
  assert.deepEqual(edits.all, []);
  assert.deepEqual(kept(), []);
  assert.deepEqual(saved, [library.first]);
});

/**
 * Note the state of a name's edit at each 'change'.
 *
 * @param {Edits} edits
 */
function told(edits) {
  /** @type {(string | undefined)[]} */
  const states = [];
  edits.addEventListener('change', () => {
    const state = edits.of(1, 'name')?.state;
    if (!states.length || states.at(-1) !== state) states.push(state);
  });
  return states;
}

test('every change of state is told', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  assert.equal(edits.stored, true);
  const states = told(edits);
  edits.learnAll(1, [library.first]); // nothing has changed
  assert.deepEqual(states, []);
  edits.put(library.first, 'name', 'Beach');
  edits.learnAll(1, []);
  edits.learnAll(1, [library.first]);
  await settled();
  assert.deepEqual(states, ['typed', 'gone', 'typed', 'sending', undefined]);
});

test('that a conflict is resolved is told and sent', async (context) => {
  const { library, edits } = await conflict(context);
  const states = told(edits);
  edits.keepMine(1, 'name');
  assert.equal(edits.of(1, 'name')?.theirs, null);
  assert.deepEqual(states, ['typed']);
  await settled();
  assert.equal(library.first.name, 'mine');
});

test('a conflict that is resolved stays so for the page that takes the edit over', async (context) => {
  const { library, edits } = await conflict(context);
  library.server.down = true;
  edits.keepMine(1, 'name');
  edits.close();
  await settled();
  library.server.down = false;
  const next = library.open(context);
  await next.adopt();
  assert.equal(library.first.name, 'mine');
});

test('an edit begins from what the server last sent, not from what a caller still holds', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  library.write(1, { name: 'theirs' });
  edits.learn(library.first);
  edits.put({ ...subclip(), label: 'film' }, 'name', 'mine');
  assert.equal(edits.of(1, 'name')?.label, 'film');
  await edits.send(1);
  assert.equal(library.first.name, 'mine');
});

test('what is typed during a request waits for the field to be left', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  const states = told(edits);
  edits.put(library.first, 'name', 'Be');
  const sent = edits.send(1);
  await Promise.resolve();
  edits.put(subclip(), 'name', 'Bea');
  await sent;
  assert.deepEqual(states, ['typed', 'sending', 'typed']);
  assert.deepEqual(library.changes, [{ name: 'Be' }]);
  edits.put(library.first, 'name', 'Be'); // as it is saved by now
  assert.deepEqual(edits.all, []);
});

test('a page that is killed during a request leaves no conflict with itself', async (context) => {
  const library = new Library(subclip());
  const killed = library.open(context);
  const { opened, open } = gate();
  library.server.answers[PATCH] = async (/** @type {Record<string, unknown>} */ body) => {
    library.change(1, body);
    await opened; // the answer comes too late
    return {};
  };
  killed.put(library.first, 'name', 'Be');
  void killed.send(1);
  await settled();
  killed.put(subclip(), 'name', 'Beach');
  const left = { ...localStorage };
  killed.close();
  await settled();
  library.server.answers[PATCH] = (/** @type {Record<string, unknown>} */ body) => library.change(1, body);
  Object.assign(localStorage, left);
  const next = library.open(context);
  await next.adopt();
  assert.equal(library.first.name, 'Beach');
  open();
});

test('typing back what was there ends the edit', async (context) => {
  const library = new Library(subclip({ name: 'Beach' }));
  const edits = library.open(context);
  edits.put(library.first, 'name', 'Beac');
  edits.put(library.first, 'name', 'Beach');
  assert.deepEqual(edits.all, []);
  assert.deepEqual(kept(), []);
  await edits.send(1);
  assert.deepEqual(library.changes, []);
});

test('fields of one subclip go in one request; the range by its ends', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'Beach');
  edits.put(library.first, 'note', 'calm');
  edits.put(library.first, 'range', { start_pts: 5, end_pts: 9 });
  await edits.sendAll();
  assert.deepEqual(library.changes, [{ name: 'Beach', note: 'calm', start_pts: 5, end_pts: 9 }]);
});

test('what is typed during a request is sent after it, on top of what was saved', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  const { opened, open } = gate();
  library.server.answers[PATCH] = async (/** @type {Record<string, unknown>} */ body) => {
    await opened;
    return library.change(1, body);
  };
  edits.put(library.first, 'name', 'Be');
  const first = edits.send(1);
  await settled();
  assert.equal(edits.of(1, 'name')?.state, 'sending');
  edits.put(library.first, 'name', 'Beach');
  const second = edits.send(1);
  await settled();
  assert.equal(library.server.requests.length, 1); // one request at a time
  open();
  await Promise.all([first, second]);
  assert.deepEqual(library.changes, [{ name: 'Be' }, { name: 'Beach' }]);
  assert.equal(library.first.name, 'Beach');
  assert.deepEqual(edits.all, []);
});

test('the old text typed back during a request is sent after it', async (context) => {
  const library = new Library(subclip({ name: 'old' }));
  const edits = library.open(context);
  edits.put(library.first, 'name', 'new');
  const sent = edits.send(1);
  await Promise.resolve();
  edits.put(subclip({ name: 'old' }), 'name', 'old');
  await sent;
  await edits.send(1);
  assert.equal(library.first.name, 'old');
  assert.deepEqual(edits.all, []);
});

test('an edit that is given up during its request does not end a newer one', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'one');
  const sent = edits.send(1);
  await Promise.resolve();
  edits.drop(1, 'name');
  edits.put(subclip(), 'name', 'two');
  await sent;
  assert.equal(edits.of(1, 'name')?.value, 'two');
});

test('a change of another field by another tab is merged', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'mine');
  library.write(1, { note: 'theirs' });
  await edits.send(1);
  assert.equal(library.first.name, 'mine');
  assert.equal(library.first.note, 'theirs');
  assert.equal(library.changes.length, 2); // the first was refused for its revision
  assert.deepEqual(edits.all, []);
});

test('a change of the same field by another tab is a conflict, and nothing is overwritten', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'mine');
  edits.put(library.first, 'note', 'calm');
  library.write(1, { name: 'theirs' });
  await edits.send(1);
  const edit = edits.of(1, 'name');
  assert.equal(edit?.state, 'conflict');
  assert.equal(edit?.theirs, 'theirs');
  assert.equal(library.first.name, 'theirs');
  assert.equal(library.first.note, 'calm'); // the other field is saved all the same
  await edits.send(1);
  assert.equal(library.first.name, 'theirs');
});

test('the same change by another tab is no conflict', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'Beach');
  library.write(1, { name: 'Beach' });
  await edits.send(1);
  assert.deepEqual(edits.all, []);
});

/** @param {TestContext} context */
async function conflict(context) {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'mine');
  library.write(1, { name: 'theirs' });
  await edits.send(1);
  library.changes.length = 0;
  return { library, edits };
}

test('of a conflict, mine can be kept', async (context) => {
  const { library, edits } = await conflict(context);
  edits.keepMine(1, 'name');
  await edits.send(1);
  assert.equal(library.first.name, 'mine');
  assert.deepEqual(edits.all, []);
});

test('of a conflict, theirs can be taken', async (context) => {
  const { library, edits } = await conflict(context);
  edits.drop(1, 'name');
  await edits.send(1);
  assert.equal(library.first.name, 'theirs');
  assert.deepEqual(library.changes, []);
  assert.deepEqual(kept(), []);
});

test('typing on leaves a conflict open; typing what the other tab wrote ends it', async (context) => {
  const { library, edits } = await conflict(context);
  edits.put(library.first, 'name', '');
  assert.equal(edits.of(1, 'name')?.state, 'conflict');
  edits.put(library.first, 'name', 'theirs');
  assert.deepEqual(edits.all, []);
});

test('keeping or dropping an edit that is not there does nothing', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.keepMine(1, 'name');
  edits.drop(7, 'note');
  await settled();
  assert.deepEqual(library.changes, []);
});

test('a server that is away is asked again, less and less often', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const library = new Library(subclip());
  const edits = library.open(context);
  library.server.down = true;
  edits.put(library.first, 'name', 'Beach');
  await edits.send(1);
  assert.equal(edits.of(1, 'name')?.state, 'waiting');
  const waits = [2000, 3200, 5120, 8192, 13107.2, 15000, 15000];
  for (const wait of waits) {
    library.server.asked();
    context.mock.timers.tick(Math.floor(wait) - 1);
    await settled();
    assert.deepEqual(library.server.asked(), [], `before ${wait} ms`);
    context.mock.timers.tick(2);
    await settled();
    assert.deepEqual(library.server.asked(), [PATCH], `after ${wait} ms`);
  }
  library.server.down = false;
  context.mock.timers.tick(15000);
  await settled();
  assert.equal(library.first.name, 'Beach');
  assert.deepEqual(edits.all, []);
  library.server.down = true; // the next time away begins with a short wait again
  edits.put(library.first, 'name', 'Shore');
  await edits.send(1);
  library.server.asked();
  context.mock.timers.tick(2000);
  await settled();
  assert.deepEqual(library.server.asked(), [PATCH]);
});

test('a server that fails keeps the edit as one that is away', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const library = new Library(subclip());
  const edits = library.open(context);
  library.server.answers[PATCH] = refusal(503, 'The library is busy.');
  edits.put(library.first, 'name', 'Beach');
  await edits.send(1);
  assert.equal(edits.of(1, 'name')?.state, 'waiting');
  assert.equal(edits.of(1, 'name')?.message, 'The library is busy.');
  assert.equal(kept().length, 1);
});

/**
 * Lose the answer of the next request, though the library takes it.
 *
 * @param {Library} library
 */
function loseAnswer(library) {
  library.server.answers[PATCH] = (/** @type {Record<string, unknown>} */ body) => {
    library.change(1, body);
    library.server.answers[PATCH] = (/** @type {Record<string, unknown>} */ next) => library.change(1, next);
    throw new TypeError('Failed to fetch');
  };
}

test('text that is typed on after its answer was lost is no conflict with itself', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const library = new Library(subclip());
  const edits = library.open(context);
  loseAnswer(library);
  edits.put(library.first, 'name', 'Be');
  await edits.send(1);
  assert.equal(library.first.name, 'Be');
  edits.put(subclip(), 'name', 'Beach');
  await edits.send(1);
  assert.equal(library.first.name, 'Beach');
  assert.deepEqual(edits.all, []);
});

test('the old text that is typed back after an answer was lost is saved', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const library = new Library(subclip({ name: 'old' }));
  const edits = library.open(context);
  loseAnswer(library);
  edits.put(library.first, 'name', 'new');
  await edits.send(1);
  edits.put(subclip({ name: 'old' }), 'name', 'old');
  assert.equal(edits.of(1, 'name')?.value, 'old');
  await edits.send(1);
  assert.equal(library.first.name, 'old');
  assert.deepEqual(edits.all, []);
});

test('a lost answer is remembered by the page that takes the edit over', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const library = new Library(subclip());
  const edits = library.open(context);
  loseAnswer(library);
  edits.put(library.first, 'name', 'Be');
  await edits.send(1);
  edits.put(subclip(), 'name', 'Beach');
  edits.close();
  await settled();
  const next = library.open(context);
  await next.adopt();
  assert.equal(library.first.name, 'Beach');
  assert.deepEqual(next.all, []);
  assert.deepEqual(kept(), []);
});

test('trying again for long keeps one value in store', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const library = new Library(subclip());
  const edits = library.open(context);
  library.server.down = true;
  edits.put(library.first, 'name', 'Beach');
  for (let turn = 0; turn < 5; turn += 1) await edits.send(1);
  assert.deepEqual(edits.of(1, 'name')?.unanswered, ['Beach']);
});

test('a value that the server refuses stays, with the reason, until it is corrected', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  const accept = library.server.answers[PATCH];
  library.server.answers[PATCH] = refusal(400, 'The name is too long.');
  edits.put(library.first, 'name', 'Beach');
  await edits.send(1);
  assert.equal(edits.of(1, 'name')?.state, 'refused');
  assert.equal(edits.of(1, 'name')?.message, 'The name is too long.');
  assert.equal(kept().length, 1);
  library.server.asked();
  await edits.send(1);
  assert.deepEqual(library.server.asked(), []); // not sent again as it is
  library.server.answers[PATCH] = accept;
  edits.put(library.first, 'name', 'Bay');
  assert.equal(edits.of(1, 'name')?.state, 'typed');
  await edits.send(1);
  assert.equal(library.first.name, 'Bay');
});

test('one field that is refused does not hold back the others', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  library.server.answers[PATCH] = (/** @type {Record<string, unknown>} */ body) =>
    'note' in body ? refusal(400, 'The note is too long.') : library.change(1, body);
  edits.put(library.first, 'name', 'Beach');
  edits.put(library.first, 'note', 'x');
  await edits.send(1);
  assert.equal(library.first.name, 'Beach');
  assert.equal(edits.of(1, 'name'), null);
  assert.equal(edits.of(1, 'note')?.state, 'refused');
});

test('another tab that changes a subclip without end does not keep this one busy without end', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  library.server.answers[PATCH] = () =>
    refusal(409, 'Changed elsewhere.', { current: library.write(1, { note: `${library.first.revision}` }) });
  edits.put(library.first, 'name', 'Beach');
  await edits.send(1);
  assert.equal(edits.of(1, 'name')?.state, 'typed');
  assert(library.server.requests.length < 10);
  assert.equal(kept().length, 1);
});

test('edits of a subclip that was taken out wait for it, and are sent when it is back', async (context) => {
  const library = new Library(subclip(), subclip({ id: 2 }));
  const edits = library.open(context);
  edits.put(library.first, 'name', 'Beach');
  edits.learnAll(1, [subclip({ id: 2 })]);
  assert.equal(edits.of(1, 'name')?.state, 'gone');
  edits.learnAll(2, []); // another collection says nothing about it
  assert.equal(edits.of(1, 'name')?.state, 'gone');
  edits.learnAll(1, [library.first]);
  await edits.send(1);
  assert.equal(library.first.name, 'Beach');
});

test('a subclip that is not there any more makes its edit gone', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'Beach');
  library.clips.delete(1);
  await edits.send(1);
  assert.equal(edits.of(1, 'name')?.state, 'gone');
});

test('all edits of a subclip that is not there any more are gone after one request', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  edits.put(library.first, 'name', 'Beach');
  edits.put(library.first, 'note', 'calm');
  library.clips.delete(1);
  await edits.send(1);
  assert.deepEqual([edits.of(1, 'name')?.state, edits.of(1, 'note')?.state], ['gone', 'gone']);
  assert.deepEqual(library.changes, [{ name: 'Beach', note: 'calm' }]);
});

test('an older state of a subclip does not replace a newer one', (context) => {
  const library = new Library(subclip({ revision: 5, name: 'new' }));
  const edits = library.open(context);
  edits.learn(subclip({ revision: 4, name: 'old' }));
  assert.equal(edits.known.get(1)?.name, 'new');
  edits.learn(subclip({ revision: 6, name: 'newer' }));
  assert.equal(edits.known.get(1)?.name, 'newer');
  edits.learn(subclip({ revision: 6, name: 'newer', missing: true })); // a file goes without a new revision
  assert.equal(edits.known.get(1)?.missing, true);
});

test('edits that a killed page left behind are sent by the next one', async (context) => {
  const library = new Library(subclip());
  const killed = library.open(context);
  killed.put(library.first, 'name', 'Beach');
  killed.release(); // a browser gives up the locks of a page that is gone
  await settled();
  library.server.serve(context);
  const next = new Edits();
  context.after(() => next.close());
  await next.adopt();
  assert.equal(library.first.name, 'Beach');
  assert.deepEqual(kept(), []);
});

test('edits of a page that lives are its own', async (context) => {
  const library = new Library(subclip());
  const other = library.open(context);
  other.put(library.first, 'name', 'Beach');
  const page = library.open(context);
  await page.adopt();
  assert.deepEqual(page.all, []);
  assert.equal(kept().length, 1);
  assert.deepEqual(library.changes, []);
});

test('an edit that was left behind waits until the page has none of its own in that field', async (context) => {
  const library = new Library(subclip());
  const killed = library.open(context);
  killed.put(library.first, 'name', 'left behind');
  killed.release();
  await settled();
  const page = library.open(context);
  page.put(library.first, 'name', 'own');
  await page.adopt();
  assert.equal(library.first.name, 'own');
  assert.equal(kept().length, 1);
  await page.adopt();
  assert.equal(page.of(1, 'name')?.state, 'conflict'); // a person decides
  assert.equal(library.first.name, 'own');
});

test('an edit of a collection that was deleted is gone', async (context) => {
  const library = new Library(subclip({ collection: 3 }));
  const killed = library.open(context);
  killed.put(library.first, 'name', 'Beach');
  killed.release();
  await settled();
  const page = new Edits();
  context.after(() => page.close());
  await page.adopt();
  assert.equal(page.of(1, 'name')?.state, 'gone');
});

test('what is in storage and no edit is thrown away', async (context) => {
  const library = new Library(subclip());
  localStorage.setItem('prismsearch.unsent.old.1.name', '{"clip": "x"}');
  localStorage.setItem('prismsearch.tray', '7');
  const page = library.open(context);
  await page.adopt();
  assert.deepEqual(kept(), []);
  assert.equal(localStorage.getItem('prismsearch.tray'), '7');
});

test('a full storage is reported, and the edit is sent all the same', async (context) => {
  const library = new Library(subclip());
  const edits = library.open(context);
  const { localStorage: working } = globalThis;
  const refuse = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    writable: true,
    value: { setItem: refuse, removeItem: refuse },
  });
  context.after(() => Object.assign(globalThis, { localStorage: working }));
  edits.put(library.first, 'name', 'Beach');
  assert.equal(edits.stored, false);
  await edits.send(1);
  assert.equal(library.first.name, 'Beach');
});

test('a page that is closed asks no more', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const library = new Library(subclip());
  const edits = library.open(context);
  library.server.down = true;
  edits.put(library.first, 'name', 'Beach');
  await edits.send(1);
  edits.close();
  const states = told(edits);
  edits.changed();
  assert.deepEqual(states, []);
  library.server.asked();
  context.mock.timers.tick(60000);
  await settled();
  assert.deepEqual(library.server.asked(), []);
  assert.equal(kept().length, 1); // for the next page
});
