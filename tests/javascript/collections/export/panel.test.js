import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../../page.js';
import { ExportPanel } from '../../../../app/web/static/collections/export/panel.js';
import { FakeServer, refusal, settled } from '../../fake_server.js';
import { subclip } from '../subclips.js';
import { exportJob } from './export_jobs.js';

const reel = { id: 3, name: 'Reel', revision: 1, subclips: [1, 2, 3].map((id) => subclip({ id, name: `take ${id}` })) };

beforeEach(() => localStorage.clear());

/**
 * @param {import('node:test').TestContext} context
 * @param {Record<string, unknown>} [answers]
 */
function opened(context, answers = {}) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const server = new FakeServer({ 'GET /api/runs': { runs: [] }, 'POST /api/exports': { run: 'a' }, ...answers }).serve(
    context,
  );
  const panel = new ExportPanel({ data: { home: '/home/me/clips' }, onToggle: () => {} });
  document.body.append(panel.element);
  context.after(() => {
    panel.remove();
    panel.element.remove();
  });
  panel.update(reel);
  panel.toggle(true);
  return { panel, server };
}

/**
 * Choose what a person sees by this name.
 *
 * @param {ExportPanel} panel
 * @param {string} label
 */
function choose(panel, label) {
  input(panel, label).click();
}

/**
 * @param {ExportPanel} panel
 * @param {string} label
 * @param {string} text
 */
function type(panel, label, text) {
  const field = input(panel, label);
  field.value = text;
  field.dispatchEvent(new Event('input'));
}

/**
 * @param {ExportPanel} panel
 * @param {string} label
 */
function input(panel, label) {
  const found = panel.element.querySelector(`input[aria-label="${label}"]`);
  assert.ok(found instanceof HTMLInputElement, label);
  return found;
}

/**
 * Press Start, and return the requests that began exports.
 *
 * @param {ExportPanel} panel
 * @param {FakeServer} server
 */
async function start(panel, server) {
  panel.parts.form.dispatchEvent(new Event('submit', { cancelable: true }));
  await settled();
  return server.requests.filter(({ line }) => line === 'POST /api/exports').map(({ body }) => body);
}

test('the whole collection is exported as it stands in the form', async (context) => {
  const { panel, server } = opened(context);
  assert.equal(panel.parts.amount.textContent, '3 subclips, 00:00:06:00');
  choose(panel, 'Exact');
  type(panel, 'Handles in seconds', '1.5');
  choose(panel, 'EDL');
  assert.deepEqual(await start(panel, server), [
    {
      collection: 3,
      mode: 'exact',
      handles_seconds: 1.5,
      name_pattern: '',
      audio: 'all',
      lists: ['edl', 'csv'],
      to: 'zip',
    },
  ]);
});

test('sound tracks are chosen by number, and a wrong number starts nothing', async (context) => {
  const { panel, server } = opened(context);
  assert.ok(panel.parts.tracks.hidden);
  panel.parts.sound.value = 'numbers';
  panel.parts.sound.dispatchEvent(new Event('change'));
  assert.ok(!panel.parts.tracks.hidden);
  assert.deepEqual(await start(panel, server), []);
  assert.match(panel.parts.said.textContent ?? '', /Enter sound track numbers/);
  type(panel, 'Sound track numbers', '1,3');
  const [sent] = await start(panel, server);
  assert.equal(/** @type {{audio: string}} */ (sent).audio, '1,3');
  choose(panel, 'Lists only');
  assert.ok(panel.parts.sounding.disabled);
});

test('a selection of several is what is exported when the panel opens', async (context) => {
  const { panel, server } = opened(context);
  panel.toggle(false);
  panel.selected(reel.subclips.slice(1));
  panel.toggle(true);
  const [sent] = await start(panel, server);
  assert.deepEqual(/** @type {{subclips: number[]}} */ (sent).subclips, [2, 3]);
});

test('a selection that is taken back leaves the whole collection', async (context) => {
  const { panel, server } = opened(context);
  panel.selected(reel.subclips.slice(1));
  choose(panel, 'Selection');
  panel.selected([]);
  const [sent] = await start(panel, server);
  assert.ok(sent && !Object.hasOwn(sent, 'subclips'));
});

/**
 * The addresses of the questions for a name, after a pause and its answer.
 *
 * @param {import('node:test').TestContext} context
 * @param {FakeServer} server
 */
async function asked(context, server) {
  context.mock.timers.tick(300);
  await settled();
  const lines = server.asked().filter((line) => line.startsWith('GET /api/exports/name?'));
  return lines.map((line) => Object.fromEntries(new URLSearchParams(line.split('?')[1])));
}

test('the first clip has the name that the server says, asked once for what is typed', async (context) => {
  const { panel, server } = opened(context, { 'GET /api/exports/name': { name: '001_take 1.mov', why: '' } });
  const all = { collection: '3', clip: '1', total: '3', mode: 'smart', handles: '0', pattern: '', audio: 'all' };
  assert.deepEqual(await asked(context, server), [all]);
  assert.equal(panel.parts.example.textContent, 'First clip: 001_take 1.mov');
  type(panel, 'Naming pattern', '{rank}');
  context.mock.timers.tick(200);
  type(panel, 'Naming pattern', '{rank}_{label}');
  assert.deepEqual(await asked(context, server), [{ ...all, pattern: '{rank}_{label}' }]);
  panel.draw();
  assert.deepEqual(await asked(context, server), []);
  panel.selected(reel.subclips.slice(1));
  choose(panel, 'Selection');
  choose(panel, 'A folder');
  type(panel, 'Folder', '/clips');
  const { clip, total, folder } = (await asked(context, server))[0] ?? {};
  assert.deepEqual([clip, total, folder], ['2', '2', '/clips']);
});

test('the name is asked for again when the clip or the files that are there may have changed', async (context) => {
  const { panel, server } = opened(context, { 'GET /api/exports/name': { name: '001.mp4', why: '' } });
  await asked(context, server);
  const [first, ...others] = reel.subclips;
  panel.update({ ...reel, subclips: [{ ...first, start: 3 }, ...others] });
  assert.equal((await asked(context, server)).length, 1);
  server.answers['GET /api/runs'] = { runs: [exportJob({ id: 'a' })] };
  await start(panel, server);
  await asked(context, server);
  server.answers['GET /api/runs'] = { runs: [exportJob({ id: 'a', outcome: 'done' })] };
  dispatchEvent(new Event('focus'));
  await settled();
  assert.equal((await asked(context, server)).length, 1);
});

test('a clip without a name says why, and can be started all the same', async (context) => {
  const answer = { name: '', why: 'The file is no longer there.' };
  const { panel, server } = opened(context, { 'GET /api/exports/name': answer });
  await asked(context, server);
  assert.equal(panel.parts.example.textContent, answer.why);
  assert.ok(!panel.parts.startButton.disabled);
});

test('nothing is asked for while the form is closed, without clips, or with handles that cannot be', async (context) => {
  const { panel, server } = opened(context, { 'GET /api/exports/name': { name: '001.mp4', why: '' } });
  type(panel, 'Handles in seconds', '-1');
  assert.deepEqual(await asked(context, server), []);
  type(panel, 'Handles in seconds', '1');
  panel.toggle(false);
  assert.deepEqual(await asked(context, server), []);
  panel.toggle(true);
  panel.update({ ...reel, subclips: [] });
  assert.deepEqual(await asked(context, server), []);
  assert.equal(panel.parts.example.textContent, '');
});

test('a pattern that cannot be used starts nothing, except where no clips are named', async (context) => {
  const { panel, server } = opened(context, { 'GET /api/exports/name': refusal(400, 'There is no {title}.') });
  type(panel, 'Naming pattern', '{title}');
  await asked(context, server);
  assert.equal(panel.parts.example.textContent, 'There is no {title}.');
  assert.deepEqual(await start(panel, server), []);
  choose(panel, 'Lists only');
  assert.equal(panel.parts.example.textContent, '');
  assert.deepEqual(await start(panel, server), [
    { collection: 3, mode: 'none', handles_seconds: 0, name_pattern: '', audio: 'all', lists: ['csv'], to: 'zip' },
  ]);
});

test('lists alone are not started without a list, and that is said until there is one', async (context) => {
  const { panel, server } = opened(context);
  choose(panel, 'Lists only');
  choose(panel, 'CSV');
  assert.equal(panel.parts.said.textContent, 'Choose at least one list.');
  assert.deepEqual(await start(panel, server), []);
  choose(panel, 'OTIO');
  assert.equal(panel.parts.said.textContent, '');
  assert.equal((await start(panel, server)).length, 1);
});

test('a folder that is missing is asked for', async (context) => {
  const { panel, server } = opened(context);
  choose(panel, 'A folder');
  type(panel, 'Folder', ' ');
  assert.deepEqual(await start(panel, server), []);
  assert.match(panel.parts.said.textContent ?? '', /Enter the folder/);
  assert(document.activeElement === panel.parts.folder);
});

test('folders of exports that began are suggested', async (context) => {
  const { panel, server } = opened(context);
  choose(panel, 'A folder');
  type(panel, 'Folder', '/home/me/one');
  await start(panel, server);
  type(panel, 'Folder', '/home/me/other');
  assert.deepEqual(
    [...panel.parts.recentButtons.children].map((each) => each.textContent),
    ['/home/me/one'],
  );
});

test('a refusal of the server is said, and the export can be tried again', async (context) => {
  const { panel, server } = opened(context, { 'POST /api/exports': refusal(400, 'There is a file of this name.') });
  await start(panel, server);
  assert.equal(panel.parts.said.textContent, 'There is a file of this name.');
  assert.ok(!panel.parts.startButton.disabled);
});

/** @param {ExportPanel} panel */
function waiting({ parts }) {
  const { disabled, title } = parts.startButton;
  assert.equal(disabled, title !== '');
  assert.equal(parts.running.textContent, title);
  return title;
}

test('nothing starts while an export of the collection runs, from whichever tab, and why is said', async (context) => {
  const elsewhere = exportJob({ arguments: ['export', '--collection', 'Reel'] });
  const { panel, server } = opened(context, { 'GET /api/runs': { runs: [elsewhere] } });
  await settled();
  assert.equal(waiting(panel), 'An export of this collection is running.');
  assert.deepEqual(await start(panel, server), []);
  panel.update({ ...reel, id: 4, name: 'Other' });
  assert.equal(waiting(panel), '');
  panel.update(reel);
  server.answers['GET /api/runs'] = { runs: [{ ...elsewhere, outcome: 'done' }] };
  dispatchEvent(new Event('focus'));
  await settled();
  assert.equal(waiting(panel), '');
  assert.equal((await start(panel, server)).length, 1);
});

test('a second press starts nothing, even before the server lists the first export', async (context) => {
  const { panel, server } = opened(context, { 'GET /api/runs': { runs: [exportJob({ id: 'a' })] } });
  server.answers['GET /api/runs'] = () => new Promise(() => {});
  assert.equal((await start(panel, server)).length, 1);
  assert.equal((await start(panel, server)).length, 1);
  assert.equal(waiting(panel), 'An export of this collection is running.');
});

test('an empty collection has nothing to start', (context) => {
  const { panel } = opened(context);
  panel.update({ ...reel, subclips: [] });
  assert.ok(panel.parts.startButton.disabled);
  assert.equal(panel.parts.amount.textContent, '');
  assert.equal(panel.parts.example.textContent, '');
});

test('choices are there again in the next page', (context) => {
  const { panel } = opened(context);
  choose(panel, 'Copy');
  choose(panel, 'JSON');
  type(panel, 'Naming pattern', '{rank}');
  const next = new ExportPanel({ data: {}, onToggle: () => {} });
  context.after(() => next.remove());
  assert.ok(input(next, 'Copy').checked && input(next, 'JSON').checked && input(next, 'CSV').checked);
  assert.equal(input(next, 'Naming pattern').value, '{rank}');
  assert.equal(input(next, 'Folder').value, '/home/me/clips');
});

test('damaged choices in storage give way to the usual ones', () => {
  localStorage.setItem('prismsearch.export', '{"lists": "csv", "mode": 7}');
  localStorage.setItem('prismsearch.export.folders', '[1, "/home/me"]');
  const panel = new ExportPanel({ data: {}, onToggle: () => {} });
  panel.remove();
  assert.ok(input(panel, 'Smart').checked && input(panel, 'CSV').checked);
  assert.deepEqual(panel.folders, ['/home/me']);
});
