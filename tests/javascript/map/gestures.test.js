import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../page.js';
import { followGestures } from '../../../app/web/static/map/gestures.js';

/** @type {unknown[][]} */
let calls = [];
let stage = document.createElement('div');
let stop = () => {};
let lasso = document.createElement('canvas');

beforeEach(() => {
  calls = [];
  stage = document.createElement('div');
  lasso = document.createElement('canvas');
  lasso.hidden = true;
  stage.append(document.createElement('button'), lasso);
  document.body.replaceChildren(stage);
  stage.setPointerCapture = () => {};
  const note =
    (/** @type {string} */ name) =>
    (/** @type {unknown[]} */ ...values) =>
      void calls.push([name, ...values]);
  stop = followGestures(stage, {
    pressed: false,
    cross: document.createElement('div'),
    lasso,
    pan: note('pan'),
    zoom: note('zoom'),
    find: (x) => (x < 100 ? 7 : -1),
    hover: note('hover'),
    open: note('open'),
    chooseWithin: note('chooseWithin'),
  });
});

/**
 * @param {string} name
 * @param {number} clientX
 * @param {number} clientY
 * @param {PointerEventInit & {on?: Element | null}} [others]
 */
function point(name, clientX, clientY, { on = stage, ...others } = {}) {
  const event = new PointerEvent(name, { clientX, clientY, pointerId: 1, bubbles: true, cancelable: true, ...others });
  on?.dispatchEvent(event);
  return event;
}

test('a press and a lift in one place open the shot there', () => {
  point('pointerdown', 50, 50);
  point('pointermove', 52, 51);
  point('pointerup', 52, 51);
  assert.deepEqual(calls, [['open', 7]]);
});

test('a click beside all shots opens nothing', () => {
  point('pointerdown', 150, 50);
  point('pointerup', 150, 50);
  assert.deepEqual(calls, []);
});

test('a drag moves the map by as much as the pointer, and opens nothing', () => {
  point('pointerdown', 50, 50);
  point('pointermove', 60, 45);
  point('pointermove', 61, 47);
  point('pointerup', 50, 50);
  assert.deepEqual(calls, [
    ['pan', 10, -5],
    ['pan', 1, 2],
  ]);
});

test('a pointer that wanders and comes back has dragged', () => {
  point('pointerdown', 50, 50);
  for (const x of [52, 50, 52, 50]) point('pointermove', x, 50);
  point('pointerup', 50, 50);
  assert.ok(!calls.some(([name]) => name === 'open'));
});

test('a pointer that is not pressed hovers; a finger does not', () => {
  point('pointermove', 50, 50);
  assert.ok(stage.classList.contains('ps-found'));
  point('pointermove', 150, 50);
  assert.ok(!stage.classList.contains('ps-found'));
  point('pointermove', 50, 50, { pointerType: 'touch' });
  point('pointerleave', 500, 50);
  assert.deepEqual(calls, [
    ['hover', 7],
    ['hover', -1],
    ['hover', -1],
  ]);
});

test('two fingers zoom about their middle and move the map', () => {
  point('pointerdown', 100, 100, { pointerId: 1 });
  point('pointerdown', 200, 100, { pointerId: 2 });
  point('pointermove', 300, 100, { pointerId: 2 });
  point('pointerup', 300, 100, { pointerId: 2 });
  point('pointerup', 100, 100, { pointerId: 1 });
  assert.deepEqual(calls, [
    ['pan', 50, 0],
    ['zoom', 2, 200, 100],
  ]);
});

test('after a pinch, the finger that stays drags and does not click', () => {
  point('pointerdown', 100, 100, { pointerId: 1 });
  point('pointerdown', 200, 100, { pointerId: 2 });
  point('pointerup', 200, 100, { pointerId: 2 });
  point('pointermove', 101, 100, { pointerId: 1 });
  point('pointerup', 50, 100, { pointerId: 1 });
  assert.deepEqual(calls, [['pan', 1, 0]]);
});

test('a drag with Shift chooses what it encloses', () => {
  point('pointerdown', 10, 10, { shiftKey: true });
  point('pointermove', 90, 10);
  point('pointermove', 90, 90);
  assert.equal(lasso.hidden, false);
  point('pointerup', 90, 90);
  assert.equal(lasso.hidden, true);
  assert.deepEqual(calls, [
    [
      'chooseWithin',
      [
        [10, 10],
        [90, 10],
        [90, 90],
      ],
    ],
  ]);
});

test('a click with Shift chooses nothing, and neither does a lasso that the system takes over', () => {
  point('pointerdown', 10, 10, { shiftKey: true });
  point('pointerup', 10, 10);
  point('pointerdown', 10, 10, { shiftKey: true });
  point('pointermove', 90, 10);
  point('pointercancel', 90, 10);
  assert.equal(lasso.hidden, true);
  assert.deepEqual(calls, []);
});

test('a second finger ends a lasso, and nothing of it stays', () => {
  point('pointerdown', 10, 10, { shiftKey: true });
  point('pointermove', 90, 10);
  point('pointerdown', 20, 20, { pointerId: 2 });
  assert.equal(lasso.hidden, true);
});

test('buttons on the stage keep their clicks, and other buttons of the mouse do nothing', () => {
  const event = point('pointerdown', 50, 50, { on: stage.querySelector('button') });
  point('pointerup', 50, 50);
  point('pointerdown', 50, 50, { button: 2 });
  point('pointerup', 50, 50, { button: 2 });
  assert.equal(event.defaultPrevented, false);
  assert.deepEqual(calls, []);
});

test('the wheel zooms about the pointer, instead of scrolling the page', () => {
  const event = new WheelEvent('wheel', { deltaY: -100, bubbles: true, cancelable: true });
  Object.assign(event, { clientX: 30, clientY: 40 }); // which this document's wheel events lack
  stage.dispatchEvent(event);
  const [[name, factor, x, y]] = calls;
  assert.deepEqual([name, x, y], ['zoom', 30, 40]);
  assert.ok(Number(factor) > 1);
  assert.ok(event.defaultPrevented);
});

test('the wheel over the selection scrolls it', () => {
  const strip = document.createElement('div');
  strip.className = 'ps-map-chosen';
  stage.append(strip);
  strip.dispatchEvent(new WheelEvent('wheel', { deltaY: -100, bubbles: true, cancelable: true }));
  assert.deepEqual(calls, []);
});

test('once stopped, gestures do nothing', () => {
  stop();
  point('pointerdown', 50, 50);
  point('pointerup', 50, 50);
  point('pointermove', 50, 50);
  assert.deepEqual(calls, []);
});
