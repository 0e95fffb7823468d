import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blend, disc, drawDiscs } from '../../../app/web/static/map/raster.js';

const RED = 0xff0000ff;
const BLUE = 0xffff0000;

/**
 * Draw discs into a picture of 9 x 7 pixels whose plane is that of its pixels.
 *
 * @param {number[]} places
 * @param {number[]} inks
 * @param {number} radius
 */
function drawn(places, inks, radius) {
  const pixels = new Uint32Array(63);
  const picture = { pixels, columns: 9, rows: 7 };
  drawDiscs(picture, Float32Array.from(places), Uint32Array.from(inks), { scale: 1, x: 0, y: 0 }, radius);
  return pixels;
}

/** @param {Uint32Array} pixels */
function marked(pixels) {
  return [...pixels.keys()].filter((at) => pixels[at] !== 0).map((at) => [at % 9, Math.floor(at / 9)]);
}

test('a disc is round: its middle is covered, its edge in part, its corners are not', () => {
  const { steps, covers } = disc(1, 100);
  const cover = new Map([...steps].map((step, at) => [step, covers[at]]));
  assert.equal(cover.get(0), 255);
  for (const step of [-1, 1, -100, 100]) assert.equal(cover.get(step), 128);
  for (const step of [-101, -99, 99, 101]) assert.equal(cover.get(step), 22);
  assert.equal(steps.length, 9);
});

test('a disc of no size covers half a pixel', () => {
  const { steps, covers } = disc(0, 100);
  assert.deepEqual([...steps], [0]);
  assert.deepEqual([...covers], [128]);
});

test('a disc is drawn around the nearest pixel of its place', () => {
  const pixels = drawn([4.4, 2.6], [RED], 1);
  assert.equal(pixels[3 * 9 + 4], RED);
  const places = marked(pixels);
  assert.equal(places.length, 9);
  assert.deepEqual([Math.min(...places.map(([x]) => x)), Math.max(...places.map(([x]) => x))], [3, 5]);
  assert.deepEqual([Math.min(...places.map(([, y]) => y)), Math.max(...places.map(([, y]) => y))], [2, 4]);
});

test('later discs lie over earlier ones', () => {
  const pixels = drawn([4, 3, 4, 3], [RED, BLUE], 1);
  assert.equal(pixels[3 * 9 + 4], BLUE);
});

test('discs that the edge would cut, or that lie outside, are left out; those that just fit are drawn', () => {
  const outside = [0, 3, 8, 3, 4, 0, 4, 6, -4, -4, 100, 3, 4, 1e7, -1e7, 3];
  const inks = Array.from({ length: 8 }, () => RED);
  assert.deepEqual(marked(drawn(outside, inks, 1)), []);
  for (const [x, y] of [
    [1, 1],
    [7, 1],
    [1, 5],
    [7, 5],
  ])
    assert.equal(drawn([x, y], [RED], 1)[y * 9 + x], RED);
});

test('the placement scales and moves the plane', () => {
  const pixels = new Uint32Array(63);
  const places = Float32Array.from([0.5, -0.25]);
  drawDiscs({ pixels, columns: 9, rows: 7 }, places, Uint32Array.from([RED]), { scale: 4, x: 3, y: 4 }, 1);
  assert.equal(pixels[3 * 9 + 5], RED);
});

test('a colour over nothing is as opaque as it covers; over another it is mixed by its share', () => {
  assert.equal(blend(0, RED, 128), 0x800000ff);
  assert.equal(blend(BLUE, RED, 128).toString(16), 'ff7e007f');
  assert.equal(blend(RED, RED, 1), 0xff0000fe, 'mixing rounds down');
  assert.equal(blend(0x40000000, 0xffffffff, 200) >>> 24, 200, 'it is as opaque as the more opaque of the two');
});
