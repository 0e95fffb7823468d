import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { HoverCard } from '../../../app/web/static/core/hover_card.js';

/** @type {HoverCard} */
let card;

beforeEach((context) => {
  assert('mock' in context);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  card = new HoverCard(document.body);
  context.mock.getter(card.card, 'offsetWidth', () => 300);
  context.mock.getter(card.card, 'offsetHeight', () => 200);
});

afterEach(() => {
  card.remove();
  document.body.replaceChildren();
});

function preview() {
  return card.card.querySelector('video');
}

/**
 * Show the card at a point of a window of 1440 by 900, and return where it lies.
 *
 * @param {number} x
 * @param {number} y
 */
function placeAt(x, y) {
  card.show(1, { x, y }, []);
  return [card.card.style.left, card.card.style.top];
}

test('the card is hidden until it is shown, with the poster and the lines that there are', () => {
  assert(card.card.hidden);
  card.show(7, { x: 500, y: 500 }, ['Name', null, '', '0:05']);
  assert(!card.card.hidden);
  assert.equal(card.image.getAttribute('src'), '/api/poster/7');
  assert.equal(card.lines.innerHTML, '<strong>Name</strong><span>0:05</span>');
});

test('the card lies above the pointer, or below it near the upper edge', () => {
  assert.deepEqual(placeAt(700, 500), ['550px', '286px']);
  assert.deepEqual(placeAt(700, 275), ['550px', '61px']);
  assert.deepEqual(placeAt(700, 274), ['550px', '292px']);
  assert.deepEqual(placeAt(700, 100), ['550px', '118px']);
});

test('the card stays within the window', (context) => {
  assert.deepEqual(placeAt(0, 500), ['8px', '286px']);
  assert.deepEqual(placeAt(1440, 500), ['1132px', '286px']);
  context.mock.property(globalThis, 'innerHeight', 300);
  assert.deepEqual(placeAt(700, 270), ['550px', '92px']);
});

test('a preview begins after a quarter of a second on the same segment', (context) => {
  card.show(7, { x: 0, y: 0 }, []);
  context.mock.timers.tick(249);
  assert.equal(preview(), null);
  card.show(7, { x: 9, y: 9 }, []);
  context.mock.timers.tick(1);
  assert.equal(preview()?.getAttribute('src'), '/api/preview/7');
  assert(!preview()?.classList.contains('ps-on'), 'the poster shows until it plays');
  preview()?.dispatchEvent(new Event('playing'));
  assert(preview()?.classList.contains('ps-on'));
});

test('moving on to another segment begins anew, and leaves no video behind', (context) => {
  card.show(7, { x: 0, y: 0 }, []);
  context.mock.timers.tick(200);
  card.show(8, { x: 0, y: 0 }, []);
  context.mock.timers.tick(200);
  assert.equal(preview(), null, 'the timer of the first one is off');
  context.mock.timers.tick(50);
  const first = preview();
  assert.equal(first?.getAttribute('src'), '/api/preview/8');
  card.show(9, { x: 0, y: 0 }, []);
  assert.equal(preview(), null);
  assert(!first?.hasAttribute('src'), 'its download has ended');
});

test('a hidden card plays nothing, and begins anew when it is shown again', (context) => {
  card.show(7, { x: 0, y: 0 }, []);
  card.hide();
  card.hide();
  context.mock.timers.tick(1000);
  assert(card.card.hidden);
  assert.equal(preview(), null);
  card.show(7, { x: 0, y: 0 }, []);
  context.mock.timers.tick(250);
  assert.notEqual(preview(), null);
});

test('who wants little motion gets the poster alone', (context) => {
  const asked = context.mock.method(globalThis, 'matchMedia', () => ({ matches: true }));
  card.show(7, { x: 0, y: 0 }, []);
  context.mock.timers.tick(1000);
  assert.equal(preview(), null);
  assert.deepEqual(asked.mock.calls[0].arguments, ['(prefers-reduced-motion: reduce)']);
});

test('a card that is removed leaves nothing in the page, and no timer', (context) => {
  card.show(7, { x: 0, y: 0 }, []);
  card.remove();
  context.mock.timers.tick(1000);
  assert(!document.querySelector('.ps-hover'));
  assert.equal(preview(), null);
});
