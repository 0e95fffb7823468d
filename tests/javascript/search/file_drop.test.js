import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { mount as mountButton } from '../../../app/web/static/search/file_button.js';
import { mount } from '../../../app/web/static/search/file_drop.js';

/** A request that the test answers. */
class PretendRequest extends EventTarget {
  upload = new EventTarget();
  status = 0;
  responseText = '';
  /** @type {Record<string, string>} */
  headers = {};
  /** @type {File | null} */
  sent = null;

  constructor() {
    super();
    sending.push(this);
  }

  open() {}

  /**
   * @param {string} name
   * @param {string} value
   */
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }

  /** @param {File} file */
  send(file) {
    this.sent = file;
  }

  abort() {
    this.dispatchEvent(new Event('abort'));
    this.dispatchEvent(new Event('loadend'));
  }

  /**
   * @param {number} status
   * @param {object} answer
   */
  answer(status, answer) {
    this.status = status;
    this.responseText = JSON.stringify(answer);
    this.dispatchEvent(new Event('loadend'));
  }
}

const { XMLHttpRequest } = globalThis;
/** @type {PretendRequest[]} */
let sending = [];
/** @type {[string, unknown][]} */
let triggers = [];
let parent = document.createElement('div');
let unmount = () => {};

beforeEach(() => {
  [sending, triggers] = [[], []];
  Object.assign(globalThis, { XMLHttpRequest: PretendRequest });
  parent = document.createElement('div');
  document.body.replaceChildren(parent);
  unmount = mount({
    parentElement: parent,
    data: null,
    setTriggerValue: (name, value) => triggers.push([name, value]),
  });
});
afterEach(() => {
  unmount();
  Object.assign(globalThis, { XMLHttpRequest });
});

/**
 * @param {string} kind
 * @param {File[]} files
 * @param {{folder?: boolean, types?: string[]}} [options]
 */
function drag(kind, files, { folder = false, types = ['Files'] } = {}) {
  const items = files.map(() => ({ webkitGetAsEntry: () => ({ isDirectory: folder }) }));
  const event = Object.assign(new Event(kind, { bubbles: true, cancelable: true }), {
    dataTransfer: { types, files, items },
  });
  document.dispatchEvent(event);
  return event;
}

const clip = new File(['abc'], 'ä b.mp4', { type: 'video/mp4' });
const veil = () => parent.querySelector('.ps-veil')?.hasAttribute('hidden') === false;
const uploading = () => parent.querySelector('.ps-upload')?.hasAttribute('hidden') === false;

test('a clip that is dropped anywhere is sent, and the search runs with it', () => {
  const event = drag('drop', [clip]);
  assert.ok(event.defaultPrevented, 'the browser would open the file');
  assert.equal(sending.length, 1);
  assert.equal(sending[0].sent, clip);
  assert.equal(sending[0].headers['X-File-Name'], '%C3%A4%20b.mp4');
  assert.ok(uploading());
  sending[0].answer(200, { token: 't', name: 'ä b.mp4', kind: 'video' });
  assert.ok(!uploading());
  const [[name, value]] = triggers;
  assert.equal(name, 'dropped');
  assert.equal(Reflect.get(Object(value), 'token'), 't');
});

test('before anything is dropped, nothing of it is seen', () => {
  assert(!veil() && !uploading());
  assert(parent.querySelector('input[type=file]')?.hasAttribute('hidden'), 'the button stands for it');
});

test('how much has been sent is shown', () => {
  drag('drop', [clip]);
  const progress = Object.assign(new Event('progress'), { lengthComputable: true, loaded: 30, total: 120 });
  sending[0].upload.dispatchEvent(progress);
  assert.equal(parent.querySelector('progress')?.value, 0.25);
  assert.match(parent.querySelector('.ps-upload')?.textContent ?? '', /ä b\.mp4/);
});

test('of several files the first is taken, and the person is told', () => {
  drag('drop', [clip, new File(['d'], 'other.mp4')]);
  assert.equal(sending.length, 1);
  assert.equal(sending[0].sent, clip);
  assert.match(document.body.textContent, /One file at a time/);
});

test('a folder is not sent', () => {
  drag('drop', [new File(['a'], 'alps')], { folder: true });
  assert.equal(sending.length, 0);
  assert.match(document.body.textContent, /alps is a folder/);
});

test('an empty file is not sent', () => {
  drag('drop', [new File([], 'nothing.mp4')]);
  assert.equal(sending.length, 0);
  assert.match(document.body.textContent, /nothing\.mp4 is empty/);
});

test('texts and parts of the page may be dragged as ever', () => {
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    const event = drag(kind, [], { types: ['text/plain'] });
    assert.ok(!event.defaultPrevented);
  }
  assert.ok(!veil());
  assert.equal(sending.length, 0);
});

test('the veil is there while a file is over the page, and no longer', () => {
  drag('dragenter', [clip]);
  assert.ok(veil());
  drag('dragenter', [clip]); // a part of the page
  drag('dragleave', [clip]); // and out of what was entered before
  assert.ok(veil());
  drag('dragleave', [clip]);
  assert.ok(!veil());
  drag('dragleave', [clip]);
  drag('dragenter', [clip]);
  assert.ok(veil(), 'a leave too many changes nothing');
  drag('drop', [clip]);
  assert.ok(!veil());
});

test('a refusal of the server is shown', () => {
  drag('drop', [clip]);
  sending[0].answer(415, { error: 'This is no video.' });
  assert.match(document.body.textContent, /This is no video\./);
  assert.equal(triggers.length, 0);
});

test('a person who cancels is told nothing', () => {
  drag('drop', [clip]);
  parent.querySelector('.ps-upload')?.querySelector('button')?.click();
  assert.ok(!uploading());
  assert(!document.querySelector('.ps-toast'));
});

test('another file takes the place of one that is being sent', () => {
  drag('drop', [clip]);
  drag('drop', [new File(['d'], 'other.mp4')]);
  assert.ok(uploading());
  assert.match(parent.querySelector('.ps-upload')?.textContent ?? '', /other\.mp4/);
  assert(!document.querySelector('.ps-toast'), 'nothing has failed');
  sending[0].answer(200, { token: 'old' });
  assert.equal(triggers.length, 0);
  sending[1].answer(200, { token: 'new' });
  assert.equal(triggers.length, 1);
});

test('the button opens the choice of a file, and a file that was refused can be chosen again', () => {
  const input = parent.querySelector('input');
  assert.ok(input);
  let clicks = 0;
  input.addEventListener('click', () => {
    clicks += 1;
  });
  const side = document.createElement('div');
  document.body.append(side);
  for (let times = 0; times < 2; times += 1)
    mountButton({ parentElement: side, data: null, setTriggerValue: () => {} });
  assert.equal(side.querySelectorAll('button').length, 1);
  side.querySelector('button')?.click();
  assert.equal(clicks, 1);
  let emptied = 0;
  Object.defineProperty(input, 'files', { value: [new File([], 'nothing.mp4')], configurable: true });
  Object.defineProperty(input, 'value', {
    set: () => {
      emptied += 1;
    },
    configurable: true,
  });
  input.dispatchEvent(new Event('change'));
  assert.equal(emptied, 1);
  assert.match(document.body.textContent, /nothing\.mp4 is empty/);
});

test('a choice that is given up does nothing', () => {
  parent.querySelector('input')?.dispatchEvent(new Event('change'));
  assert.equal(sending.length, 0);
});

test('once removed, files are no longer taken, and one that is being sent is cut off', () => {
  drag('drop', [clip]);
  unmount();
  drag('drop', [clip]);
  assert.equal(sending.length, 1);
  sending[0].answer(200, { token: 't' });
  assert.equal(parent.childElementCount, 0);
});
