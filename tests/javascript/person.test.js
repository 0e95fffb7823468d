import './page.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { mount } from '../../app/web/static/person.js';
import { FakeServer, refusal, settled } from './fake_server.js';

/** Mount the person in an empty page. */
function mounted() {
  document.body.replaceChildren();
  const parentElement = document.createElement('div');
  document.body.append(parentElement);
  const data = { name: 'Anna <b>', role: 'search', may: 'You can search.' };
  const remove = mount({ data, parentElement, setTriggerValue: () => {} });
  const out = [...parentElement.querySelectorAll('button')].find(({ textContent }) => textContent === 'Log out');
  assert(out);
  return { parentElement, remove, out };
}

test('the person is shown as text, with what the role allows, and is gone with the page', () => {
  const { parentElement, remove } = mounted();
  const button = parentElement.querySelector('button');
  assert.equal(button?.textContent, 'Anna <b>');
  assert.equal(button?.getAttribute('popovertarget'), parentElement.querySelector('[popover]')?.id);
  assert.match(parentElement.textContent, /You can search\./);
  assert.equal(document.documentElement.dataset.psRole, 'search');
  remove();
  assert.equal(parentElement.textContent, '');
});

test('logging out tells the server, and then shows what it shows to everybody', async (context) => {
  const server = new FakeServer({ 'POST /logout': {} }).serve(context);
  const gone = context.mock.method(location, 'assign', () => {});
  mounted().out.click();
  await settled();
  assert.deepEqual(server.asked(), ['POST /logout']);
  assert.deepEqual(gone.mock.calls[0]?.arguments, ['/']);
});

test('a log-out that fails can be tried again', async (context) => {
  new FakeServer({ 'POST /logout': refusal(503, 'The library is busy.') }).serve(context);
  const { out } = mounted();
  out.click();
  assert.equal(out.disabled, true);
  await settled();
  assert.equal(out.disabled, false);
  assert.match(document.body.textContent, /The library is busy/);
});
