import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import '../page.js';
import { setOverlayHome } from '../../../app/web/static/core/dom.js';
import { attempt, toast } from '../../../app/web/static/core/toast.js';

beforeEach((context) => {
  assert('mock' in context);
  context.mock.timers.enable({ apis: ['setTimeout'] });
});

afterEach(() => document.body.replaceChildren());

function shown() {
  return [...document.querySelectorAll('.ps-toast > span')].map((each) => each.textContent);
}

/** @param {string} label */
function click(label) {
  const buttons = [...document.querySelectorAll('.ps-toasts button')];
  const button = buttons.find((each) => label === (each.getAttribute('aria-label') ?? each.textContent));
  assert(button instanceof HTMLElement, label);
  button.click();
}

test('a message closes by itself after four seconds, an error after twelve', (context) => {
  toast('Saved');
  toast('Failed', { kind: 'error' });
  toast('Long', { kind: 'error', seconds: 20 });
  context.mock.timers.tick(3999);
  assert.deepEqual(shown(), ['Saved', 'Failed', 'Long']);
  context.mock.timers.tick(1);
  assert.deepEqual(shown(), ['Failed', 'Long']);
  context.mock.timers.tick(8000);
  assert.deepEqual(shown(), ['Long']);
  context.mock.timers.tick(8000);
  assert.deepEqual(shown(), []);
});

test('a new message replaces the one before, but never an error', () => {
  toast('first');
  toast('trouble', { kind: 'error' });
  toast('second');
  toast('more trouble', { kind: 'error' });
  assert.deepEqual(shown(), ['trouble', 'second', 'more trouble']);
});

test('the timer of a message that was replaced closes no other', (context) => {
  toast('first');
  context.mock.timers.tick(3000);
  toast('second');
  context.mock.timers.tick(3000);
  assert.deepEqual(shown(), ['second']);
});

test('the action runs once, and closes its message', () => {
  let undone = 0;
  toast('Taken out', {
    action: {
      label: 'Undo',
      run: () => {
        undone += 1;
      },
    },
  });
  click('Undo');
  assert.equal(undone, 1);
  assert.deepEqual(shown(), []);
});

test('a message is closed by hand, and the shelf is open only while it holds one', () => {
  toast('one', { kind: 'error' });
  toast('two', { kind: 'error' });
  const shelf = document.querySelector('.ps-toasts');
  assert(shelf);
  assert(shelf.matches(':popover-open'));
  click('Close message');
  assert.deepEqual(shown(), ['two']);
  assert(shelf.matches(':popover-open'));
  click('Close message');
  assert(!shelf.matches(':popover-open'));
});

test('the shelf is opened anew for each message, so that it is above dialogs opened since', (context) => {
  toast('one');
  const hidden = context.mock.method(HTMLElement.prototype, 'hidePopover');
  const opened = context.mock.method(HTMLElement.prototype, 'showPopover');
  toast('two');
  assert.deepEqual([hidden.mock.callCount(), opened.mock.callCount()], [1, 1]);
  assert.equal(document.querySelectorAll('.ps-toasts').length, 1);
});

test('messages go into the view that is there now', () => {
  const view = document.createElement('main');
  document.body.append(view);
  setOverlayHome(view);
  toast('one');
  assert.equal(view.querySelectorAll('.ps-toast').length, 1);
  view.remove();
  toast('two');
  assert.deepEqual(shown(), ['two']);
});

test('an attempt returns what the work returns, at once or later', async () => {
  assert.equal(await attempt(() => 7), 7);
  assert.equal(await attempt(() => Promise.resolve('done')), 'done');
  assert.deepEqual(shown(), []);
});

test('an attempt that fails says why, and one that was aborted says nothing', async () => {
  const failed = await attempt(() => {
    throw new Error('The disk is full.');
  });
  assert.equal(failed, undefined);
  assert.equal(await attempt(() => Promise.reject(new DOMException('', 'AbortError'))), undefined);
  assert.equal(await attempt(() => Promise.reject('text')), undefined);
  assert.deepEqual(shown(), ['The disk is full.', 'text']);
  assert.equal(document.querySelectorAll('.ps-toast.ps-error').length, 2);
});
