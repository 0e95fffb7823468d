import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { lookAgain, tellTabs } from '../../../app/web/static/core/look_again.js';

test('a page looks again when somebody comes, when it is shown, and when another tab says so', (context) => {
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  let looks = 0;
  const stop = lookAgain(() => {
    looks += 1;
  });
  /** @param {string} name */
  const after = (name) => {
    looks = 0;
    dispatchEvent(new Event(name));
    return looks;
  };
  now = 4000;
  assert.equal(after('pointermove'), 0, 'no pause');
  now = 10_000;
  assert.equal(after('pointermove'), 1);
  assert.equal(after('keydown'), 0, 'somebody is there already');
  assert.equal(after('focus'), 1);
  looks = 0;
  tellTabs();
  assert.equal(looks, 0, 'this tab knows');
  new BroadcastChannel('prismsearch').postMessage('changed');
  assert.equal(looks, 1);
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  assert.equal(after('focus'), 0);
  Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
  assert.equal(looks, 1);
  stop();
  now = 90_000;
  assert.equal(after('pointermove') + after('focus'), 0);
});
