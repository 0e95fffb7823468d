import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { progressTexts } from '../../../app/web/static/map/progress.js';
import { shotLines, statusText } from '../../../app/web/static/map/texts.js';

const HINT = 'nearby shots look alike · Shift-drag to select';

test('the line below the map counts shots, those left out, and names the best score', () => {
  assert.equal(statusText(0, 0, 0, null), `0 shots · ${HINT}`);
  assert.equal(statusText(1, 1, 0, null), `1 shot · ${HINT}`);
  assert.equal(statusText(12, 12, 3, 0.456), `12 shots · 3 left out by filters · best score 0.46 · ${HINT}`);
  assert.equal(statusText(2, 2, 0, 0), `2 shots · best score 0.00 · ${HINT}`, 'a score of zero is a score');
  assert.equal(statusText(2, 5, 0, null), `2 shots in 5 parts · ${HINT}`, 'long shots have a point for each part');
});

test('a shot is named at once; its times follow once they are loaded', () => {
  assert.deepEqual(shotLines('a.mp4', undefined, null), ['a.mp4', '…']);
  assert.deepEqual(shotLines('a.mp4', { start: 65, end: 68.25, part: 1, part_count: 1, missing: false }, 0.5), [
    'a.mp4',
    '00:01:05.000 · 3.3 s',
    'score 0.50',
  ]);
  assert.deepEqual(shotLines('a.mp4', { start: 0, end: 60, part: 2, part_count: 5, missing: true }, null), [
    'a.mp4',
    '00:00:00.000 · 1:00 · part 2 of 5 · offline',
  ]);
});

const MAKING = { version: null, current: false, making: true, share: 0.456, text: 'Placing shots', error: null };

test('the panel says whether the map is made, updated or cannot be made', () => {
  assert.deepEqual(progressTexts(MAKING, false), {
    title: 'Making the map of your library',
    about: 'Placing shots … 46%',
  });
  assert.equal(progressTexts(MAKING, true).title, 'Updating the map');
  assert.deepEqual(progressTexts({ ...MAKING, error: 'The disk is full.' }, true), {
    title: 'The map cannot be made now',
    about: 'The disk is full.',
  });
});
