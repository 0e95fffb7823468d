import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import '../page.js';
import { MapPictures } from '../../../app/web/static/map/pictures.js';
import { Viewport } from '../../../app/web/static/map/viewport.js';

mock.timers.enable({ apis: ['setTimeout'] });

/** Places of the points on a stage of 1000 x 600. */
/** @type {[number, number][]} */
let places = [];
/** @type {number[]} */
let widths = []; // asked of spread
/** @type {number[]} */
let chosen = [];
const viewport = new Viewport();
const map = {
  viewport,
  points: { ids: [70, 71, 72, 73], count: 4 },
  colours: [0xff0000ff, 0xff00ff00, 0xffff0000, 0xffffffff],
  spread: (/** @type {number} */ width) => {
    widths.push(width);
    return chosen;
  },
  toScreen: (/** @type {number} */ at) => places[at],
};
let pictures = new MapPictures(map);

beforeEach(() => {
  places = [
    [100, 100],
    [500, 300],
    [-44, 300],
    [-200, 300],
  ];
  chosen = [1, 0, 2, 3];
  widths = [];
  map.points.count = 4;
  viewport.resize(1000, 600);
  viewport.fit();
  pictures = new MapPictures(map);
  pictures.spread();
  mock.timers.tick(0);
});

function shown() {
  return [...pictures.layer.querySelectorAll('img')].map((image) => Number(image.dataset.at));
}

test('points in view, or just beside it, have their posters; others load none', () => {
  assert.deepEqual(shown(), [1, 0, 2]);
  assert.equal(pictures.layer.querySelector('img')?.getAttribute('src'), '/api/poster/71');
});

test('a picture lies around its point, in a frame of its colour', () => {
  const image = pictures.layer.querySelector('img');
  assert.equal(image?.style.transform, 'translate(456px, 275px)');
  assert.match(image?.style.borderColor ?? '', /^rgb\(0,? 255,? 0\)$|^#00ff00$/i);
});

test('moving the map moves pictures, and loads none again', () => {
  const [image] = pictures.layer.querySelectorAll('img');
  places = places.map(([x, y]) => [x + 10, y]);
  pictures.place();
  assert.equal(pictures.layer.querySelector('img'), image);
  assert.equal(image.style.transform, 'translate(466px, 275px)');
});

test('pictures that leave the stage are removed', () => {
  places[1] = [5000, 300];
  pictures.place();
  assert.deepEqual(shown(), [0, 2]);
});

test('a poster that cannot be loaded is not requested again, and its place finds no shot', () => {
  pictures.layer.querySelector('img')?.dispatchEvent(new Event('error'));
  pictures.place();
  assert.deepEqual(shown(), [0, 2]);
  assert.equal(pictures.find(500, 300), -1);
  pictures.forget();
  pictures.spread();
  mock.timers.tick(0);
  assert.deepEqual(shown(), [1, 0, 2], 'another map may have it');
});

test('a picture is found up to its edges, the topmost first', () => {
  assert.equal(pictures.find(500, 300), 1);
  assert.equal(pictures.find(456, 325), 1);
  assert.equal(pictures.find(455, 300), -1);
  assert.equal(pictures.find(500, 326), -1);
  places[0] = [520, 300];
  assert.equal(pictures.find(510, 300), 1);
});

test('shots outside the selection are quiet, also after moving', () => {
  pictures.place((at) => at === 0);
  const quiet = () => [...pictures.layer.querySelectorAll('.ps-quiet')].map((image) => image.getAttribute('data-at'));
  assert.deepEqual(quiet(), ['0']);
  pictures.place();
  assert.deepEqual(quiet(), ['0']);
});

test('pictures are chosen again once the view rests', () => {
  chosen = [0];
  for (let at = 0; at < 5; at += 1) {
    pictures.spread();
    mock.timers.tick(100);
  }
  assert.deepEqual(shown(), [1, 0, 2], 'not while it moves');
  mock.timers.tick(30);
  assert.deepEqual(shown(), [0]);
  assert.equal(widths.length, 2);
});

test('a crowded map has more room between its pictures, until it is enlarged', () => {
  const widest = (/** @type {number} */ count, /** @type {number} */ zoom) => {
    map.points.count = count;
    viewport.fit();
    viewport.zoom(zoom);
    pictures.spread();
    mock.timers.tick(200);
    return widths[widths.length - 1];
  };
  const normal = widest(400, 1);
  assert.ok(normal > 88);
  assert.ok(widest(401, 1) > normal);
  assert.equal(widest(401, 1.4), normal);
});

test('switched off, there are no pictures; switched on, they are there again', () => {
  pictures.toggle();
  mock.timers.tick(200);
  assert.deepEqual(shown(), []);
  assert.equal(pictures.find(500, 300), -1);
  pictures.toggle();
  mock.timers.tick(200);
  assert.deepEqual(shown(), [1, 0, 2]);
});

test('once removed, nothing is chosen', () => {
  pictures.spread();
  pictures.remove();
  mock.timers.tick(1000);
  assert.equal(widths.length, 1);
});
