import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import '../../page.js';
import { ExportPanel } from '../../../../app/web/static/collections/export/panel.js';
import { choiceFrom } from '../../../../app/web/static/collections/export/request.js';
import { forecastText, languageChoices } from '../../../../app/web/static/collections/export/words.js';
import { FakeServer, settled } from '../../fake_server.js';
import { subclip } from '../subclips.js';

const reel = { id: 3, name: 'Reel', revision: 1, subclips: [1, 2, 3].map((id) => subclip({ id })) };
const spoken = {
  kinds: ['subtitle', 'speech'],
  languages: ['de', 'en'],
  carried: [
    { kind: 'speech', language: 'de', clips: 1 },
    { kind: 'subtitle', language: 'en', clips: 1 },
  ],
  silent: 1,
  without: 1,
  reasons: ['c.mp4: the library has no subtitles or recognised speech of it'],
};
const silent = { kinds: [], languages: [], carried: [], silent: 0, without: 3, reasons: ['a.mp4: none'] };

beforeEach(() => localStorage.clear());

/**
 * @param {import('node:test').TestContext} context
 * @param {unknown} answer
 */
async function opened(context, answer) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const server = new FakeServer({
    'GET /api/runs': { runs: [] },
    'GET /api/exports/name': { name: '001.mp4', why: '' },
    'POST /api/exports/words': answer,
    'POST /api/exports': { run: 'a' },
  }).serve(context);
  const panel = new ExportPanel({ data: {}, onToggle: () => {} });
  document.body.append(panel.element);
  context.after(() => {
    panel.remove();
    panel.element.remove();
  });
  panel.update(reel);
  panel.toggle(true);
  await answered(context);
  return { panel, server };
}

/** @param {import('node:test').TestContext} context */
async function answered(context) {
  context.mock.timers.tick(300);
  await settled();
}

/**
 * @param {ExportPanel} panel
 * @param {string} label
 * @param {string} value
 */
function choose(panel, label, value) {
  const field = panel.element.querySelector(`[aria-label="${label}"]`);
  if (field instanceof HTMLInputElement) field.click();
  else {
    assert.ok(field instanceof HTMLSelectElement, label);
    field.selectedIndex = [...field.options].findIndex((each) => each.value === value);
    field.dispatchEvent(new Event('change'));
  }
}

/**
 * @param {ExportPanel} panel
 * @param {FakeServer} server
 */
async function start(panel, server) {
  panel.parts.form.dispatchEvent(new Event('submit', { cancelable: true }));
  await settled();
  return /** @type {Record<string, unknown>[]} */ (
    server.requests.filter(({ line }) => line === 'POST /api/exports').map(({ body }) => body)
  );
}

test('where clips have words, they go along, and what comes of it is said', async (context) => {
  const { panel, server } = await opened(context, spoken);
  assert.ok(!panel.words.element.hidden);
  assert.ok(panel.words.which.hidden, 'nothing goes anywhere yet');
  choose(panel, 'Subtitles', 'file');
  choose(panel, 'Words from', 'speech');
  choose(panel, 'Language of the words', 'de');
  await answered(context);
  assert.deepEqual(server.requests.findLast(({ line }) => line === 'POST /api/exports/words')?.body, {
    collection: 3,
    handles_seconds: 0,
    language: 'de',
    words_from: 'speech',
  });
  assert.match(panel.words.line.textContent ?? '', /^SRT files beside 2 clips: recognised speech in German \(1\), sub/);
  const [sent] = await start(panel, server);
  assert.deepEqual([sent?.subtitles, sent?.words_from, sent?.language, sent?.markers], ['file', 'speech', 'de', false]);
});

test('a track may change the name of a clip', async (context) => {
  const { panel, server } = await opened(context, spoken);
  server.asked();
  choose(panel, 'Copy', '');
  choose(panel, 'Subtitles', 'track');
  await answered(context);
  const [line] = server.asked().filter((each) => each.startsWith('GET /api/exports/name?'));
  const { subtitles, mode, words_from } = Object.fromEntries(new URLSearchParams(line?.split('?')[1]));
  assert.deepEqual([subtitles, mode, words_from], ['track', 'copy', 'best']);
});

test('what cannot be is said, and starts nothing', async (context) => {
  const { panel, server } = await opened(context, spoken);
  choose(panel, 'Subtitles', 'burn');
  assert.match(panel.words.line.textContent ?? '', /choose the mode Exact/);
  assert.ok(panel.words.line.classList.contains('ps-export-problem'));
  assert.deepEqual(await start(panel, server), []);
  choose(panel, 'Exact', '');
  assert.match(panel.words.line.textContent ?? '', /^Drawn into the pictures of 2 clips/);
  choose(panel, 'Markers in the lists', '');
  choose(panel, 'CSV', '');
  assert.match(panel.words.line.textContent ?? '', /written into lists: choose one/);
  assert.deepEqual(await start(panel, server), []);
  choose(panel, 'EDL', '');
  const [sent] = await start(panel, server);
  assert.deepEqual([sent?.subtitles, sent?.markers, sent?.lists], ['burn', true, ['edl']]);
});

test('where no clip has words, nothing of it is shown or sent, whatever was chosen for others', async (context) => {
  localStorage.setItem('prismsearch.export', '{"subtitles": "burn", "markers": true, "lists": []}');
  const { panel, server } = await opened(context, silent);
  assert.ok(panel.words.element.hidden);
  const [sent] = await start(panel, server);
  assert.ok(sent && !Object.hasOwn(sent, 'subtitles') && !Object.hasOwn(sent, 'markers'));
});

test('until it is known whether clips have words, what was chosen counts', async (context) => {
  localStorage.setItem('prismsearch.export', '{"subtitles": "track", "language": "fr"}');
  const { panel, server } = await opened(context, () => new Promise(() => {}));
  assert.ok(!panel.words.element.hidden);
  assert.equal(panel.words.languages.value, 'fr');
  const [sent] = await start(panel, server);
  assert.equal(sent?.subtitles, 'track');
});

test('lists alone have markers and no subtitles', async (context) => {
  const { panel, server } = await opened(context, spoken);
  choose(panel, 'Subtitles', 'file');
  choose(panel, 'Lists only', '');
  assert.ok(panel.words.places.disabled);
  choose(panel, 'Markers in the lists', '');
  assert.match(panel.words.line.textContent ?? '', /^Markers for 2 clips: /);
  const [sent] = await start(panel, server);
  assert.deepEqual([sent?.subtitles, sent?.markers], ['none', true]);
});

test('only the clips that are exported are asked about', async (context) => {
  const { panel, server } = await opened(context, spoken);
  panel.selected(reel.subclips.slice(1));
  choose(panel, 'Selection', '');
  await answered(context);
  const body = server.requests.findLast(({ line }) => line === 'POST /api/exports/words')?.body;
  assert.deepEqual(/** @type {{subclips: number[]}} */ (body).subclips, [2, 3]);
  server.asked();
  panel.selected([]);
  panel.update({ ...reel, subclips: [] });
  await answered(context);
  assert.deepEqual(server.asked(), []);
});

test('a forecast is a few sentences', () => {
  const usual = choiceFrom({}, '');
  assert.equal(forecastText(usual, spoken), '');
  const one = { ...spoken, carried: [{ kind: 'subtitle', language: '', clips: 1 }], silent: 0, without: 0 };
  assert.equal(
    forecastText({ ...usual, subtitles: 'file', markers: true }, one),
    'SRT files beside, markers for 1 clip: subtitles.',
  );
  assert.equal(
    forecastText({ ...usual, subtitles: 'track' }, { ...spoken, reasons: ['c.mp4: none', 'd.mp4: none'], without: 4 }),
    'A subtitle track in 2 clips: recognised speech in German (1), subtitles in English (1). In 1 of them nothing is said. ' +
      'Without words: 4 clips (c.mp4: none …).',
  );
  assert.equal(
    forecastText({ ...usual, subtitles: 'track' }, { ...silent, kinds: ['subtitle'] }),
    'Without words: 3 clips (a.mp4: none).',
  );
});

test('a language that was chosen stays one to choose', () => {
  assert.deepEqual(languageChoices(['de'], ''), [
    ['', 'First language'],
    ['de', 'German'],
  ]);
  assert.deepEqual(languageChoices(['de'], 'en').at(-1), ['en', 'English']);
});
