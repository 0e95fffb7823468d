import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { fromOklch, rampTable } from '../../../app/web/static/core/ramp.js';
import {
  colourPoints,
  cssColour,
  drawingOrder,
  largestFolders,
  modesOf,
  OTHER_FOLDERS,
  pack,
} from '../../../app/web/static/map/colouring.js';
import { pointsOf, scoresOf } from './map_points.js';

/** @typedef {import('./map_points.js').Shot} Shot */

const FAINT = [10, 20, 30];
const QUIET = pack(FAINT);
const LOOK = { dark: false, faint: FAINT, chosen: null };

/** Shots of the videos named, one after the other. */
function shots(/** @type {number[]} */ ...videos) {
  return pointsOf(videos.map((video, at) => /** @type {Shot} */ ([at + 1, at / 10, 0, video])));
}

test('a colour becomes a pixel, and a pixel the colour of a style sheet', () => {
  assert.equal(pack([1, 2, 3]), 0xff030201);
  assert.equal(pack([254.6, 0, 0.4]), 0xff0000ff);
  assert.equal(cssColour(pack([12, 200, 255])), 'rgb(12 200 255)');
});

test('folders come by their number of shots; the first eight have colours of their own, all others one', () => {
  const folders = Int32Array.from([5, 5, 5, 7, 7, -1, -1, -1, -1, ...Array.from({ length: 8 }, (_, at) => 10 + at)]);
  const found = largestFolders(folders);
  assert.equal(found.length, 10);
  assert.deepEqual(
    found.slice(0, 2).map(({ folder, count }) => [folder, count]),
    [
      [5, 3],
      [7, 2],
    ],
  );
  const colours = found.map(({ colour }) => colour.join());
  assert.equal(new Set(colours.slice(0, 8)).size, 8);
  assert.deepEqual(colours.slice(8), [OTHER_FOLDERS.join(), OTHER_FOLDERS.join()]);
  assert.deepEqual(largestFolders(new Int32Array(0)), []);
});

test('the colours of folders are those that were chosen for the colour-blind', () => {
  const colours = largestFolders(Int32Array.from({ length: 8 }, (_, at) => at)).map(({ colour }) =>
    colour.map((part) => part.toString(16).padStart(2, '0')).join(''),
  );
  // Paul Tol's bright scheme, then an orange and a violet.
  const scheme = ['4477aa', 'ee6677', '228833', 'ccbb44', '66ccee', 'aa3377'];
  assert.deepEqual(colours, [...scheme, 'e07b39', '7a68c4']);
});

test('scores are the first mode where there are any', () => {
  const points = shots(1, 2);
  points.setScores(scoresOf([1, 2]));
  assert.deepEqual(modesOf(points, largestFolders(points.folders)), {
    modes: ['score', 'folder', 'video'],
    best: 'score',
  });
});

test('folders are the mode of a library whose shots are mostly in a few of them', () => {
  const points = shots(1, 2, 2);
  assert.deepEqual(modesOf(points, largestFolders(points.folders)), { modes: ['folder', 'video'], best: 'folder' });
  const gone = shots(1, 2, 0, 0);
  assert.equal(modesOf(gone, largestFolders(gone.folders)).best, 'video', 'half of the shots are in no folder');
});

test('a single folder is no mode', () => {
  const points = shots(2, 3);
  assert.deepEqual(modesOf(points, largestFolders(points.folders)), { modes: ['video'], best: 'video' });
  assert.deepEqual(modesOf(shots(), []), { modes: ['video'], best: 'video' });
});

test('scores are coloured along the ramp, from low to high and no further', () => {
  const points = shots(1, 1, 1, 1);
  points.setScores(scoresOf([0, 16384, 49151, 65534], { low: 0.25, high: 0.75 }));
  const { colours } = colourPoints(points, 'score', LOOK);
  const table = rampTable(false);
  const ends = [pack([...table.subarray(0, 3)]), pack([...table.subarray(-3)])];
  assert.deepEqual([...colours], [ends[0], ends[0], ends[1], ends[1]]);
  assert.notDeepEqual([...colourPoints(points, 'score', { ...LOOK, dark: true }).colours], [...colours]);
});

test('shots of one folder have its colour, and those of no folder are quiet', () => {
  const { colours } = colourPoints(shots(2, 3, 1, 0), 'folder', LOOK);
  assert.equal(colours[0], colours[1]);
  assert.notEqual(colours[0], colours[2]);
  assert.equal(colours[3], QUIET);
});

test('shots of one video have its colour, and neighbouring videos have others', () => {
  const videos = [1, 1, 2, 3, 4, 5, 6];
  const { colours } = colourPoints(shots(...videos), 'video', LOOK);
  assert.equal(colours[0], colours[1]);
  assert.equal(new Set(colours).size, 6);
});

test('hues of videos are a golden angle apart, around the circle and on', () => {
  for (const [dark, lightness] of /** @type {const} */ ([
    [false, 0.6],
    [true, 0.74],
  ])) {
    const { colours } = colourPoints(shots(1, 2, 3, 100), 'video', { ...LOOK, dark });
    const hues = [137.508, 275.016, 52.524, 70.8];
    assert.deepEqual(
      [...colours],
      hues.map((hue) => pack(fromOklch(lightness, 0.13, hue).map((part) => Math.min(255, part)))),
    );
  }
});

test('shots that are left out, or outside the selection, are faint', () => {
  const points = shots(1, 1, 1);
  points.setScores(scoresOf([9, 65535, 9]));
  for (const mode of /** @type {const} */ (['score', 'folder', 'video'])) {
    const all = colourPoints(points, mode, LOOK).colours;
    assert.deepEqual(
      [...all].map((colour) => colour === QUIET),
      [false, true, false],
      mode,
    );
    const some = colourPoints(points, mode, { ...LOOK, chosen: new Set([0, 1]) }).colours;
    assert.deepEqual(
      [...some].map((colour) => colour === QUIET),
      [false, true, true],
      mode,
    );
  }
});

test('the best shot is drawn last, over those that are left out and those outside the selection', () => {
  const points = shots(1, 1, 1, 1);
  points.setScores(scoresOf([65535, 100, 60000, 30000]));
  assert.deepEqual([...drawingOrder(points, null)], [0, 1, 3, 2]);
  assert.deepEqual([...drawingOrder(points, new Set([1, 3]))], [0, 2, 1, 3]);
});

test('without scores the order is mixed, and the same at every drawing', () => {
  const points = shots(...Array.from({ length: 50 }, () => 1));
  const order = [...drawingOrder(points, null)];
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, at) => at),
  );
  assert.notDeepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  assert.deepEqual([...drawingOrder(points, null)], order);
  const chosen = new Set([7]);
  assert.equal([...drawingOrder(points, chosen)].at(-1), 7);
});
