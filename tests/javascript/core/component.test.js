import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { mountOnce, trigger } from '../../../app/web/static/core/component.js';

/** Return a component whose views record what happens to them. */
function recorded() {
  /** @type {string[]} */
  const log = [];
  const mount = mountOnce((/** @type {import('../../../app/web/static/core/types.js').Component<string>} */ first) => {
    log.push(`created ${first.data}`);
    return { update: ({ data }) => log.push(`updated ${data}`), remove: () => log.push('removed') };
  });
  /**
   * @param {HTMLElement} parentElement
   * @param {string} data
   */
  const show = (parentElement, data) => mount({ parentElement, data, setTriggerValue: () => {} });
  return { log, show };
}

test('a second mount in the same element updates the view that is there', () => {
  const { log, show } = recorded();
  const parent = document.createElement('div');
  show(parent, 'one');
  show(parent, 'two');
  assert.deepEqual(log, ['created one', 'updated one', 'updated two']);
});

test('each element has a view of its own', () => {
  const { log, show } = recorded();
  show(document.createElement('div'), 'one');
  show(document.createElement('div'), 'two');
  assert.deepEqual(log, ['created one', 'updated one', 'created two', 'updated two']);
});

test('after its removal, an element gets another view', () => {
  const { log, show } = recorded();
  const parent = document.createElement('div');
  show(parent, 'one')();
  show(parent, 'two');
  assert.deepEqual(log, ['created one', 'updated one', 'removed', 'created two', 'updated two']);
});

test('the same value can be sent twice: its time differs', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 5 });
  /** @type {unknown[]} */
  const sent = [];
  const component = {
    setTriggerValue: (/** @type {string} */ name, /** @type {unknown} */ value) => sent.push([name, value]),
  };
  trigger(component, 'like', { segment: 1 });
  context.mock.timers.tick(1);
  trigger(component, 'like', { segment: 1 });
  assert.deepEqual(sent, [
    ['like', { segment: 1, at: 5 }],
    ['like', { segment: 1, at: 6 }],
  ]);
});
