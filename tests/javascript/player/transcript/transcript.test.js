import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../../page.js';
import { Transcript } from '../../../../app/web/static/player/transcript/transcript.js';
import { FakeServer, settled } from '../../fake_server.js';

/** @typedef {import('../../../../app/web/static/core/types.js').TextLine} TextLine */

const TRACK = { language: '', title: '', origin: '', engine: '', default: false, forced: false, for_deaf: false };
const SOURCES = [
  { ...TRACK, id: 1, kind: 'subtitle', language: 'en', lines: 4 },
  { ...TRACK, id: 2, kind: 'subtitle', language: 'de', lines: 1 },
  { ...TRACK, id: 3, kind: 'chapter', lines: 1 },
  { ...TRACK, id: 4, kind: 'screen', lines: 1 },
];
const CHAPTER = line(9, 0, 'Arrival', 3, 60);
const ENGLISH = [
  line(1, 1, 'The penguin'),
  line(2, 2, '<img src=x onerror="globalThis.broken = true"><b>bold</b>'),
  line(3, 3, 'Photo \u202egpj.exe'),
  line(4, 5, 'Penguins, at a café'),
];
const SIGN = line(8, 4, 'ZOO', 4);

/**
 * @param {number} id
 * @param {number} start
 * @param {string} text
 * @param {number} source
 * @returns {TextLine}
 */
function line(id, start, text, source = 1, end = start + 1) {
  return { id, source, start, end, text, segment: 7 };
}

/**
 * @param {import('node:test').TestContext} context
 * @param {Record<string, unknown>} [answers]
 */
async function opened(context, answers = {}) {
  const server = new FakeServer({
    'GET /api/text/3': { sources: SOURCES },
    'GET /api/text/3/lines?sources=1,3,4&from=0': {
      lines: [CHAPTER, ...ENGLISH.slice(0, 3), SIGN, ENGLISH[3]],
      next: null,
    },
    'GET /api/text/3/lines?sources=2,3,4&from=0': { lines: [CHAPTER, line(11, 1, 'Der Pinguin', 2), SIGN], next: null },
    ...answers,
  }).serve(context);
  /** @type {number[]} */
  const played = [];
  const transcript = new Transcript({ play: ({ id }) => played.push(id), leave: () => document.body.focus() });
  document.body.append(transcript.root);
  void transcript.open(3);
  await settled();
  return { transcript, server, played };
}

function texts() {
  return [...document.querySelectorAll('.ps-line-text')].map((each) => each.textContent);
}

/** @param {string} selector */
function idsOf(selector) {
  return [...document.querySelectorAll(selector)].map(({ id }) => id.replace('ps-line-', ''));
}

/**
 * @param {Transcript} transcript
 * @param {string} key
 * @param {KeyboardEventInit} [options]
 */
function press(transcript, key, options = {}) {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...options });
  transcript.list.root.dispatchEvent(event);
  return event;
}

/** @param {number} id */
function click(id, options = {}) {
  document
    .querySelector(`#ps-line-${id} .ps-line-text`)
    ?.dispatchEvent(new MouseEvent('click', { bubbles: true, ...options }));
}

/** @param {Transcript} transcript @param {string} typed */
function find(transcript, typed) {
  transcript.box.value = typed;
  transcript.find();
}

afterEach(() => {
  document.body.replaceChildren();
  localStorage.clear();
});

test('lines are shown as text, with their times and kinds', async (context) => {
  await opened(context);
  assert.deepEqual(texts(), [
    'Arrival',
    'The penguin',
    '<img src=x onerror="globalThis.broken = true"><b>bold</b>',
    'Photo gpj.exe',
    'ZOO',
    'Penguins, at a café',
  ]);
  assert.equal(document.querySelector('.ps-lines img, .ps-lines b'), null);
  assert.equal('broken' in globalThis, false);
  assert.match(document.querySelector('#ps-line-8')?.textContent ?? '', /^0:04ZOOOn screen$/);
  assert.equal(document.querySelector('.ps-line-text')?.getAttribute('dir'), 'auto');
});

test('nothing is asked for, and nothing shown, of a video without words', async (context) => {
  const server = new FakeServer().serve(context);
  const transcript = new Transcript({ play: () => {}, leave: () => {} });
  await transcript.open(null);
  assert.deepEqual([server.requests, transcript.shown], [[], false]);
});

test('the track of a hit is shown, whatever language a person likes, also of the video that is shown already', async (context) => {
  const { transcript } = await opened(context);
  await transcript.open(3, 2);
  await settled();
  assert.deepEqual(texts(), ['Arrival', 'Der Pinguin', 'ZOO']);
  assert.equal(transcript.choices.select.value, '2');
  await transcript.open(3);
  await transcript.open(3, 4); // of text on screen: all of these are shown beside each other
  assert.deepEqual(texts(), ['Arrival', 'Der Pinguin', 'ZOO']);
  transcript.close();
  await transcript.open(3, 2);
  await settled();
  assert.deepEqual(texts(), ['Arrival', 'Der Pinguin', 'ZOO']);
  transcript.close();
  await transcript.open(3);
  await settled();
  assert.equal(texts().length, 6, 'the choice was for that hit');
});

test('what is said now is marked, with the chapter that lasts', async (context) => {
  const { transcript } = await opened(context);
  for (const [seconds, expected] of /** @type {[number, string[]][]} */ ([
    [0.5, ['9']],
    [2.5, ['9', '2']],
    [4.5, ['9', '8']],
    [70, []],
  ])) {
    transcript.at(seconds);
    assert.deepEqual(idsOf('.ps-now'), expected, String(seconds));
    assert.deepEqual(idsOf('[aria-current=true]'), expected);
  }
});

test('it follows what is said until a person scrolls, and again when asked to', async (context) => {
  const { transcript } = await opened(context);
  const revealed = context.mock.method(transcript.list, 'reveal');
  transcript.at(1.5);
  assert.equal(revealed.mock.callCount(), 1);
  transcript.list.root.dispatchEvent(new Event('wheel'));
  transcript.at(2.5);
  assert.equal(revealed.mock.callCount(), 1);
  assert.equal(transcript.followButton.getAttribute('aria-pressed'), 'false');
  transcript.followButton.click();
  assert.equal(revealed.mock.callCount(), 2);
  transcript.at(3.5);
  assert.equal(revealed.mock.callCount(), 3);
});

test('a click or Enter plays from a line; arrows walk through the lines', async (context) => {
  const { transcript, played } = await opened(context);
  click(4);
  assert.deepEqual(played, [4]);
  press(transcript, 'ArrowUp');
  assert.equal(transcript.list.root.getAttribute('aria-activedescendant'), 'ps-line-8');
  press(transcript, 'Home');
  press(transcript, 'ArrowDown');
  press(transcript, 'Enter');
  assert.deepEqual(played, [4, 1]);
  press(transcript, 'PageDown');
  press(transcript, 'Enter');
  assert.deepEqual(played, [4, 1, 4]);
  assert.equal(press(transcript, 'x').defaultPrevented, false);
});

test('selected lines are copied with their times; without a selection, all that are shown', async (context) => {
  /** @type {string[]} */
  const copied = [];
  const clipboard = { writeText: (/** @type {string} */ text) => Promise.resolve(void copied.push(text)) };
  Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });
  const { transcript, played } = await opened(context);
  click(1, { ctrlKey: true });
  click(8, { shiftKey: true });
  assert.deepEqual(idsOf('[aria-selected=true]'), ['1', '2', '3', '8']);
  press(transcript, 'ArrowDown');
  press(transcript, 'Home');
  press(transcript, ' ');
  press(transcript, 'ArrowDown', { shiftKey: true });
  assert.deepEqual(idsOf('[aria-selected=true]'), ['9', '1']);
  press(transcript, 'c', { ctrlKey: true });
  transcript.list.selectNone();
  find(transcript, 'penguin');
  transcript.copy();
  await settled();
  assert.deepEqual(copied, [
    '00:00:00.000\tArrival\n00:00:01.000\tThe penguin',
    '00:00:01.000\tThe penguin\n00:00:05.000\tPenguins, at a café',
  ]);
  assert.deepEqual(played, []);
});

test('the box shows the lines that have all words, and marks these', async (context) => {
  const { transcript } = await opened(context);
  find(transcript, 'CAFE pen');
  assert.deepEqual(texts(), ['Penguins, at a café']);
  assert.deepEqual(
    [...document.querySelectorAll('mark')].map((each) => each.textContent),
    ['Pen', 'café'],
  );
  assert.equal(transcript.status.textContent, '1 line');
  find(transcript, '<b>');
  assert.equal(document.querySelector('mark')?.innerHTML, '&lt;b&gt;');
  find(transcript, 'nothing of the kind');
  assert.deepEqual([texts(), transcript.status.textContent], [[], '0 lines']);
  find(transcript, '');
  assert.equal(texts().length, 6);
});

test('Escape empties the box, then leaves the transcript, and never closes the player', async (context) => {
  const { transcript } = await opened(context);
  const left = context.mock.method(transcript.callbacks, 'leave');
  find(transcript, 'zoo');
  const keyOf = () => new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true });
  const [first, second] = [keyOf(), keyOf()];
  transcript.box.dispatchEvent(first);
  assert.deepEqual([transcript.box.value, texts().length, left.mock.callCount()], ['', 6, 0]);
  transcript.box.dispatchEvent(second);
  assert.equal(left.mock.callCount(), 1);
  assert.deepEqual([first.defaultPrevented, second.defaultPrevented], [true, true]);
});

test('another language is loaded when chosen, and is the first choice for the next video', async (context) => {
  const { transcript, server } = await opened(context, { 'GET /api/text/4': { sources: SOURCES } });
  const { select } = transcript.choices;
  assert.deepEqual(
    [...select.options].map(({ text }) => text),
    ['English (subtitle)', 'German (subtitle)'],
  );
  select.value = '2';
  select.dispatchEvent(new Event('change'));
  await settled();
  assert.deepEqual(texts(), ['Arrival', 'Der Pinguin', 'ZOO']);
  server.asked();
  await transcript.open(4);
  assert.deepEqual(server.asked(), ['GET /api/text/4', 'GET /api/text/4/lines?sources=2,3,4&from=0']);
});

test('kinds can be left out', async (context) => {
  await opened(context);
  const [screen, chapter] = document.querySelectorAll('.ps-transcript-kinds button');
  assert(screen instanceof HTMLElement && chapter instanceof HTMLElement);
  screen.click();
  chapter.click();
  assert.deepEqual(idsOf('.ps-line'), ['1', '2', '3', '4']);
  chapter.click();
  assert.deepEqual(idsOf('.ps-line'), ['9', '1', '2', '3', '4']);
  assert.equal(screen.getAttribute('aria-pressed'), 'false');
});

test('words that cannot be loaded are told of', async (context) => {
  const { transcript } = await opened(context, {
    'GET /api/text/3': Response.json({ error: 'Locked.' }, { status: 503 }),
  });
  assert.equal(transcript.status.textContent, 'The words cannot be shown: Locked.');
});

test('what is still being loaded of the video before is not shown', async (context) => {
  /** @type {(answer: unknown) => void} */
  let answer = () => {};
  const slow = new Promise((done) => {
    answer = done;
  });
  const { transcript } = await opened(context, {
    'GET /api/text/3/lines?sources=1,3,4&from=0': () => slow,
    'GET /api/text/4': { sources: [] },
  });
  await transcript.open(4);
  answer({ lines: ENGLISH, next: null });
  await settled();
  assert.deepEqual(texts(), []);
});

test('ten thousand lines are in blocks of which the browser draws those in view', async (context) => {
  const many = Array.from({ length: 10_000 }, (_, at) => line(100 + at, at, `line ${at}`));
  const { transcript } = await opened(context, {
    'GET /api/text/3/lines?sources=1,3,4&from=0': { lines: many, next: null },
  });
  assert.equal(document.querySelectorAll('.ps-lines-block').length, 200);
  assert.equal(transcript.list.rows.size, 10_000);
  find(transcript, 'line');
  assert.equal(document.querySelectorAll('.ps-line').length, 500);
  assert.equal(transcript.status.textContent, '10000 lines, the first 500 are shown');
});
