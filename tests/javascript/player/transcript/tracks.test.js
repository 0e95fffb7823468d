import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bestTrack,
  languageName,
  spokenTracks,
  trackNames,
} from '../../../../app/web/static/player/transcript/tracks.js';

/**
 * @param {number} id
 * @param {Partial<import('../../../../app/web/static/core/types.js').TextTrack>} [given]
 * @returns {import('../../../../app/web/static/core/types.js').TextTrack}
 */
function track(id, given = {}) {
  return {
    id,
    kind: 'subtitle',
    language: '',
    title: '',
    origin: `track ${id}`,
    engine: '',
    default: false,
    forced: false,
    for_deaf: false,
    lines: 1,
    ...given,
  };
}

test('what is said comes from one track at a time, files before engines', () => {
  const tracks = [track(1, { kind: 'speech' }), track(2, { kind: 'screen' }), track(3), track(4, { kind: 'chapter' })];
  assert.deepEqual(
    spokenTracks(tracks).map(({ id }) => id),
    [3, 1],
  );
});

test("the first track shown is in the person's language, else the file's default; a forced one only where alone", () => {
  const english = track(1, { language: 'en' });
  const german = track(2, { language: 'de-CH' });
  const standard = track(3, { language: 'fr', default: true });
  const forced = track(4, { language: 'de', forced: true });
  assert.equal(bestTrack([english, forced, german, standard], ['', 'de-AT', 'en']), german);
  assert.equal(bestTrack([english, german, standard], ['it']), standard);
  assert.equal(bestTrack([track(5), track(6)], [''])?.id, 5);
  assert.equal(bestTrack([forced], ['en']), forced);
  assert.equal(bestTrack([], ['en']), null);
});

test('tracks have names that tell them apart', () => {
  const names = trackNames([
    track(1, { language: 'en' }),
    track(2, { language: 'de', for_deaf: true }),
    track(3, { language: 'de', title: 'Director' }),
    track(4, { language: 'de', title: 'Director' }),
    track(5, { kind: 'speech', engine: 'whisper' }),
  ]);
  assert.deepEqual(names, [
    'English (subtitle)',
    'German (subtitle, for the deaf)',
    'German (subtitle) · Director',
    'German (subtitle) · Director · 2',
    'Unknown language (speech)',
  ]);
  for (const odd of ['', 'not a code', '<b>', 'x'.repeat(2000)]) assert.equal(languageName(odd), odd);
});
