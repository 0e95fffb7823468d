import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { mount } from '../../../app/web/static/search/kept_focus.js';

let unmount = () => {};

/** @param {string[]} names Of the chips. */
function draw(names) {
  const chips = names.map((name) => `<div class="st-key-chip_${name}"><button>${name}</button></div>`).join('');
  const row = names.length ? `<div class="st-key-filter_chips">${chips}</div>` : '';
  document.body.innerHTML = `<div class="st-key-words"><input></div>${row}`;
}

/** @param {string} name */
function chip(name) {
  const found = document.querySelector(`.st-key-chip_${name} button`);
  assert(found instanceof HTMLElement);
  return found;
}

/** Press a chip, and draw what the page's script answers. @param {string} name @param {string[]} left */
async function press(name, left) {
  chip(name).focus();
  chip(name).click();
  draw(left);
  await new Promise((done) => void setTimeout(done, 5));
}

beforeEach(() => {
  Object.assign(HTMLElement.prototype, { getClientRects: () => [{}] });
  unmount = mount({ parentElement: document.createElement('div'), data: null, setTriggerValue: () => {} });
});
afterEach(() => unmount());

test('where a chip is removed, the next one has the focus, then the last one, then the box', async () => {
  draw(['name', 'codec', 'camera']);
  await press('codec', ['name', 'camera']);
  assert.equal(document.activeElement, chip('camera'));
  await press('camera', ['name']);
  assert.equal(document.activeElement, chip('name'));
  await press('name', []);
  assert.equal(document.activeElement?.tagName, 'INPUT');
});

test('a person who has gone on meanwhile stays there', async () => {
  draw(['name', 'codec']);
  chip('name').click();
  document.querySelector('.st-key-chip_name')?.remove();
  document.querySelector('input')?.focus();
  await new Promise((done) => void setTimeout(done, 5));
  assert.equal(document.activeElement?.tagName, 'INPUT');
});
