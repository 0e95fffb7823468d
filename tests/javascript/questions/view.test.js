import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { mount } from '../../../app/web/static/questions/view.js';
import { FakeServer, refusal, settled } from '../fake_server.js';

/** @typedef {import('../../../app/web/static/core/types.js').QuestionLine} QuestionLine */
/** @typedef {import('node:test').TestContext} TestContext */

const HOSTILE = '<img src=x onerror=alert(1)> \u202egpj.exe';

beforeEach((context) => {
  localStorage.clear();
  sessionStorage.clear();
  document.body.replaceChildren();
  /** @type {TestContext} */ (context).mock.timers.enable({ apis: ['setTimeout'] }); // messages stay
});

/** @type {(() => void) | null} */
let remove = null;
afterEach(() => remove?.());

/** The questions as a library keeps them, and its two shots. */
class Library {
  /** @type {QuestionLine[]} */
  lines = [];
  refused = '';
  made = 0;

  /** @param {TestContext} context */
  constructor(context) {
    /** @type {(number: number) => unknown} */
    const shot = (number) => ({ shot: { segment: number, start: 0, end: 2 }, seed: 1, number, count: 2 });
    this.server = new FakeServer({
      'GET /api/collections': { collections: [], tray: 1 },
      'GET /api/questions': () => ({
        path: '/library/questions.csv',
        command: 'prismsearch bench mine',
        total: this.lines.length,
        questions: this.lines.filter((line) => line.file).length,
        none: this.lines.filter((line) => !line.file).length,
        lines: [...this.lines],
      }),
      'GET /api/questions/draw?seed=1': shot(1),
      'GET /api/questions/draw?seed=1&after=1': shot(2),
      'GET /api/segment/1': this.segment(1),
      'GET /api/segment/2': this.segment(2),
      'POST /api/questions': (/** @type {{question: string, segment: number | null}} */ body) => this.add(body),
    }).serve(context);
    localStorage.setItem('prismsearch.questions.one', JSON.stringify({ seed: 1, after: null }));
  }

  /** @param {number} id */
  segment(id) {
    return {
      id,
      name: `${HOSTILE}${id}`,
      path: `/films/${id}`,
      start: 0,
      end: 2,
      duration: 4,
      missing: true,
      rate: [25, 1],
    };
  }

  /** @param {{question: string, segment: number | null}} body */
  add({ question, segment }) {
    if (this.refused) return refusal(409, this.refused);
    this.made += 1;
    const key = `k${this.made}`;
    this.lines.unshift({
      key,
      question,
      file: segment === null ? '' : HOSTILE,
      path: '',
      start: 0,
      end: 2,
      segment,
      trouble: '',
    });
    Object.assign(this.server.answers, {
      [`DELETE /api/questions/${key}`]: () => this.take(key),
      [`PATCH /api/questions/${key}`]: (/** @type {{question: string}} */ change) =>
        Object.assign(this.lines.find((line) => line.key === key) ?? {}, change),
    });
    return { key };
  }

  /** @param {string} key */
  take(key) {
    const at = this.lines.findIndex((line) => line.key === key);
    const [line] = this.lines.splice(at, 1);
    this.server.answers[`POST /api/questions/${key}/put-back`] = () => {
      this.lines.splice(at, 0, line);
      return { key };
    };
    return {};
  }
}

/** Mount the page, and wait for the first shot. */
async function open() {
  const parent = document.createElement('div');
  document.body.append(parent);
  remove = mount({ parentElement: parent, data: { library: 'one' }, setTriggerValue: () => {} });
  await settled();
}

/** @returns {[HTMLInputElement, HTMLInputElement]} The box for the shot, and that for what is not there. */
function boxes() {
  const [shown, absent] = document.querySelectorAll('form input');
  assert(shown instanceof HTMLInputElement && absent instanceof HTMLInputElement);
  return [shown, absent];
}

/**
 * Type a text, and press Enter.
 *
 * @param {HTMLInputElement} box
 * @param {string} text
 */
async function enter(box, text) {
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
  box.form?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
  await settled();
}

/** @param {string} selector */
async function click(selector) {
  const found = document.querySelector(selector);
  assert(found instanceof HTMLElement, selector);
  found.click();
  await settled();
}

/** @param {string} selector */
function texts(selector) {
  return [...document.querySelectorAll(selector)].map((each) => each.textContent);
}

test('Enter saves a question and shows the next shot', async (context) => {
  const library = new Library(context);
  await open();
  assert.match(texts('.ps-question-place')[0] ?? '', /^Shot 1 of 2/);
  await enter(boxes()[0], '  a red car ');
  assert.deepEqual(
    library.lines.map(({ question, segment }) => [question, segment]),
    [['a red car', 1]],
  );
  assert.equal(boxes()[0].value, '');
  assert.match(texts('.ps-question-place')[0] ?? '', /^Shot 2 of 2/);
  assert.deepEqual(texts('.ps-question-words'), ['a red car']);
  assert.deepEqual(texts('.ps-question-count'), ['1 question']);
  await enter(boxes()[0], '   ');
  assert.equal(library.made, 1, 'nothing is no question');
});

test('an undo brings the shot and the words back', async (context) => {
  const library = new Library(context);
  await open();
  await enter(boxes()[0], 'a red car');
  await click('.ps-toast .ps-link');
  assert.deepEqual(library.lines, []);
  assert.match(texts('.ps-question-place')[0] ?? '', /^Shot 1 of 2/);
  assert.equal(boxes()[0].value, 'a red car');
});

test('what is not in the library is saved without a shot', async (context) => {
  const library = new Library(context);
  await open();
  await enter(boxes()[1], 'a boat');
  assert.deepEqual([library.lines[0].question, library.lines[0].segment], ['a boat', null]);
  assert.match(texts('.ps-question-place')[0] ?? '', /^Shot 1 of 2/, 'the shot stays');
  assert.deepEqual(texts('.ps-question-count'), ['0 questions, and 1 about what is not there']);
});

test('what could not be saved stays in the box, and the reason is shown', async (context) => {
  const library = new Library(context);
  await open();
  library.refused = 'The disk is full.';
  await enter(boxes()[0], 'a red car');
  assert.equal(boxes()[0].value, 'a red car');
  assert.match(texts('.ps-toast').join(), /The disk is full/);
  assert.match(texts('.ps-question-place')[0] ?? '', /^Shot 1 of 2/);
  library.refused = '';
  await enter(boxes()[0], boxes()[0].value);
  assert.equal(library.lines.length, 1);
});

test('what was typed is there again after a reload, for its shot alone', async (context) => {
  new Library(context);
  await open();
  boxes()[0].value = 'half a quest';
  boxes()[0].dispatchEvent(new Event('input', { bubbles: true }));
  remove?.();
  await open();
  assert.equal(boxes()[0].value, 'half a quest');
  await click('.ps-controls button[title="Skip (N)"]');
  assert.equal(boxes()[0].value, '');
  await click('.ps-toast .ps-link');
  assert.match(texts('.ps-question-place')[0] ?? '', /^Shot 1 of 2/);
  assert.equal(boxes()[0].value, 'half a quest');
});

test('hostile words and names are text', async (context) => {
  new Library(context);
  await open();
  await enter(boxes()[0], HOSTILE);
  assert.equal(document.querySelector('[onerror]'), null);
  assert.deepEqual(texts('.ps-question-words'), [HOSTILE.replace('\u202e', '\ufffd')]);
  assert.match(texts('.ps-question-file')[0] ?? '', /^<img src=x onerror=alert\(1\)> \ufffdgpj.exe2$/);
});

test('a question is deleted, and put back', async (context) => {
  const library = new Library(context);
  await open();
  await enter(boxes()[1], 'a boat');
  await click('[data-act=remove]');
  assert.deepEqual(library.lines, []);
  assert.deepEqual(texts('.ps-question-words'), []);
  await click('.ps-toast .ps-link');
  assert.deepEqual(texts('.ps-question-words'), ['a boat']);
});

test('a question is changed in its place; Escape changes nothing', async (context) => {
  const library = new Library(context);
  await open();
  await enter(boxes()[1], 'a boat');
  for (const [key, expected] of [
    ['Escape', 'a boat'],
    ['Enter', 'a ship'],
  ]) {
    await click('[data-act=edit]');
    const input = document.querySelector('.ps-question-words input');
    assert(input instanceof HTMLInputElement);
    assert.equal(input.value, 'a boat');
    input.value = 'a ship';
    input.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    await settled();
    assert.equal(library.lines[0].question, expected);
    assert.deepEqual(texts('.ps-question-words'), [expected]);
  }
});

test('the present shot is one more answer of a question', async (context) => {
  const library = new Library(context);
  await open();
  await enter(boxes()[0], 'a red car');
  await click('[data-act=here]');
  assert.deepEqual(
    library.lines.map(({ question, segment }) => [question, segment]),
    [
      ['a red car', 2],
      ['a red car', 1],
    ],
  );
});

test('a file that cannot be used is told, and nothing else changes', async (context) => {
  const library = new Library(context);
  await open();
  await enter(boxes()[1], 'a boat');
  library.server.answers['GET /api/questions'] = refusal(409, 'questions.csv cannot be used: line 2.');
  document.dispatchEvent(new Event('visibilitychange'));
  await settled();
  assert.deepEqual(texts('.ps-question-trouble:not([hidden])'), ['questions.csv cannot be used: line 2.']);
  assert.deepEqual(texts('.ps-question-words'), ['a boat']);
});
