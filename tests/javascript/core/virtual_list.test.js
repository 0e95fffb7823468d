import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { element } from '../../../app/web/static/core/dom.js';
import { VirtualList } from '../../../app/web/static/core/virtual_list.js';

const HEIGHT = 100;

/** @type {HTMLElement} */
let host;
/** @type {VirtualList} */
let list;
let rendered = 0;
let scrolled = 0; // pixels that the host lies above the window's upper edge

/** @type {FrameRequestCallback[]} */
let frames = [];

beforeEach((context) => {
  assert('mock' in context);
  frames = [];
  context.mock.method(globalThis, 'requestAnimationFrame', (/** @type {FrameRequestCallback} */ callback) =>
    frames.push(callback),
  );
  context.mock.method(globalThis, 'cancelAnimationFrame', (/** @type {number} */ frame) => {
    frames[frame - 1] = () => {};
  });
  host = element('div', { id: 'host' });
  scrolled = 0;
  context.mock.method(host, 'getBoundingClientRect', () => new DOMRect(0, -scrolled, 800, HEIGHT * list.length));
  context.mock.method(document.documentElement, 'scrollBy', (/** @type {ScrollToOptions} */ { top = 0 }) => {
    scrolled += top;
  });
  document.body.append(host);
  rendered = 0;
  list = new VirtualList(host, (at) => {
    rendered += 1;
    return element('div', { tabindex: -1, text: String(at) });
  });
});

afterEach(() => {
  list.remove();
  host.remove();
});

/** @param {number} count */
function setRows(count) {
  list.setRows(new Array(count).fill(HEIGHT));
}

/** Run the frames that were asked for. */
function nextFrame() {
  for (const frame of frames.splice(0)) frame(0);
}

function inDocument() {
  return [...host.children].map((row) => Number(row.textContent));
}

/**
 * @param {number} first
 * @param {number} last
 */
function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

test('only the rows near the visible part are in the document, and the host is as high as all', () => {
  setRows(1000);
  assert.deepEqual(inDocument(), range(0, 14)); // a window of 900 pixels and a margin of 500
  assert.equal(host.style.height, '100000px');
  assert.equal(list.shown.get(3)?.style.top, '300px');
});

test('scrolling draws what comes into view once, in order, and takes out what has left', () => {
  setRows(1000);
  scrolled = 2000;
  document.dispatchEvent(new Event('scroll'));
  document.dispatchEvent(new Event('scroll'));
  assert.equal(frames.length, 1, 'one frame for all events until it is drawn');
  nextFrame();
  assert.deepEqual(inDocument(), range(15, 34));
  scrolled = 1000;
  dispatchEvent(new Event('resize'));
  nextFrame();
  assert.deepEqual(inDocument(), range(5, 24));
  assert.equal(rendered, 15 + 20 + 10);
});

test('a row that has the focus stays while others scroll out of sight', () => {
  setRows(1000);
  const row = list.shown.get(2);
  row?.focus();
  scrolled = 50_000;
  list.draw();
  assert(document.activeElement === row);
  assert.deepEqual(inDocument(), [2, ...range(495, 514)]);
  row?.blur();
  list.draw();
  assert.deepEqual(inDocument(), range(495, 514));
});

test('rows drawn again keep the focus, and the page stays where it was scrolled to', () => {
  setRows(1000);
  list.shown.get(2)?.focus();
  scrolled = 50_000;
  list.draw();
  list.refresh();
  assert.equal(document.activeElement?.textContent, '2');
  assert.equal(scrolled, 50_000);
  setRows(2);
  assert.deepEqual(inDocument(), [1], 'its row is gone, and the window lies below the last one');
});

test('an empty list has no rows and no height', () => {
  setRows(5);
  setRows(0);
  assert.deepEqual(inDocument(), []);
  assert.equal(host.style.height, '0px');
  assert.equal(list.length, 0);
});

test('a list outside the document draws nothing', () => {
  host.remove();
  setRows(5);
  assert.equal(rendered, 0);
});

test('a row is revealed below what covers the upper edge, above what covers the lower one, and focused', () => {
  setRows(1000);
  list.focus(500);
  assert.equal(scrolled, 50_100 - 900 + 70);
  assert.equal(document.activeElement?.textContent, '500');
  list.focus(200);
  assert.equal(scrolled, 20_000 - 130);
  const before = scrolled;
  assert.equal(list.reveal(203)?.textContent, '203');
  assert.equal(scrolled, before);
});

test('the focus goes to the part of a row that takes it', () => {
  list.render = (at) => element('div', {}, element('span', {}), element('button', { tabindex: 0, text: `b${at}` }));
  setRows(3);
  list.focus(1);
  assert.equal(document.activeElement?.textContent, 'b1');
});

test('a list that was removed follows the page no more', () => {
  setRows(1000);
  list.schedule();
  list.remove();
  document.dispatchEvent(new Event('scroll'));
  scrolled = 5000;
  nextFrame();
  assert.deepEqual(inDocument(), range(0, 14));
});
