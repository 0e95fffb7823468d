import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { ApiError, api, isAbort, messageOf } from '../../../app/web/static/core/api.js';
import { FakeServer, refusal } from '../fake_server.js';

/**
 * Return the error that a request fails with.
 *
 * @param {Promise<unknown>} request
 * @returns {Promise<ApiError>}
 */
async function errorOf(request) {
  const error = await request.then(
    () => assert.fail('the request did not fail'),
    (caught) => caught,
  );
  assert(error instanceof ApiError, String(error));
  return error;
}

test('a request without a body carries the mark of the page, and no type of content', async (context) => {
  const sent = context.mock.method(globalThis, 'fetch', () => Promise.resolve(Response.json({ items: [] })));
  assert.deepEqual(await api('/api/collections?x=1'), { items: [] });
  const [address, options] = sent.mock.calls[0].arguments;
  assert.equal(address, '/api/collections?x=1');
  assert.equal(options?.method, 'GET');
  assert.deepEqual(options?.headers, { 'X-Prismsearch': '1' });
  assert.equal(options?.body, undefined);
});

test('a body is sent as JSON, even one that is null or false', async (context) => {
  const sent = context.mock.method(globalThis, 'fetch', () => Promise.resolve(Response.json(1)));
  for (const body of [{ name: 'Ä' }, null, false, 0]) {
    await api('/x', { method: 'PATCH', body });
    const options = sent.mock.calls.at(-1)?.arguments[1];
    assert.equal(options?.method, 'PATCH');
    assert.deepEqual(options?.headers, { 'X-Prismsearch': '1', 'Content-Type': 'application/json' });
    assert.equal(options?.body, JSON.stringify(body));
  }
});

test('an empty response and one that is not JSON are null', async (context) => {
  new FakeServer({
    'GET /empty': () => new Response(null, { status: 204 }),
    'GET /page': () => new Response('<html>'),
    'GET /zero': 0,
  }).serve(context);
  assert.equal(await api('/empty'), null);
  assert.equal(await api('/page'), null);
  assert.equal(await api('/zero'), 0);
});

test("a refusal says the server's sentence, with its status and facts", async (context) => {
  new FakeServer({ 'GET /x': () => refusal(409, 'Changed elsewhere.', { current: { id: 7 } }) }).serve(context);
  const error = await errorOf(api('/x'));
  assert.equal(error.message, 'Changed elsewhere.');
  assert.equal(error.status, 409);
  assert.equal(error.body?.current?.id, 7);
});

test('a refusal without JSON says its text, shortened, or else the name of its status', async (context) => {
  new FakeServer({
    'GET /text': () => new Response('x'.repeat(301), { status: 502 }),
    'GET /none': () => new Response(null, { status: 503, statusText: 'Service Unavailable' }),
    'GET /other': () => Response.json({ detail: 'odd' }, { status: 500 }),
  }).serve(context);
  const text = await errorOf(api('/text'));
  assert.deepEqual([text.message, text.status, text.body], ['x'.repeat(300), 502, null]);
  assert.equal((await errorOf(api('/none'))).message, 'Service Unavailable');
  assert.equal((await errorOf(api('/other'))).message, '{"detail":"odd"}');
});

test('a server that does not answer, or breaks off within a response, has status 0', async (context) => {
  const server = new FakeServer({
    'GET /half': () =>
      new Response(
        new ReadableStream({
          start(stream) {
            stream.enqueue(new TextEncoder().encode('{"a":'));
            stream.error(new TypeError('network error'));
          },
        }),
      ),
  }).serve(context);
  const half = await errorOf(api('/half'));
  server.down = true;
  for (const error of [half, await errorOf(api('/x'))]) {
    assert.equal(error.status, 0);
    assert.match(error.message, /is not responding/);
  }
});

test('an aborted request throws AbortError, not a failure', async (context) => {
  const controller = new AbortController();
  new FakeServer({ 'GET /slow': () => controller.abort() }).serve(context);
  await assert.rejects(api('/slow', { signal: controller.signal }), (error) => isAbort(error));
  assert(!isAbort(new ApiError('no', 500, null)));
  assert(!isAbort('AbortError'));
  assert(!isAbort(null));
});

test('anything that is thrown has a sentence', () => {
  assert.equal(messageOf(new ApiError('Gone.', 404, null)), 'Gone.');
  assert.equal(messageOf('a text'), 'a text');
  assert.equal(messageOf(undefined), 'undefined');
});
