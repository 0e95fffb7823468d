import './page.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { watchPopovers } from '../../app/web/static/popovers.js';

const next = () => new Promise((done) => setTimeout(done, 20));

/** @returns {HTMLButtonElement} The button of a popover, which has the focus. */
function opener() {
  document.body.innerHTML = '<button data-testid="stPopoverButton">Filters</button><input id="other">';
  const button = /** @type {HTMLButtonElement} */ (document.querySelector('button'));
  button.focus();
  return button;
}

/** @param {Element} button */
function press(button, key = 'Enter') {
  button.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
}

function open() {
  document.body.insertAdjacentHTML('beforeend', '<div data-testid="stPopoverBody"><input id="first"></div>');
}

test('a popover that a key opens gets the focus once it has something to write in', async () => {
  const unwatch = watchPopovers();
  press(opener());
  open();
  await next();
  assert.equal(document.activeElement?.id, 'first');
  unwatch();
});

test('one that a mouse opens leaves the focus where it is, and so does a person who has gone on', async () => {
  const unwatch = watchPopovers();
  const button = opener();
  open();
  await next();
  assert.equal(document.activeElement, button);
  press(opener());
  document.getElementById('other')?.focus();
  open();
  await next();
  assert.equal(document.activeElement?.id, 'other');
  unwatch();
});

test('once nobody watches, keys change nothing', async () => {
  watchPopovers()();
  const button = opener();
  press(button);
  open();
  await next();
  assert.equal(document.activeElement, button);
});
