import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { findPlace, keepPlaces, placeIsWanted } from '../../../app/web/static/core/scroll_place.js';
import { window } from '../page.js';

let main = document.createElement('section');

/** @param {string} address */
function goTo(address) {
  window.happyDOM.setURL(`http://127.0.0.1:8501${address}`);
}

/** As a person does. @param {number} top */
function scrollTo(top) {
  document.dispatchEvent(new Event('wheel'));
  browserScrollsTo(top);
}

/** As a browser does where a page becomes shorter. @param {number} top */
function browserScrollsTo(top) {
  main.scrollTop = top;
  main.dispatchEvent(new Event('scroll'));
}

function back() {
  globalThis.dispatchEvent(new Event('popstate'));
}

beforeEach(() => {
  sessionStorage.clear();
  main = document.createElement('section');
  main.className = 'stMain';
  document.body.replaceChildren(main);
  keepPlaces();
});

test('the place of an address is found again after Back, once its content is there', () => {
  goTo('/?q=a');
  scrollTo(700);
  goTo('/?q=b');
  browserScrollsTo(0);
  assert(!placeIsWanted(), 'a new search begins at its top');
  goTo('/?q=a');
  back();
  assert(placeIsWanted());
  assert.equal(main.scrollTop, 0);
  findPlace();
  assert.equal(main.scrollTop, 700);
  browserScrollsTo(300); // the list is still short
  findPlace();
  assert.equal(main.scrollTop, 700);
});

test('a person who scrolls is not brought back', () => {
  goTo('/?q=c');
  scrollTo(700);
  back();
  scrollTo(50);
  findPlace();
  assert.equal(main.scrollTop, 50);
});

test('late content no longer moves a page that has settled', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  goTo('/?q=d');
  scrollTo(700);
  back();
  findPlace();
  mock.timers.tick(2000);
  browserScrollsTo(10);
  findPlace();
  assert.equal(main.scrollTop, 10);
  mock.timers.reset();
});

test('a link back to a page finds its place, one to a video or a search does not', () => {
  goTo('/library');
  placeIsWanted();
  scrollTo(400);
  goTo('/library?video=3');
  assert(!placeIsWanted());
  goTo('/library');
  assert(placeIsWanted());
  findPlace();
  assert.equal(main.scrollTop, 400);
});

test('a damaged store is no place', () => {
  sessionStorage.setItem('prismsearch.places', '{"a": [');
  goTo('/?q=e');
  back();
  assert(!placeIsWanted());
});
