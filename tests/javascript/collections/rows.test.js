import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { Edits } from '../../../app/web/static/collections/edits.js';
import { ClipRows } from '../../../app/web/static/collections/rows.js';
import { FakeServer, settled } from '../fake_server.js';
import { subclip } from './subclips.js';

/** @typedef {import('../../../app/web/static/core/types.js').Subclip} Subclip */
/** @typedef {import('node:test').TestContext} TestContext */

const ROW_HEIGHT = 40;

beforeEach(() => {
  document.body.replaceChildren();
  localStorage.clear();
});

/**
 * Return rows of these subclips in a page, and what they asked for.
 *
 * @param {TestContext} context
 * @param {...number} ids
 */
function page(context, ...ids) {
  new FakeServer().serve(context);
  const edits = new Edits();
  /** @type {[string, ...unknown[]][]} */
  const calls = [];
  const note =
    (/** @type {string} */ name) =>
    (/** @type {unknown[]} */ ...given) =>
      calls.push([name, ...given]);
  const rows = new ClipRows(edits, {
    trim: note('trim'),
    takeOut: note('takeOut'),
    move: note('move'),
    undo: note('undo'),
    selected: () => {},
    escaped: (entry) => calls.push(['escaped', entry.value]),
  });
  const root = document.createElement('div');
  root.className = 'ps-collections';
  root.append(rows.list);
  document.body.append(root);
  const clips = ids.map((id) => subclip({ id, segment: id * 10, poster: `/api/poster/${id * 10}` }));
  edits.learnAll(1, clips);
  rows.update(clips);
  context.after(() => {
    rows.remove();
    edits.close();
  });
  return { rows, edits, calls, clips };
}

/**
 * @param {ClipRows} rows
 * @param {number} id
 */
function row(rows, id) {
  return rows.rows.get(id) ?? assert.fail(`no row ${id}`);
}

/**
 * @param {HTMLElement} target
 * @param {string} key
 * @param {KeyboardEventInit} [more]
 */
function press(target, key, more = {}) {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

/**
 * @param {HTMLElement} target
 * @param {MouseEventInit} [more]
 */
function click(target, more = {}) {
  target.dispatchEvent(new MouseEvent('click', { bubbles: true, ...more }));
}

/**
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 * @param {string} text
 */
function type(field, text) {
  field.focus();
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

/** @param {ClipRows} rows */
function shown(rows) {
  return [...rows.list.querySelectorAll('.ps-clip')].map((each) => Number(each.getAttribute('data-clip')));
}

/** @param {ClipRows} rows */
function chosen(rows) {
  return [...rows.list.querySelectorAll('.ps-chosen')].map((each) => Number(each.getAttribute('data-clip')));
}

test('a row tells name, in, out and length to a screen reader', (context) => {
  const { rows, clips } = page(context, 1);
  rows.update([{ ...clips[0], name: 'Beach', title: 'Beach', missing: true, in_frame: 50, out_frame: 51 }]);
  assert.equal(
    row(rows, 1).element.getAttribute('aria-label'),
    '1, Beach, in 00:00:02:00, out 00:00:02:01, 1 frame, offline',
  );
});

test('clicks select: one, a range with Shift, more with Ctrl', (context) => {
  const { rows } = page(context, 1, 2, 3, 4);
  click(row(rows, 2).element);
  assert.deepEqual(chosen(rows), [2]);
  click(row(rows, 4).element, { shiftKey: true });
  assert.deepEqual(chosen(rows), [2, 3, 4]);
  click(row(rows, 3).element, { ctrlKey: true });
  assert.deepEqual(chosen(rows), [2, 4]);
  click(row(rows, 1).element, { metaKey: true });
  assert.deepEqual(chosen(rows), [1, 2, 4]);
  assert.deepEqual(rows.targets(), [1, 2, 4]);
  rows.chooseNone();
  assert.deepEqual(chosen(rows), []);
});

test('a click into a field selects its row, unless it is selected with others', (context) => {
  const { rows } = page(context, 1, 2, 3);
  click(row(rows, 2).name);
  assert.deepEqual(chosen(rows), [2]);
  press(row(rows, 2).element, 'a', { ctrlKey: true });
  click(row(rows, 1).note);
  assert.deepEqual(chosen(rows), [1, 2, 3]);
});

test('buttons of a row act on it, and leave the selection', (context) => {
  const { rows, calls } = page(context, 1, 2);
  click(row(rows, 1).element);
  /** @type {NodeListOf<HTMLElement>} */
  const [trim, out] = row(rows, 2).element.querySelectorAll('button');
  click(trim);
  click(out);
  assert.deepEqual(calls, [
    ['trim', 2],
    ['takeOut', [2]],
  ]);
  assert.deepEqual(chosen(rows), [1]);
});

test('without a selection, keys apply to the row with the focus', (context) => {
  const { rows } = page(context, 1, 2);
  assert.deepEqual(rows.targets(), []);
  rows.focus(2);
  assert.deepEqual(rows.targets(), [2]);
  row(rows, 2).element.blur();
  assert.deepEqual(rows.targets(), []);
});

test('the row that a person goes to by Tab or a click is the one that keys apply to', (context) => {
  const { rows } = page(context, 1, 2, 3);
  row(rows, 3).element.focus();
  assert.deepEqual(rows.targets(), [3]);
  row(rows, 2).note.focus();
  assert.deepEqual(rows.targets(), [2]);
  assert.deepEqual(
    [1, 2, 3].map((id) => row(rows, id).element.tabIndex),
    [-1, 0, -1],
  );
});

test('Alt and arrows move the selection by one place', (context) => {
  const { rows, calls } = page(context, 1, 2, 3);
  click(row(rows, 2).element);
  press(row(rows, 2).element, 'ArrowUp', { altKey: true });
  press(row(rows, 2).element, 'ArrowDown', { altKey: true });
  assert.deepEqual(calls, [
    ['move', [2], null],
    ['move', [2], 3],
  ]);
  click(row(rows, 1).element);
  press(row(rows, 1).element, 'ArrowUp', { altKey: true });
  assert.equal(calls.length, 2);
});

test('Ctrl+A and Ctrl+Z in a field are those of the text', (context) => {
  const { rows, calls } = page(context, 1, 2);
  for (const key of ['a', 'z']) assert.equal(press(row(rows, 1).name, key, { ctrlKey: true }).defaultPrevented, false);
  assert.deepEqual(chosen(rows), []);
  press(row(rows, 1).element, 'z', { ctrlKey: true });
  assert.deepEqual(calls, [['undo']]);
});

test('steps select the next row, and with Shift those on the way', (context) => {
  const { rows } = page(context, 1, 2, 3);
  const event = new Event('keydown');
  assert.equal(rows.step(event, 1, false), true); // from outside the list: the row that is current
  assert.deepEqual(chosen(rows), [1]);
  rows.step(event, 1, true);
  rows.step(event, 1, true);
  assert.deepEqual(chosen(rows), [1, 2, 3]);
  rows.step(event, -1, true);
  assert.deepEqual(chosen(rows), [1, 2]);
  rows.step(event, Infinity, false);
  assert.deepEqual(chosen(rows), [3]);
  assert(document.activeElement === row(rows, 3).element);
});

test('an empty list takes no keys', (context) => {
  const { rows } = page(context);
  assert.equal(rows.step(new Event('keydown'), 1, false), false);
  rows.shift(1);
  rows.previewCurrent();
});

test('what is typed is an edit, and stays while the server says otherwise', (context) => {
  const { rows, edits, clips } = page(context, 1);
  type(row(rows, 1).name, 'Beach');
  assert.equal(edits.of(1, 'name')?.value, 'Beach');
  assert.equal(edits.of(1, 'name')?.label, 'film.mp4');
  rows.update([{ ...clips[0], name: 'theirs', revision: 2 }]);
  assert.equal(row(rows, 1).name.value, 'Beach');
  edits.drop(1, 'name');
  rows.drawEdits();
  assert.equal(row(rows, 1).name.value, 'theirs');
});

test('Escape drops what was typed and gives the row the focus', async (context) => {
  const { rows, edits, calls } = page(context, 1);
  type(row(rows, 1).note, 'calm');
  press(row(rows, 1).note, 'Escape');
  await settled();
  assert.deepEqual(calls, [['escaped', 'calm']]);
  assert.equal(edits.of(1, 'note'), null);
  assert(document.activeElement === row(rows, 1).element);
});

test('Enter leaves a field; Shift+Enter is a new line of a note', (context) => {
  const { rows } = page(context, 1);
  row(rows, 1).note.focus();
  assert.equal(press(row(rows, 1).note, 'Enter', { shiftKey: true }).defaultPrevented, false);
  assert(document.activeElement === row(rows, 1).note);
  assert.equal(press(row(rows, 1).note, 'Enter', { isComposing: true }).defaultPrevented, false);
  assert.equal(press(row(rows, 1).note, 'Enter').defaultPrevented, true);
  assert(document.activeElement === row(rows, 1).element);
  row(rows, 1).name.focus();
  assert.equal(press(row(rows, 1).name, 'Enter', { shiftKey: true }).defaultPrevented, true);
});

test('Tab goes from a note to the next name, and out of the last one', (context) => {
  const { rows } = page(context, 1, 2);
  assert.equal(press(row(rows, 1).name, 'Tab').defaultPrevented, false);
  assert.equal(press(row(rows, 1).note, 'Tab', { shiftKey: true }).defaultPrevented, false);
  assert.equal(press(row(rows, 1).note, 'Tab').defaultPrevented, true);
  assert(document.activeElement === row(rows, 2).name);
  assert.equal(press(row(rows, 2).note, 'Tab').defaultPrevented, false);
});

test('another order keeps the focus, the text that is written, and the rows themselves', (context) => {
  const { rows, clips } = page(context, 1, 2, 3);
  const { element, name } = row(rows, 2);
  type(name, 'Beach');
  rows.update([clips[2], clips[1], clips[0]]);
  assert.deepEqual(shown(rows), [3, 2, 1]);
  rows.update([clips[1], clips[2], clips[0]]);
  assert.deepEqual(shown(rows), [2, 3, 1]);
  rows.update([clips[0], clips[2], clips[1]]);
  assert.deepEqual(shown(rows), [1, 3, 2]);
  assert(document.activeElement === name);
  assert.equal(row(rows, 2).element, element);
  assert.equal(element.dataset.at, '2');
});

test('when the row with the focus goes, the one in its place has it', (context) => {
  const { rows, clips } = page(context, 1, 2, 3);
  rows.choose(2);
  rows.focus(2);
  rows.update([clips[0], clips[2]]);
  assert(document.activeElement === row(rows, 3).element);
  assert.deepEqual(chosen(rows), []);
  rows.update([clips[0]]);
  assert(document.activeElement === row(rows, 1).element);
  rows.update([]);
  assert.deepEqual(shown(rows), []);
});

test('Tab reaches one row, and the fields of that row only', (context) => {
  const { rows } = page(context, 1, 2);
  rows.focus(2);
  assert.deepEqual(
    [1, 2].map((id) => [row(rows, id).element.tabIndex, row(rows, id).name.tabIndex]),
    [
      [-1, -1],
      [0, 0],
    ],
  );
});

// Dragging

/**
 * Lay rows out below each other, and let frames run when the test says so.
 *
 * @param {TestContext} context
 * @param {ClipRows} rows
 */
function layOut(context, rows) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  /** @type {Map<number, () => void>} */
  const frames = new Map();
  let number = 0;
  context.mock.method(globalThis, 'requestAnimationFrame', (/** @type {() => void} */ run) => {
    number += 1;
    frames.set(number, run);
    return number;
  });
  context.mock.method(globalThis, 'cancelAnimationFrame', (/** @type {number} */ frame) => frames.delete(frame));
  rows.list.getBoundingClientRect = () => new DOMRect(0, 100, 800, ROW_HEIGHT * rows.rows.size);
  for (const each of rows.rows.values()) {
    each.element.getBoundingClientRect = () =>
      new DOMRect(0, 100 + ROW_HEIGHT * shown(rows).indexOf(each.id), 800, ROW_HEIGHT);
    each.element.setPointerCapture = () => {};
  }
  return () => {
    for (const [frame, run] of [...frames]) {
      frames.delete(frame);
      run();
    }
  };
}

/**
 * @param {EventTarget} target
 * @param {string} name
 * @param {number} clientY
 * @param {PointerEventInit} [more]
 */
function point(target, name, clientY, more = {}) {
  target.dispatchEvent(new PointerEvent(name, { clientY, bubbles: true, button: 0, ...more }));
}

test('a row is dropped behind the rows above the pointer', (context) => {
  const { rows, calls } = page(context, 1, 2, 3);
  const frame = layOut(context, rows);
  point(row(rows, 1).element, 'pointerdown', 110);
  point(document, 'pointermove', 150);
  point(document, 'pointermove', 165); // below the middle of the second row, at 160
  frame();
  assert(rows.list.querySelector('.ps-drop-line'));
  point(document, 'pointerup', 165);
  assert.deepEqual(calls, [['move', [1], 2]]);
  assert.deepEqual(chosen(rows), [1]);
  assert(!rows.list.querySelector('.ps-drop-line'));
});

test('a drop above all rows is the first place', (context) => {
  const { rows, calls } = page(context, 1, 2, 3);
  const frame = layOut(context, rows);
  point(row(rows, 3).element, 'pointerdown', 190);
  point(document, 'pointermove', 90);
  frame();
  point(document, 'pointerup', 90);
  assert.deepEqual(calls, [['move', [3], null]]);
});

test('the selection moves along, behind a row that stays', (context) => {
  const { rows, calls } = page(context, 1, 2, 3, 4);
  const frame = layOut(context, rows);
  click(row(rows, 1).element);
  click(row(rows, 3).element, { ctrlKey: true });
  point(row(rows, 3).element, 'pointerdown', 190);
  point(document, 'pointermove', 250);
  frame();
  point(document, 'pointerup', 250);
  assert.deepEqual(calls, [['move', [1, 3], 4]]);
});

test('a press that hardly moves is a click', (context) => {
  const { rows, calls } = page(context, 1, 2);
  layOut(context, rows);
  point(row(rows, 1).element, 'pointerdown', 110);
  point(document, 'pointermove', 113);
  point(document, 'pointerup', 113);
  click(row(rows, 1).element);
  assert.deepEqual(calls, []);
  assert.deepEqual(chosen(rows), [1]);
});

test('the click that ends a drag selects nothing; the next one does', (context) => {
  const { rows } = page(context, 1, 2);
  const frame = layOut(context, rows);
  point(row(rows, 1).element, 'pointerdown', 110);
  point(document, 'pointermove', 175);
  frame();
  point(document, 'pointerup', 175);
  click(row(rows, 2).element);
  assert.deepEqual(chosen(rows), [1]);
  context.mock.timers.tick(0);
  click(row(rows, 2).element);
  assert.deepEqual(chosen(rows), [2]);
});

test('Escape and a drag that the browser ends leave the order', (context) => {
  const { rows, calls } = page(context, 1, 2);
  const frame = layOut(context, rows);
  for (const end of [() => press(document.body, 'Escape'), () => point(document, 'pointercancel', 175)]) {
    point(row(rows, 1).element, 'pointerdown', 110);
    point(document, 'pointermove', 175);
    frame();
    end();
    point(document, 'pointerup', 175);
    context.mock.timers.tick(0);
    assert(!rows.list.querySelector('.ps-drop-line'));
  }
  assert.deepEqual(calls, []);
});

test('no drag begins in a field, by another button, or by a finger but on the handle', (context) => {
  const { rows, calls } = page(context, 1, 2);
  const frame = layOut(context, rows);
  const drag = (/** @type {HTMLElement} */ from, /** @type {PointerEventInit} */ more = {}) => {
    point(from, 'pointerdown', 110, more);
    point(document, 'pointermove', 175, more);
    frame();
    point(document, 'pointerup', 175, more);
    context.mock.timers.tick(0);
  };
  const { element, name, number } = row(rows, 1);
  drag(name);
  drag(element, { button: 2 });
  drag(element, { pointerType: 'touch' });
  assert.deepEqual(calls, []);
  drag(number, { pointerType: 'touch' });
  assert.equal(calls.length, 1);
});

// Previews

test('a preview plays once the pointer has rested, and stops when it leaves', (context) => {
  const { rows } = page(context, 1, 2);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { poster } = row(rows, 1);
  rows.hover(poster);
  context.mock.timers.tick(80);
  assert(!poster.querySelector('video'));
  context.mock.timers.tick(50);
  assert.equal(poster.querySelector('video')?.getAttribute('src'), '/api/preview/10');
  rows.hover(row(rows, 2).poster);
  context.mock.timers.tick(150);
  assert(!poster.querySelector('video'));
  assert.equal(row(rows, 2).poster.querySelector('video')?.getAttribute('src'), '/api/preview/20');
  rows.hover(null);
  assert(!rows.list.querySelector('video'));
});

test('a pointer that only passes plays nothing', (context) => {
  const { rows } = page(context, 1);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  rows.hover(row(rows, 1).poster);
  rows.hover(null);
  context.mock.timers.tick(1000);
  assert(!rows.list.querySelector('video'));
});

test('the key plays the preview, and stops it', (context) => {
  const { rows } = page(context, 1);
  rows.previewCurrent();
  assert(rows.list.querySelector('video'));
  rows.previewCurrent();
  assert(!rows.list.querySelector('video'));
});

test('a subclip whose video has left the library has no preview', (context) => {
  const { rows, clips } = page(context, 1);
  rows.update([{ ...clips[0], segment: null }]);
  rows.previewCurrent();
  assert(!rows.list.querySelector('video'));
});

test('a row has the focus after its conflict was resolved by a button', (context) => {
  const { rows, edits, clips } = page(context, 1, 2);
  edits.put(clips[1], 'name', 'mine');
  const entry = edits.of(2, 'name') ?? assert.fail('no edit');
  Object.assign(entry, { state: 'conflict', theirs: 'other' });
  rows.drawEdits();
  const button = row(rows, 2).state.querySelector('button') ?? assert.fail('no button');
  button.focus();
  edits.drop(2, 'name');
  rows.drawEdits();
  assert.equal(button.isConnected, false);
  assert(document.activeElement === row(rows, 2).element);
});
