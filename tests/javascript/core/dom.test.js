import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { element } from '../../../app/web/static/core/dom.js';

test('element sets text, attributes and listeners, and drops children that are null', () => {
  let clicks = 0;
  const child = element('b', { text: '<i>' });
  const made = element(
    'button',
    {
      class: 'a b',
      'aria-label': 'Name',
      onclick: () => {
        clicks += 1;
      },
    },
    child,
    null,
    'and text',
  );
  made.click();
  assert.equal(clicks, 1);
  assert.equal(made.className, 'a b');
  assert.equal(made.getAttribute('aria-label'), 'Name');
  assert.equal(made.innerHTML, '<b>&lt;i&gt;</b>and text');
});
