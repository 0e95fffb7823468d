import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { foundNodes, foundTexts } from '../../../app/web/static/search/found_line.js';

/** @typedef {import('../../../app/web/static/search/found_line.js').Found} Found */

/** @type {Found} */
const SAID = {
  channels: ['picture', 'said'],
  line: {
    time: 72.4,
    from: 72.4,
    source: 3,
    pieces: [
      ['… start the ', false],
      ['engine', true],
      ['\nnow', false],
    ],
  },
  lines: 1,
};

/** @param {Found} found */
function shown(found) {
  const root = document.createElement('div');
  root.append(...foundNodes(found));
  return root;
}

test('a hit has its channels, the time of the word, and the line with the word marked', () => {
  const root = shown(SAID);
  assert.deepEqual(
    [...root.querySelectorAll('.ps-channel')].map((each) => each.textContent),
    ['Picture', 'Said'],
  );
  assert.equal(root.querySelector('.ps-found-time')?.textContent, '1:12');
  assert.equal(root.querySelector('.ps-found-text')?.textContent, '… start the engine\nnow');
  assert.deepEqual(
    [...root.querySelectorAll('mark')].map((each) => each.textContent),
    ['engine'],
  );
  assert.equal(root.querySelector('.ps-found-more'), null);
  assert.deepEqual(foundTexts(SAID), ['found by: picture and said at 00:01:12.400: … start the engine now']);
});

test('what a file says is text, in the order that it has', () => {
  const root = shown({
    channels: ['written'],
    line: {
      time: 0,
      from: 0,
      source: 1,
      pieces: [
        ['<img src=x onerror=alert(1)>', true],
        ['photo \u202egpj.exe', false],
      ],
    },
    lines: 1,
  });
  assert.equal(root.querySelector('img'), null);
  assert.equal(root.querySelector('mark')?.textContent, '<img src=x onerror=alert(1)>');
  assert.equal(root.querySelector('.ps-found-text')?.textContent, '<img src=x onerror=alert(1)>photo gpj.exe');
});

test('a tag has no time, and further lines are counted', () => {
  assert(SAID.line);
  const root = shown({ channels: ['tag'], line: { ...SAID.line, time: null, from: null }, lines: 3 });
  assert.equal(root.querySelector('.ps-found-time'), null);
  assert.equal(root.querySelector('.ps-found-more')?.textContent, '3 lines');
});

test('a hit of the picture alone has only its badge', () => {
  /** @type {Found} */
  const found = { channels: ['picture'], line: null, lines: 0 };
  assert.equal(shown(found).textContent, 'Picture');
  assert.deepEqual(foundTexts(found), ['found by: picture']);
});
