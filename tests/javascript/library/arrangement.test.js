import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  arrangeRows,
  filterVideos,
  idsBetween,
  layoutFrom,
  rowAfter,
  tabStop,
} from '../../../app/web/static/library/arrangement.js';
import { prepareVideos } from '../../../app/web/static/library/rows.js';
import { listed, listing } from './listing.js';

/** @typedef {import('../../../app/web/static/library/arrangement.js').Row} Row */
/** @typedef {import('../../../app/web/static/library/arrangement.js').Layout} Layout */

/** @type {Layout} */
const BY_NAME = { sort: 'name', down: false, grouped: true };

function videos() {
  return prepareVideos(
    listing([
      listed({ id: 1, name: 'wave.mp4', folder: 1, seconds: 30 }),
      listed({ id: 2, name: 'peak.mov', folder: 0, seconds: 20, file: 'missing' }),
      listed({ id: 3, name: 'peak two.mp4', folder: 0, seconds: 10, damaged: 1 }),
      listed({ id: 4, name: 'beach.mp4', folder: 1, seconds: 5, file: 'missing', damaged: 3 }),
    ]),
    'e',
  );
}

/** Folders by name, videos by id. */
function outline(/** @type {Row[]} */ rows) {
  return rows.map((row) => (row.video ? row.video.id : row.folder));
}

/** @param {import('../../../app/web/static/library/rows.js').Video[]} found */
function ids(found) {
  return found.map((video) => video.id);
}

test('the layout is by folder and name until another is stored', () => {
  assert.deepEqual(layoutFrom({}), BY_NAME);
  assert.deepEqual(layoutFrom({ sort: 'seconds', down: true, grouped: false }), {
    sort: 'seconds',
    down: true,
    grouped: false,
  });
});

test('a stored layout that makes no sense counts as none', () => {
  assert.deepEqual(layoutFrom({ sort: 'colour', down: true, grouped: false }), BY_NAME);
  assert.deepEqual(layoutFrom({ sort: 'shots' }), { sort: 'shots', down: false, grouped: true });
  assert.deepEqual(layoutFrom({ sort: 'shots', down: 'yes', grouped: 3 }), {
    sort: 'shots',
    down: false,
    grouped: true,
  });
});

test('without words and state, all videos are shown', () => {
  const filtered = filterVideos(videos(), '  ', null);
  assert.deepEqual(ids(filtered.videos), [1, 2, 3, 4]);
  assert.equal(filtered.named, 4);
  assert.deepEqual([...filtered.counts].sort(), [
    ['damaged', 2],
    ['missing', 2],
    ['ok', 1],
  ]);
});

test('every word must be there, in any case, order and place', () => {
  assert.deepEqual(ids(filterVideos(videos(), 'PEAK  alps', null).videos), [2, 3]);
  assert.deepEqual(ids(filterVideos(videos(), 'two peak', null).videos), [3]);
  assert.deepEqual(ids(filterVideos(videos(), 'peak sea', null).videos), []);
});

test('a state shows its videos alone, and its count does not depend on it', () => {
  const filtered = filterVideos(videos(), '', 'missing');
  assert.deepEqual(ids(filtered.videos), [2, 4]);
  assert.equal(filtered.named, 4);
  assert.equal(filtered.counts.get('damaged'), 2);
  assert.equal(filtered.state, 'missing');
});

test('a state that no video with the words is in is given up', () => {
  const filtered = filterVideos(videos(), 'wave', 'missing');
  assert.equal(filtered.state, null);
  assert.deepEqual(ids(filtered.videos), [1]);
});

test('folders and the videos in them are in the order of names', () => {
  const { rows, videos: sorted } = arrangeRows(videos(), BY_NAME, new Set());
  assert.deepEqual(outline(rows), ['/videos/alps', 3, 2, '/videos/sea', 4, 1]);
  assert.deepEqual(ids(sorted), [4, 3, 2, 1]);
  const down = arrangeRows(videos(), { ...BY_NAME, down: true }, new Set());
  assert.deepEqual(outline(down.rows), ['/videos/sea', 1, 4, '/videos/alps', 2, 3]);
});

test('by a number, the folder with the first video comes first', () => {
  const { rows } = arrangeRows(videos(), { sort: 'seconds', down: true, grouped: true }, new Set());
  assert.deepEqual(outline(rows), ['/videos/sea', 1, 4, '/videos/alps', 2, 3]);
});

test('without folders, videos follow each other', () => {
  const { rows } = arrangeRows(videos(), { sort: 'seconds', down: false, grouped: false }, new Set(['/videos/sea']));
  assert.deepEqual(outline(rows), [4, 3, 2, 1]);
});

test('a closed folder hides its videos, and still knows them', () => {
  const { rows, videos: sorted } = arrangeRows(videos(), BY_NAME, new Set(['/videos/alps', '/videos/gone']));
  assert.deepEqual(outline(rows), ['/videos/alps', '/videos/sea', 4, 1]);
  assert.equal(sorted.length, 4);
  const [alps] = rows;
  assert.deepEqual(alps.video === null && ids(alps.inside), [3, 2]);
});

test('arranging leaves the list as it is', () => {
  const list = videos();
  arrangeRows(list, { sort: 'seconds', down: false, grouped: true }, new Set());
  assert.deepEqual(ids(list), [1, 2, 3, 4]);
});

test('no videos are no rows', () => {
  assert.deepEqual(arrangeRows([], BY_NAME, new Set()), { videos: [], rows: [] });
});

/** Rows: alps, 3, 2, sea, 4, 1. */
const { rows: ROWS } = arrangeRows(videos(), BY_NAME, new Set());

test('Tab reaches the current video, or the first where that is not shown', () => {
  assert.equal(tabStop(ROWS, undefined), 3);
  assert.equal(tabStop(ROWS, 4), 4);
  assert.equal(tabStop(ROWS, 99), 3);
  assert.equal(tabStop([], 4), undefined);
  assert.equal(tabStop(arrangeRows(videos(), BY_NAME, new Set(['/videos/alps', '/videos/sea'])).rows, 4), undefined);
});

test('the next row is that of a video; heads of folders are skipped', () => {
  assert.equal(rowAfter(ROWS, -1, 1), 1);
  assert.equal(rowAfter(ROWS, 1, 1), 2);
  assert.equal(rowAfter(ROWS, 2, 1), 4);
  assert.equal(rowAfter(ROWS, 4, -1), 2);
  assert.equal(rowAfter(ROWS, 0, 1), 1);
  assert.equal(rowAfter(ROWS, 3, -1), 2);
});

test('the ends of the table stop', () => {
  assert.equal(rowAfter(ROWS, 5, 1), 5);
  assert.equal(rowAfter(ROWS, 1, -1), 1);
  assert.equal(rowAfter(ROWS, 0, -1), 0);
  assert.equal(rowAfter(ROWS, -1, -1), -1);
  assert.equal(rowAfter([], -1, 1), -1);
});

test('a page is ten videos, or as many as there are', () => {
  assert.equal(rowAfter(ROWS, 1, 2), 4);
  assert.equal(rowAfter(ROWS, 1, 10), 5);
  assert.equal(rowAfter(ROWS, 5, -10), 1);
  assert.equal(rowAfter(ROWS, 5, -2), 2);
});

test('with Shift, all videos between two are chosen, in either direction', () => {
  assert.deepEqual(idsBetween(ROWS, 3, 4), [3, 2, 4]);
  assert.deepEqual(idsBetween(ROWS, 1, 2), [2, 4, 1]);
  assert.deepEqual(idsBetween(ROWS, 4, 4), [4]);
});

test('without an earlier one, or where it is not shown, the video is chosen alone', () => {
  assert.deepEqual(idsBetween(ROWS, null, 4), [4]);
  assert.deepEqual(idsBetween(ROWS, undefined, 1), [1]);
  assert.deepEqual(idsBetween(ROWS, 99, 4), [4]);
});
