import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compare,
  prepareVideos,
  STATE_ORDER,
  STATES,
  sizeName,
  sizeText,
} from '../../../app/web/static/library/rows.js';
import { listed, listing } from './listing.js';

/** @typedef {import('../../../app/web/static/library/rows.js').ColumnId} ColumnId */

/**
 * @param {Parameters<typeof listed>[0]} values
 * @param {string | null} [encoder]
 */
function prepared(values, encoder = 'e') {
  return prepareVideos(listing([listed(values)]), encoder)[0];
}

test('a video has the texts of its row', () => {
  const video = prepared({ id: 1, folder: 1, rate: 23.976, bytes: 1.25e9, codec: 'hevc', width: 3840, height: 2160 });
  assert.equal(video.folder, '/videos/sea');
  assert.equal(video.about, 'HEVC · 23.976 fps · 1.3 GB');
  assert.equal(video.size, '4K');
  assert.equal(video.pixels, 3840 * 2160);
  assert.match(video.changed, /2024/);
});

test('a video in good order is only that', () => {
  const video = prepared({ id: 1 });
  assert.deepEqual(video.states, ['ok']);
  assert.equal(video.state, STATE_ORDER.length - 1);
});

test('all that is wrong with a video is told, the most important first', () => {
  assert.deepEqual(prepared({ id: 1, file: 'missing', damaged: 2 }, 'f').states, ['missing', 'other', 'damaged']);
  assert.deepEqual(prepared({ id: 1, file: 'changed', damaged: 2 }).states, ['changed', 'damaged']);
  const ranks = [prepared({ id: 1, file: 'missing' }), prepared({ id: 1, file: 'changed' }), prepared({ id: 1 })];
  assert.deepEqual(
    ranks.map((video) => video.state),
    [0, 2, 4],
  );
});

test('a video of another encoder than the one in use is said to be so; without one in use, none is', () => {
  assert.deepEqual(prepared({ id: 1, encoders: [0] }, 'f').states, ['other']);
  assert.deepEqual(prepared({ id: 1, encoders: [0, 1] }, 'f').states, ['ok']);
  assert.deepEqual(prepared({ id: 1, encoders: [] }, 'not in this library').states, ['other']);
  assert.deepEqual(prepared({ id: 1, encoders: [] }, null).states, ['ok']);
});

test('a filter finds names, folders, codecs, sizes and states, in lower case', () => {
  const { text } = prepared({ id: 1, name: 'Peak.MOV', file: 'missing', width: 640, height: 480 });
  for (const word of ['peak.mov', '/videos/alps', 'h264', '640×480', '640x480', 'offline'])
    assert.ok(text.includes(word), word);
});

test('damage is counted in words', () => {
  assert.match(STATES.damaged.long({ damaged: 1 }), /one damaged place\./);
  assert.match(STATES.damaged.long({ damaged: 12 }), /12 damaged places\./);
});

/**
 * @param {Parameters<typeof listed>[0][]} videos
 * @param {ColumnId} column
 * @param {boolean} down
 */
function sortedIds(videos, column, down) {
  return prepareVideos(listing(videos.map(listed)), 'e')
    .sort(compare(column, down))
    .map((video) => video.id);
}

test('names sort as people count, whatever their case', () => {
  const videos = [
    { id: 1, name: 'clip 10.mp4' },
    { id: 2, name: 'Clip 9.mp4' },
    { id: 3, name: 'änder.mp4' },
  ];
  assert.deepEqual(sortedIds(videos, 'name', false), [3, 2, 1]);
  assert.deepEqual(sortedIds(videos, 'name', true), [1, 2, 3]);
});

test('videos of one name sort by folder, then by when they were indexed', () => {
  const videos = [
    { id: 3, name: 'a.mp4', folder: 0 },
    { id: 1, name: 'a.mp4', folder: 1 },
    { id: 2, name: 'A.mp4', folder: 0 },
  ];
  assert.deepEqual(sortedIds(videos, 'name', false), [2, 3, 1]);
});

test('numbers sort by value; where they are equal, names run upwards in both directions', () => {
  const videos = [
    { id: 1, name: 'b', seconds: 10 },
    { id: 2, name: 'a', seconds: 10 },
    { id: 3, name: 'c', seconds: 9.5 },
  ];
  assert.deepEqual(sortedIds(videos, 'seconds', false), [3, 2, 1]);
  assert.deepEqual(sortedIds(videos, 'seconds', true), [2, 1, 3]);
});

test('every column sorts', () => {
  const videos = [
    { id: 1, shots: 9, width: 100, height: 100, modified: 5, damaged: 1 },
    { id: 2, shots: 10, width: 99, height: 99, modified: 6 },
  ];
  const columns = /** @type {const} */ (['shots', 'pixels', 'modified', 'state']);
  assert.deepEqual(
    columns.map((column) => sortedIds(videos, column, false)[0]),
    [1, 2, 1, 1],
  );
  assert.deepEqual(
    columns.map((column) => sortedIds(videos, column, true)[0]),
    [2, 1, 2, 2],
  );
});

test('sizes of pictures have names where they are nearly so, upright ones too', () => {
  assert.deepEqual(
    [sizeName(7680, 4320), sizeName(3840, 2160), sizeName(2560, 1440), sizeName(1920, 1080), sizeName(1280, 720)],
    ['8K', '4K', '1440p', '1080p', '720p'],
  );
  assert.equal(sizeName(1080, 1920), '1080p');
  assert.equal(sizeName(1920, 1088), '1080p');
  assert.equal(sizeName(1920, 1072), '1080p');
  assert.equal(sizeName(1920, 1089), '1920×1089');
  assert.equal(sizeName(640, 480), '640×480');
});

test('bytes are read at a glance', () => {
  assert.deepEqual([0, 1, 999, 1000, 9940, 9960, 999499, 999500, 3.2e6, 45e9, 1e12, 7e15, 5e18].map(sizeText), [
    '0 B',
    '1 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '10 kB',
    '999 kB',
    '1.0 MB',
    '3.2 MB',
    '45 GB',
    '1.0 TB',
    '7.0 PB',
    '5000 PB',
  ]);
});
